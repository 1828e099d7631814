// The host's side of GPUfs: workers that each serve the slots of their own, all that are pending as one batch through a staging area.
#pragma once
#include "host_peer.h"

#include "../../shaders/baselines/gpufs_slots.h"

namespace warpfs {

struct GpufsShape {
  uint32_t slots_of_worker = 32;
  uint32_t page_bytes = 4096;
};

/// As many workers as the peer has threads.
class GpufsWorkers final : public PeerProtocol {
 public:
  /// Throws HostError where the slots do not fit into the shared memory.
  GpufsWorkers(const GpufsShape& shape, const PeerOptions& options);

  uint32_t serve(uint32_t worker, PeerHost& host) override;
  void tell(uint32_t worker, const PeerAnswer& answer) override;

 private:
  /// AREAS where warps have still to take something from each of them.
  uint32_t free_area(uint32_t worker) const;
  int32_t carry_out(uint32_t slot, uint32_t area, uint32_t at, PeerHost& host) const;
  uint32_t slots() const { return workers_ * shape_.slots_of_worker; }
  uint32_t* word(uint32_t slot, uint32_t word) const { return reinterpret_cast<uint32_t*>(shared_ + gpufs_slot(slot)) + word; }
  uint32_t* area_word(uint32_t worker, uint32_t area) const { return reinterpret_cast<uint32_t*>(shared_ + gpufs_area(slots(), worker, area)); }

  const GpufsShape shape_;
  uint8_t* const shared_;
  const uint32_t workers_;
};

}  // namespace warpfs
