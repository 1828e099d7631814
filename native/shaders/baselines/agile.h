// AGILE as one include: the array interface, prefetches, reads into the buffers of users, and the warps that serve them. AGILE.md says what
// it is modelled on.
#pragma once
#include "agile_service.h"
#include "agile_share.h"

namespace warpfs {

// All lanes: the line of a block is pinned, and its bytes are there; -errno otherwise.
WARPFS_FN int agile_array(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint queue, ulong offset, uint bytes, uint mode, WARPFS_THREAD uint& line) {
  AgileWant want = {(uint)(offset / AGILE_LINE_BYTES), mode == AGILE_OVERWRITE && bytes == AGILE_LINE_BYTES ? (uint)AGILE_WHOLE : mode, AGILE_NONE, AGILE_NONE, AGILE_NONE, false};
  int outcome = 0;
  return agile_acquire(fs, agile, queue, want, line, outcome) == AgileTurn::HIT ? 0 : outcome;
}

// All lanes. Nobody waits for it: the line is landed by whoever wants its bytes first, or its place.
WARPFS_FN int agile_prefetch(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint queue, ulong offset) {
  AgileWant want = {(uint)(offset / AGILE_LINE_BYTES), AGILE_PREFETCH, AGILE_NONE, AGILE_NONE, AGILE_NONE, false};
  uint line = 0u;
  int outcome = 0;
  return agile_acquire(fs, agile, queue, want, line, outcome) == AgileTurn::STARTED ? 0 : outcome;
}

}  // namespace warpfs
