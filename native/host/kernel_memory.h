// What is asked for as memory that lasts from dispatch to dispatch, and what is given.
#pragma once
#include <cstdint>
#include <string>

namespace warpfs {

struct MemoryRequest {
  uint64_t bytes = 0;
  bool host = false;   // the host sees it while kernels run
  std::string file{};  // not empty: the beginning of this file
  bool writes = false;
};

struct PlacedMemory {
  void* name = nullptr;      // stands for it in a dispatch
  uint64_t name_bytes = 0;
  bool visible = false;      // the name is the address of its bytes
};

/// Of the first bytes of one such memory to another.
struct MemoryCopy {
  const void* from = nullptr;
  const void* to = nullptr;
  uint64_t bytes = 0;
};

}  // namespace warpfs
