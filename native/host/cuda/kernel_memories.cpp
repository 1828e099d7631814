#include "kernel_memories.h"

namespace warpfs::cuda {

namespace {

constexpr uint64_t NAME_WORDS = 2;  // as large as the smallest buffer

}  // namespace

PlacedMemory KernelMemories::place(const MemoryRequest& request) {
  Kept kept;
  PlacedMemory placed{nullptr, request.bytes, true};
  if (!request.file.empty()) {
    kept.file = std::make_unique<RegisteredFile>(context_, request.file, request.bytes, request.writes);
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
  kept_.emplace(placed.name, std::move(kept));
  return placed;
}

void KernelMemories::free(const void* name) { kept_.erase(name); }

CUdeviceptr KernelMemories::address_of(const void* name) const {
  const auto found = kept_.find(name);
  return found == kept_.end() ? 0 : found->second.address;
}

}  // namespace warpfs::cuda
