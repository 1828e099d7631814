// What a kernel is given beside the tables: its inputs and outputs for one dispatch, and memory that lasts.
#pragma once
#include "../dispatch.h"
#include "../kernel_memory.h"
#include "../mapped_file.h"
#include "context.h"

#include <map>
#include <mutex>
#include <vector>

namespace warpfs::metal {

/// Memory that lasts is there once, for kernels and for the host: its name is the address of its bytes.
class KernelMemories {
 public:
  explicit KernelMemories(Context& context) : context_(context) {}
  ~KernelMemories();
  /// Throws HostError.
  PlacedMemory place(const MemoryRequest& request);
  void free(const void* name);
  void copy(const MemoryCopy& copy) const;
  /// As kernels know it; 0: there is none of that name.
  uint64_t address_of(const void* name) const;

 private:
  struct Kept {
    MappedFile file;  // let go behind its buffer
    Buffer buffer;
  };

  Context& context_;
  mutable std::mutex mutex_;  // names come and go beside copies
  std::map<const void*, Kept> kept_;
};

/// The inputs and outputs of dispatches. JavaScript has them where no page begins, so they are copied to and fro.
class OwnBuffers {
 public:
  OwnBuffers(Context& context, const KernelMemories& memories) : context_(context), memories_(memories) {}
  /// The address of each, for kernels. Throws HostError.
  std::vector<uint64_t> give(const Dispatch& dispatch);
  /// Behind the dispatch that they were given for.
  void take(const Dispatch& dispatch) const;

 private:
  Context& context_;
  const KernelMemories& memories_;
  Buffer area_;                   // only grows
  std::vector<uint64_t> places_;  // there
};

}  // namespace warpfs::metal
