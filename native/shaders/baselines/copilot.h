// The side of a warp in the design of CoPilotIO: it submits commands itself and goes on; threads of the host poll the completion queues and tell it
// through a table with one entry for each command id. There is no cache: bytes come into buffers of the warp. What is modelled: COPILOT.md.
#pragma once
#include "copilot_submit.h"

// Buffers of a warp, each with one command under way at most: 32 at most.
#ifndef COPILOT_BUFFERS
#define COPILOT_BUFFERS 4u
#endif

namespace warpfs {

struct Copilot {
  WARPFS_DEVICE uchar* shared;
  WARPFS_DEVICE uint* submissions;
  CopilotShape shape;
  uint item;
  uint under_way;  // a bit for each buffer, the same in all lanes
  // Of the leader alone: the last command that the doorbell was not told of yet, and what was taken of the queue when it looked last.
  bool unrung;
  uint last;
  uint taken;
};

WARPFS_FN Copilot copilot_open(WARPFS_DEVICE uchar* shared, WARPFS_DEVICE uchar* submissions, CopilotShape shape, uint item) {
  Copilot copilot = {shared, (WARPFS_DEVICE uint*)submissions, shape, item, 0u, false, 0u, 0u};
  return copilot;
}

WARPFS_FN Submission copilot_queue(WARPFS_THREAD const Copilot& copilot, uint buffer) {
  const uint spread = (COPILOT_FLAWS & COPILOT_QUEUE_BY_LANE) != 0u ? buffer : 0u;
  const uint queue = (copilot.item + spread) % copilot.shape.queues;
  Submission found = {copilot.shared, copilot.submissions + queue * copilot_submission_words(copilot.shape.depth), copilot.shape, queue};
  return found;
}

// Each buffer of each warp of a queue has an id of its own, so that nobody allocates any.
WARPFS_FN uint copilot_id(WARPFS_THREAD const Copilot& copilot, uint buffer) { return copilot.item / copilot.shape.queues * COPILOT_BUFFERS + buffer; }

WARPFS_FN WARPFS_DEVICE uint* copilot_barrier(WARPFS_THREAD const Copilot& copilot, uint buffer) {
  return copilot_word(copilot.shared, copilot_entry(copilot.shape, copilot_queue(copilot, buffer).queue, copilot_id(copilot, buffer)));
}

// Leader only: the controller is told of all commands that this warp has put.
WARPFS_FN bool copilot_ring(WARPFS_THREAD Fs& fs, WARPFS_THREAD Copilot& copilot, uint buffer) {
  if (!copilot.unrung) return true;
  copilot.unrung = false;
  return submission_ring(fs, copilot_queue(copilot, buffer), copilot.last);
}

// Leader only. It is rung for when the warp begins to wait for anything, so that one doorbell tells of all that was put before.
WARPFS_FN int copilot_put(WARPFS_THREAD Fs& fs, WARPFS_THREAD Copilot& copilot, uint buffer, uint opcode, ulong address, uint bytes, ulong offset) {
  const Submission queue = copilot_queue(copilot, buffer);
  const uint ticket = atomic_add(queue.words + COPILOT_TICKETS, 1u);
  const bool by_lane = (COPILOT_FLAWS & COPILOT_QUEUE_BY_LANE) != 0u;
  if (by_lane) copilot.taken = peer_load(copilot_word(copilot.shared, copilot_taken(copilot.shape, queue.queue)));  // of another queue than before
  if (ticket - copilot.taken >= copilot.shape.depth - 1u && !copilot_ring(fs, copilot, buffer)) return wait_outcome();
  if (!submission_wait_for_room(fs, queue, ticket, copilot.taken)) return wait_outcome();
  peer_store(copilot_barrier(copilot, buffer), 0u);
  nvme_put(copilot.shared, copilot_pair(copilot.shape, queue.queue), ticket % copilot.shape.depth, opcode, copilot_id(copilot, buffer), address, bytes, offset);
  fence_release();
  atomic_store(queue.words + COPILOT_MARKS + ticket % copilot.shape.depth, ticket + 1u);
  copilot.last = ticket;
  copilot.unrung = true;
  return by_lane && !copilot_ring(fs, copilot, buffer) ? wait_outcome() : 0;
}

// Leader only.
WARPFS_FN int copilot_wait_for_entry(WARPFS_THREAD Fs& fs, WARPFS_THREAD Copilot& copilot, uint buffer) {
  if (!copilot_ring(fs, copilot, buffer)) return wait_outcome();
  const WARPFS_DEVICE uint* entry = copilot_barrier(copilot, buffer);
  WaitBound bound;
  wait_start(fs, bound);
  uint seen = peer_load(entry);
  while (seen == 0u) {
    if (!wait_again(fs, bound)) return wait_outcome();
    seen = peer_load(entry);
  }
  peer_fence();
  const bool told = (COPILOT_FLAWS & COPILOT_NO_ERROR_FLAG) == 0u;
  return told && seen != COPILOT_READY ? -Errno::eio : 0;
}

// All lanes: the command of this buffer has ended, if there was one: 0, or how it went wrong.
WARPFS_FN int copilot_wait(WARPFS_THREAD Fs& fs, WARPFS_THREAD Copilot& copilot, uint buffer) {
  if ((copilot.under_way >> buffer & 1u) == 0u) return 0;
  copilot.under_way &= ~(1u << buffer);
  return (int)warp_broadcast(fs.lane, is_leader(fs) ? (uint)copilot_wait_for_entry(fs, copilot, buffer) : 0u, 0u);
}

// All lanes: nothing is under way any more. The first of what went wrong.
WARPFS_FN int copilot_settle(WARPFS_THREAD Fs& fs, WARPFS_THREAD Copilot& copilot) {
  int outcome = 0;
  while (copilot.under_way != 0u) {
    const int own = copilot_wait(fs, copilot, lowest_bit(copilot.under_way));
    if (outcome == 0) outcome = own;
  }
  return outcome;
}

// All lanes: nothing of this buffer is under way, and all lanes are done with it. 0, or that it waited too long.
WARPFS_FN int copilot_submit(WARPFS_THREAD Fs& fs, WARPFS_THREAD Copilot& copilot, uint buffer, uint opcode, ulong address, uint bytes, ulong offset) {
  const int outcome = (int)warp_broadcast(fs.lane, is_leader(fs) ? (uint)copilot_put(fs, copilot, buffer, opcode, address, bytes, offset) : 0u, 0u);
  if (outcome == 0) copilot.under_way |= 1u << buffer;
  return outcome;
}

}  // namespace warpfs
