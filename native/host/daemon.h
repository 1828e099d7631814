// The host side of a mount: polls the request rings while a dispatch runs and serves every request from files beneath one directory.
#pragma once
#include "host_calls.h"
#include "medium_record.h"
#include "mount_memory.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace warpfs {

class IoEngine;
class TransferEnd;
class WorkPool;

/// Null where it cannot be made; why says so.
using EngineMaker = std::function<std::unique_ptr<IoEngine>(WorkPool& pool, TransferEnd& end, std::string& why)>;

struct DaemonOptions {
  std::string root{};
  bool read_only = false;
  unsigned threads = 1;     // at most one for each ring is used
  std::string io = "auto";  // "auto", "pread", "uring", "mtlio"
  EngineMaker device_engine{};  // makes "mtlio", where the device has it
  uint32_t spin_sweeps = 64;  // looks at empty rings before others may run
  bool has_doorbell = false;  // every request is followed by a call of doorbell(): no need to look for requests all the time
  std::string sandbox = "auto";  // "auto", "required", "off"
  CallFault fault{};          // with a call that is not 0: armed from the start
  std::optional<MediumProfile> medium{};  // answers come when this medium would have given them; else as soon as they can
};

class Daemon {
 public:
  struct Stats {
    uint64_t served[Opcode::RENAME + 1] = {};  // by Opcode, including those that ended in an error of the file system
    uint64_t refused = 0;     // requests that say what no request may say
    uint64_t bytes_read = 0, bytes_written = 0;
    uint64_t wakes = 0;       // times that a daemon thread left its sleep between dispatches
    uint64_t host_opens = 0;  // files that were opened on the host
  };

  /// The memory must outlive the daemon. Throws HostError: the root is missing or no directory, an option is wrong.
  Daemon(const HostView& view, const DaemonOptions& options);
  /// Stops the threads. Everything that was taken from a ring is completed; nothing is synced.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Counted. While the count is above zero the rings are polled, otherwise the threads sleep.
  void begin_dispatch();
  void end_dispatch();
  /// A request has been published, behind a sequentially consistent fence. Only for devices that can call; from any thread.
  void doorbell();
  /// Until is_drained(). Polls the rings if no dispatch does.
  void wait_until_drained();
  /// The rings are empty, and everything taken from them is completed.
  bool is_drained() const;
  /// Every file written since its last sync reaches the disk, with its size and the directory of a new file. 0, or the first -errno.
  int sync_all();

  /// Pieces of work that ended; only grows.
  uint64_t completions() const;
  /// True as soon as completions() > since, false after the timeout.
  bool wait_for_completion(uint64_t since, std::chrono::nanoseconds timeout);
  /// Until all that was asked for is answered, but no longer than `patience`.
  void wait_for_the_rest(std::chrono::nanoseconds patience);

  Stats stats() const;
  /// Null without a medium.
  std::unique_ptr<MediumRecord> medium_record() const;
  HostCalls& host_calls() const;
  std::string sandbox() const;      // what the threads are locked in by, or "none: why"
  std::string engine() const;       // "pread", "uring" or "mtlio"
  std::string engine_note() const;  // why a wish was not met, so far, or why auto chose as it did

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The daemon polls its rings exactly as long as this is there.
class PollingWhile {
 public:
  explicit PollingWhile(Daemon& daemon) : daemon_(daemon) { daemon_.begin_dispatch(); }
  PollingWhile(const PollingWhile&) = delete;
  PollingWhile& operator=(const PollingWhile&) = delete;
  ~PollingWhile() { daemon_.end_dispatch(); }

 private:
  Daemon& daemon_;
};

}  // namespace warpfs
