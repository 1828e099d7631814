// Every call of the host side that touches a file or a name passes here, so that tests can make any of them fail, and can see in which
// order they were made. Nothing is counted, failed or recorded while nobody watches: then a call costs one branch more than itself.
#pragma once
#include "call_log.h"
#include "file_look.h"

#include <atomic>
#include <cstdint>
#include <fcntl.h>
#include <mutex>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace warpfs {

constexpr uint32_t kind_bit(CallKind kind) { return 1u << uint32_t(kind); }
constexpr uint32_t ALL_KINDS = (1u << CALL_KINDS) - 1;

/// What is to go wrong.
struct CallFault {
  uint64_t call = 0;           // which one: calls of these kinds are counted from 1
  int error = 0;               // an errno of this machine; 0: a read or write moves only a part of its bytes
  bool for_good = false;       // that call and each one after it
  uint32_t kinds = ALL_KINDS;  // of bits of kind_bit
};

/// What becomes of a call that is about to be made.
struct CallFate {
  int error = 0;                  // not 0: the call is not made and ends in this errno
  uint64_t bytes_max = UINT64_MAX;
  uint64_t entry = NOT_LOGGED;
};

/// One for each daemon: two mounts in one process know nothing of each other's faults. All functions may be called from any thread.
class HostCalls {
 public:
  /// For those who serve no mount that could be told to fail. Never watched.
  static HostCalls& unwatched();

  /// Counts from 1 again. Watches until lift().
  void inject(const CallFault& fault);
  /// Nothing fails any more; the counts stay.
  void lift();
  /// Null ends the recording. The log must outlive it.
  void record_in(CallLog* log);
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  uint64_t injected() const { return injected_.load(std::memory_order_relaxed); }

  // As the system calls: -1 and errno.
  ssize_t read(int fd, const iovec* parts, int count, uint64_t offset) {
    if (!watched()) [[likely]] return ::preadv(fd, parts, count, off_t(offset));
    return watched_transfer(CallKind::READ, fd, parts, count, offset, 0);
  }
  ssize_t write(int fd, const iovec* parts, int count, uint64_t offset) {
    if (!watched()) [[likely]] return ::pwritev(fd, parts, count, off_t(offset));
    return watched_transfer(CallKind::WRITE, fd, parts, count, offset, 0);
  }
#if defined(__linux__)
  /// Only what does not block; else EAGAIN.
  ssize_t read_now(int fd, const iovec* parts, int count, uint64_t offset) {
    if (!watched()) [[likely]] return ::preadv2(fd, parts, count, off_t(offset), RWF_NOWAIT);
    return watched_transfer(CallKind::READ, fd, parts, count, offset, RWF_NOWAIT);
  }
  ssize_t write_now(int fd, const iovec* parts, int count, uint64_t offset) {
    if (!watched()) [[likely]] return ::pwritev2(fd, parts, count, off_t(offset), RWF_NOWAIT);
    return watched_transfer(CallKind::WRITE, fd, parts, count, offset, RWF_NOWAIT);
  }
  /// flags and resolve are those of open_how.
  int open_beneath(int root, const char* path, uint64_t flags, uint64_t resolve);
  int sync_file_system(int fd);
#endif
  int open_at(int directory, const char* name, int flags, mode_t mode = 0);
  /// What counts as the bytes and the size of a file being on the disk.
  int sync_data(int fd);
  int sync_directory(int fd);
  int truncate(int fd, uint64_t size);
  /// The file was written to now.
  int touch(int fd);
  int stat(int fd, struct stat& found);
  // These give 0 or a negated abi error.
  int32_t look_at(int fd, FileLook& found);
  int32_t look_beneath(int directory, const char* name, FileLook& found);
  int unlink_at(int directory, const char* name);
  int rename_at(int directory, const char* name, int to_directory, const char* to_name);

  /// For a call that somebody else makes, as io_uring does. Each begin has its end, also where the fate is an error.
  CallFate begin(CallKind kind, int fd, const iovec* parts, int count, uint64_t offset) {
    if (!watched()) [[likely]] return {};
    return watched_begin(kind, fd, parts, count, offset);
  }
  void end(const CallFate& fate, int64_t result_or_error) {
    if (fate.entry != NOT_LOGGED) [[unlikely]] log_end(fate.entry, result_or_error);
  }

 private:
  bool watched() const { return watched_.load(std::memory_order_relaxed); }
  CallFate decide(CallKind kind);
  CallFate watched_begin(CallKind kind, int fd, const iovec* parts, int count, uint64_t offset);
  ssize_t watched_transfer(CallKind kind, int fd, const iovec* parts, int count, uint64_t offset, int flags);
  uint64_t log_begin(CallEntry&& entry);
  void log_end(uint64_t entry, int64_t result, FileNumber made = {});
  bool recording() const { return recording_.load(std::memory_order_acquire); }
  /// What all calls but transfers have in common. `about` fills in what the log wants to know.
  template <typename About, typename Call>
  int pass(CallKind kind, About&& about, Call&& call);
  void watch_again();  // with the mutex held

  std::atomic<bool> watched_{false};
  std::atomic<bool> recording_{false};
  std::atomic<uint64_t> count_{0};
  std::atomic<uint64_t> injected_{0};
  std::mutex mutex_;
  bool faulty_ = false;
  CallFault fault_;
  CallLog* log_ = nullptr;
};

}  // namespace warpfs
