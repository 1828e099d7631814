// The calls of GPUfs as far as an experiment needs them: a page mapped by a warp, and what was changed written back at the end. Nothing is
// written back before: sessions see what others wrote when those have closed.
#pragma once
#include "gpufs_pin.h"
#include "gpufs_request.h"

namespace warpfs {

// All lanes, as gmmap_warp: the frame that has the page of `offset`, pinned.
WARPFS_FN int gpufs_map(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Gpufs& g, ulong offset, WARPFS_THREAD uint& frame) {
  const uint page = (uint)(offset >> g.page_shift);
  const ulong told = warp_broadcast64(fs.lane, is_leader(fs) ? gpufs_pin(fs, g, page) : 0u, 0u);
  int outcome = (int)(uint)(told >> 32);
  frame = (uint)told >> 1;
  if (outcome != 0 || (told & 1u) == 0u) return outcome;
  outcome = gpufs_fill(fs, g, frame, page);
  warp_sync(fs.lane);
  if (is_leader(fs)) gpufs_filled(g, frame, outcome == 0);
  return outcome;
}

// All lanes.
WARPFS_FN int gpufs_unmap(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Gpufs& g, uint frame, bool wrote) {
  // The original asks how the file was opened, and not what was done.
  const bool dirty = gpufs_flawed(GpufsFlaw::MAP_DIRTIES) ? g.writes != 0u : wrote;
  int outcome = 0;
  warp_sync(fs.lane);
  if (is_leader(fs)) outcome = gpufs_unpin(fs, g, frame, dirty);
  return (int)warp_broadcast(fs.lane, (uint)outcome, 0u);
}

enum : uint { GPUFS_WRITES_AT_ONCE = 32u };

// Leader only: the next changed page; false where there is none.
WARPFS_FN bool gpufs_next_dirty(WARPFS_THREAD const Gpufs& g, WARPFS_THREAD uint& frame) {
  while (g.pool[GPUFS_DIRTY] != 0u) {
    frame = g.pool[GPUFS_DIRTY] - 1u;
    WARPFS_DEVICE uint* words = gpufs_frame(g, frame);
    g.pool[GPUFS_DIRTY] = words[FRAME_NEXT_DIRTY];
    if (atomic_exchange(words + FRAME_DIRTY, 0u) != 0u && atomic_load(words + FRAME_PAGE) != 0u) return true;
  }
  return false;
}

// All lanes of one warp, while nobody else changes pages: as gfsync and the last gclose. Several writes are under way at once.
WARPFS_FN int gpufs_sync(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Gpufs& g) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  const uint slots = gpufs_slot_count(g);
  const uint at_once = slots < GPUFS_WRITES_AT_ONCE ? slots : GPUFS_WRITES_AT_ONCE;
  const uint type = gpufs_flawed(GpufsFlaw::WRITES_REFUSED) ? GpufsType::DIFF : GpufsType::WRITE;
  int failed = 0;
  fence_acquire();
  for (;;) {
    uint slot_of[GPUFS_WRITES_AT_ONCE];
    uint posted = 0u;
    while (posted < at_once) {
      uint frame = 0u, slot = 0u, page = 0u;
      uint found = 0u;
      if (is_leader(fs) && gpufs_next_dirty(g, frame)) {
        found = gpufs_claim(fs, g, slot) ? 1u : 2u;
        page = atomic_load(gpufs_frame(g, frame) + FRAME_PAGE) - 1u;
      }
      found = warp_broadcast(lane, found, 0u);
      if (found == 0u) break;
      if (found == 2u) return wait_outcome();
      frame = warp_broadcast(lane, frame, 0u);
      slot = warp_broadcast(lane, slot, 0u);
      const ulong offset = (ulong)warp_broadcast(lane, page, 0u) << g.page_shift;
      dma_leave(lane, g.dma, gpufs_place(g, frame), gpufs_write_stage(slots, slot, 1u << g.page_shift), offset, 1u << g.page_shift);
      if (is_leader(fs)) gpufs_post(g, slot, type, g.dma.way_back != DmaWay::DIRECT ? 1u : 0u, gpufs_place(g, frame), offset);
      slot_of[posted] = slot;
      posted++;
    }
    if (posted == 0u) break;
    for (uint i = 0; i < posted; i++) {
      int outcome = 0;
      if (is_leader(fs)) {
        outcome = gpufs_await(fs, g, slot_of[i]);
        if (outcome != wait_outcome()) gpufs_free(g, slot_of[i]);
      }
      outcome = (int)warp_broadcast(lane, (uint)outcome, 0u);
      if (outcome != 0) failed = outcome;
    }
    if (failed != 0) return failed;
  }
  return 0;
}

}  // namespace warpfs
