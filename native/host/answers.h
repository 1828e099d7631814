// How the host tells the gpu that something ended, and how the host's own waiters see it.
#pragma once
#include "mount_memory.h"
#include "request_validation.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace warpfs {

constexpr uint32_t OPCODES = Opcode::RENAME + 1;

class HeldAnswers;

/// What one daemon thread counts. Its own block of memory: threads do not slow each other down. The pool adds what it finishes for it.
struct alignas(128) Counters {
  std::atomic<uint64_t> accepted{0};  // pieces of work taken from rings; the daemon thread alone adds
  std::atomic<uint64_t> finished{0};  // of those, the ones that ended
  std::atomic<uint64_t> served[OPCODES]{};  // by opcode; the daemon thread alone adds
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> bytes_read{0};
  std::atomic<uint64_t> bytes_written{0};
  std::atomic<uint64_t> wakes{0};
  HeldAnswers* held = nullptr;  // where a medium keeps the answers of this thread back; null: none does

  /// For counters that one thread alone adds to.
  static void bump(std::atomic<uint64_t>& counter, uint64_t by = 1) {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
};

/// Writes completions. The answer goes first, then the sequence with release: who sees the sequence sees the answer and the line.
class Answers {
 public:
  Answers(const HostView& view, const RequestLimits& limits) : view_(view), limits_(limits) {}
  void line(uint32_t line, int32_t result) const;
  void mailbox(uint32_t mailbox, int32_t result, uint64_t value) const;
  /// Tells whoever can be told. A request that names no valid place for the answer is dropped.
  void refuse(const Request& request, int32_t error) const;

 private:
  HostView view_;
  RequestLimits limits_;
};

/// Lets threads of the host sleep until something was finished. Costs the finisher one load while nobody sleeps.
class FinishedBell {
 public:
  /// One piece of work of this daemon thread has ended, and whoever had to be told has been.
  void finished(Counters& counters) {
    counters.finished.fetch_add(1, std::memory_order_seq_cst);
    ring();
  }
  void ring() {
    if (waiters_.load(std::memory_order_seq_cst) != 0) wake();
  }
  void wake();
  template <typename Condition>
  bool wait(std::chrono::nanoseconds timeout, Condition&& condition) {
    if (condition()) return true;
    // Announced before the condition is read again: a finisher either sees the waiter, or the waiter sees what it finished.
    waiters_.fetch_add(1, std::memory_order_seq_cst);
    bool met = false;
    {
      std::unique_lock lock(mutex_);
      met = rung_.wait_for(lock, timeout, condition);
    }
    waiters_.fetch_sub(1, std::memory_order_relaxed);
    return met;
  }

 private:
  std::atomic<uint32_t> waiters_{0};
  std::mutex mutex_;
  std::condition_variable rung_;
};

}  // namespace warpfs
