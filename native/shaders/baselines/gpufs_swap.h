// How frames become free: whoever finds none swaps out a batch of clean pages, those first that were taken first. All of this the leader of a
// warp does.
#pragma once
#include "gpufs_hash.h"

namespace warpfs {

namespace GpufsEvict {
enum : uint { FREE = 0u, IN_USE = 1u, DIRTY = 2u, NOT_BEGUN = 3u };
}

// Waits for no lock: whoever has one may be waiting for a frame.
WARPFS_FN uint gpufs_evict(WARPFS_THREAD const Gpufs& g, uint frame) {
  WARPFS_DEVICE uint* words = gpufs_frame(g, frame);
  const uint page = atomic_load(words + FRAME_PAGE);
  const bool dirty_before = atomic_load(words + FRAME_DIRTY) != 0u;
  if (gpufs_flawed(GpufsFlaw::DIRTY_SEEN_EARLY) && dirty_before) return GpufsEvict::DIRTY;
  if (page == 0u) return GpufsEvict::NOT_BEGUN;
  WARPFS_DEVICE uint* bucket = gpufs_bucket(g, page - 1u);
  if (!gpufs_try_lock(bucket + BUCKET_LOCK)) return GpufsEvict::IN_USE;
  uint outcome = GpufsEvict::IN_USE;
  if (gpufs_try_lock(words + FRAME_LOCK)) {
    const uint state = words[FRAME_STATE];
    const bool ours = atomic_load(words + FRAME_PAGE) == page && (state == FrameState::VALID || state == FrameState::FAILED);
    if (ours && !gpufs_flawed(GpufsFlaw::DIRTY_SEEN_EARLY) && atomic_load(words + FRAME_DIRTY) != 0u) {
      outcome = GpufsEvict::DIRTY;
    } else if (ours && atomic_load(words + FRAME_REFS) == 0u) {
      outcome = GpufsEvict::FREE;
      gpufs_unlink(g, bucket, frame);
      words[FRAME_STATE] = FrameState::INVALID;
      atomic_store(words + FRAME_PAGE, 0u);
      atomic_store(words + FRAME_DIRTY, 0u);
    }
    gpufs_unlock(words + FRAME_LOCK);
  }
  gpufs_unlock(bucket + BUCKET_LOCK);
  return outcome;
}

// How many it freed. One warp at a time; the others come back later. -ENOSPC: every page was changed, and such pages stay until the file is synced.
WARPFS_FN int gpufs_swap(WARPFS_THREAD const Gpufs& g) {
  if (!gpufs_try_lock(g.pool + GPUFS_SWAP_LOCK)) return 0;
  uint tail = atomic_load(g.pool + GPUFS_TAIL);
  const uint end = atomic_load(g.pool + GPUFS_HEAD);
  uint freed = 0u, dirty = 0u, passed = 0u;
  bool gives_up = false;
  for (uint at = tail; at != end && freed < g.swap_pages && !gives_up; at++) {
    const uint frame = gpufs_ring(g, at);
    const uint outcome = gpufs_evict(g, frame);
    if (outcome == GpufsEvict::FREE) {
      // The one that stood at the tail takes its place, and it goes behind all free ones.
      if (at != tail) gpufs_ring_set(g, at, gpufs_ring(g, tail));
      gpufs_ring_set(g, tail + g.frames, frame);
      tail++;
      freed++;
    } else if (outcome == GpufsEvict::NOT_BEGUN && !gpufs_flawed(GpufsFlaw::RING_MOVED)) {
      break;  // whoever took it may still have to look into the ring, so what stands there must not move
    } else {
      dirty += outcome == GpufsEvict::DIRTY ? 1u : 0u;
      passed++;
      // The original trusts that half of its pages can go, with an assertion.
      gives_up = gpufs_flawed(GpufsFlaw::DIRTY_ASSERTS) && freed == 0u && passed * 2u >= g.frames;
    }
  }
  atomic_store(g.pool + GPUFS_TAIL, tail);
  if (freed != 0u) {
    fence_release();
    atomic_sub(g.pool + GPUFS_USED, freed);
  }
  gpufs_unlock(g.pool + GPUFS_SWAP_LOCK);
  return gives_up || dirty == g.frames ? -Errno::enospc : (int)freed;
}

// Whether it is worth to try again, with loads alone: those that wait must not keep up those that they wait for.
WARPFS_FN bool gpufs_may_swap(WARPFS_THREAD const Gpufs& g) {
  if (atomic_load(g.pool + GPUFS_USED) < g.frames) return true;
  if (atomic_load(g.pool + GPUFS_SWAP_LOCK) != 0u) return false;
  uint dirty = 0u;
  const uint tail = atomic_load(g.pool + GPUFS_TAIL), end = atomic_load(g.pool + GPUFS_HEAD);
  for (uint at = tail; at != end && at - tail < g.frames; at++) {
    // The three words may be of different moments.
    const uint frame = gpufs_ring(g, at);
    if (frame >= g.frames) break;
    WARPFS_DEVICE uint* words = gpufs_frame(g, frame);
    const uint page = atomic_load(words + FRAME_PAGE);
    if (page == 0u) break;
    const bool is_dirty = atomic_load(words + FRAME_DIRTY) != 0u;
    dirty += is_dirty ? 1u : 0u;
    if (!is_dirty && atomic_load(words + FRAME_LOCK) == 0u && atomic_load(words + FRAME_REFS) == 0u && atomic_load(gpufs_bucket(g, page - 1u) + BUCKET_LOCK) == 0u) return true;
  }
  return dirty == g.frames;
}

// A free frame, with its lock; false where there is none.
WARPFS_FN bool gpufs_take(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Gpufs& g, WARPFS_THREAD uint& frame, WARPFS_THREAD int& outcome) {
  if (atomic_add(g.pool + GPUFS_USED, 1u) >= g.frames) {
    atomic_sub(g.pool + GPUFS_USED, 1u);
    return false;
  }
  // What a swap has put into the ring is known to whoever finds the count lower, and to all that come to the ring behind that one.
  fence_acquire();
  fence_release();
  const uint place = atomic_add(g.pool + GPUFS_HEAD, 1u);
  fence_acquire();
  frame = gpufs_ring(g, place);
  WARPFS_DEVICE uint* words = gpufs_frame(g, frame);
  // Somebody who followed an old chain may just look at it.
  if (gpufs_flawed(GpufsFlaw::INIT_TRIED_ONCE)) outcome = gpufs_try_lock(words + FRAME_LOCK) ? 0 : -Errno::eio;
  else outcome = gpufs_lock(fs, words + FRAME_LOCK) ? 0 : wait_outcome();
  if (outcome != 0) return false;
  words[FRAME_STATE] = FrameState::INIT;
  atomic_store(words + FRAME_REFS, 1u);
  return true;
}

}  // namespace warpfs
