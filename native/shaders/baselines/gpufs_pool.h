// The pool of GPUfs: page frames with a spin lock each, and the order in which they were taken. Zeros are an empty pool.
#pragma once
#include "dma.h"
#include "gpufs_slots.h"

#ifndef GPUFS_FLAWS
#define GPUFS_FLAWS 0u
#endif

namespace warpfs {

// Mistakes that were published. GPUFS.md says where each is from.
namespace GpufsFlaw {
enum : uint {
  INDEX_AFTER_FREE = 1u,
  DIRTY_ASSERTS = 2u,
  WRITES_REFUSED = 4u,
  DIRTY_SEEN_EARLY = 8u,
  BUCKET_HELD = 16u,
  INIT_TRIED_ONCE = 32u,
  MAP_DIRTIES = 64u,
  FEW_BUCKETS = 128u,
  RING_MOVED = 256u,
};
}
WARPFS_FN bool gpufs_flawed(uint flaw) { return (GPUFS_FLAWS & flaw) != 0u; }

struct Gpufs {
  WARPFS_DEVICE uchar* slots;    // the host sees them
  WARPFS_DEVICE uint* claims;    // of the slots, one word each, 128 bytes apart
  WARPFS_DEVICE uint* pool;      // GPUFS_POOL words, then the ring, then the frames
  WARPFS_DEVICE uint* buckets;   // GPUFS_BUCKET_WORDS each
  Dma dma;
  uint frames;
  uint ring;                     // a power of two, frames at least
  uint bucket_count;             // a power of two
  uint page_shift;
  uint workers;
  uint slots_of_worker;
  uint swap_pages;               // that one swap frees at most
  uint writes;                   // 1: the file is open for writing
};

// Words of the pool, those of different parties 128 bytes apart.
enum : uint {
  GPUFS_USED = 0u,        // frames that are taken, or wished for
  GPUFS_HEAD = 32u,       // of the ring: the place of the next frame to be taken
  GPUFS_TAIL = 64u,       // the place of the frame that was taken first; of whoever has the lock of swaps
  GPUFS_SWAP_LOCK = 96u,
  GPUFS_DIRTY_LOCK = 128u,
  GPUFS_DIRTY = 129u,     // the first frame of the list of changed pages, + 1
  GPUFS_POOL_WORDS = 160u,
};
enum : uint { GPUFS_FRAME_WORDS = 16u, GPUFS_BUCKET_WORDS = 2u };
// Of a frame. Whatever is read without its lock as well is atomic.
enum : uint { FRAME_LOCK = 0u, FRAME_STATE = 1u, FRAME_REFS = 2u, FRAME_PAGE = 3u /* + 1; 0: none */, FRAME_DIRTY = 4u, FRAME_NEXT = 5u /* + 1 */, FRAME_NEXT_DIRTY = 6u };
namespace FrameState {
// INIT and UPDATING: somebody fills it, and has its lock all the time. FAILED: that did not work, and whoever comes next tries again.
enum : uint { INVALID = 0u, INIT = 1u, UPDATING = 2u, VALID = 3u, FAILED = 4u };
}
// Of a bucket.
enum : uint { BUCKET_LOCK = 0u, BUCKET_FIRST = 1u /* frame + 1 */ };

WARPFS_FN WARPFS_DEVICE uint* gpufs_frame(WARPFS_THREAD const Gpufs& g, uint frame) {
  return g.pool + GPUFS_POOL_WORDS + (g.ring + 15u) / 16u * 16u + (ulong)frame * GPUFS_FRAME_WORDS;
}
WARPFS_FN ulong gpufs_place(WARPFS_THREAD const Gpufs& g, uint frame) { return (ulong)frame << g.page_shift; }

// The frame at a place of the ring; in zeros it is the one of the same number.
WARPFS_FN uint gpufs_ring(WARPFS_THREAD const Gpufs& g, uint place) {
  const uint at = place & (g.ring - 1u);
  return atomic_load(g.pool + GPUFS_POOL_WORDS + at) ^ at;
}
WARPFS_FN void gpufs_ring_set(WARPFS_THREAD const Gpufs& g, uint place, uint frame) {
  const uint at = place & (g.ring - 1u);
  atomic_store(g.pool + GPUFS_POOL_WORDS + at, frame ^ at);
}

// ---- Spin locks, taken and given back by exchange. Leader only.

WARPFS_FN bool gpufs_try_lock(WARPFS_DEVICE uint* lock) {
  const bool taken = atomic_exchange(lock, 1u) == 0u;
  fence_acquire();
  return taken;
}
WARPFS_FN bool gpufs_lock(WARPFS_THREAD Fs& fs, WARPFS_DEVICE uint* lock) {
  if (gpufs_try_lock(lock)) return true;
  WaitBound bound;
  wait_start(fs, bound);
  while (wait_again(fs, bound)) {
    if (atomic_load(lock) == 0u && gpufs_try_lock(lock)) return true;
  }
  return false;
}
WARPFS_FN void gpufs_unlock(WARPFS_DEVICE uint* lock) {
  fence_release();
  atomic_exchange(lock, 0u);
}

// ---- Pins: a count that is loaded and stored, because it changes under the lock of its frame alone. Leader only.

namespace GpufsFound {
enum : uint { NOTHING = 0u, BUSY = 1u, PINNED = 2u, TO_FILL = 3u };
}

// TO_FILL: the frame has the page and not its bytes; its lock is kept.
WARPFS_FN uint gpufs_try_pin(WARPFS_THREAD const Gpufs& g, uint frame, uint page) {
  WARPFS_DEVICE uint* words = gpufs_frame(g, frame);
  if (!gpufs_try_lock(words + FRAME_LOCK)) return GpufsFound::BUSY;
  const uint state = words[FRAME_STATE];
  const bool ours = atomic_load(words + FRAME_PAGE) == page + 1u;
  if (ours && state == FrameState::FAILED) {
    words[FRAME_STATE] = FrameState::UPDATING;
    atomic_store(words + FRAME_REFS, 1u);
    return GpufsFound::TO_FILL;
  }
  const bool valid = ours && state == FrameState::VALID;
  if (valid) atomic_store(words + FRAME_REFS, atomic_load(words + FRAME_REFS) + 1u);
  gpufs_unlock(words + FRAME_LOCK);
  return valid ? GpufsFound::PINNED : GpufsFound::NOTHING;
}

// What was filled is everybody's, or nobody's.
WARPFS_FN void gpufs_filled(WARPFS_THREAD const Gpufs& g, uint frame, bool well) {
  WARPFS_DEVICE uint* words = gpufs_frame(g, frame);
  words[FRAME_STATE] = well ? FrameState::VALID : FrameState::FAILED;
  if (!well) atomic_store(words + FRAME_REFS, 0u);
  gpufs_unlock(words + FRAME_LOCK);
}

// The pages that were changed, for the one that writes them back at the end.
WARPFS_FN bool gpufs_remember_dirty(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Gpufs& g, uint frame) {
  if (!gpufs_lock(fs, g.pool + GPUFS_DIRTY_LOCK)) return false;
  gpufs_frame(g, frame)[FRAME_NEXT_DIRTY] = g.pool[GPUFS_DIRTY];
  g.pool[GPUFS_DIRTY] = frame + 1u;
  gpufs_unlock(g.pool + GPUFS_DIRTY_LOCK);
  return true;
}

WARPFS_FN int gpufs_unpin(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Gpufs& g, uint frame, bool wrote) {
  WARPFS_DEVICE uint* words = gpufs_frame(g, frame);
  if (!gpufs_lock(fs, words + FRAME_LOCK)) return wait_outcome();
  const bool first = wrote && atomic_load(words + FRAME_DIRTY) == 0u;
  if (first) atomic_store(words + FRAME_DIRTY, 1u);
  atomic_store(words + FRAME_REFS, atomic_load(words + FRAME_REFS) - 1u);
  gpufs_unlock(words + FRAME_LOCK);
  return !first || gpufs_remember_dirty(fs, g, frame) ? 0 : wait_outcome();
}

}  // namespace warpfs
