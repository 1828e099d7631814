// Threads for what may block: reads that are not in memory, writes, syncs, opens of files that the kernel does not know yet.
#pragma once
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
  explicit WorkPool(unsigned threads_max) : threads_max_(threads_max) {}
  ~WorkPool();  // everything submitted is done first
  void submit(std::function<void()> work);
  /// Work that waits for a thread. Those who submit on behalf of the gpu stop taking requests while it is large.
  size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  void run();

  const unsigned threads_max_;
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
