// AGILE: a line between the drive and the warps that use it: how its bytes come to their place, and how a warp lets go of it.
#pragma once
#include "agile_state.h"

namespace warpfs {

// All lanes, of the one warp that set it LANDING: its bytes are brought to their place, and into
// the buffers that hang in its chain; then it is READY for all.
WARPFS_FN void agile_land(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint line) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  const ulong place = (ulong)line * AGILE_LINE_BYTES;
  uint block = 0u, next = 0u;
  if (is_leader(fs)) {
    peer_fence();
    block = atomic_load(agile.words + agile.tag + line);
    if (agile.shape.buffers != 0u) next = atomic_exchange(agile.words + agile.chain + line, AGILE_CHAIN_CLOSED);
    fence_acquire();
  }
  block = warp_broadcast(lane, block, 0u);
  next = warp_broadcast(lane, next, 0u);
  dma_land(lane, agile.dma, place, place, (ulong)block * AGILE_LINE_BYTES, AGILE_LINE_BYTES);
  while (next != 0u) {
    const uint buffer = next - 1u;
    next = warp_broadcast(lane, is_leader(fs) ? atomic_load(agile.words + agile.buffer_next + buffer) : 0u, 0u);
    agile_copy(lane, agile_buffer(agile, buffer), agile_line(agile, line));
    warp_sync(lane);
    if (is_leader(fs)) {
      fence_release();
      atomic_store(agile.words + agile.buffer_state + buffer, AgileBuffer::READY);
    }
  }
  warp_sync(lane);
  if (is_leader(fs)) {
    const uint word = atomic_load(agile.words + agile.status + line);
    fence_release();
    atomic_store(agile.words + agile.status + line, agile_with(word, AgileLine::READY));
  }
}

// Leader only.
WARPFS_FN void agile_unpin(WARPFS_THREAD const Agile& agile, uint line) {
  fence_release();
  atomic_sub(agile.words + agile.reference + line, 1u);
}

// All lanes, at the end of an access to a line: 0, or wait_outcome().
WARPFS_FN int agile_release(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint line, bool changed) {
  warp_sync(fs.lane);
  if (!changed) {
    if (is_leader(fs)) agile_unpin(agile, line);
    return 0;
  }
  uint marked = 1u;
  if (is_leader(fs)) {
    fence_release();
    WaitBound bound;
    wait_start(fs, bound);
    // BUSY: of somebody who has not seen the reference yet, and puts back what was there.
    for (uint word = atomic_load(agile.words + agile.status + line); agile_state(word) != AgileLine::MODIFIED && marked != 0u; word = atomic_load(agile.words + agile.status + line)) {
      uint expected = word;
      if (agile_state(word) == AgileLine::READY && atomic_cas(agile.words + agile.status + line, expected, agile_with(word, AgileLine::MODIFIED))) break;
      marked = wait_again(fs, bound) ? 1u : 0u;
    }
    agile_unpin(agile, line);
  }
  return warp_broadcast(fs.lane, marked, 0u) != 0u ? 0 : wait_outcome();
}

}  // namespace warpfs
