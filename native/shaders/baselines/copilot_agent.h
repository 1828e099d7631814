// The host's agent as a warp of the kernel, for check mode: what native/host/peer/copilot_host.cpp does. The controller is another warp, nvme_drive.h.
#pragma once
#include "copilot_layout.h"
#include "nvme_drive.h"

namespace warpfs {

// Of a queue, from dispatch to dispatch; zeros at first.
enum : uint { AGENT_HEAD = 0u, AGENT_PHASE = 1u, AGENT_TAKEN = 2u, AGENT_WORDS = 3u };

// Leader only: the completions that lie in this queue, and how many they were.
WARPFS_FN uint agent_drain(WARPFS_DEVICE uchar* shared, CopilotShape shape, uint queue, WARPFS_DEVICE uint* kept) {
  const ulong pair = copilot_pair(shape, queue);
  uint drained = 0u;
  for (;; drained++) {
    WARPFS_DEVICE const uint* completion = nvme_word(shared, nvme_completion(pair, shape.depth, kept[AGENT_HEAD]));
    const uint done = peer_load(completion + NVME_DONE);
    if ((done >> 16 & 1u) != (1u ^ kept[AGENT_PHASE])) break;
    peer_fence();  // and whoever finds its entry acquires what the controller did before
    const uint sq_head = peer_load(completion + NVME_SQ) & 0xffffu;
    kept[AGENT_TAKEN] += (sq_head + shape.depth - kept[AGENT_TAKEN] % shape.depth) % shape.depth;
    kept[AGENT_HEAD] = (kept[AGENT_HEAD] + 1u) % shape.depth;
    if (kept[AGENT_HEAD] == 0u) kept[AGENT_PHASE] ^= 1u;
    peer_store(nvme_word(shared, copilot_entry(shape, queue, done & 0xffffu)), COPILOT_READY | done >> 17 << 1);
  }
  if (drained == 0u) return 0u;
  peer_fence();
  peer_store(nvme_word(shared, copilot_taken(shape, queue)), kept[AGENT_TAKEN]);
  peer_store(nvme_word(shared, nvme_cq_doorbell(pair)), kept[AGENT_HEAD]);
  return drained;
}

// All lanes. Serves the first `queues` until all items have ended.
WARPFS_FN int copilot_agent(WARPFS_THREAD Fs& fs, WARPFS_DEVICE uchar* shared, CopilotShape shape, uint queues, WARPFS_DEVICE uint* kept, WARPFS_DEVICE const uint* ended_items, uint all_items) {
  DriveEnd end;
  drive_begin(fs, end);
  do {
    drive_look(fs, end, ended_items, all_items);
    for (uint queue = 0; is_leader(fs) && queue < queues; queue++) end.served += agent_drain(shared, shape, queue, kept + queue * AGENT_WORDS);
    end.served = warp_broadcast(fs.lane, end.served, 0u);
  } while (drive_goes_on(fs, end));
  return end.outcome;
}

}  // namespace warpfs
