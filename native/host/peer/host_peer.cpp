#include "host_peer.h"

#include "../host_calls.h"
#include "../host_error.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace warpfs {

namespace {

constexpr uint64_t SPIN_NS = 50'000;  // with nothing to do; then it naps, for there may be fewer cores than threads that poll
constexpr auto NAP = std::chrono::microseconds(20);

template <typename Move>
int32_t move_all(uint64_t bytes, const Move& move) {
  for (uint64_t done = 0; done < bytes;) {
    const ssize_t moved = move(done);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return failure(errno);
    if (moved == 0) return 0;
    done += uint64_t(moved);
  }
  return 0;
}

}  // namespace

PeerHost::PeerHost(const PeerOptions& options, std::unique_ptr<PeerProtocol> protocol) : options_(options), protocol_(std::move(protocol)) {
  struct stat found{};
  if (fstat(options_.fd, &found) == 0) file_bytes_ = uint64_t(found.st_size);
  if (options_.medium) medium_ = std::make_unique<Medium>(*options_.medium);
  for (uint32_t i = 0; i < options_.threads; i++) threads_.push_back(std::make_unique<Thread>());
  for (uint32_t i = 0; i < options_.threads; i++) threads_[i]->thread = std::thread([this, i] { run(i); });
}

PeerHost::~PeerHost() {
  end();
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread->thread.join();
}

void PeerHost::begin() {
  {
    std::lock_guard lock(mutex_);
    rounds_++;
    polling_ = uint32_t(threads_.size());
    running_.store(true, std::memory_order_relaxed);
  }
  changed_.notify_all();
}

void PeerHost::end() {
  running_.store(false, std::memory_order_relaxed);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return polling_ == 0; });
}

void PeerHost::run(uint32_t thread) {
  uint64_t seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return closing_ || rounds_ != seen; });
      if (closing_) return;
      seen = rounds_;
    }
    poll(thread);
    {
      std::lock_guard lock(mutex_);
      polling_--;
    }
    changed_.notify_all();
  }
}

void PeerHost::poll(uint32_t thread) {
  uint64_t busy = steady_ns();
  for (;;) {
    const bool last = !running_.load(std::memory_order_relaxed);
    if (protocol_->serve(thread, *this) + tell_due(thread) != 0) {
      busy = steady_ns();
    } else if (last && threads_[thread]->held.empty()) {
      return;
    } else if (steady_ns() - busy > SPIN_NS && threads_[thread]->held.empty()) {
      std::this_thread::sleep_for(NAP);
    } else {
      std::this_thread::yield();
    }
  }
}

MediumTime PeerHost::ask(MediumKind kind, uint64_t bytes) {
  return medium_ == nullptr ? MediumTime{} : medium_->ask(kind, steady_ns(), bytes);
}

void PeerHost::answer(uint32_t thread, const PeerAnswer& answer) {
  if (medium_ == nullptr) return protocol_->tell(thread, answer);
  threads_[thread]->held.push(answer);
}

uint32_t PeerHost::tell_due(uint32_t thread) {
  auto& [held, record, _] = *threads_[thread];
  uint32_t told = 0;
  while (!held.empty()) {
    const uint64_t now = steady_ns();
    const PeerAnswer answer = held.top();
    if (answer.time.due > now) break;
    held.pop();
    protocol_->tell(thread, answer);
    record.add_answer(answer.kind, answer.time, now);
    told++;
  }
  return told;
}

int32_t PeerHost::read(uint64_t offset, uint64_t bytes, uint64_t at_data) {
  uint8_t* const to = options_.data + at_data;
  if (offset + bytes > file_bytes_) std::memset(to, 0, bytes);
  return move_all(bytes, [&](uint64_t done) { return pread(options_.fd, to + done, bytes - done, off_t(offset + done)); });
}

int32_t PeerHost::write(uint64_t offset, uint64_t bytes, uint64_t at_data) {
  const uint8_t* const from = options_.data + at_data;
  return move_all(bytes, [&](uint64_t done) { return pwrite(options_.fd, from + done, bytes - done, off_t(offset + done)); });
}

int32_t PeerHost::move(MediumKind kind, uint64_t offset, uint64_t bytes, uint64_t at_data) {
  const bool reads = kind == MediumKind::READ;
  if (offset >= file_bytes_) return -Errno::eio;
  if (!(reads ? options_.reads_move : options_.writes_move)) return 0;
  if (at_data > options_.data_bytes || bytes > options_.data_bytes - at_data) return -Errno::einval;
  return reads ? read(offset, bytes, at_data) : write(offset, std::min(bytes, file_bytes_ - offset), at_data);
}

int32_t PeerHost::sync() { return HostCalls::unwatched().sync_data(options_.fd) == 0 ? 0 : failure(errno); }

std::unique_ptr<MediumRecord> PeerHost::medium_record() const {
  if (medium_ == nullptr) return nullptr;
  auto sum = std::make_unique<MediumRecord>();
  for (const auto& thread : threads_) sum->add(thread->record);
  return sum;
}

}  // namespace warpfs
