// A thread that plays an NVMe controller: it fetches commands behind the doorbells that kernels ring, moves the bytes, and leaves completions.
#pragma once
#include "host_peer.h"

#include "../../shaders/baselines/nvme_queue.h"

namespace warpfs {

struct NvmeShape {
  uint32_t queues = 1;
  uint32_t depth = 64;
};

class NvmeController final : public PeerProtocol {
 public:
  /// Throws HostError where the queues do not fit into the shared memory.
  NvmeController(const NvmeShape& shape, const PeerOptions& options);

  uint32_t serve(uint32_t thread, PeerHost& host) override;
  void tell(uint32_t thread, const PeerAnswer& answer) override;

 private:
  struct Queue {
    uint32_t head = 0;        // of the submission queue: entries taken
    uint32_t tail = 0;        // of the completion queue: the place of the next entry
    uint32_t phase = 1;
    std::vector<PeerAnswer> waiting;  // for room in the completion queue
  };
  uint32_t take(uint32_t index, uint32_t thread, PeerHost& host);
  uint32_t carry_out(const NvmeCommand& command, PeerHost& host) const;
  bool complete(uint32_t index, uint32_t command_id, uint32_t status);
  uint64_t pair(uint32_t index) const { return index * nvme_pair_bytes(shape_.depth); }
  uint32_t* word(uint64_t at) const { return reinterpret_cast<uint32_t*>(shared_ + at); }

  const NvmeShape shape_;
  uint8_t* const shared_;
  const uint32_t threads_;
  std::vector<Queue> queues_;
};

}  // namespace warpfs
