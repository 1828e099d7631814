// Opens paths beneath one directory and nowhere else. The kernel confines the path where it can (openat2); elsewhere, and where a
// sandbox forbids that call, the path is walked component by component and no symbolic link is ever followed by the kernel.
#pragma once
#include "host_calls.h"

#include <string>

namespace warpfs {

/// Results are >= 0 or a negated abi error. A path that leaves the root, by "..", "/" or a symbolic link, gives -EXDEV.
class PathResolver {
 public:
  enum class Method {
    AUTOMATIC,
    WALK,
    REPEATABLE,    // automatic, but neither what the system remembers of paths nor the time makes a difference
    COARSE_TIMES,  // automatic, but the times of files are trusted no more than those of an old kernel
  };
  /// Throws HostError.
  explicit PathResolver(const std::string& root, Method method = Method::AUTOMATIC, HostCalls& calls = HostCalls::unwatched());
  ~PathResolver();
  PathResolver(const PathResolver&) = delete;
  PathResolver& operator=(const PathResolver&) = delete;

  /// What lies at the path, without opening it: a device or a FIFO is not disturbed.
  int32_t identify(const char* path, FileLook& found) const;
  /// The same, but -EAGAIN where the answer is not in memory and the disk would have to be asked.
  /// is_open: most likely the path leads to a file that is open, so its name is in memory.
  int32_t identify_cached(const char* path, FileLook& found, bool is_open) const;
  /// A descriptor of what is there, opened for reading or for both; never blocks on a FIFO.
  int32_t open(const char* path, bool writable) const;
  /// The same, but -EAGAIN where the path is not in memory.
  int32_t open_cached(const char* path, bool writable) const;
  /// A descriptor of a new file; -EEXIST if it is there already. Exclusive: a symbolic link at the end is not followed, it is there.
  /// parent becomes a descriptor of its directory, for fsync, or -1 where the directory may be written but not read.
  int32_t create(const char* path, bool exclusive, int& parent) const;
  /// Takes a name away; a symbolic link goes itself. gone is what it named, parent as above.
  int32_t unlink(const char* path, FileLook& gone, int& parent) const;
  /// As rename(2), with both paths beneath the root.
  struct Renamed {
    FileLook moved;
    FileLook gone;        // what the new name meant before
    bool replaced = false;  // there was such a thing
    int parent = -1, old_parent = -1;
  };
  int32_t rename(const char* from, const char* to, Renamed& renamed) const;
  /// A descriptor of the root that can be synced, or a negated error.
  int32_t open_root() const;
  bool walks() const { return walks_; }
  HostCalls& calls() const { return calls_; }
  bool is_repeatable() const { return method_ == Method::REPEATABLE; }
  FileTimes times() const { return method_ == Method::COARSE_TIMES ? FileTimes::COARSE : FileTimes::AS_THE_KERNEL_HAS_THEM; }

 private:
  enum class Last { FOLLOW, KEEP };  // whether a symbolic link at the end of the path is walked through

  template <typename Act>
  int32_t walk(const std::string& path, Last last, Act&& act) const;

  int root_ = -1;
  bool walks_ = true;
  const Method method_;
  HostCalls& calls_;
};

}  // namespace warpfs
