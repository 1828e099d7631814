// The memory that warps share with a controller and with the host's agents: queue pairs, of each queue how many of its submission entries were
// taken, and the barrier table. For warps and for the threads of native/host/peer/copilot_host.h.
#pragma once
#include "nvme_queue.h"

namespace warpfs {

enum : uint32_t {
  COPILOT_ENTRY_BYTES = 8u,    // of the barrier table; two words, of which the second is spare
  COPILOT_TAKEN_BYTES = 128u,  // apart, for the warps of a queue poll it where the queue is full
};

// Of the first word of an entry: 0 until the command has ended, then this bit and above it the status of NVMe, which is 0 where all went well.
enum : uint32_t { COPILOT_READY = 1u };

struct CopilotShape {
  uint32_t queues;
  uint32_t depth;
  uint32_t ids;  // command ids of each queue: entries of its barrier table
};

WARPFS_FN uint64_t copilot_pair(CopilotShape shape, uint32_t queue) { return queue * nvme_pair_bytes(shape.depth); }
WARPFS_FN uint64_t copilot_taken(CopilotShape shape, uint32_t queue) { return copilot_pair(shape, shape.queues) + (uint64_t)queue * COPILOT_TAKEN_BYTES; }
WARPFS_FN uint64_t copilot_entry(CopilotShape shape, uint32_t queue, uint32_t id) {
  return copilot_taken(shape, shape.queues) + ((uint64_t)queue * shape.ids + id) * COPILOT_ENTRY_BYTES;
}
WARPFS_FN uint64_t copilot_shared_bytes(CopilotShape shape) { return copilot_entry(shape, shape.queues, 0u); }

}  // namespace warpfs
