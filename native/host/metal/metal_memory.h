// The memory of a mount on an Apple GPU, which gpu and host share: the tables once, and of those words by which they talk a copy of the host's, so that neither
// sees what the other has half written.
#pragma once
#include "exchange.h"

#include <optional>

namespace warpfs::metal {

class MetalMemory {
 public:
  /// `replay`: kernels never wait for the host, and the words are exchanged between them. Else both use the same.
  MetalMemory(const Geometry& geometry, bool replay) : gpu_(geometry) {
    if (!replay) return;
    host_.emplace(geometry, nullptr, MemoryPart::OF_HOST);
    exchange_.emplace(gpu_, *host_);
  }

  HostView host_view() { return exchange_ ? exchange_->host_view() : gpu_.host_view(); }
  MountMemory& gpu() { return gpu_; }
  /// A kernel runs that does not end: the tables stay where they are.
  void leave() { gpu_.leave(); }
  /// Null without replay.
  Exchange* exchange() { return exchange_ ? &*exchange_ : nullptr; }

 private:
  MountMemory gpu_;
  std::optional<MountMemory> host_;
  std::optional<Exchange> exchange_;
};

}  // namespace warpfs::metal
