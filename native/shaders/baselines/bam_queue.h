// Queue pairs that all warps of a GPU share. A command takes a ticket; the ticket says which entry of the submission queue is its own, and when.
// Doorbells are rung by whoever has a lock at the moment, for all entries that are marked one behind the other: so a doorbell goes with many
// commands. Whoever has asked looks for the completion itself, and completions are given back in the same way.
//
// A lane never waits in here. Each function says whether it has got on, and is called again where it has not: lanes of one warp may then have
// commands under way that end in any order.
#pragma once
#include "bam_flaws.h"
#include "nvme_submit.h"

namespace warpfs {

struct BamQueue {
  WARPFS_DEVICE uchar* pairs;
  ulong pair;                 // where its own begins there
  WARPFS_DEVICE uint* words;  // what warps know of it; zeros at first
  uint shift;                 // of the depth, a power of two
  uint ids;                   // commands that have a name at once; a power of two
};

// Words of a queue, each in a line of its own; then three words for each entry and one for each command id.
enum : uint {
  BAM_IN_TICKET = 0u,   // the next command takes it
  BAM_TAIL = 32u,       // of the submission queue, as the doorbell has it
  BAM_TAIL_LOCK = 64u,
  BAM_SQ_HEAD = 96u,    // commands that the controller has fetched, as the last completion says
  BAM_CQ_HEAD = 128u,   // completions that were given back
  BAM_HEAD_LOCK = 160u,
  BAM_ID_TICKET = 192u,
  BAM_CQ_RUNG = 224u,   // completions that the controller knows to be given back
  BAM_ENTRIES = 256u,
  BAM_ENTRY_WORDS = 8u,
};
WARPFS_FN uint bam_depth(WARPFS_THREAD const BamQueue& queue) { return 1u << queue.shift; }
WARPFS_FN uint bam_entry(WARPFS_THREAD const BamQueue& queue, uint index) { return index & (bam_depth(queue) - 1u); }
WARPFS_FN WARPFS_DEVICE uint* bam_turn(WARPFS_THREAD const BamQueue& queue, uint entry) { return queue.words + BAM_ENTRIES + entry * BAM_ENTRY_WORDS; }
WARPFS_FN WARPFS_DEVICE uint* bam_tail_mark(WARPFS_THREAD const BamQueue& queue, uint entry) { return bam_turn(queue, bam_depth(queue) + entry); }
WARPFS_FN WARPFS_DEVICE uint* bam_head_mark(WARPFS_THREAD const BamQueue& queue, uint entry) { return bam_turn(queue, 2u * bam_depth(queue) + entry); }
WARPFS_FN WARPFS_DEVICE uint* bam_id(WARPFS_THREAD const BamQueue& queue, uint id) { return bam_turn(queue, 3u * bam_depth(queue)) + id; }
WARPFS_FN ulong bam_queue_words(uint depth, uint ids) { return ((ulong)BAM_ENTRIES + 3u * depth * BAM_ENTRY_WORDS + ids + 31u) / 32u * 32u; }

WARPFS_FN BamQueue bam_queue(WARPFS_DEVICE uchar* pairs, WARPFS_DEVICE uchar* words, uint index, uint shift, uint ids) {
  const BamQueue queue = {pairs, index * nvme_pair_bytes(1u << shift), (WARPFS_DEVICE uint*)words + index * bam_queue_words(1u << shift, ids), shift, ids};
  return queue;
}

namespace BamCommandPhase {
enum : uint { BEGIN = 0u, TURN = 1u, ID = 2u, TAIL = 3u, POLL = 4u, HEAD = 5u };
}
struct BamCommand {
  uint phase;
  uint ticket;
  uint id;
  uint from;  // twice the completion before which its own cannot be
  uint at;    // its completion, as they are counted
  uint status;
};

// Of an id that is taken the word is 1; of one that is free it is twice the completion behind its last one. A completion that somebody has left
// but that was not given back yet is so not taken for the one of the next owner.
WARPFS_FN bool bam_take_id(WARPFS_THREAD const BamQueue& queue, WARPFS_THREAD BamCommand& command) {
  enum : uint { AT_ONCE = 32u };
  for (uint i = 0; i < AT_ONCE; i++) {
    command.id = atomic_add(queue.words + BAM_ID_TICKET, 1u) & (queue.ids - 1u);
    command.from = atomic_exchange(bam_id(queue, command.id), 1u);
    if ((command.from & 1u) == 0u) return true;
  }
  return false;
}

// True when the mark was taken off by whoever rang for it, or when this lane has rung itself: where it stopped, an earlier entry was not marked
// yet, and who marks that one comes here as well.
WARPFS_FN bool bam_move_tail(WARPFS_THREAD const BamQueue& queue, uint entry) {
  if (atomic_load(bam_tail_mark(queue, entry)) == 0u) return true;
  if (atomic_exchange(queue.words + BAM_TAIL_LOCK, 1u) != 0u) return false;
  fence_acquire();
  const uint before = atomic_load(queue.words + BAM_TAIL);
  uint tail = before;
  for (; atomic_load(bam_tail_mark(queue, bam_entry(queue, tail))) != 0u; tail++) atomic_store(bam_tail_mark(queue, bam_entry(queue, tail)), 0u);
  if (tail != before) {
    atomic_store(queue.words + BAM_TAIL, tail);
    if (bam_has(BamFlaw::DOORBELL_FIRST)) {
      peer_store((WARPFS_DEVICE uint*)(queue.pairs + nvme_sq_doorbell(queue.pair)), bam_entry(queue, tail));
    } else {
      fence_acquire();  // the commands of those who marked
      nvme_ring_submission(queue.pairs, queue.pair, bam_entry(queue, tail));
    }
  }
  fence_release();
  atomic_store(queue.words + BAM_TAIL_LOCK, 0u);
  return true;
}

WARPFS_FN bool bam_find_completion(WARPFS_THREAD const BamQueue& queue, WARPFS_THREAD BamCommand& command) {
  const uint head = atomic_load(queue.words + BAM_CQ_HEAD);
  fence_acquire();  // what was in an entry two rounds ago has the same phase: whoever knows this head knows that it was overwritten
  const int left_out = (int)(command.from - (head << 1));
  for (uint i = left_out > 0 ? (uint)left_out >> 1 : 0u; i + 1u < bam_depth(queue); i++) {
    const uint done = nvme_look(queue.pairs, queue.pair, bam_depth(queue), bam_entry(queue, head + i));
    if (nvme_phase(done) == ((head + i) >> queue.shift & 1u)) return false;  // of the round before
    if ((done & 0xffffu) == command.id) {
      peer_fence_acquire();
      command.at = head + i;
      command.status = nvme_status(done);
      return true;
    }
  }
  return false;
}

// With the lock. The controller has fetched all commands before `fetched`: their entries are free, but for the last one, without which a full
// queue would look like an empty one. Ticket t has its turn when the word of its entry is (t + 1) / depth.
WARPFS_FN void bam_open_turns(WARPFS_THREAD const BamQueue& queue, uint fetched) {
  const uint before = atomic_load(queue.words + BAM_SQ_HEAD);
  const uint count = bam_entry(queue, fetched - before);
  for (uint i = 0; i < count; i++) {
    const uint ticket = before + i + bam_depth(queue) - 1u;
    atomic_store(bam_turn(queue, bam_entry(queue, ticket)), (ticket + 1u) >> queue.shift);
  }
  atomic_store(queue.words + BAM_SQ_HEAD, before + count);
}

// As bam_move_tail, of the completion queue.
WARPFS_FN bool bam_move_head(WARPFS_THREAD const BamQueue& queue, uint entry) {
  if (atomic_load(bam_head_mark(queue, entry)) == 0u) return true;
  if (atomic_exchange(queue.words + BAM_HEAD_LOCK, 1u) != 0u) return false;
  fence_acquire();
  const uint before = atomic_load(queue.words + BAM_CQ_HEAD);
  uint head = before;
  for (; atomic_load(bam_head_mark(queue, bam_entry(queue, head))) != 0u; head++) atomic_store(bam_head_mark(queue, bam_entry(queue, head)), 0u);
  if (head != before) {
    fence_acquire();  // what those who marked have seen
    const uint last = bam_entry(queue, head - 1u);
    const uint fetched = peer_load((WARPFS_DEVICE const uint*)(queue.pairs + nvme_completion(queue.pair, bam_depth(queue), last)) + NVME_SQ) & 0xffffu;
    fence_release();  // who finds this head finds the completions before it, and the marks gone; who has its turn finds its entry fetched
    atomic_store(queue.words + BAM_CQ_HEAD, head);
    bam_open_turns(queue, fetched);
    // Of a quarter of the queue at once: here the doorbell takes a fence of the whole system, and nobody waits for it before the queue is full.
    if ((head - atomic_load(queue.words + BAM_CQ_RUNG)) * 4u >= bam_depth(queue)) {
      atomic_store(queue.words + BAM_CQ_RUNG, head);
      nvme_ring_completion(queue.pairs, queue.pair, bam_entry(queue, head));
    }
  }
  fence_release();
  atomic_store(queue.words + BAM_HEAD_LOCK, 0u);
  return true;
}

// Goes as far as it can. True: it has ended, with a status, all that it had of the queue is given back, and the next one may begin.
WARPFS_FN bool bam_command_step(WARPFS_THREAD const BamQueue& queue, WARPFS_THREAD BamCommand& command, uint opcode, ulong address, uint bytes, ulong offset) {
  if (command.phase == BamCommandPhase::BEGIN) {
    command.ticket = atomic_add(queue.words + BAM_IN_TICKET, 1u);
    command.phase = BamCommandPhase::TURN;
  }
  const uint entry = bam_entry(queue, command.ticket);
  if (command.phase == BamCommandPhase::TURN) {
    if (atomic_load(bam_turn(queue, entry)) != (command.ticket + 1u) >> queue.shift) return false;
    fence_acquire();  // the controller has fetched what was there
    command.phase = BamCommandPhase::ID;
  }
  if (command.phase == BamCommandPhase::ID) {
    if (!bam_take_id(queue, command)) return false;
    nvme_put(queue.pairs, queue.pair, entry, opcode, command.id, address, bytes, offset);
    if (!bam_has(BamFlaw::DOORBELL_FIRST)) fence_release();
    atomic_store(bam_tail_mark(queue, entry), 1u);
    command.phase = BamCommandPhase::TAIL;
  }
  if (command.phase == BamCommandPhase::TAIL) {
    if (!bam_move_tail(queue, entry)) return false;
    command.phase = BamCommandPhase::POLL;
  }
  if (command.phase == BamCommandPhase::POLL) {
    if (!bam_find_completion(queue, command)) return false;
    if (bam_has(BamFlaw::STATUS_IGNORED)) command.status = NvmeStatus::SUCCESS;
    fence_release();
    atomic_store(bam_head_mark(queue, bam_entry(queue, command.at)), 1u);
    command.phase = BamCommandPhase::HEAD;
  }
  if (command.phase == BamCommandPhase::HEAD) {
    if (!bam_move_head(queue, bam_entry(queue, command.at))) return false;
    atomic_store(bam_id(queue, command.id), (command.at + 1u) << 1);
    command.phase = BamCommandPhase::BEGIN;
  }
  return true;
}

}  // namespace warpfs
