#include "yardstick_areas.h"

#include "../abi_host.h"

#include <algorithm>
#include <atomic>
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
    copy_to_gpu(device_.address(), source.words, bytes, "yardstick: filling the memory of the GPU");
  }
  device_filled_ = true;
  device_seed_ = seed;
  return {device_.address(), nullptr};
}

YardstickAreas::Area YardstickAreas::file(const std::string& path, uint64_t bytes, bool writes) {
  if (file_ == nullptr || file_->path() != path || file_->bytes() != bytes || file_->writes() != writes) {
    file_.reset();
    file_ = std::make_unique<RegisteredFile>(context_, path, bytes, writes, "yardstick");
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
