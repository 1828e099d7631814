#include "pusher.h"

#include "../host_error.h"

#include <chrono>

namespace warpfs::cuda {

namespace {

constexpr auto LOOK_TIME = std::chrono::milliseconds(1);  // without work, before the thread sleeps: to wake it takes longer than to copy a line

}  // namespace

Pusher::Pusher(Context& context, Ended filled, const std::vector<Copy>& fill_copies, Ended fetched, const std::vector<Copy>& fetch_copies)
    : context_(context),
      fills_(context, CopyBatches::Direction::TO_GPU, std::move(filled)),
      fetches_(context, CopyBatches::Direction::FROM_GPU, std::move(fetched)) {
  fills_.batches.warm_up(fill_copies);
  fetches_.batches.warm_up(fetch_copies);
  thread_ = std::thread([this] { run(); });
}

void Pusher::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  handed_in_.notify_one();
  if (!thread_.joinable()) return;
  thread_.join();
  if (!context_.enter_to_free()) return;
  // The memory that is copied to and from is about to be given back.
  fills_.batches.settle();
  fetches_.batches.settle();
}

void Pusher::hand_in(Lane& lane, const PushJob& job) {
  bool wake = false;
  {
    std::unique_lock lock(mutex_);
    if (stopping_) {
      lock.unlock();
      return lane.ended(job, false);
    }
    unfinished_.fetch_add(1, std::memory_order_relaxed);
    lane.handed_in.push_back(job);
    wake = sleeping_;
    sleeping_ = false;
  }
  if (wake) handed_in_.notify_one();
}

void Pusher::run() {
  try {
    context_.enter();
  } catch (const HostError&) {
    fail(CUDA_ERROR_UNKNOWN);
  }
  auto worked = std::chrono::steady_clock::now();
  while (take()) {
    bool moved = advance(fills_);
    moved = advance(fetches_) || moved;
    if (moved || !is_idle()) {
      worked = std::chrono::steady_clock::now();
      if (!moved) std::this_thread::yield();
    } else if (std::chrono::steady_clock::now() - worked < LOOK_TIME) {
      std::this_thread::yield();
    } else {
      std::unique_lock lock(mutex_);
      sleeping_ = fills_.handed_in.empty() && fetches_.handed_in.empty() && !stopping_;
      handed_in_.wait(lock, [this] { return !sleeping_ || stopping_; });
      sleeping_ = false;
    }
  }
  drop(fills_);
  drop(fetches_);
}

/// False: to be stopped.
bool Pusher::take() {
  std::lock_guard lock(mutex_);
  for (Lane* lane : {&fills_, &fetches_}) {
    lane->waiting.insert(lane->waiting.end(), lane->handed_in.begin(), lane->handed_in.end());
    lane->handed_in.clear();
  }
  return !stopping_;
}

/// True if something ended or began.
bool Pusher::advance(Lane& lane) {
  bool moved = end_batches(lane);
  moved = begin_batches(lane) || moved;
  if (!is_over() || (lane.in_flight.empty() && lane.waiting.empty())) return moved;
  drop(lane);
  return true;
}

bool Pusher::end_batches(Lane& lane) {
  bool moved = false;
  while (!lane.in_flight.empty() && !is_over()) {
    const CUresult result = lane.batches.end_oldest();
    if (result == CUDA_ERROR_NOT_READY) break;
    if (result != CUDA_SUCCESS) {
      fail(result);
      break;
    }
    end(lane, lane.in_flight.front(), true);
    lane.in_flight.pop_front();
    moved = true;
  }
  return moved;
}

/// What is handed in while batches are in flight waits for the next one: so batches are as large as there is work.
bool Pusher::begin_batches(Lane& lane) {
  bool moved = false;
  while (!lane.waiting.empty() && lane.batches.has_room() && !is_over()) {
    std::vector<PushJob> jobs;
    std::vector<Copy> copies;
    while (!lane.waiting.empty() && copies.size() + lane.waiting.front().copy_count <= CopyBatches::COPIES_MAX) {
      const PushJob& job = lane.waiting.front();
      copies.insert(copies.end(), job.copies, job.copies + job.copy_count);
      jobs.push_back(job);
      lane.waiting.pop_front();
    }
    const CUresult result = lane.batches.begin(copies);
    if (result != CUDA_SUCCESS) fail(result);
    lane.in_flight.push_back(std::move(jobs));
    moved = true;
  }
  return moved;
}

void Pusher::drop(Lane& lane) {
  for (const std::vector<PushJob>& jobs : lane.in_flight) end(lane, jobs, false);
  lane.in_flight.clear();
  end(lane, {lane.waiting.begin(), lane.waiting.end()}, false);
  lane.waiting.clear();
}

void Pusher::end(Lane& lane, const std::vector<PushJob>& jobs, bool copied) {
  for (const PushJob& job : jobs) lane.ended(job, copied);
  unfinished_.fetch_sub(uint32_t(jobs.size()), std::memory_order_release);
}

void Pusher::fail(CUresult result) {
  CUresult none = CUDA_SUCCESS;
  failure_.compare_exchange_strong(none, result, std::memory_order_acq_rel);
}

}  // namespace warpfs::cuda
