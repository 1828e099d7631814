// The host side of a mount as one actor of a schedule: the code of the daemon without its threads. What takes requests, serves them and
// ends transfers is the same; only who is next is asked.
#pragma once
#include "../host/mount_memory.h"

#include <cstdint>
#include <memory>
#include <string>

namespace warpfs {

class FileTable;

/// What the host side asks of whoever schedules it.
class HostChoices {
 public:
  virtual ~HostChoices() = default;
  /// Below `alternatives`, which are two or more. 0: the usual one. Every other value is a decision of the schedule.
  virtual uint32_t choose(uint32_t alternatives) = 0;
  /// Whether a fault happens that has this chance; part of the schedule too. Never asked about a chance of 0.
  virtual bool happens(uint32_t permille) = 0;
  /// Nothing to do. Returns when memory has changed that was read since the last pause, or after HostSide::stop.
  virtual void pause() = 0;
  /// A host has come in the place of one that died: it knows none of the files that were open.
  virtual void came_back() = 0;
  /// A turn of the host, with files that it may do something to.
  virtual void turn(FileTable&) {}
};

/// Chances in 1/1000.
struct HostFaults {
  uint32_t eio = 0, enospc = 0;  // of a transfer; enospc of writes
  uint32_t eintr = 0;            // of a transfer, a few times
  uint32_t short_io = 0;         // fewer bytes are moved than asked for, at least one
  uint32_t delay = 0;            // a transfer that is chosen gives way, a few times; a sweep is left out
  uint32_t die = 0;              // the host stops: asked in each turn, with each request taken, in each transfer
  uint32_t revive = 0;           // asked when it has died: another one comes in its place
  uint32_t truncate = 0;         // asked in each turn: somebody cuts an open file to a third
  uint32_t replace = 0;          // asked in each turn: somebody puts a file of the same size in place of an open one, each byte inverted
};

/// Belongs to one thread, and starts none. `choices` must outlive it, the memory too.
class HostSide {
 public:
  /// Looks at the memory unwatched. Throws HostError as the daemon does.
  HostSide(const HostView& view, const std::string& root, bool read_only, const HostFaults& faults, HostChoices& choices);
  ~HostSide();
  HostSide(const HostSide&) = delete;
  HostSide& operator=(const HostSide&) = delete;

  /// The host actor: sweeps the rings, ends transfers and pool work one at a time, in an order that `choices` picks, pauses when there
  /// is nothing to do. Returns only when stop() was called or the host died. No lock is held in a pause.
  void run();
  /// The next pause, or the one under way, is the last: run() returns behind it.
  void stop() { stopping_ = true; }
  /// Rings empty, nothing in flight. Looks at the memory unwatched.
  bool idle() const;
  /// Transfers and pool work that were started and have not ended.
  uint32_t in_flight() const;
  /// As Daemon::completions; goes on when another host takes over.
  uint64_t completions() const;
  /// As Daemon::sync_all. -EIO from a dead host. Only while run() pauses or has returned.
  int sync_all();
  bool dead() const { return dead_; }
  /// All faults, also those that the gpu never notices (eintr, short_io, delay).
  uint64_t faults_injected() const { return faults_injected_; }
  /// Of these, the ones behind which the gpu may see an error, a wait without end, or bytes that nobody wrote.
  uint64_t errors_injected() const { return errors_injected_; }
  /// Goes on with the rings of the same memory where their heads are now, and keeps everything else: for another schedule, if the one
  /// before changed neither files nor the file table. Nothing may be in flight, and the host not dead. Looks at the memory unwatched.
  void restart();

 private:
  friend class CheckIo;
  struct Parts;

  bool happens(uint32_t permille, bool is_error);
  void come_back_or_not();
  void disturb_files();
  bool sweep();
  bool end_one();

  const HostView view_;
  const std::string root_;
  const bool read_only_;
  const HostFaults faults_;
  HostChoices& choices_;
  bool stopping_ = false;
  bool dead_ = false;
  uint64_t faults_injected_ = 0, errors_injected_ = 0;
  uint64_t completions_before_ = 0;  // of hosts that died
  std::unique_ptr<Parts> parts_;
};

}  // namespace warpfs
