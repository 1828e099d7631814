// Writes back what was changed, when no warp uses the cache: each lane takes slots of its own, and waits for what it has asked for.
#pragma once
#include "bam_miss.h"

namespace warpfs {

// All lanes of `warps` warps, of which this is number `warp`; each lane needs a stage. 0, or what went wrong.
WARPFS_FN int bam_flush(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Bam& bam, uint warp, uint warps) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  int error = 0;
  for (uint first = warp * lane.count; first < bam.slot_count; first += warps * lane.count) {
    const uint slot = first + lane.index;
    const uint held = slot < bam.slot_count ? atomic_load(bam_held(bam, slot)) : 0u;
    const bool dirty = held != 0u && (atomic_load(bam_state(bam, held - 1u)) & BAM_DIRTY) != 0u;
    fence_acquire();
    BamMiss own;
    bam_miss_begin(own, held - 1u, 0u, 0u);
    own.slot = slot;
    const uint all = warp_ballot(lane, dirty);
    for (uint left = bam.dma.way_back == DmaWay::DIRECT ? 0u : all; left != 0u; left &= left - 1u) {
      const uint source = lowest_bit(left);
      bam_move(lane, bam, BamOutcome::LEAVE, source, first + source, warp_shuffle(lane, own.page, source));
    }
    WaitBound bound;
    wait_start(fs, bound);
    for (bool busy = dirty; all != 0u;) {
      const uint before = own.command.phase;
      if (busy && bam_transfer(bam, own, lane.index, NvmeOpcode::WRITE, own.page, bam_page_bytes(bam, own.page))) {
        busy = false;
        if (own.command.status != NvmeStatus::SUCCESS) error = -Errno::eio;
        else atomic_and_unasked(bam_state(bam, own.page), ~(uint)BAM_DIRTY);
      }
      uint masks[4];  // who is busy, and who has got on
      warp_votes(lane, (uint)busy | (uint)(before != own.command.phase) << 1, masks);
      if (masks[0] == 0u) break;
      if (masks[1] != 0u) wait_start(fs, bound);
      else if (!warp_wait_again(fs, bound)) return wait_outcome();
    }
  }
  return warp_any(lane, error != 0) ? -Errno::eio : 0;
}

}  // namespace warpfs
