// Threads for what may block: reads that are not in memory, writes, syncs, opens of files that the kernel does not know yet.
#pragma once
#include "sandbox.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace warpfs {

/// Threads are started when work waits and nobody is free, so that a mount that never blocks has none.
class WorkPool {
 public:
  /// With no threads the work waits for a caller of run_one; what still waits in the end is dropped. The threads are inside the sandbox.
  explicit WorkPool(unsigned threads_max, const Sandbox* sandbox = nullptr) : threads_max_(threads_max), sandbox_(sandbox) {}
  ~WorkPool();  // everything submitted is done first
  void submit(std::function<void()> work);
  /// Work that waits for a thread. Those who submit on behalf of the gpu stop taking requests while it is large.
  size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  /// Only without threads: does what is at this place of the queue, the oldest at 0. False if nothing is.
  bool run_one(size_t index);

 private:
  void start_thread();
  void run();
  std::function<void()> take(size_t index);  // with the mutex held

  const unsigned threads_max_;
  const Sandbox* const sandbox_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  std::atomic<size_t> waiting_{0};
  unsigned idle_ = 0;
  bool stopping_ = false;
};

/// Threads of the daemon take no signals: a write above RLIMIT_FSIZE must return EFBIG and not end the process.
void block_signals();

}  // namespace warpfs
