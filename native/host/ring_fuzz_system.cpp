#include "ring_fuzz_system.h"

#include "ring_fuzz_report.h"

#include <cerrno>
#include <linux/magic.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace warpfs::fuzz {

System& fuzz_system() {
  static System system;
  return system;
}

Fault System::next() {
  if (faults.empty()) return Fault::NONE;
  const Fault fault = faults.front();
  faults.pop_front();
  return fault;
}

namespace {

/// An error that any call can give, as errno; 0: none.
int error_of(Fault fault, bool writes) {
  switch (fault) {
    case Fault::EIO_: return EIO;
    case Fault::ENOSPC_: return writes ? ENOSPC : EIO;
    case Fault::EINTR_: return EINTR;
    default: return 0;
  }
}

int fail(int error) {
  errno = error;
  return -1;
}

ssize_t move(long number, int fd, const iovec* parts, int count, off_t offset, bool into_lines, int flags) {
  System& system = fuzz_system();
  if (system.memory == nullptr) return syscall(number, fd, parts, long(count), long(offset), 0L, 0L);
  FUZZ_CHECK(count > 0 && count <= int(REQUEST_LINES_MAX));
  iovec real[REQUEST_LINES_MAX];
  uint64_t at = uint64_t(offset);
  for (int part = 0; part < count; part++) {
    real[part] = {system.memory->moved(parts[part].iov_base, parts[part].iov_len, into_lines, at), parts[part].iov_len};
    at += parts[part].iov_len;
  }
  FUZZ_CHECK(into_lines || (!system.read_only && at <= fuzz_geometry().file_bytes_max));
  const Fault fault = system.next();
  if (const int error = error_of(fault, !into_lines)) return fail(error);
  if (fault == Fault::AGAIN && flags != 0) return fail(offset % 3 == 0 ? EOPNOTSUPP : EAGAIN);  // the disk is asked, or this cannot be known
  if (fault == Fault::NOTHING) return 0;
  if (fault == Fault::SHORT) {
    count = 1;
    real[0].iov_len = (real[0].iov_len + 1) / 2;
  }
  if (!into_lines) system.wrote = true;
  return syscall(number, fd, real, long(count), long(offset), 0L, 0L);
}

/// A call that changes a name. The fuzzer itself makes others, or makes them while nobody is watched.
bool name_fails() {
  if (fuzz_system().memory == nullptr) return false;
  FUZZ_CHECK(!fuzz_system().read_only);
  const int error = error_of(fuzz_system().next(), true);
  if (error != 0) errno = error;
  return error != 0;
}

int sync(long number, int fd) {
  if (fuzz_system().memory != nullptr) {
    if (const int error = error_of(fuzz_system().next(), true)) return fail(error);
  }
  return int(syscall(number, fd));
}

}  // namespace

}  // namespace warpfs::fuzz

using namespace warpfs::fuzz;

extern "C" {

// Found by the linker before those of the C library, and before those of the sanitizer, whose looks at the bytes Memory::moved replaces.
ssize_t preadv(int fd, const iovec* parts, int count, off_t offset) { return move(SYS_preadv, fd, parts, count, offset, true, 0); }
ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) { return move(SYS_pwritev, fd, parts, count, offset, false, 0); }
// The scratch folder is in memory, where nothing blocks: whether something would is for the input to say.
ssize_t preadv2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  return move(SYS_preadv, fd, parts, count, offset, true, flags);
}
ssize_t pwritev2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  return move(SYS_pwritev, fd, parts, count, offset, false, flags);
}
int fdatasync(int fd) { return sync(SYS_fdatasync, fd); }
int fsync(int fd) { return sync(SYS_fsync, fd); }
int syncfs(int fd) noexcept { return fuzz_system().memory == nullptr ? int(syscall(SYS_syncfs, fd)) : 0; }  // of a whole machine
int ftruncate(int fd, off_t size) noexcept {
  if (fuzz_system().memory != nullptr) {
    FUZZ_CHECK(!fuzz_system().read_only && uint64_t(size) <= fuzz_geometry().file_bytes_max);
    if (const int error = error_of(fuzz_system().next(), true)) return fail(error);
    fuzz_system().wrote = true;
  }
  return int(syscall(SYS_ftruncate, fd, long(size)));
}
int unlinkat(int directory, const char* name, int flags) noexcept {
  return name_fails() ? -1 : int(syscall(SYS_unlinkat, directory, name, flags));
}
int renameat(int directory, const char* name, int to_directory, const char* to_name) noexcept {
  return name_fails() ? -1 : int(syscall(SYS_renameat2, directory, name, to_directory, to_name, 0));
}
int fstatfs(int fd, struct statfs* found) noexcept {
  const long result = syscall(SYS_fstatfs, fd, found);
  if (result == 0 && fuzz_system().memory != nullptr) found->f_type = EXT4_SUPER_MAGIC;
  return int(result);
}

}
