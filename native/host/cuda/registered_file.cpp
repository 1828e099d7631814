#include "registered_file.h"

#include "../abi_host.h"
#include "../host_error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace warpfs::cuda {

namespace {

std::string mebibytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

RegisteredFile::RegisteredFile(Context& context, const std::string& path, uint64_t bytes, bool writes, const std::string& what)
    : context_(context), path_(path), bytes_(bytes), writes_(writes) {
  const int fd = open(path.c_str(), (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (fd < 0) throw HostError(failure(errno), what + ": cannot open " + path + ": " + std::strerror(errno));
  struct stat found{};
  const bool long_enough = fstat(fd, &found) == 0 && uint64_t(found.st_size) >= bytes;
  void* base = long_enough ? mmap(nullptr, bytes, writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  const int error = errno;
  close(fd);
  if (!long_enough) throw HostError(-Errno::einval, what + ": " + path + " has " + std::to_string(found.st_size) + " bytes, fewer than " + std::to_string(bytes));
  if (base == MAP_FAILED) throw HostError(failure(error), what + ": cannot map " + path + ": " + std::strerror(error));
  base_ = base;
  context.enter();
  const unsigned flags = HOST_REGISTER_MAPPED | (writes ? 0u : unsigned(HOST_REGISTER_READ_ONLY));
  const CUresult result = driver().cuMemHostRegister(base_, bytes, flags);
  registered_ = result == CUDA_SUCCESS;
  try {
    check(result, what + ": registering " + mebibytes(bytes) + " of " + path + (writes ? " for reading and writing" : " for reading") + " with the driver");
    check(driver().cuMemHostGetDevicePointer(&address_, base_, 0), what + ": asking where the GPU sees " + path);
  } catch (...) {
    if (registered_) driver().cuMemHostUnregister(base_);
    munmap(base_, bytes);
    throw;
  }
}

RegisteredFile::~RegisteredFile() {
  if (!context_.enter_to_free()) return;  // the GPU may still be at it
  driver().cuMemHostUnregister(base_);
  munmap(base_, bytes_);
}

}  // namespace warpfs::cuda
