// Memory that kernels of one mount share from dispatch to dispatch: with the GPU, pinned, or a file where it lies. It is passed like any other
// buffer, by an address of the host that stands for it.
#pragma once
#include "../kernel_memory.h"
#include "registered_file.h"

#include <map>
#include <memory>
#include <mutex>

namespace warpfs::cuda {

class KernelMemories {
 public:
  explicit KernelMemories(Context& context) : context_(context), copies_{Stream(context), Stream(context)} {}

  /// Throws HostError.
  PlacedMemory place(const MemoryRequest& request);
  void free(const void* name);
  /// 0: it is no such memory.
  CUdeviceptr address_of(const void* name) const;
  /// From any thread: two at once, one each way. Waits for its end, and for no kernel.
  void copy(const MemoryCopy& copy);

 private:
  struct Kept {
    CUdeviceptr address = 0;
    DeviceMemory device;
    std::unique_ptr<uint64_t[]> name;  // of memory that the host does not see: an address of its own
    std::unique_ptr<PinnedMemory> pinned;
    std::unique_ptr<RegisteredFile> file;
  };
  bool is_visible(const void* name) const;

  Context& context_;
  Stream copies_[2];  // to the GPU, from there
  std::mutex copying_[2];
  mutable std::mutex mutex_;
  std::map<const void*, Kept> kept_;
};

}  // namespace warpfs::cuda
