#include "registered_file.h"

namespace warpfs::cuda {

namespace {

std::string mebibytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

RegisteredFile::RegisteredFile(Context& context, const std::string& path, uint64_t bytes, bool writes, const std::string& what)
    : context_(context), path_(path), bytes_(bytes), writes_(writes), mapped_(std::make_unique<MappedFile>(path, bytes, writes, what)) {
  context.enter();
  const unsigned flags = HOST_REGISTER_MAPPED | (writes ? 0u : unsigned(HOST_REGISTER_READ_ONLY));
  const CUresult result = driver().cuMemHostRegister(mapped_->at(), bytes, flags);
  registered_ = result == CUDA_SUCCESS;
  try {
    check(result, what + ": registering " + mebibytes(bytes) + " of " + path + (writes ? " for reading and writing" : " for reading") + " with the driver");
    check(driver().cuMemHostGetDevicePointer(&address_, mapped_->at(), 0), what + ": asking where the GPU sees " + path);
  } catch (...) {
    if (registered_) driver().cuMemHostUnregister(mapped_->at());
    throw;
  }
}

RegisteredFile::~RegisteredFile() {
  if (!context_.enter_to_free()) {
    static_cast<void>(mapped_.release());  // the GPU may still be at it
    return;
  }
  driver().cuMemHostUnregister(mapped_->at());
}

}  // namespace warpfs::cuda
