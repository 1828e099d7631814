// A whole file where the GPU sees it: for kernels that load from it without a cache, and for yardsticks. The windows of a mount (windows.h) are
// registered bit by bit, and taken back.
#pragma once
#include "../mapped_file.h"
#include "context.h"

#include <cstdint>
#include <memory>
#include <string>

namespace warpfs::cuda {

/// A file, mapped and registered with the driver, so that the GPU reads it (and, where asked for, writes it) where it lies.
class RegisteredFile {
 public:
  /// `what` it is for. Throws HostError, which says whether the file, the mapping or the driver was in the way.
  RegisteredFile(Context& context, const std::string& path, uint64_t bytes, bool writes, const std::string& what);
  ~RegisteredFile();
  RegisteredFile(const RegisteredFile&) = delete;
  RegisteredFile& operator=(const RegisteredFile&) = delete;
  const std::string& path() const { return path_; }
  uint64_t bytes() const { return bytes_; }
  bool writes() const { return writes_; }
  uint32_t* words() const { return static_cast<uint32_t*>(mapped_->at()); }
  CUdeviceptr address() const { return address_; }

 private:
  Context& context_;
  const std::string path_;
  const uint64_t bytes_;
  const bool writes_;
  std::unique_ptr<MappedFile> mapped_;
  bool registered_ = false;
  CUdeviceptr address_ = 0;
};

}  // namespace warpfs::cuda
