// What every design does in the same way to ask a controller for something.
#pragma once
#include "bus.h"
#include "nvme_queue.h"

namespace warpfs {

// One lane. A command in its entry; nobody sees it before the doorbell.
WARPFS_FN void nvme_put(WARPFS_DEVICE uchar* queues, ulong pair, uint index, uint opcode, uint command_id, ulong address, uint bytes, ulong offset) {
  WARPFS_DEVICE uint* entry = (WARPFS_DEVICE uint*)(queues + nvme_command(pair, index));
  const ulong block = offset / NVME_BLOCK_BYTES;
  peer_store(entry + NVME_HEAD, opcode | NVME_SGL | command_id << 16);
  peer_store(entry + NVME_NAMESPACE, 1u);
  peer_store(entry + NVME_ADDRESS, (uint)address);
  peer_store(entry + NVME_ADDRESS + 1u, (uint)(address >> 32));
  peer_store(entry + NVME_LENGTH, bytes);
  peer_store(entry + NVME_LBA, (uint)block);
  peer_store(entry + NVME_LBA + 1u, (uint)(block >> 32));
  peer_store(entry + NVME_BLOCKS, bytes / NVME_BLOCK_BYTES - 1u);
}

// One lane, which is the one to write this doorbell now: all entries before `tail` are there.
WARPFS_FN void nvme_ring_submission(WARPFS_DEVICE uchar* queues, ulong pair, uint tail) {
  peer_fence();
  peer_store((WARPFS_DEVICE uint*)(queues + nvme_sq_doorbell(pair)), tail);
}
// The same: all completions before `head` were read.
WARPFS_FN void nvme_ring_completion(WARPFS_DEVICE uchar* queues, ulong pair, uint head) {
  peer_fence();
  peer_store((WARPFS_DEVICE uint*)(queues + nvme_cq_doorbell(pair)), head);
}

// The last word of a completion: command id, phase << 16, status << 17. Whoever finds the phase that it waits for makes a peer_fence() behind.
WARPFS_FN uint nvme_look(WARPFS_DEVICE const uchar* queues, ulong pair, uint depth, uint index) {
  return peer_load((WARPFS_DEVICE const uint*)(queues + nvme_completion(pair, depth, index)) + NVME_DONE);
}
WARPFS_FN uint nvme_phase(uint done) { return done >> 16 & 1u; }
WARPFS_FN uint nvme_status(uint done) { return done >> 17; }

}  // namespace warpfs
