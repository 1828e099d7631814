// The pages of the host, and where those of a mapped file are.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace warpfs {

inline uint64_t page_bytes() {
  static const uint64_t bytes = uint64_t(sysconf(_SC_PAGESIZE));
  return bytes;
}

/// The share of the pages of a mapping that is in the memory of the host, where the host says so. At least one byte.
inline std::optional<double> share_in_memory(void* address, size_t bytes) {
  std::vector<unsigned char> pages((bytes + page_bytes() - 1) / page_bytes());
#if defined(__linux__)
  if (mincore(address, bytes, pages.data()) != 0) return std::nullopt;
#else
  if (mincore(address, bytes, reinterpret_cast<char*>(pages.data())) != 0) return std::nullopt;
#endif
  return double(std::count_if(pages.begin(), pages.end(), [](unsigned char seen) { return (seen & 1) != 0; })) / double(pages.size());
}

}  // namespace warpfs
