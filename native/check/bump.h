// Memory for everything that lives as long as one schedule: taken in a row, given back all at once.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace warpfs {

class Bump {
 public:
  /// 16-aligned, not cleared.
  void* take(size_t bytes) {
    bytes = (bytes + 15) & ~size_t(15);
    if (size_t(end_ - at_) < bytes) next_chunk(bytes);
    void* taken = at_;
    at_ += bytes;
    return taken;
  }
  template <typename T>
  T* make() {
    return new (take(sizeof(T))) T();
  }
  uint32_t* zeros(uint32_t words) {
    void* taken = take(words * sizeof(uint32_t));
    std::memset(taken, 0, words * sizeof(uint32_t));
    return static_cast<uint32_t*>(taken);
  }
  void reset() {
    used_ = 0;
    at_ = end_ = nullptr;
  }

 private:
  static constexpr size_t CHUNK_BYTES = 1 << 18;
  struct Chunk {
    std::unique_ptr<char[]> memory;
    size_t bytes;
  };
  __attribute__((noinline)) void next_chunk(size_t bytes) {
    while (used_ < chunks_.size() && chunks_[used_].bytes < bytes) used_++;
    if (used_ == chunks_.size()) {
      const size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
      chunks_.push_back({std::make_unique<char[]>(size), size});
    }
    at_ = chunks_[used_].memory.get();
    end_ = at_ + chunks_[used_].bytes;
    used_++;
  }

  std::vector<Chunk> chunks_;
  size_t used_ = 0;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace warpfs
