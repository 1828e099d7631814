// Places for what write-backs bring along: the bytes of a line and their mask, until they are in the file. From any thread.
#pragma once
#include "context.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace warpfs::cuda {

class KeptBytes {
 public:
  static constexpr uint32_t PLACES = 1024;

  /// `pinned`: copy engines write here; else the host alone.
  KeptBytes(Context& context, uint32_t line_bytes, bool pinned);

  /// For one more of each thread of a daemon: each has seen room for one.
  bool has_room() const { return free_count_.load(std::memory_order_relaxed) >= SPARE; }
  uint32_t take();
  void give_back(uint32_t place);
  uint8_t* line(uint32_t place) const { return memory_ + uint64_t(place) * (line_bytes_ + mask_bytes()); }
  uint8_t* mask(uint32_t place) const { return line(place) + line_bytes_; }
  uint32_t mask_bytes() const { return line_bytes_ / 8; }

 private:
  static constexpr uint32_t SPARE = 64;  // as many as there may be daemon threads

  const uint32_t line_bytes_;
  std::unique_ptr<PinnedMemory> pinned_;
  std::unique_ptr<uint8_t[]> plain_;
  uint8_t* memory_ = nullptr;  // one of the two
  std::mutex mutex_;
  std::vector<uint32_t> free_;
  std::atomic<uint32_t> free_count_{PLACES};
};

}  // namespace warpfs::cuda
