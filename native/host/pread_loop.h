// The yardstick of the benchmarks: a plain loop of pread over random pages on one thread, checking every word as the kernels do.
#pragma once
#include <cstdint>
#include <string>

namespace warpfs {

struct PreadLoop {
  std::string path;
  uint32_t pages;       // of page_bytes each
  uint32_t page_bytes;
  uint32_t reads;
  uint32_t seed;        // of the words: the one at byte o is o / 4 * 2654435761 + seed
  uint32_t start;       // of the random offsets
};

struct PreadLoopResult {
  uint64_t nanoseconds;
  uint64_t wrong_words;
};

/// Throws HostError where the file cannot be opened or read.
PreadLoopResult run_pread_loop(const PreadLoop& loop);

}  // namespace warpfs
