#include "ring_consumer.h"

#include "assert.h"

#include <algorithm>
#include <ctime>
#include <sched.h>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

namespace warpfs {

namespace {

constexpr uint64_t WATCH_NS = 20000;   // before something is due: this thread does nothing but look
constexpr uint64_t AWAKE_NS = 100000;  // and so long before it lets others run, but does not sleep: a sleep may last longer than it should
constexpr uint64_t BUSY_NS = 5000000;  // behind a request it does not sleep either: how late a sleep lets the next one be seen is measured by nobody
constexpr uint32_t YIELD_SWEEPS = 32;    // looks at empty rings between which others may run; then sleep
constexpr long SLEEP_MIN_NS = 1000;
constexpr long SLEEP_MAX_NS = 50000;
constexpr uint64_t NAP_NS = 1000000;  // with a doorbell: how long a ring that nobody heard could go unnoticed

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

}  // namespace

/// How a thread that polls leaves the processor to others, a little more with every empty sweep.
class Patience {
 public:
  explicit Patience(uint32_t spin_sweeps) : spin_sweeps_(spin_sweeps) {}
  void reset() {
    empty_sweeps_ = 0;
    sleep_ns_ = SLEEP_MIN_NS;
  }
  /// True when it is time to sleep.
  bool spent() {
    if (++empty_sweeps_ < spin_sweeps_) {
      relax();
    } else if (empty_sweeps_ < spin_sweeps_ + YIELD_SWEEPS) {
      sched_yield();
    } else {
      return true;
    }
    return false;
  }
  void sleep() {
    const timespec time{0, sleep_ns_};
    nanosleep(&time, nullptr);
    sleep_ns_ = sleep_ns_ * 2 < SLEEP_MAX_NS ? sleep_ns_ * 2 : SLEEP_MAX_NS;
  }

 private:
  const uint32_t spin_sweeps_;
  uint32_t empty_sweeps_ = 0;
  long sleep_ns_ = SLEEP_MIN_NS;
};

void DispatchGate::enter() {
  {
    std::lock_guard lock(mutex_);
    dispatches_++;
    open_.store(true, std::memory_order_release);
  }
  changed_.notify_all();
}

void DispatchGate::leave() {
  std::lock_guard lock(mutex_);
  WARPFS_ASSERT(dispatches_ > 0);
  if (--dispatches_ == 0) open_.store(false, std::memory_order_release);
}

void DispatchGate::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_.store(true, std::memory_order_release);
  }
  changed_.notify_all();
}

bool DispatchGate::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return open() || stopping(); });
  return !stopping();
}

RingConsumer::RingConsumer(const HostView& view, const Geometry& geometry, unsigned thread, unsigned threads, RequestServer& server,
                           DispatchGate& gate, std::unique_ptr<IoEngine> engine, const DaemonOptions& options, const Sandbox& sandbox,
                           Medium* medium)
    : rings_(view, geometry, thread, threads),
      carrier_(view.carrier),
      server_(server),
      gate_(gate),
      engine_(std::move(engine)),
      hold_(engine_->moves_at_once() ? &server.new_hold() : nullptr),
      has_doorbell_(options.has_doorbell),
      spin_sweeps_(options.spin_sweeps),
      sandbox_(sandbox) {
  if (medium != nullptr) held_ = server.new_held_answers(*medium, counters_, [this] { doorbell(); });
  counters_.held = held_.get();
  thread_ = std::thread([this] { run(); });
}

void RingConsumer::join() {
  if (thread_.joinable()) thread_.join();
}

void RingConsumer::run() {
  sandbox_.enter();
  block_signals();
#if defined(__linux__)
  prctl(PR_SET_TIMERSLACK, 1000);  // a sleep of 1 us should not last 50
#endif
  if (held_ != nullptr) held_->own();
  Patience patience(spin_sweeps_);
  while (true) {
    const bool polling = gate_.open() && !gate_.stopping();
    if (!polling && engine_->in_flight() == 0 && coming_.empty() && (held_ == nullptr || held_->is_empty())) {
      if (!gate_.wait()) {
        if (held_ != nullptr) held_->close();
        return;
      }
      Counters::bump(counters_.wakes);
      patience.reset();
      continue;
    }
    if (held_ != nullptr) {
      rings_.look();
      looked_ns_ = steady_ns();
      held_->look(looked_ns_);
    }
    const uint32_t taken = serve_come() + (polling ? sweep() : 0);
    const bool ended = engine_->advance();
    const bool released = held_ != nullptr && held_->release(steady_ns()) != 0;
    if (taken != 0) busy_until_ns_ = looked_ns_ + BUSY_NS;
    if (taken != 0 || ended || released) patience.reset();
    else rest(patience);
  }
}

/// What is due is not slept through.
void RingConsumer::rest(Patience& patience) {
  std::chrono::nanoseconds longest(NAP_NS);
  if (held_ != nullptr) {
    const uint64_t due = held_->is_empty() ? UINT64_MAX : held_->next_due(), now = steady_ns();
    if (due < now + WATCH_NS) return relax();
    if (due < now + AWAKE_NS || now < busy_until_ns_) return void(sched_yield());
    longest = std::chrono::nanoseconds(std::min(due - now - AWAKE_NS, NAP_NS));
  }
  if (!patience.spent()) return;
  // Where the gpu can ring, waiting for that costs nothing; io in flight has to be polled all the same.
  if (has_doorbell_ && engine_->in_flight() == 0) nap(longest);
  else patience.sleep();
}

void RingConsumer::doorbell() {
  if (!napping_.load(std::memory_order_relaxed)) return;
  {
    std::lock_guard lock(nap_mutex_);
    napping_.store(false, std::memory_order_relaxed);
  }
  nap_over_.notify_one();
}

/// Either the request is seen here, or the napping flag is seen by whoever rings: both look behind a fence.
void RingConsumer::nap(std::chrono::nanoseconds longest) {
  std::unique_lock lock(nap_mutex_);
  napping_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (rings_are_empty() && (held_ == nullptr || !held_->has_come())) {
    nap_over_.wait_for(lock, longest, [this] { return !napping_.load(std::memory_order_relaxed); });
  }
  napping_.store(false, std::memory_order_relaxed);
}

uint32_t RingConsumer::sweep() {
  return rings_.sweep(*engine_, counters_, [this](const Request& request) {
    if (request.opcode == Opcode::WRITE_BACK && carrier_ != nullptr && carrier_->is_coming(request.lines[0])) return coming_.push_back(request);
    server_.serve(request, *engine_, counters_, hold_);
    if (held_ != nullptr) held_->release(steady_ns());
  });
}

/// They come in the order in which they were asked for. How many.
uint32_t RingConsumer::serve_come() {
  uint32_t served = 0;
  for (; !coming_.empty() && engine_->has_room() && !carrier_->is_coming(coming_.front().lines[0]); served++) {
    server_.serve(coming_.front(), *engine_, counters_, hold_);
    coming_.pop_front();
  }
  return served;
}

}  // namespace warpfs
