// One thread of the cpu device: starts groups, runs its resident warps in turn, and gets out of the way when they all wait.
#pragma once
#include "executor.h"
#include "fiber_stacks.h"
#include "resident_warp.h"

#include <condition_variable>
#include <thread>

namespace warpfs {

/// In blocks of its own: what one worker writes at every collective must not lie beside what another one reads.
class alignas(128) CpuWorker {
 public:
  CpuWorker(CpuExecutor& executor, uint32_t index, size_t stack_bytes);
  ~CpuWorker();  // after the executor said that it is closing
  CpuWorker(const CpuWorker&) = delete;
  CpuWorker& operator=(const CpuWorker&) = delete;

  /// Null on every thread that is no worker.
  static CpuWorker* of_this_thread();

  // Between the executor and this thread, under the lock of the executor.
  std::condition_variable wake;
  Launch* launch = nullptr;

  // Everything from here on is touched by this thread alone.
  /// The warp that this thread runs. Thread-local, so that a lane finds it without knowing its worker.
  __attribute__((tls_model("initial-exec"), visibility("hidden"))) static inline constinit thread_local ResidentWarp* running = nullptr;
  ResidentWarp* unsettled = nullptr;   // a warp whose lanes are blocked at several sites; the scheduler picks one
  void* scheduler_context = nullptr;   // where the scheduler was left
  bool progress = false;               // in this round a collective completed, or a warp ended or came nearer to it
  uint32_t gave_turns = 0;             // turns of this round that ended because every lane that could run had yielded
  bool spun = false;                   // in this round a lane used up its budget of atomics: it may be working rather than waiting

  /// To the end of the queue: the warp has its next turn in the next round.
  void push(ResidentWarp* warp) {
    warp->next_queued = nullptr;
    *(queue_head_ == nullptr ? &queue_head_ : &queue_tail_->next_queued) = warp;
    queue_tail_ = warp;
    queued_++;
  }

  const CpuExecutor& executor() const { return executor_; }

  /// Where to go on when the running warp stops: the next warp of the round, or the scheduler at its end.
  void* next_context();

  LaneFiber* take_fiber() {
    LaneFiber* fiber = free_fibers_;
    if (__builtin_expect(fiber == nullptr, 0)) return make_fiber();
    free_fibers_ = fiber->next_free;
    return fiber;
  }

 private:
  void thread_main();
  void run_launch();
  void run_round();
  bool start_groups();
  bool take_group(uint64_t& group);
  void start_group(uint64_t index);
  void idle();
  void offer_core();

  __attribute__((noinline, cold)) LaneFiber* make_fiber();
  static void run_lanes(void* fiber) noexcept;
  void* leave_warp(ResidentWarp* warp);
  void finish_warp(ResidentWarp* warp);

  CpuExecutor& executor_;
  FiberStacks stacks_;
  const uint32_t index_;
  LaneFiber* free_fibers_ = nullptr;
  std::vector<std::unique_ptr<LaneFiber>> fibers_;

  ResidentWarp* queue_head_ = nullptr;  // warps that can run, in the order of their turns
  ResidentWarp* queue_tail_ = nullptr;
  uint32_t queued_ = 0;
  uint32_t round_left_ = 0;  // turns that are left in this round

  std::vector<std::unique_ptr<WarpGroup>> groups_;
  WarpGroup* free_groups_ = nullptr;
  uint32_t resident_groups_ = 0;
  uint32_t slots_used_ = 0;               // slots of this launch that were ever given out
  std::vector<uint32_t> free_slots_;      // first slots of groups that ended
  uint64_t chunk_next_ = 0, chunk_end_ = 0;  // groups taken and not started

  uint32_t turns_ = 0;           // turns of the last round
  uint32_t idle_rounds_ = 0;     // rounds in a row in which nothing moved
  uint32_t waiting_rounds_ = 0;  // rounds in a row that ended with every warp waiting
  ulong idle_since_ = 0;
  std::thread thread_;  // last: it starts when all of the above exists
};

/// Where to go on when this lane is to run: its stack, or a fresh one for a lane that has not started.
inline void* context_of(ResidentWarp* warp, uint lane) {
  warp->current = lane;
  return lane != warp->next_lane ? warp->contexts[lane] : warp->worker->take_fiber()->context;
}

}  // namespace warpfs
