// The host's side of a design that WarpFS is compared with: threads that poll what kernels have asked for in shared memory, move bytes of one
// file, and answer. What they poll and how they answer is the protocol's; threads, moving, and media are the same for all.
#pragma once
#include "../abi_host.h"
#include "../medium_record.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>
#include <vector>

namespace warpfs {

struct PeerOptions {
  int fd = -1;                      // whoever makes the peer keeps it open
  uint8_t* shared = nullptr;        // that kernels and the host both see
  uint64_t shared_bytes = 0;
  uint8_t* data = nullptr;          // that bytes are moved to and from
  uint64_t data_bytes = 0;
  bool reads_move = true;           // false: a kernel fetches what it reads from the file itself, once it is told that it may
  bool writes_move = true;
  uint32_t threads = 1;
  std::optional<MediumProfile> medium{};
};

/// What was done, but may not be told yet. `what` is the protocol's.
struct PeerAnswer {
  MediumKind kind;
  MediumTime time;
  int32_t result;
  uint64_t what;
};

class PeerHost;

/// Each thread has its own part of what is polled; no two touch the same words.
class PeerProtocol {
 public:
  virtual ~PeerProtocol() = default;
  /// Takes what was asked for in the part of this thread: how much that was. Each is answered by PeerHost::answer, sooner or later.
  virtual uint32_t serve(uint32_t thread, PeerHost& host) = 0;
  virtual void tell(uint32_t thread, const PeerAnswer& answer) = 0;
};

class PeerHost {
 public:
  PeerHost(const PeerOptions& options, std::unique_ptr<PeerProtocol> protocol);
  ~PeerHost();
  PeerHost(const PeerHost&) = delete;
  PeerHost& operator=(const PeerHost&) = delete;

  /// The threads poll between these two. end() returns when all that was taken has been told.
  void begin();
  void end();
  std::unique_ptr<MediumRecord> medium_record() const;

  /// For the protocol, within serve().
  const PeerOptions& options() const { return options_; }
  uint64_t file_bytes() const { return file_bytes_; }
  /// 0 or -errno. Whatever lies beyond the end of the file reads as zeros.
  int32_t read(uint64_t offset, uint64_t bytes, uint64_t at_data);
  int32_t write(uint64_t offset, uint64_t bytes, uint64_t at_data);
  int32_t sync();
  /// For protocols without statuses of their own: checks both places, moves what is to be moved here, and does not let the file grow.
  int32_t move(MediumKind kind, uint64_t offset, uint64_t bytes, uint64_t at_data);
  /// When what is asked for now may be answered.
  MediumTime ask(MediumKind kind, uint64_t bytes);
  /// At once, or when its time has come.
  void answer(uint32_t thread, const PeerAnswer& answer);

 private:
  struct Later {
    bool operator()(const PeerAnswer& left, const PeerAnswer& right) const { return left.time.due > right.time.due; }
  };
  struct Thread {
    std::priority_queue<PeerAnswer, std::vector<PeerAnswer>, Later> held;
    MediumRecord record;
    std::thread thread;
  };
  void run(uint32_t thread);
  /// Until end() is called and all is told.
  void poll(uint32_t thread);
  uint32_t tell_due(uint32_t thread);

  const PeerOptions options_;
  uint64_t file_bytes_ = 0;
  std::unique_ptr<Medium> medium_;
  const std::unique_ptr<PeerProtocol> protocol_;
  std::vector<std::unique_ptr<Thread>> threads_;

  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t rounds_ = 0;       // begins so far
  uint32_t polling_ = 0;      // threads that have not seen the end of this round
  bool closing_ = false;
  std::atomic<bool> running_{false};
};

}  // namespace warpfs
