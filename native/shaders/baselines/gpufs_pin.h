// The frame of a page, found or taken. All of this the leader of a warp does.
#pragma once
#include "gpufs_swap.h"

namespace warpfs {

// With no page found and its bucket locked: a frame of its own, in the chain. TO_FILL, or NOTHING where there is no free frame.
WARPFS_FN uint gpufs_insert(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Gpufs& g, uint page, WARPFS_DEVICE uint* bucket, WARPFS_THREAD uint& frame, WARPFS_THREAD int& outcome) {
  WaitBound bound;
  wait_start(fs, bound);
  while (!gpufs_take(fs, g, frame, outcome)) {
    // Otherwise with no bucket locked, for a swap skips what is locked.
    if (outcome != 0 || !gpufs_flawed(GpufsFlaw::BUCKET_HELD)) return GpufsFound::NOTHING;
    const int freed = gpufs_swap(g);
    if (freed == 0 && !wait_again(fs, bound)) outcome = wait_outcome();
    if (freed < 0) outcome = freed;
    if (outcome != 0) return GpufsFound::NOTHING;
  }
  WARPFS_DEVICE uint* words = gpufs_frame(g, frame);
  atomic_store(words + FRAME_PAGE, page + 1u);
  atomic_store(words + FRAME_NEXT, atomic_load(bucket + BUCKET_FIRST));
  fence_release();  // those that look without the lock go along a whole chain
  atomic_store(bucket + BUCKET_FIRST, frame + 1u);
  return GpufsFound::TO_FILL;
}

// The frame of a page, pinned: outcome << 32 | frame << 1 | whether its bytes are not there; then it is this warp's to fill, and locked.
WARPFS_FN ulong gpufs_pinned(int outcome, uint frame, uint found) { return (ulong)(uint)outcome << 32 | frame << 1 | (found == GpufsFound::TO_FILL ? 1u : 0u); }

WARPFS_CALL ulong gpufs_pin_slowly(WARPFS_THREAD Fs& fs, Gpufs g, uint page) {
  WARPFS_DEVICE uint* bucket = gpufs_bucket(g, page);
  uint frame = 0u;
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    uint found = gpufs_look(g, page, frame);
    if (found == GpufsFound::NOTHING) {
      int outcome = 0;
      if (!gpufs_lock(fs, bucket + BUCKET_LOCK)) return gpufs_pinned(wait_outcome(), 0u, found);
      found = gpufs_look(g, page, frame);
      if (found == GpufsFound::NOTHING) found = gpufs_insert(fs, g, page, bucket, frame, outcome);
      gpufs_unlock(bucket + BUCKET_LOCK);
      if (outcome == 0 && found == GpufsFound::NOTHING) outcome = gpufs_swap(g);
      if (outcome < 0) return gpufs_pinned(outcome, 0u, found);
      if (outcome > 0) continue;
    }
    if (found == GpufsFound::PINNED || found == GpufsFound::TO_FILL) return gpufs_pinned(0, frame, found);
    do {
      if (!wait_again(fs, bound)) return gpufs_pinned(wait_outcome(), 0u, found);
    } while (found == GpufsFound::BUSY ? atomic_load(gpufs_frame(g, frame) + FRAME_LOCK) != 0u : !gpufs_may_swap(g));
  }
}

WARPFS_FN ulong gpufs_pin(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Gpufs& g, uint page) {
  uint frame = 0u;
  const uint found = gpufs_look(g, page, frame);
  return found == GpufsFound::PINNED || found == GpufsFound::TO_FILL ? gpufs_pinned(0, frame, found) : gpufs_pin_slowly(fs, g, page);
}

}  // namespace warpfs
