// Which frame has a page: a chained hash with a lock for each bucket, looked at without the lock first. And how frames become free: whoever
// finds none swaps out a batch of clean pages, those first that were taken first. All of this the leader of a warp does.
#pragma once
#include "gpufs_pool.h"

namespace warpfs {

enum : uint { GPUFS_CHAIN_MAX = 256u };  // a chain that changes under a look may lead in circles

WARPFS_FN WARPFS_DEVICE uint* gpufs_bucket(WARPFS_THREAD const Gpufs& g, uint page) {
  // The original keeps eight bits of the number of a bucket for the number of the file.
  const uint ours = gpufs_flawed(GpufsFlaw::FEW_BUCKETS) && g.bucket_count > 256u ? g.bucket_count >> 8 : gpufs_flawed(GpufsFlaw::FEW_BUCKETS) ? 1u : g.bucket_count;
  return g.buckets + (ulong)(page & (ours - 1u)) * GPUFS_BUCKET_WORDS;
}

// With the lock of the bucket or without it: what is found is pinned under the lock of its frame, which checks it.
WARPFS_FN uint gpufs_look(WARPFS_THREAD const Gpufs& g, uint page, WARPFS_THREAD uint& frame) {
  uint next = atomic_load(gpufs_bucket(g, page) + BUCKET_FIRST);
  for (uint step = 0; next != 0u && step < GPUFS_CHAIN_MAX; step++) {
    frame = next - 1u;
    WARPFS_DEVICE uint* words = gpufs_frame(g, frame);
    if (atomic_load(words + FRAME_PAGE) == page + 1u) return gpufs_try_pin(g, frame, page);
    next = atomic_load(words + FRAME_NEXT);
  }
  return GpufsFound::NOTHING;
}

// With the lock of its bucket.
WARPFS_FN void gpufs_unlink(WARPFS_THREAD const Gpufs& g, WARPFS_DEVICE uint* bucket, uint frame) {
  WARPFS_DEVICE uint* link = bucket + BUCKET_FIRST;
  for (uint next = atomic_load(link); next != 0u; next = atomic_load(link)) {
    WARPFS_DEVICE uint* words = gpufs_frame(g, next - 1u);
    if (next - 1u == frame) {
      atomic_store(link, atomic_load(words + FRAME_NEXT));
      return;
    }
    link = words + FRAME_NEXT;
  }
}

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
