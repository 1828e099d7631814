#include "file_disturbance.h"

#include "../host/file_path.h"

#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace warpfs {

namespace {

/// Empty where the file has no name any more: it was removed or replaced.
std::string path_of(int fd) {
  const std::string path = path_of_descriptor(fd);
  struct stat named{}, open{};
  const bool same = stat(path.c_str(), &named) == 0 && fstat(fd, &open) == 0 && named.st_dev == open.st_dev && named.st_ino == open.st_ino;
  return same ? path : "";
}

}  // namespace

void truncate_to_a_third(int fd) {
  const std::string path = path_of(fd);
  struct stat found{};
  if (path.empty() || fstat(fd, &found) != 0) return;
  if (truncate(path.c_str(), found.st_size / 3) != 0) std::perror("warpfs: cannot truncate a file to disturb it");
}

void replace_by_another(int fd) {
  const std::string path = path_of(fd);
  struct stat found{};
  if (path.empty() || fstat(fd, &found) != 0) return;
  const std::string other_path = path + ".other";
  std::vector<uint8_t> bytes(size_t(found.st_size));
  const int source = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int target = open(other_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool replaced = source >= 0 && target >= 0 && pread(source, bytes.data(), bytes.size(), 0) == ssize_t(bytes.size());
  for (uint8_t& byte : bytes) byte = uint8_t(~byte);
  replaced = replaced && pwrite(target, bytes.data(), bytes.size(), 0) == ssize_t(bytes.size());
  if (source >= 0) close(source);
  if (target >= 0) close(target);
  if (!replaced || rename(other_path.c_str(), path.c_str()) != 0) std::perror("warpfs: cannot replace a file to disturb it");
}

}  // namespace warpfs
