// The name of an open file.
#pragma once
#include <climits>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace warpfs {

/// Where the file of a descriptor is now, or was when it had a name; empty: errno says why nobody knows.
inline std::string path_of_descriptor(int fd) {
  char path[PATH_MAX + 1] = {};
#if defined(__APPLE__)
  if (fcntl(fd, F_GETPATH, path) != 0) return "";
#else
  if (readlinkat(AT_FDCWD, ("/proc/self/fd/" + std::to_string(fd)).c_str(), path, PATH_MAX) < 0) return "";  // the sandbox knows no readlink
#endif
  return path;
}

}  // namespace warpfs
