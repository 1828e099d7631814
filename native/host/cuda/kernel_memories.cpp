#include "kernel_memories.h"

namespace warpfs::cuda {

namespace {

constexpr uint64_t NAME_WORDS = 2;  // as large as the smallest buffer

}  // namespace

PlacedMemory KernelMemories::place(const MemoryRequest& request) {
  Kept kept;
  PlacedMemory placed{nullptr, request.bytes, true};
  if (!request.file.empty()) {
    kept.file = std::make_unique<RegisteredFile>(context_, request.file, request.bytes, request.writes, "memory of kernels");
    kept.address = kept.file->address();
    placed.name = kept.file->words();
  } else if (request.host) {
    kept.pinned = std::make_unique<PinnedMemory>(context_, request.bytes, "memory of kernels that the host sees");
    kept.address = reinterpret_cast<CUdeviceptr>(kept.pinned->bytes());
    placed.name = kept.pinned->bytes();
  } else {
    kept.device = DeviceMemory(context_, request.bytes, "memory of kernels");
    kept.address = kept.device.address();
    kept.name = std::make_unique<uint64_t[]>(NAME_WORDS);
    placed = {kept.name.get(), NAME_WORDS * sizeof(uint64_t), false};
  }
  std::lock_guard lock(mutex_);
  kept_.emplace(placed.name, std::move(kept));
  return placed;
}

void KernelMemories::free(const void* name) {
  std::lock_guard lock(mutex_);
  kept_.erase(name);
}

void KernelMemories::copy(const MemoryCopy& copy) {
  const CUdeviceptr from = address_of(copy.from), to = address_of(copy.to);
  // What stands for memory with the GPU is a name alone.
  const bool from_host = is_visible(copy.from), to_host = is_visible(copy.to);
  const size_t way = to_host ? 1 : 0;
  std::lock_guard lock(copying_[way]);
  const CUstream stream = copies_[way].get();
  const CUresult begun = from_host ? driver().cuMemcpyHtoDAsync(to, copy.from, copy.bytes, stream)
                         : to_host ? driver().cuMemcpyDtoHAsync(const_cast<void*>(copy.to), from, copy.bytes, stream)
                                   : driver().cuMemcpyDtoDAsync(to, from, copy.bytes, stream);
  check(begun, "copying memory of kernels");
  check(driver().cuStreamSynchronize(stream), "copying memory of kernels");
}

bool KernelMemories::is_visible(const void* name) const {
  std::lock_guard lock(mutex_);
  const auto found = kept_.find(name);
  return found != kept_.end() && found->second.name == nullptr;
}

CUdeviceptr KernelMemories::address_of(const void* name) const {
  std::lock_guard lock(mutex_);
  const auto found = kept_.find(name);
  return found == kept_.end() ? 0 : found->second.address;
}

}  // namespace warpfs::cuda
