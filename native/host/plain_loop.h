// The yardsticks of the file benchmarks: what a plain C++ program does with system calls, making and checking the same words as the kernels.
// The word at byte o of a file is o / 4 * 2654435761 + seed.
#pragma once
#include <cstdint>
#include <string>

namespace warpfs {

struct PlainLoop {
  std::string path;
  uint32_t pages;        // of page_bytes each
  uint32_t page_bytes;
  uint32_t seed;
  uint32_t count;        // writes, or opens
  uint32_t start;        // of the random offsets
  uint32_t threads;      // that read, each its own stretch
  uint32_t words_apart;  // of those that are compared; 1: every word
};

struct PlainLoopResult {
  uint64_t nanoseconds;
  uint64_t wrong_words;
};

// All throw HostError where a system call fails.

/// Reads the whole file in order, a page with each pread.
PlainLoopResult run_plain_reads(const PlainLoop& loop);
/// Makes and writes random pages, then has them brought to the disk, as a mount does.
PlainLoopResult run_plain_writes(const PlainLoop& loop);
/// Opens and closes the file.
PlainLoopResult run_plain_opens(const PlainLoop& loop);

}  // namespace warpfs
