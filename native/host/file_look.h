// What one look at a file tells: what it is, which one it is, and whether its bytes are those of an earlier look.
#pragma once
#include <compare>
#include <cstdint>
#include <sys/stat.h>

namespace warpfs {

struct Moment {
  int64_t seconds = 0, nanoseconds = 0;
  auto operator<=>(const Moment&) const = default;
};

/// When two of these are equal the bytes of the file are taken to be the same. (A change that another program makes between our last
/// own write and the moment the signature is taken cannot be told from our own.)
struct FileSignature {
  uint64_t device = 0, inode = 0, size = 0;
  Moment modified, changed;
  Moment born;         // tells a file from a later one that got its inode; zero where the file system does not say
  bool young = false;  // taken so soon after a change that a later one could have left the same times: equals nothing

  bool operator==(const FileSignature& other) const {
    return !young && !other.young && device == other.device && inode == other.inode && size == other.size && modified == other.modified &&
           changed == other.changed && born == other.born;
  }
};

struct FileLook {
  uint32_t mode = 0;   // as st_mode
  uint64_t links = 0;  // names that the file has
  FileSignature signature;
};

/// 0, or a negated abi error.
int32_t look_at(int fd, FileLook& look);
/// At the name itself: a symbolic link is not followed.
int32_t look_beneath(int directory, const char* name, FileLook& look);

/// How fine the times of a file system are. COARSE: they move with the tick of the system, so that two changes may carry the same one.
enum class FileTimes { AS_THE_KERNEL_HAS_THEM, COARSE };

/// Says whether a change that comes after this look could leave the times as they are: called right behind the look.
bool is_young(const FileSignature& signature, int fd, FileTimes times);

}  // namespace warpfs
