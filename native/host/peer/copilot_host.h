// The host of a design in which warps submit and threads of the host poll the completion queues: a controller that fetches commands and moves
// bytes, and beside it agents that take completions out of its queues and tell the warps. Two roles, because the published system has both: its SSDs, and cores that poll.
#pragma once
#include "nvme_controller.h"

#include "../../shaders/baselines/copilot_layout.h"

namespace warpfs {

struct CopilotRoles {
  CopilotShape shape;
  /// Threads that are agents and nothing else, the last ones; 0: each thread is a controller and, in turn, the agent of its own queues.
  uint32_t agents = 0;
};

class CopilotHost final : public PeerProtocol {
 public:
  /// Throws HostError where its tables do not fit into the shared memory.
  CopilotHost(const CopilotRoles& roles, const PeerOptions& options);

  uint32_t serve(uint32_t thread, PeerHost& host) override;
  void tell(uint32_t thread, const PeerAnswer& answer) override { controller_.tell(thread, answer); }

 private:
  struct Queue {
    uint32_t head = 0;  // of the completion queue
    uint32_t phase = 1;
    uint32_t taken = 0;  // submission entries that the controller has fetched so far
  };
  uint32_t drain(uint32_t index);
  uint32_t* word(uint64_t at) const { return reinterpret_cast<uint32_t*>(shared_ + at); }

  const CopilotShape shape_;
  uint8_t* const shared_;
  const uint32_t controllers_;
  const uint32_t agents_;
  NvmeController controller_;
  std::vector<Queue> queues_;
};

}  // namespace warpfs
