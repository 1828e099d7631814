#include "mapped_file.h"

#include "abi_host.h"
#include "host_error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace warpfs {

namespace {

constexpr uint64_t PAGE = 16384;  // the largest

constexpr uint64_t whole_pages(uint64_t bytes) { return (bytes + PAGE - 1) & ~(PAGE - 1); }

/// Closes it behind whatever is thrown.
struct OpenFile {
  const int fd;
  ~OpenFile() {
    if (fd >= 0) close(fd);
  }
};

}  // namespace

MappedFile::MappedFile(const std::string& path, uint64_t bytes, bool writes, const std::string& what) {
  const OpenFile file{open(path.c_str(), (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC)};
  if (file.fd < 0) throw HostError(failure(errno), what + ": cannot open " + path + ": " + std::strerror(errno));
  struct stat found{};
  if (fstat(file.fd, &found) != 0) throw HostError(failure(errno), what + ": cannot look at " + path + ": " + std::strerror(errno));
  if (uint64_t(found.st_size) < bytes) {
    throw HostError(-Errno::einval, what + ": " + path + " has " + std::to_string(found.st_size) + " bytes, fewer than " + std::to_string(bytes));
  }
  // Pages of this system may be smaller: it takes room for one more, and begins in there.
  mapped_bytes_ = whole_pages(bytes);
  reserved_bytes_ = mapped_bytes_ + PAGE;
  reserved_ = mmap(nullptr, reserved_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved_ == MAP_FAILED) throw HostError(failure(errno), what + ": no room to map " + path + ": " + std::strerror(errno));
  void* const place = reinterpret_cast<void*>(whole_pages(reinterpret_cast<uint64_t>(reserved_)));
  at_ = mmap(place, mapped_bytes_, writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED | MAP_FIXED, file.fd, 0);
  if (at_ != MAP_FAILED) return;
  const int error = errno;
  munmap(reserved_, reserved_bytes_);
  throw HostError(failure(error), what + ": cannot map " + path + ": " + std::strerror(error));
}

MappedFile::~MappedFile() {
  if (reserved_ != nullptr) munmap(reserved_, reserved_bytes_);
}

void MappedFile::swap(MappedFile& other) noexcept {
  std::swap(at_, other.at_);
  std::swap(mapped_bytes_, other.mapped_bytes_);
  std::swap(reserved_, other.reserved_);
  std::swap(reserved_bytes_, other.reserved_bytes_);
}

}  // namespace warpfs
