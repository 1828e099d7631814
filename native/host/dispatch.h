// What a device is asked to run, and what came of it.
#pragma once
#include "abi_host.h"

#include <cstdint>
#include <string>
#include <vector>

namespace warpfs {

struct Dispatch {
  std::string module;                // path of a compiled kernel; empty: the built-in kernel that runs programs
  uint32_t items = 0;                // one warp each
  uint32_t group_warps = 1;
  uint32_t group_memory_bytes = 0;
  bool all_resident = false;         // items wait for each other
  std::vector<void*> buffers;        // the kernel's own, behind the bindings
  std::vector<uint64_t> buffer_bytes;
  std::vector<uint8_t> lasts;        // of each buffer: it is memory of place_memory(), and stays where it is
  uint32_t inputs = 0;               // so many of them, the first, are only read
  bool outputs_are_zero = false;     // the others, before it
};

struct FailedItem {
  uint32_t item;
  int32_t error;
};

struct DispatchResult {
  uint32_t failed_items = 0;
  std::vector<FailedItem> failures;  // the first of them
  uint32_t lane_values[2] = {0, 0};  // an argument on which the lanes of a warp disagreed
  uint64_t nanoseconds = 0;
  uint32_t rounds = 0;               // launches that it took
};

}  // namespace warpfs
