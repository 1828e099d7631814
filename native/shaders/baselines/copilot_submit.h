// How many warps put commands into one submission queue. Each draws a ticket, fills the entry of that number beside the others, and marks it; whoever
// has the lock of the doorbell then rings once for all entries that are marked without a gap.
#pragma once
#include "copilot_layout.h"
#include "nvme_submit.h"

#ifndef COPILOT_FLAWS
#define COPILOT_FLAWS 0u
#endif

namespace warpfs {

enum : uint { COPILOT_NO_ERROR_FLAG = 1u, COPILOT_QUEUE_BY_LANE = 2u, COPILOT_DOORBELL_WITHOUT_FENCE = 4u };

// Of a queue, in the memory of the device, zeros at first. Counts of tickets go on from dispatch to dispatch; a mark is its ticket + 1, so that none has to be taken back.
enum : uint { COPILOT_TICKETS = 0u, COPILOT_LOCK = 32u, COPILOT_RUNG = 64u, COPILOT_MARKS = 96u };

WARPFS_FN ulong copilot_submission_words(uint depth) { return (COPILOT_MARKS + depth + 31u) / 32u * 32u; }

struct Submission {
  WARPFS_DEVICE uchar* shared;
  WARPFS_DEVICE uint* words;  // of this queue
  CopilotShape shape;
  uint queue;
};

WARPFS_FN WARPFS_DEVICE uint* copilot_word(WARPFS_DEVICE uchar* shared, ulong at) { return (WARPFS_DEVICE uint*)(shared + at); }

WARPFS_FN bool ticket_before(uint ticket, uint other) { return (int)(ticket - other) < 0; }

// Holder of the lock only. The entries that are marked from `rung` on, up to the first gap.
WARPFS_FN uint submission_ring_marked(WARPFS_THREAD const Submission& queue, uint rung) {
  uint end = rung;
  while (atomic_load(queue.words + COPILOT_MARKS + end % queue.shape.depth) == end + 1u) end++;
  if (end == rung) return rung;
  const ulong pair = copilot_pair(queue.shape, queue.queue);
  if ((COPILOT_FLAWS & COPILOT_DOORBELL_WITHOUT_FENCE) != 0u) {
    fence_acquire();
    peer_store(copilot_word(queue.shared, nvme_sq_doorbell(pair)), end % queue.shape.depth);
  } else {
    nvme_ring_submission(queue.shared, pair, end % queue.shape.depth);  // its fence also acquires the entries of others
  }
  atomic_store(queue.words + COPILOT_RUNG, end);
  return end;
}

// Leader only: until the doorbell tells of this ticket. An entry before it that is not marked yet is another warp's, which is about to. False: it gave up.
WARPFS_FN bool submission_ring(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Submission& queue, uint ticket) {
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    const uint rung = atomic_load(queue.words + COPILOT_RUNG);
    if (ticket_before(ticket, rung)) return true;
    // Whoever would find nothing to ring for leaves the lock alone: two that wait in turn for it would keep the third away that both wait for.
    const bool marked = atomic_load(queue.words + COPILOT_MARKS + rung % queue.shape.depth) == rung + 1u;
    uint free = 0u;
    if (marked && atomic_load(queue.words + COPILOT_LOCK) == 0u && atomic_cas(queue.words + COPILOT_LOCK, free, 1u)) {
      fence_acquire();
      const uint end = submission_ring_marked(queue, atomic_load(queue.words + COPILOT_RUNG));
      fence_release();
      atomic_store(queue.words + COPILOT_LOCK, 0u);
      if (ticket_before(ticket, end)) return true;
    }
    if (!wait_again(fs, bound)) return false;
  }
}

// Leader only: until the entry of this ticket is free. One entry of a queue of NVMe is never used. `taken`: as far as this warp knows.
WARPFS_FN bool submission_wait_for_room(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Submission& queue, uint ticket, WARPFS_THREAD uint& taken) {
  if (ticket - taken < queue.shape.depth - 1u) return true;
  WARPFS_DEVICE const uint* place = copilot_word(queue.shared, copilot_taken(queue.shape, queue.queue));
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    taken = peer_load(place);
    if (ticket - taken < queue.shape.depth - 1u) break;
    if (!wait_again(fs, bound)) return false;
  }
  peer_fence();  // the controller has read the entry that stood there
  return true;
}

}  // namespace warpfs
