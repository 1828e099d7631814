#include "worker.h"

#include "../assert.h"
#include "collectives.h"
#include "fiber_switch.h"

#include <sched.h>
#include <time.h>

#include <algorithm>

namespace warpfs {

namespace {

thread_local CpuWorker* worker_of_this_thread = nullptr;

// How a worker waits whose warps all wait: first without leaving the core, then offering it, then asleep.
constexpr uint32_t PAUSING_ROUNDS = 16;
// More warps are started only when those that are resident leave the worker with nothing to do: each of them has 32 stacks, and those
// of a few warps stay in the near caches. So many groups keep a daemon busy that answers from memory; more of them take a wait as long
// as one for a disk.
constexpr uint32_t NEAR_GROUPS = 4;
constexpr uint32_t IDLE_ROUNDS_BEFORE_MORE = 6;
constexpr uint32_t IDLE_ROUNDS_BEFORE_MANY = 200;
constexpr int PAUSES_PER_ROUND = 4;
constexpr ulong AWAKE_NS = 2'000'000;
constexpr long SLEEP_NS = 50'000;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#else
  asm volatile("" ::: "memory");
#endif
}

}  // namespace

// Not inline: a fiber never changes its thread, but that is for the compiler of this file alone to know.
CpuWorker* CpuWorker::of_this_thread() { return worker_of_this_thread; }

CpuWorker::CpuWorker(CpuExecutor& executor, uint32_t index, size_t stack_bytes)
    : executor_(executor), stacks_(stack_bytes), index_(index), thread_([this] { thread_main(); }) {}

CpuWorker::~CpuWorker() { thread_.join(); }

void CpuWorker::thread_main() {
  worker_of_this_thread = this;
  cpu_attach(cpu_runtime());
  std::unique_lock<std::mutex> lock(executor_.mutex_);
  for (;;) {
    wake.wait(lock, [&] { return launch != nullptr || executor_.closing_; });
    if (launch == nullptr) return;
    lock.unlock();
    run_launch();
    lock.lock();
    launch = nullptr;
    if (--executor_.running_workers_ == 0) executor_.done_.notify_one();
  }
}

void CpuWorker::run_launch() {
  if (launch->attach != nullptr) launch->attach(cpu_runtime());
  free_slots_.clear();
  slots_used_ = 0;
  idle_rounds_ = waiting_rounds_ = turns_ = 0;
  for (;;) {
    const uint32_t patience = resident_groups_ == 0 ? 0 : resident_groups_ < NEAR_GROUPS ? IDLE_ROUNDS_BEFORE_MORE : IDLE_ROUNDS_BEFORE_MANY;
    const bool started = idle_rounds_ >= patience && start_groups();
    if (queue_head_ == nullptr) break;
    if (gave_turns < turns_ || started) waiting_rounds_ = 0;
    if (started || progress) {
      idle_rounds_ = 0;
      if (gave_turns == turns_) offer_core();
    } else {
      idle();
    }
    progress = spun = false;
    gave_turns = 0;
    run_round();
  }
  WARPFS_ASSERT(resident_groups_ == 0);
}

/// Gives each warp that is in the queue now one turn.
void CpuWorker::run_round() {
  round_left_ = turns_ = queued_;
  void* target = next_context();
  for (;;) {
    fiber_switch(&scheduler_context, target);
    ResidentWarp* warp = unsettled;
    if (warp == nullptr) return;
    unsettled = nullptr;
    const uint released = settle(warp);
    if (released != 0) {
      target = context_of(warp, uint(__builtin_ctz(released)));
    } else if (round_left_ != 0) {
      target = next_context();
    } else {
      return;
    }
  }
}

void* CpuWorker::next_context() {
  if (round_left_ == 0) return scheduler_context;
  round_left_--;
  queued_--;
  ResidentWarp* warp = queue_head_;
  queue_head_ = warp->next_queued;
  running = warp;
  warp->cold = 2;  // the one that a lane was in alone, and that in which the others follow
  return context_of(warp, warp->resume);
}

/// Warps get somewhere, but each round leaves all of them waiting: whom they wait for may need this core.
void CpuWorker::offer_core() {
  if (waiting_rounds_++ >= PAUSING_ROUNDS) sched_yield();
}

void CpuWorker::idle() {
  if (spun) idle_since_ = 0;
  if (idle_rounds_++ < PAUSING_ROUNDS) {
    idle_since_ = 0;
    for (int pause = 0; pause < PAUSES_PER_ROUND; pause++) relax();
    return;
  }
  sched_yield();
  const ulong now = clock_ns();
  if (idle_since_ == 0) idle_since_ = now;
  if (now - idle_since_ < AWAKE_NS) return;
  const struct timespec nap = {0, SLEEP_NS};
  nanosleep(&nap, nullptr);
}

/// Starts groups while there are any and room for them: one when nothing is resident, and more the more warps already wait, so that a
/// launch whose warps all wait for each other or for the disk is resident after a few rounds.
bool CpuWorker::start_groups() {
  uint32_t wanted = std::max(1u, resident_groups_ / 4);
  wanted = std::min(wanted, launch->groups_per_worker - resident_groups_);
  bool started = false;
  uint64_t group;
  for (; wanted != 0 && take_group(group); wanted--) {
    start_group(group);
    started = true;
  }
  return started;
}

bool CpuWorker::take_group(uint64_t& group) {
  if (chunk_next_ == chunk_end_) {
    const uint64_t count = resident_groups_ == 0 ? launch->chunk : 1;
    // The counter may pass the end by one chunk per worker and round, which a 64-bit word has room for.
    chunk_next_ = __atomic_fetch_add(&launch->next_group, count, __ATOMIC_RELAXED);
    chunk_next_ = std::min(chunk_next_, launch->groups);
    chunk_end_ = std::min(chunk_next_ + count, launch->groups);
    if (chunk_next_ == chunk_end_) return false;
  }
  group = chunk_next_++;
  return true;
}

}  // namespace warpfs
