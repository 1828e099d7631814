// Opens paths beneath one directory and nowhere else. The kernel confines the path where it can (openat2); elsewhere, and where a
// sandbox forbids that call, the path is walked component by component and no symbolic link is ever followed by the kernel.
#pragma once
#include "host_calls.h"

#include <cstdint>
#include <string>
#include <sys/stat.h>

namespace warpfs {

/// Results are >= 0 or a negated abi error. A path that leaves the root, by "..", "/" or a symbolic link, gives -EXDEV.
class PathResolver {
 public:
  enum class Method {
    AUTOMATIC,
    WALK,
    REPEATABLE,  // automatic, but neither what the system remembers of paths nor the time makes a difference
  };
  /// Throws HostError.
  explicit PathResolver(const std::string& root, Method method = Method::AUTOMATIC, HostCalls& calls = HostCalls::unwatched());
  ~PathResolver();
  PathResolver(const PathResolver&) = delete;
  PathResolver& operator=(const PathResolver&) = delete;

  /// What lies at the path, without opening it: a device or a FIFO is not disturbed.
  int32_t identify(const char* path, struct stat& found) const;
  /// The same, but -EAGAIN where the answer is not in memory and the disk would have to be asked.
  int32_t identify_cached(const char* path, struct stat& found) const;
  /// A descriptor of what is there, opened for reading or for both; never blocks on a FIFO.
  int32_t open(const char* path, bool writable) const;
  /// A descriptor of a new file; -EEXIST if it is there already. parent becomes a descriptor of its directory, for fsync.
  int32_t create(const char* path, int& parent) const;
  /// A descriptor of the root that can be synced, or a negated error.
  int32_t open_root() const;
  bool walks() const { return walks_; }
  bool is_repeatable() const { return repeatable_; }
  HostCalls& calls() const { return calls_; }

 private:
  template <typename Act>
  int32_t walk(const std::string& path, Act&& act) const;

  int root_ = -1;
  bool walks_ = true;
  HostCalls& calls_;
  const bool repeatable_;
};

}  // namespace warpfs
