// One daemon thread: takes requests from its rings in order, and is polite while there are none.
#pragma once
#include "daemon.h"
#include "request_server.h"
#include "ring_reader.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace warpfs {

/// Open while a dispatch runs. With it closed the daemon threads sleep in the kernel.
class DispatchGate {
 public:
  void enter();
  void leave();
  void stop();
  bool open() const { return open_.load(std::memory_order_acquire); }
  bool stopping() const { return stopping_.load(std::memory_order_acquire); }
  /// Sleeps while closed. False once stopped.
  bool wait();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint32_t dispatches_ = 0;
  std::atomic<bool> open_{false};
  std::atomic<bool> stopping_{false};
};

class Patience;

class RingConsumer {
 public:
  RingConsumer(const HostView& view, const Geometry& geometry, unsigned thread, unsigned threads, RequestServer& server,
               DispatchGate& gate, std::unique_ptr<IoEngine> engine, const DaemonOptions& options, const Sandbox& sandbox, Medium* medium);
  ~RingConsumer() { join(); }
  /// After DispatchGate::stop: returns when the thread has ended what it took from its rings.
  void join();
  /// Wakes the thread if it naps. Whoever rings has published its request before, behind a sequentially consistent fence.
  void doorbell();
  /// True if no published request waits in a ring of this thread.
  bool rings_are_empty() const { return rings_.is_empty(); }
  const Counters& counters() const { return counters_; }
  std::string engine_note() const { return engine_->note(); }
  /// Null without a medium.
  const HeldAnswers* held_answers() const { return counters_.held; }

 private:
  void run();
  uint32_t sweep();
  uint32_t serve_come();
  void rest(Patience& patience);
  void nap(std::chrono::nanoseconds longest);

  RingReader rings_;
  LineCarrier* const carrier_;
  std::deque<Request> coming_;  // write-backs whose bytes are not here yet
  RequestServer& server_;
  DispatchGate& gate_;
  std::unique_ptr<IoEngine> engine_;
  Counters counters_;
  std::unique_ptr<HeldAnswers> held_;
  uint64_t looked_ns_ = 0, busy_until_ns_ = 0;  // with a medium: the last look at the rings, and how long to stay awake
  FileHold* const hold_;  // where an engine moves one thing after the other
  const bool has_doorbell_;
  const uint32_t spin_sweeps_;
  const Sandbox& sandbox_;
  std::atomic<bool> napping_{false};
  std::mutex nap_mutex_;
  std::condition_variable nap_over_;
  std::thread thread_;
};

}  // namespace warpfs
