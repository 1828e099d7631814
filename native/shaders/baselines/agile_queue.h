// AGILE: how a command gets into a submission queue. Its entries have states of their own, and whoever gets the lock of the doorbell takes all
// that are READY with it, so that many commands need one doorbell. Nobody waits for a completion here: the service warp frees the entries.
#pragma once
#include "agile_state.h"

namespace warpfs {

// One lane: is the entry READY, and may the doorbell go past it? One that comes round to an entry of which the controller has not told would say
// that the queue is empty.
WARPFS_FN bool agile_may_issue(WARPFS_DEVICE const uint* states, uint entry, uint depth) {
  return atomic_load(states + entry) == AgileEntry::READY && atomic_load(states + (entry + 1u == depth ? 0u : entry + 1u)) < AgileEntry::ISSUING;
}

// One lane, which holds the lock of the doorbell.
WARPFS_FN void agile_issue(WARPFS_THREAD const Agile& agile, uint queue, WARPFS_DEVICE uint* words) {
  const uint depth = agile.shape.depth;
  WARPFS_DEVICE uint* states = words + AGILE_ENTRIES;
  const uint most = depth < 16u ? 1u : depth / 16u;
  const uint first = atomic_load(words + AGILE_BELL_TAIL);
  uint tail = first, taken = 0u;
  for (; taken < most && agile_may_issue(states, tail, depth); taken++) {
    atomic_store(states + tail, AgileEntry::ISSUING);
    tail = tail + 1u == depth ? 0u : tail + 1u;
  }
  if (taken == 0u) return;
  nvme_ring_submission(agile.queues, queue * nvme_pair_bytes(depth), tail);
  atomic_store(words + AGILE_BELL_TAIL, tail);
  for (uint entry = first; entry != tail; entry = entry + 1u == depth ? 0u : entry + 1u) {
    uint expected = AgileEntry::ISSUING;
    atomic_cas(states + entry, expected, AgileEntry::ISSUED);  // if it is not done already
  }
}

// Leader only. Afterwards the command is on its way, and the service warp finishes its transaction: 0, or wait_outcome().
WARPFS_FN int agile_submit(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint queue, uint kind, uint line, uint block) {
  const uint depth = agile.shape.depth;
  WARPFS_DEVICE uint* words = agile_queue(agile, queue);
  WARPFS_DEVICE uint* states = words + AGILE_ENTRIES;
  const uint entry = atomic_add(words + AGILE_TICKETS, 1u) % depth;
  WaitBound bound;
  wait_start(fs, bound);
  for (uint expected = AgileEntry::EMPTY; atomic_load(states + entry) != AgileEntry::EMPTY || !atomic_cas(states + entry, expected, AgileEntry::PROCESSING); expected = AgileEntry::EMPTY) {
    if (!wait_again(fs, bound)) return wait_outcome();
  }
  fence_acquire();
  const bool fills = kind == AgileKind::FILL;
  const ulong place = (ulong)line * AGILE_LINE_BYTES;
  nvme_put(agile.queues, queue * nvme_pair_bytes(depth), entry, fills ? NvmeOpcode::READ : NvmeOpcode::WRITE, entry,
           dma_address(fills ? agile.dma.way : agile.dma.way_back, place, place), AGILE_LINE_BYTES, (ulong)block * AGILE_LINE_BYTES);
  atomic_store(states + depth + entry, line * AgileKind::KINDS | kind);
  fence_release();
  atomic_store(states + entry, AgileEntry::READY);
  for (;;) {
    if (agile_may_issue(states, atomic_load(words + AGILE_BELL_TAIL), depth) && agile_try_lock(words + AGILE_BELL_LOCK)) {
      agile_issue(agile, queue, words);
      agile_unlock(words + AGILE_BELL_LOCK);
    }
    if (atomic_load(states + entry) != AgileEntry::READY) break;
    if (!wait_again(fs, bound)) return wait_outcome();
  }
  return 0;
}

}  // namespace warpfs
