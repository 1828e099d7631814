// Loads without a mount, for measurements: pieces of a file brought into memory, by threads that pread or by what a device has for it.
#pragma once
#include "file_pieces.h"

#include <memory>
#include <string>
#include <vector>

namespace warpfs {

class Loads {
 public:
  virtual ~Loads() = default;
  virtual uint8_t* memory() = 0;
  /// All of them: nanoseconds. What takes place once for many loads, such as making threads, does not count. Throws HostError.
  virtual uint64_t load(const std::vector<FilePiece>& pieces) = 0;
};

/// `bytes`: of the memory. Throws HostError.
std::unique_ptr<Loads> make_pread_loads(const std::string& path, uint64_t bytes, uint32_t threads);

}  // namespace warpfs
