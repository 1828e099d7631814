#include "yardstick_areas.h"

#include "../abi_host.h"
#include "../host_error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

namespace warpfs::cuda {

namespace {

constexpr uint32_t FACTOR = 2654435761u;
constexpr uint32_t THREADS_MAX = 8;

/// work(first, end) for parts of [0, count), each on a thread of its own.
template <typename Work>
void in_parts(uint64_t count, Work&& work) {
  const uint64_t threads = std::clamp<uint64_t>(std::thread::hardware_concurrency(), 1, THREADS_MAX);
  std::vector<std::thread> others;
  for (uint64_t thread = 1; thread < threads; thread++) others.emplace_back(work, count * thread / threads, count * (thread + 1) / threads);
  work(0, count / threads);
  for (std::thread& other : others) other.join();
}

std::string mebibytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

void fill_with_words(uint32_t* words, uint64_t count, uint32_t seed) {
  in_parts(count, [=](uint64_t first, uint64_t end) {
    for (uint64_t i = first; i < end; i++) words[i] = uint32_t(i) * FACTOR + seed;
  });
}

uint64_t count_wrong_words(const uint32_t* words, uint64_t count, uint32_t seed) {
  std::atomic<uint64_t> total{0};
  in_parts(count, [=, &total](uint64_t first, uint64_t end) {
    uint64_t wrong = 0;
    for (uint64_t i = first; i < end; i++) wrong += words[i] != uint32_t(i) * FACTOR + seed;
    total += wrong;
  });
  return total;
}

void clear_words(uint32_t* words, uint64_t count) {
  in_parts(count, [=](uint64_t first, uint64_t end) { std::memset(words + first, 0, (end - first) * sizeof *words); });
}

RegisteredFile::RegisteredFile(Context& context, const std::string& path, uint64_t bytes, bool writes)
    : context_(context), path_(path), bytes_(bytes), writes_(writes) {
  const int fd = open(path.c_str(), (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (fd < 0) throw HostError(failure(errno), "yardstick: cannot open " + path + ": " + std::strerror(errno));
  struct stat found{};
  const bool long_enough = fstat(fd, &found) == 0 && uint64_t(found.st_size) >= bytes;
  void* base = long_enough ? mmap(nullptr, bytes, writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  const int error = errno;
  close(fd);
  if (!long_enough) throw HostError(-Errno::einval, "yardstick: " + path + " has " + std::to_string(found.st_size) + " bytes, fewer than the " + std::to_string(bytes) + " that are measured");
  if (base == MAP_FAILED) throw HostError(failure(error), "yardstick: cannot map " + path + ": " + std::strerror(error));
  base_ = base;
  context.enter();
  const unsigned flags = HOST_REGISTER_MAPPED | (writes ? 0u : unsigned(HOST_REGISTER_READ_ONLY));
  const CUresult result = driver().cuMemHostRegister(base_, bytes, flags);
  registered_ = result == CUDA_SUCCESS;
  try {
    check(result, "yardstick: registering " + mebibytes(bytes) + " of " + path + (writes ? " for reading and writing" : " for reading") + " with the driver");
    check(driver().cuMemHostGetDevicePointer(&address_, base_, 0), "yardstick: asking where the GPU sees " + path);
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

YardstickAreas::Area YardstickAreas::pinned(uint64_t bytes, uint32_t seed) {
  if (pinned_ == nullptr || pinned_bytes_ < bytes) {
    pinned_.reset();
    pinned_bytes_ = 0;
    pinned_ = std::make_unique<PinnedMemory>(context_, bytes, "a yardstick");
    pinned_bytes_ = bytes;
    pinned_filled_ = false;
  }
  if (!pinned_filled_ || pinned_seed_ != seed) fill_with_words(pinned_->at<uint32_t>(), pinned_bytes_ / 4, seed);
  pinned_filled_ = true;
  pinned_seed_ = seed;
  CUdeviceptr address = 0;
  check(driver().cuMemHostGetDevicePointer(&address, pinned_->bytes(), 0), "yardstick: asking where the GPU sees pinned memory");
  return {address, pinned_->at<uint32_t>()};
}

YardstickAreas::Area YardstickAreas::device(uint64_t bytes, uint32_t seed) {
  if (device_.bytes() < bytes) {
    device_ = DeviceMemory();
    device_ = DeviceMemory(context_, bytes, "a yardstick");
    device_filled_ = false;
  }
  if (!device_filled_ || device_seed_ != seed) {
    const Area source = pinned(bytes, seed);
    check(driver().cuMemcpyHtoD(device_.address(), source.words, bytes), "yardstick: filling the memory of the GPU");
  }
  device_filled_ = true;
  device_seed_ = seed;
  return {device_.address(), nullptr};
}

YardstickAreas::Area YardstickAreas::file(const std::string& path, uint64_t bytes, bool writes) {
  if (file_ == nullptr || file_->path() != path || file_->bytes() != bytes || file_->writes() != writes) {
    file_.reset();
    file_ = std::make_unique<RegisteredFile>(context_, path, bytes, writes);
  }
  return {file_->address(), file_->words()};
}

CUdeviceptr YardstickAreas::spare(DeviceMemory& memory, uint64_t bytes, const char* what) {
  if (memory.bytes() < bytes) {
    memory = DeviceMemory();
    memory = DeviceMemory(context_, bytes, std::string("a yardstick's ") + what);
  }
  return memory.address();
}

}  // namespace warpfs::cuda
