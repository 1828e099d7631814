#include "host_calls.h"

#include "host_error.h"

#include "abi_host.h"

#include <cerrno>

#if defined(__linux__)
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

namespace warpfs {

namespace {

uint64_t bytes_of(const iovec* parts, int count) {
  uint64_t bytes = 0;
  for (int part = 0; part < count; part++) bytes += parts[part].iov_len;
  return bytes;
}

/// The first bytes of these parts. Gives the number of parts that they need.
int shortened(const iovec* parts, int count, uint64_t bytes, iovec (&shorter)[REQUEST_LINES_MAX]) {
  int used = 0;
  for (; used < count && used < int(REQUEST_LINES_MAX) && bytes != 0; used++) {
    shorter[used] = parts[used];
    if (shorter[used].iov_len > bytes) shorter[used].iov_len = size_t(bytes);
    bytes -= shorter[used].iov_len;
  }
  return used;
}

}  // namespace

HostCalls& HostCalls::unwatched() {
  static HostCalls calls;
  return calls;
}

void HostCalls::inject(const CallFault& fault) {
  std::lock_guard lock(mutex_);
  count_ = 0;
  injected_ = 0;
  fault_ = fault;
  faulty_ = true;
  watch_again();
}

void HostCalls::lift() {
  std::lock_guard lock(mutex_);
  faulty_ = false;
  watch_again();
}

void HostCalls::record_in(CallLog* log) {
  std::lock_guard lock(mutex_);
  log_ = log;
  watch_again();
}

void HostCalls::watch_again() {
  recording_ = log_ != nullptr;
  watched_ = faulty_ || log_ != nullptr;
}

CallFate HostCalls::decide(CallKind kind) {
  std::lock_guard lock(mutex_);
  if (!faulty_ || (fault_.kinds & kind_bit(kind)) == 0) return {};
  const bool moves = kind == CallKind::READ || kind == CallKind::WRITE;
  if (fault_.error == 0 && !moves) return {};
  const uint64_t call = count_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (call < fault_.call || (call > fault_.call && !fault_.for_good)) return {};
  injected_.fetch_add(1, std::memory_order_relaxed);
  CallFate fate;
  fate.error = fault_.error;
  if (fault_.error == 0) fate.bytes_max = 0;  // made half of what is asked for by who knows how much that is
  return fate;
}

CallFate HostCalls::watched_begin(CallKind kind, int fd, const iovec* parts, int count, uint64_t offset) {
  CallFate fate = decide(kind);
  const uint64_t bytes = bytes_of(parts, count);
  if (fate.bytes_max == 0) fate.bytes_max = bytes < 2 ? bytes : bytes / 2;
  if (kind != CallKind::WRITE || !recording()) return fate;
  CallEntry entry;
  entry.kind = kind;
  entry.file = file_number_of(fd);
  entry.offset = offset;
  for (int part = 0; part < count; part++) entry.bytes.append(static_cast<const char*>(parts[part].iov_base), parts[part].iov_len);
  fate.entry = log_begin(std::move(entry));
  return fate;
}

ssize_t HostCalls::watched_transfer(CallKind kind, int fd, const iovec* parts, int count, uint64_t offset, int flags) {
  const CallFate fate = watched_begin(kind, fd, parts, count, offset);
  iovec shorter[REQUEST_LINES_MAX];
  if (fate.bytes_max != UINT64_MAX) {
    count = shortened(parts, count, fate.bytes_max, shorter);
    parts = shorter;
  }
  ssize_t moved = -1;
  errno = fate.error;
  if (fate.error == 0) {
#if defined(__linux__)
    moved = kind == CallKind::WRITE ? ::pwritev2(fd, parts, count, off_t(offset), flags) : ::preadv2(fd, parts, count, off_t(offset), flags);
#else
    (void)flags;
    moved = kind == CallKind::WRITE ? ::pwritev(fd, parts, count, off_t(offset)) : ::preadv(fd, parts, count, off_t(offset));
#endif
  }
  const int error = errno;
  end(fate, moved < 0 ? -error : moved);
  errno = error;
  return moved;
}

uint64_t HostCalls::log_begin(CallEntry&& entry) {
  std::lock_guard lock(mutex_);
  return log_ == nullptr ? NOT_LOGGED : log_->begin(std::move(entry));
}

void HostCalls::log_end(uint64_t entry, int64_t result, FileNumber made) {
  std::lock_guard lock(mutex_);
  if (log_ != nullptr) log_->end(entry, result, made);
}

template <typename About, typename Call>
int HostCalls::pass(CallKind kind, About&& about, Call&& call) {
  if (!watched()) [[likely]] return call();
  const CallFate fate = decide(kind);
  uint64_t logged = NOT_LOGGED;
  if (recording()) {
    CallEntry entry;
    entry.kind = kind;
    if (about(entry)) logged = log_begin(std::move(entry));
  }
  errno = fate.error;
  const int result = fate.error == 0 ? call() : -1;
  const int error = errno;
  if (logged != NOT_LOGGED) log_end(logged, result < 0 ? -error : result, kind == CallKind::OPEN && result >= 0 ? file_number_of(result) : FileNumber{});
  errno = error;
  return result;
}

int HostCalls::open_at(int directory, const char* name, int flags, mode_t mode) {
  const auto about = [&](CallEntry& entry) {
    entry.directory = file_number_of(directory);
    entry.name = name;
    return (flags & O_CREAT) != 0;
  };
  return pass(CallKind::OPEN, about, [&] { return ::openat(directory, name, flags, mode); });
}

#if defined(__linux__)
int HostCalls::open_beneath(int root, const char* path, uint64_t flags, uint64_t resolve) {
  open_how how{};
  how.flags = flags;
  how.resolve = resolve;
  return pass(CallKind::OPEN, [](CallEntry&) { return false; }, [&] { return int(syscall(SYS_openat2, root, path, &how, sizeof how)); });
}

int HostCalls::sync_file_system(int fd) {
  const auto about = [&](CallEntry& entry) { return entry.whole_file_system = true; };
  return pass(CallKind::SYNC, about, [&] { return ::syncfs(fd); });
}
#endif

int HostCalls::sync_data(int fd) {
  const auto about = [&](CallEntry& entry) { return entry.file = file_number_of(fd), true; };
  return pass(CallKind::SYNC, about, [&] {
#if defined(__APPLE__)
    return fcntl(fd, F_FULLFSYNC) == 0 ? 0 : ::fsync(fd);  // fsync alone stops at the cache of the drive
#else
    return ::fdatasync(fd);
#endif
  });
}

int HostCalls::sync_directory(int fd) {
  const auto about = [&](CallEntry& entry) { return entry.file = file_number_of(fd), true; };
  return pass(CallKind::SYNC, about, [&] { return ::fsync(fd); });
}

int HostCalls::truncate(int fd, uint64_t size) {
  const auto about = [&](CallEntry& entry) {
    entry.file = file_number_of(fd);
    entry.offset = size;
    return true;
  };
  return pass(CallKind::TRUNCATE, about, [&] { return ::ftruncate(fd, off_t(size)); });
}

int HostCalls::touch(int fd) {
  return pass(CallKind::TOUCH, [](CallEntry&) { return false; }, [&] { return ::futimens(fd, nullptr); });
}

int HostCalls::stat(int fd, struct stat& found) {
  return pass(CallKind::STAT, [](CallEntry&) { return false; }, [&] { return ::fstat(fd, &found); });
}

int32_t HostCalls::look_at(int fd, FileLook& found) {
  int32_t error = 0;
  const int passed = pass(CallKind::STAT, [](CallEntry&) { return false; }, [&] { return (error = warpfs::look_at(fd, found)) == 0 ? 0 : 1; });
  return passed < 0 ? failure(errno) : error;
}

int32_t HostCalls::look_beneath(int directory, const char* name, FileLook& found) {
  int32_t error = 0;
  const int passed = pass(CallKind::STAT, [](CallEntry&) { return false; }, [&] { return (error = warpfs::look_beneath(directory, name, found)) == 0 ? 0 : 1; });
  return passed < 0 ? failure(errno) : error;
}

int HostCalls::unlink_at(int directory, const char* name) {
  const auto about = [&](CallEntry& entry) {
    entry.directory = file_number_of(directory);
    entry.name = name;
    return true;
  };
  return pass(CallKind::UNLINK, about, [&] { return ::unlinkat(directory, name, 0); });
}

int HostCalls::rename_at(int directory, const char* name, int to_directory, const char* to_name) {
  const auto about = [&](CallEntry& entry) {
    entry.directory = file_number_of(directory);
    entry.name = name;
    entry.to_directory = file_number_of(to_directory);
    entry.to_name = to_name;
    return true;
  };
  return pass(CallKind::RENAME, about, [&] { return ::renameat(directory, name, to_directory, to_name); });
}

}  // namespace warpfs
