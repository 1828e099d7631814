// The first bytes of a file, shared with it, where kernels or a driver of a GPU get at them.
#pragma once
#include <cstdint>
#include <string>

namespace warpfs {

class MappedFile {
 public:
  MappedFile() = default;
  /// `what` is for messages. Throws HostError: also where the file has fewer bytes.
  MappedFile(const std::string& path, uint64_t bytes, bool writes, const std::string& what);
  MappedFile(MappedFile&& other) noexcept { swap(other); }
  MappedFile& operator=(MappedFile&& other) noexcept {
    swap(other);
    return *this;
  }
  ~MappedFile();

  /// It begins and ends with a page of any machine that runs us: what lies behind the end of the file is not to be touched.
  void* at() const { return at_; }
  uint64_t mapped_bytes() const { return mapped_bytes_; }

 private:
  void swap(MappedFile& other) noexcept;

  void* at_ = nullptr;
  uint64_t mapped_bytes_ = 0;
  void* reserved_ = nullptr;
  uint64_t reserved_bytes_ = 0;
};

}  // namespace warpfs
