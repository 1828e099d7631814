// How a warp gets at a page through a pointer: the page stays in its line as long as the pointer is at it, and the lanes load and store there without
// asking again. The other way, element by element, is bam_array.h.
#pragma once
#include "bam_miss.h"

namespace warpfs {

// The same in all lanes. Zeros: at no page.
struct BamPtr {
  uint page;   // + 1
  uint slot;
  uint dirty;  // 1: the page was marked through this pointer
};

// The leader alone, until all lanes are needed or nothing is left to do.
WARPFS_FN uint bam_until_all(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Bam& bam, WARPFS_THREAD BamMiss& own) {
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    const uint outcome = bam_step(bam, own, 0u);
    if (outcome != BamOutcome::WAIT) return outcome;
    if (!wait_again(fs, bound)) break;
  }
  bam_give_up(bam, own);
  return BamOutcome::ENDED;
}

// All lanes; the leader has added to the count of the page, and found `state`. A call of its own: what a miss needs does not slow hits down.
WARPFS_CALL int bam_wait_for(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Bam& bam, uint page, uint state, bool writes, WARPFS_THREAD uint& slot) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  BamMiss own;
  bam_miss_begin(own, page, lane.count, state);
  for (;;) {
    uint outcome = 0u, moved = 0u;
    if (is_leader(fs)) {
      outcome = bam_until_all(fs, bam, own);
      moved = outcome == BamOutcome::LEAVE ? own.victim - 1u : page;
      if (outcome == BamOutcome::ENDED && own.error == 0 && writes) bam_mark_dirty(bam, page, own.slot, own.state);
    }
    outcome = warp_broadcast(lane, outcome, 0u);
    slot = warp_broadcast(lane, own.slot, 0u);
    if (outcome == BamOutcome::ENDED) return (int)warp_broadcast(lane, (uint)own.error, 0u);
    bam_move(lane, bam, outcome, 0u, slot, warp_broadcast(lane, moved, 0u));
  }
}

// All lanes, one page: 0, or why it is not there. The leader acquires for as many as there are lanes.
WARPFS_FN int bam_acquire(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Bam& bam, uint page, bool writes, WARPFS_THREAD uint& slot) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  uint state = 0u;
  slot = BAM_NO_SLOT;
  if (is_leader(fs)) {
    state = atomic_add_acquire(bam_state(bam, page), lane.count);
    const bool hit = bam_is_ready(state);
    if (hit) slot = atomic_load(bam_slot_of(bam, page));
    bam_count_access(bam, lane.count, hit);
    if (hit && writes) bam_mark_dirty(bam, page, slot, state);
  }
  slot = warp_broadcast(lane, slot, 0u);
  if (slot != BAM_NO_SLOT) return 0;
  uint waited_for;
  const int error = bam_wait_for(fs, bam, page, state, writes, waited_for);
  slot = waited_for;
  return error;
}

// All lanes, which have used the page as long as they wanted.
WARPFS_FN void bam_ptr_release(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Bam& bam, WARPFS_THREAD BamPtr& ptr) {
  if (ptr.page == 0u) return;
  warp_sync(fs.lane);
  if (is_leader(fs)) bam_let_go(bam, ptr.page - 1u, fs.lane.count);
  ptr.page = 0u;
}

// All lanes: the pointer is at the page, and was let go of the one where it was. 0, or why not.
WARPFS_FN int bam_ptr_move(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Bam& bam, WARPFS_THREAD BamPtr& ptr, ulong page, bool writes) {
  const bool marks = writes || bam_has(BamFlaw::DIRTY_ON_READ);
  if (ptr.page == page + 1u) {
    if (marks && ptr.dirty == 0u && is_leader(fs)) bam_mark_dirty(bam, (uint)page, ptr.slot, 0u);
    if (marks) ptr.dirty = 1u;
    return 0;
  }
  bam_ptr_release(fs, bam, ptr);
  if (page >= bam_page_count(bam)) return -Errno::einval;
  const int error = bam_acquire(fs, bam, (uint)page, marks, ptr.slot);
  if (error != 0) return error;
  ptr.page = (uint)page + 1u;
  ptr.dirty = marks ? 1u : 0u;
  return 0;
}

// Where the bytes of the file from `offset` on are, up to the end of the page; a pointer that is at it.
WARPFS_FN WARPFS_DEVICE uchar* bam_memref(WARPFS_THREAD const Bam& bam, WARPFS_THREAD const BamPtr& ptr, ulong offset) {
  return bam_line(bam, ptr.slot) + (offset & ((1u << bam.line_shift) - 1u));
}

}  // namespace warpfs
