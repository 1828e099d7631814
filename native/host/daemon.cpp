#include "daemon.h"

#include "assert.h"
#include "host_error.h"
#include "ring_consumer.h"

#include <algorithm>
#include <sys/resource.h>
#include <thread>
#include <vector>

namespace warpfs {

namespace {

constexpr unsigned POOL_THREADS_MAX = 16;  // reads in flight that keep an SSD busy
constexpr rlim_t DESCRIPTORS_WITHOUT_LIMIT = 10240;

bool is_power_of_two(uint32_t value) { return value != 0 && (value & (value - 1)) == 0; }

Geometry checked_copy(const Geometry& shared) {
  const Geometry geometry = shared;  // the daemon never looks at the shared one again
  WARPFS_ASSERT(is_power_of_two(geometry.ring_slots) && geometry.ring_count > 0);
  WARPFS_ASSERT(is_power_of_two(geometry.line_bytes) && geometry.line_bytes <= LINE_BYTES_MAX);
  WARPFS_ASSERT(uint64_t(geometry.line_count) + geometry.bypass_count < LINE_NONE);
  WARPFS_ASSERT(geometry.mask_count <= MASKS_MAX);
  return geometry;
}

/// Each open file takes a descriptor, and the soft limit that a process starts with is mostly 1024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  rlimit raised = limit;
  raised.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return;
  raised.rlim_cur = DESCRIPTORS_WITHOUT_LIMIT;  // some systems have a limit that they do not tell
  if (raised.rlim_cur > limit.rlim_cur) setrlimit(RLIMIT_NOFILE, &raised);
}

}  // namespace

/// In the order of construction: what is named later may use what is named before, and is gone before it.
struct Daemon::Parts {
  Parts(const HostView& view, const DaemonOptions& options)
      : geometry(checked_copy(*view.geometry)),
        limits(limits_of(geometry, options.read_only || geometry.read_only != 0)),
        paths(options.root, PathResolver::Method::AUTOMATIC, calls),
        files(view, geometry.file_count, paths, limits.read_only),
        answers(view, limits),
        transfers(files, answers, bell),
        sandbox(options.sandbox, options.root, !limits.read_only),
        server(view, limits, files, pool, answers, bell),
        pool(POOL_THREADS_MAX, &sandbox) {
    if (options.medium) medium = std::make_unique<Medium>(*options.medium);
  }
  /// First nobody submits to the pool any more, then the pool ends its work, which counts in the counters of the consumers.
  ~Parts() {
    gate.stop();
    for (auto& consumer : consumers) consumer->join();
  }

  const Geometry geometry;
  const RequestLimits limits;
  HostCalls calls;
  PathResolver paths;
  FileTable files;
  Answers answers;
  FinishedBell bell;
  TransferEnd transfers;
  std::string engine, engine_note;
  DispatchGate gate;
  Sandbox sandbox;
  std::unique_ptr<Medium> medium;
  RequestServer server;
  std::vector<std::unique_ptr<RingConsumer>> consumers;
  WorkPool pool;  // gone first: what it still does is the server's
};

Daemon::Daemon(const HostView& view, const DaemonOptions& options) {
  if (options.io != "auto" && options.io != "pread" && options.io != "uring" && options.io != "mtlio") {
    throw HostError(-Errno::einval, "unknown io engine '" + options.io + "': auto, pread, uring or mtlio");
  }
  if (options.io == "mtlio" && !options.device_engine) {
    throw HostError(-Errno::einval, "io engine 'mtlio': only the metal device has it, and there only replay, where no kernel runs while it waits for bytes");
  }
  raise_descriptor_limit();
  parts_ = std::make_unique<Parts>(view, options);
  Parts& parts = *parts_;
  if (options.fault.call != 0) parts.calls.inject(options.fault);
  parts.engine = "pread";
  if (options.io == "auto") {
    parts.engine_note = "auto: pread serves page-cached lines as fast as io_uring, and needs nothing of the system";
  }
  if (options.io == "uring") {
    parts.engine_note = io_uring_obstacle();
    if (parts.engine_note.empty()) parts.engine = "uring";
  }
  if (options.io == "mtlio") parts.engine = "mtlio";
  const unsigned threads = std::clamp(options.threads, 1u, unsigned(parts.geometry.ring_count));
  for (unsigned thread = 0; thread < threads; thread++) {
    std::unique_ptr<IoEngine> engine;
    if (parts.engine == "uring") engine = make_uring_engine(parts.pool, parts.transfers, parts.engine_note);
    if (parts.engine == "mtlio") engine = options.device_engine(parts.pool, parts.transfers, parts.engine_note);
    if (engine == nullptr) {
      if (thread == 0) parts.engine = "pread";
      engine = make_pread_engine(parts.pool, parts.transfers);
    }
    parts.consumers.push_back(
        std::make_unique<RingConsumer>(view, parts.geometry, thread, threads, parts.server, parts.gate, std::move(engine),
                                       options, parts.sandbox, parts.medium.get()));
  }
}

Daemon::~Daemon() = default;

void Daemon::begin_dispatch() { parts_->gate.enter(); }
void Daemon::end_dispatch() { parts_->gate.leave(); }

void Daemon::doorbell() {
  for (const auto& consumer : parts_->consumers) consumer->doorbell();
}

bool Daemon::is_drained() const {
  const auto accepted = [this] {
    uint64_t sum = 0;
    for (const auto& consumer : parts_->consumers) sum += consumer->counters().accepted.load(std::memory_order_acquire);
    return sum;
  };
  for (const auto& consumer : parts_->consumers) {
    if (!consumer->rings_are_empty()) return false;
  }
  // Read between two equal counts of what was accepted, the finished count belongs to exactly those.
  const uint64_t before = accepted();
  const uint64_t finished = completions();
  return finished == before && accepted() == before;
}

void Daemon::wait_until_drained() {
  begin_dispatch();
  while (true) {
    const uint64_t seen = completions();
    if (is_drained()) break;
    wait_for_completion(seen, std::chrono::microseconds(200));
  }
  end_dispatch();
}

int Daemon::sync_all() {
  const int result = parts_->files.sync_all();
  if (parts_->medium) parts_->medium->wait_for_sync();
  return result;
}

uint64_t Daemon::completions() const {
  uint64_t sum = 0;
  for (const auto& consumer : parts_->consumers) sum += consumer->counters().finished.load(std::memory_order_seq_cst);
  return sum;
}

bool Daemon::wait_for_completion(uint64_t since, std::chrono::nanoseconds timeout) {
  return parts_->bell.wait(timeout, [&] { return completions() > since; });
}

void Daemon::wait_for_the_rest(std::chrono::nanoseconds patience) {
  // Without the bell: it would ring for each of thousands of answers.
  constexpr auto NAP = std::chrono::microseconds(50);
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!is_drained() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(NAP);
}

Daemon::Stats Daemon::stats() const {
  Stats stats;
  for (const auto& consumer : parts_->consumers) {
    const Counters& counters = consumer->counters();
    for (uint32_t opcode = 0; opcode < OPCODES; opcode++) stats.served[opcode] += counters.served[opcode].load(std::memory_order_relaxed);
    stats.refused += counters.refused.load(std::memory_order_relaxed);
    stats.bytes_read += counters.bytes_read.load(std::memory_order_relaxed);
    stats.bytes_written += counters.bytes_written.load(std::memory_order_relaxed);
    stats.wakes += counters.wakes.load(std::memory_order_relaxed);
  }
  stats.host_opens = parts_->files.host_opens();
  return stats;
}

std::unique_ptr<MediumRecord> Daemon::medium_record() const {
  if (!parts_->medium) return nullptr;
  auto sum = std::make_unique<MediumRecord>();
  for (const auto& consumer : parts_->consumers) sum->add(consumer->held_answers()->record());
  return sum;
}

std::string Daemon::sandbox() const { return parts_->sandbox.description(); }
HostCalls& Daemon::host_calls() const { return parts_->calls; }
std::string Daemon::engine() const { return parts_->engine; }
std::string Daemon::engine_note() const {
  std::string all = parts_->engine_note;
  for (const auto& consumer : parts_->consumers) {
    const std::string note = consumer->engine_note();
    if (!note.empty()) all += (all.empty() ? "" : "; ") + note;
  }
  return all;
}

}  // namespace warpfs
