// The places that yardsticks read and write: pinned memory, memory of the GPU, and files that lie in the page cache. The word at index i of
// each is i * 2654435761 + seed.
#pragma once
#include "registered_file.h"

#include <cstdint>
#include <memory>
#include <string>

namespace warpfs::cuda {

/// On several threads.
void fill_with_words(uint32_t* words, uint64_t count, uint32_t seed);
uint64_t count_wrong_words(const uint32_t* words, uint64_t count, uint32_t seed);
void clear_words(uint32_t* words, uint64_t count);

/// Made when they are first asked for, and kept until other sizes are.
class YardstickAreas {
 public:
  explicit YardstickAreas(Context& context) : context_(context) {}

  struct Area {
    CUdeviceptr address;
    uint32_t* words;  // where the host sees it; null: in the memory of the GPU
  };
  Area pinned(uint64_t bytes, uint32_t seed);
  /// Not for words that are to be compared by the host. The words come from pinned memory of the same size or less.
  Area device(uint64_t bytes, uint32_t seed);
  Area file(const std::string& path, uint64_t bytes, bool writes);
  /// Zeroed once, of at least so many bytes: of pins, and of targets whose content nobody compares afterwards.
  CUdeviceptr pins(uint64_t bytes) { return spare(pins_, bytes, "pins"); }
  CUdeviceptr target(uint64_t bytes) { return spare(target_, bytes, "targets"); }
  /// What lies in pinned memory is not known any more.
  void pinned_was_written() { pinned_filled_ = false; }
  void device_was_written() { device_filled_ = false; }

 private:
  CUdeviceptr spare(DeviceMemory& memory, uint64_t bytes, const char* what);

  Context& context_;
  std::unique_ptr<PinnedMemory> pinned_;
  uint64_t pinned_bytes_ = 0;
  uint32_t pinned_seed_ = 0;
  bool pinned_filled_ = false;
  DeviceMemory device_;
  uint32_t device_seed_ = 0;
  bool device_filled_ = false;
  DeviceMemory pins_, target_;
  std::unique_ptr<RegisteredFile> file_;
};

}  // namespace warpfs::cuda
