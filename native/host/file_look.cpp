#include "file_look.h"

#include "host_error.h"

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fcntl.h>

#if defined(__linux__)
#include <linux/magic.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#endif

namespace warpfs {

namespace {

constexpr int64_t NANOSECONDS = 1'000'000'000;
constexpr int64_t TICK_NS = 10'000'000;              // the longest tick of a kernel: 100 a second
constexpr int64_t WHOLE_SECONDS_NS = 2 * NANOSECONDS;  // what a file system that has no fractions may round to

FileLook look_of(const struct stat& found) {
#if defined(__APPLE__)
  const timespec &modified = found.st_mtimespec, &changed = found.st_ctimespec, born = found.st_birthtimespec;
#else
  const timespec &modified = found.st_mtim, &changed = found.st_ctim, born{};
#endif
  FileLook look;
  look.mode = uint32_t(found.st_mode);
  look.links = uint64_t(found.st_nlink);
  look.signature = {uint64_t(found.st_dev), uint64_t(found.st_ino), uint64_t(found.st_size), {modified.tv_sec, modified.tv_nsec},
                    {changed.tv_sec, changed.tv_nsec}, {born.tv_sec, born.tv_nsec}, false};
  return look;
}

/// The same through fstatat, which knows no birth on Linux.
int32_t look_plainly(int directory, const char* name, int flags, FileLook& look) {
  struct stat found{};
  const int result = *name == 0 ? fstat(directory, &found) : fstatat(directory, name, &found, flags);
  if (result != 0) return failure(errno);
  look = look_of(found);
  return 0;
}

#if defined(__linux__)
int32_t look(int directory, const char* name, FileLook& look) {
  struct statx found{};
  const int flags = AT_SYMLINK_NOFOLLOW | (*name == 0 ? AT_EMPTY_PATH : 0);
  if (statx(directory, name, flags, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) {
    const bool forbidden = errno == ENOSYS || errno == EPERM;  // a sandbox that is older than the call
    return forbidden ? look_plainly(directory, name, flags, look) : failure(errno);
  }
  const auto moment = [](const statx_timestamp& time) { return Moment{time.tv_sec, time.tv_nsec}; };
  look = {};
  look.mode = found.stx_mode;
  look.links = found.stx_nlink;
  look.signature = {makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino, found.stx_size, moment(found.stx_mtime),
                    moment(found.stx_ctime), {}, false};
  if ((found.stx_mask & STATX_BTIME) != 0) look.signature.born = moment(found.stx_btime);
  return 0;
}

/// Linux 6.13 gives a change that follows a look a time of its own, on these file systems.
bool has_times_of_its_own(int fd) {
  static const bool kernel_has = [] {
    utsname name{};
    int major = 0, minor = 0;
    return uname(&name) == 0 && std::sscanf(name.release, "%d.%d", &major, &minor) == 2 && (major > 6 || (major == 6 && minor >= 13));
  }();
  struct statfs system;
  if (!kernel_has || fstatfs(fd, &system) != 0) return false;
  constexpr uint32_t EXT4 = 0xef53, XFS = 0x58465342, BTRFS = 0x9123683e;
  const uint32_t type = uint32_t(system.f_type);
  return type == EXT4 || type == XFS || type == BTRFS || type == TMPFS_MAGIC;
}
#else
int32_t look(int directory, const char* name, FileLook& look) { return look_plainly(directory, name, AT_SYMLINK_NOFOLLOW, look); }
#endif

int64_t since(const Moment& then, const timespec& now) {
  const int64_t seconds = int64_t(now.tv_sec) - then.seconds;
  if (seconds > 60) return 60 * NANOSECONDS;
  if (seconds < -60) return -60 * NANOSECONDS;
  return seconds * NANOSECONDS + now.tv_nsec - then.nanoseconds;
}

}  // namespace

int32_t look_at(int fd, FileLook& found) { return look(fd, "", found); }
int32_t look_beneath(int directory, const char* name, FileLook& found) { return look(directory, name, found); }

bool is_young(const FileSignature& signature, int fd, FileTimes times) {
  timespec now{};
#if defined(__linux__)
  clock_gettime(CLOCK_REALTIME_COARSE, &now);  // the clock that changes are stamped with
#else
  clock_gettime(CLOCK_REALTIME, &now);
#endif
  const Moment& newest = signature.modified > signature.changed ? signature.modified : signature.changed;
  const int64_t age_ns = since(newest, now);
  // Without fractions the times are whole seconds, whatever the kernel can do.
  if (signature.modified.nanoseconds == 0 && signature.changed.nanoseconds == 0 && age_ns <= WHOLE_SECONDS_NS + TICK_NS) return true;
  if (age_ns > TICK_NS) return false;
#if defined(__linux__)
  return times == FileTimes::COARSE || !has_times_of_its_own(fd);
#else
  (void)fd;
  return times == FileTimes::COARSE;  // APFS stamps each change with the nanosecond
#endif
}

}  // namespace warpfs
