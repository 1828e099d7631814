// The GPU and the memory of one mount there. It is made before both who use it: the daemon, whose engine may read files into that memory, and the device.
#pragma once
#include "../mount_memory.h"
#include "context.h"

namespace warpfs::metal {

class Gpu {
 public:
  /// `memory` outlives it.
  explicit Gpu(MountMemory& memory) : tables_(context_, context_.buffer_at(memory.base(), memory.total_bytes(), "the cache")) {}

  Context& context() { return context_; }
  /// All tables, and the lines among them.
  const Buffer& tables() const { return tables_; }

 private:
  Context context_;
  Buffer tables_;
};

}  // namespace warpfs::metal
