// Asking the host: a slot is taken, filled in, made pending, and given back when what it brought has been taken from it.
#pragma once
#include "gpufs_pool.h"

namespace warpfs {

WARPFS_FN WARPFS_DEVICE uint* gpufs_slot_words(WARPFS_THREAD const Gpufs& g, uint slot) { return (WARPFS_DEVICE uint*)(g.slots + gpufs_slot(slot)); }
WARPFS_FN WARPFS_DEVICE uint* gpufs_claim_word(WARPFS_THREAD const Gpufs& g, uint slot) { return g.claims + (ulong)slot * 32u; }
WARPFS_FN uint gpufs_slot_count(WARPFS_THREAD const Gpufs& g) { return g.workers * g.slots_of_worker; }

// Leader only. Warps begin to look at different slots, neighbours at those of different workers.
WARPFS_FN bool gpufs_claim(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Gpufs& g, WARPFS_THREAD uint& slot) {
  const uint slots = gpufs_slot_count(g);
  WaitBound bound;
  wait_start(fs, bound);
  for (uint tried = 0;; tried++) {
    const uint turn = fs.item + tried;
    slot = turn % g.workers * g.slots_of_worker + turn / g.workers % g.slots_of_worker;
    WARPFS_DEVICE uint* claim = gpufs_claim_word(g, slot);
    if (atomic_load(claim) == 0u && gpufs_try_lock(claim)) return true;
    if (tried % slots == slots - 1u && !wait_again(fs, bound)) return false;
  }
}

// Leader only. `place` is for those that are not staged.
WARPFS_FN void gpufs_post(WARPFS_THREAD const Gpufs& g, uint slot, uint type, uint staged, ulong place, ulong offset) {
  WARPFS_DEVICE uint* words = gpufs_slot_words(g, slot);
  peer_store(words + GPUFS_TYPE, type);
  peer_store(words + GPUFS_BYTES, 1u << g.page_shift);
  peer_store(words + GPUFS_STAGED, staged);
  peer_store(words + GPUFS_PLACE, (uint)place);
  peer_store(words + GPUFS_PLACE + 1u, (uint)(place >> 32));
  peer_store(words + GPUFS_OFFSET, (uint)offset);
  peer_store(words + GPUFS_OFFSET + 1u, (uint)(offset >> 32));
  peer_fence();
  peer_store(words + GPUFS_STATUS, GpufsStatus::PENDING);
}

// Leader only: 0, or what went wrong.
WARPFS_FN int gpufs_await(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Gpufs& g, uint slot) {
  WARPFS_DEVICE uint* words = gpufs_slot_words(g, slot);
  WaitBound bound;
  wait_start(fs, bound);
  while (peer_load(words + GPUFS_STATUS) != GpufsStatus::READY) {
    if (!wait_again(fs, bound)) return wait_outcome();
  }
  peer_fence();
  return peer_load(words + GPUFS_RESULT) == 0u ? 0 : -Errno::eio;
}

WARPFS_FN void gpufs_free(WARPFS_THREAD const Gpufs& g, uint slot) {
  peer_fence();  // what was in the slot and its stage has been read
  peer_store(gpufs_slot_words(g, slot) + GPUFS_STATUS, GpufsStatus::EMPTY);
  fence_release();
  atomic_store(gpufs_claim_word(g, slot), 0u);
}

// Behind a read, once its page is out of the area. Leader only.
WARPFS_FN void gpufs_leave_area(WARPFS_THREAD const Gpufs& g, uint slot) {
  WARPFS_DEVICE uint* words = gpufs_slot_words(g, slot);
  uint area = peer_load(words + GPUFS_AREA);
  if (gpufs_flawed(GpufsFlaw::INDEX_AFTER_FREE)) {
    gpufs_free(g, slot);
    area = peer_load(words + GPUFS_AREA);
  }
  peer_fence();
  peer_sub((WARPFS_DEVICE uint*)(g.slots + gpufs_area(gpufs_slot_count(g), slot / g.slots_of_worker, area)), 1u);
  if (!gpufs_flawed(GpufsFlaw::INDEX_AFTER_FREE)) gpufs_free(g, slot);
}

// All lanes. The bytes of a page into the frame that this warp has to fill. A call that is not inlined and takes the pool by value: so a hit has
// the registers for itself, and the pool in them.
WARPFS_CALL int gpufs_fill(WARPFS_THREAD Fs& fs, Gpufs g, uint frame, uint page) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  const ulong offset = (ulong)page << g.page_shift;
  uint slot = 0u;
  int outcome = 0;
  bool claimed = false;
  ulong stage = 0u;
  if (is_leader(fs)) {
    claimed = gpufs_claim(fs, g, slot);
    outcome = claimed ? 0 : wait_outcome();
    if (claimed) {
      gpufs_post(g, slot, GpufsType::READ, g.dma.way != DmaWay::DIRECT ? 1u : 0u, gpufs_place(g, frame), offset);
      outcome = gpufs_await(fs, g, slot);
      WARPFS_DEVICE uint* words = gpufs_slot_words(g, slot);
      const uint worker = slot / g.slots_of_worker;
      stage = gpufs_area_stage(g.slots_of_worker, worker, peer_load(words + GPUFS_AREA), peer_load(words + GPUFS_AT), 1u << g.page_shift);
    }
  }
  outcome = (int)warp_broadcast(lane, (uint)outcome, 0u);
  if (outcome == 0 && g.dma.way != DmaWay::DIRECT) {
    stage = warp_broadcast64(lane, stage, 0u);
    dma_land(lane, g.dma, gpufs_place(g, frame), stage, offset, 1u << g.page_shift);
  }
  // A slot whose answer never came stays taken.
  if (is_leader(fs) && claimed && outcome != wait_outcome()) gpufs_leave_area(g, slot);
  return outcome;
}

}  // namespace warpfs
