// Which frame has a page: a chained hash with a lock for each bucket, looked at without the lock first. All of this the leader of a warp does.
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

}  // namespace warpfs
