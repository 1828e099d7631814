// AGILE: what its cache, its queues and its share table are made of. Words of their own for each thing that is told of a line: its state, its
// references, its place in the clock, its lock. Zeros are a beginning: all lines INVALID, all entries EMPTY, all locks free.
#pragma once
#include "dma.h"
#include "nvme_submit.h"

#ifndef AGILE_FLAWS
#define AGILE_FLAWS 0u
#endif
#ifndef AGILE_LINE_BYTES
#define AGILE_LINE_BYTES 4096u
#endif
// Not 0: bytes are landed by who waits for them also where the drive brings them to their place, so that check mode sees that way too.
#ifndef AGILE_LANDS
#define AGILE_LANDS 0u
#endif

namespace warpfs {

// Of AGILE_FLAWS: what was published, and is right here without them. AGILE.md says where.
namespace AgileFlaw {
enum : uint {
  DIRTY_EVICT_TRAPS = 1u, MODIFIED_READ_TRAPS = 2u, HIT_WITHOUT_RECHECK = 4u, FLUSH_BY_LINE_BYTES = 8u, REFERENCE_NEVER_SET = 16u,
  WINDOW_STEPS_TWICE = 32u, LOADS_ARE_ADDITIONS = 64u
};
}
#define AGILE_HAS(flaw) ((AGILE_FLAWS & AgileFlaw::flaw) != 0u)

// Of a line: the low bits of its word, above which the number of its fill stands. INVALID, BUSY, READY and MODIFIED; a BUSY one says with what.
namespace AgileLine {
enum : uint {
  INVALID = 0u,
  READY = 1u,
  MODIFIED = 2u,
  FAILED = 3u,    // INVALID, and why: the drive could not read it
  BUSY = 4u,      // somebody wants it for another block, and may still think better of it
  READING = 5u,
  ARRIVED = 6u,   // the drive has done its part; whoever wants the bytes first lands them
  LANDING = 7u,
  WRITING = 8u,
  STATES = 15u,
  FILL = 16u
};
}
// Of an entry of a submission queue.
namespace AgileEntry {
enum : uint { EMPTY = 0u, PROCESSING = 1u, READY = 2u, ISSUING = 3u, ISSUED = 4u };
}
// Of a transaction: its line, and what is to be done at its end.
namespace AgileKind {
enum : uint { FILL = 0u, EVICT = 1u, CLEAN = 2u, KINDS = 4u };
}
namespace AgileClock {
enum : uint { EMPTY = 0u, CANDIDATE = 1u, USED = 2u };
}
// Of a user's buffer.
namespace AgileBuffer {
enum : uint { WAITING = 0u, READY = 1u, FAILED = 2u, CLOSING = 3u };
}

enum : uint {
  AGILE_NONE = 0xffffffffu,
  AGILE_APART = 32u,               // words between two that many warps change
  AGILE_QUEUES_OF_SERVICE_MAX = 4u,
  AGILE_CHAIN_CLOSED = 0xffffffffu
};

struct AgileShape {
  uint queues, depth, lines, blocks, buffers;
};

// Words of one queue pair, apart where several warps change them: the lock of the doorbell, the next ticket, what only their holders know.
enum : uint { AGILE_BELL_LOCK = 0u, AGILE_TICKETS = AGILE_APART, AGILE_BELL_TAIL = 2u * AGILE_APART, AGILE_SERVED = 3u * AGILE_APART, AGILE_ENTRIES = 4u * AGILE_APART };
enum : uint { AGILE_SERVED_WORDS = 4u };
WARPFS_FN uint agile_queue_words(uint depth) { return AGILE_ENTRIES + (2u * depth + AGILE_APART - 1u) / AGILE_APART * AGILE_APART; }

struct Agile {
  AgileShape shape;
  Dma dma;
  WARPFS_DEVICE uchar* queues;
  WARPFS_DEVICE uchar* lines;
  WARPFS_DEVICE uchar* buffers;
  WARPFS_DEVICE uint* words;
  // Where in `words` they begin: of the clock; not 0: a write-back failed; of queues.
  uint hand, write_error, queue_words;
  // Of lines.
  uint status, reference, clock, lock, tag, chain;
  // Of blocks of the file: a lock, line + 1, buffer + 1.
  uint block_lock, block_line, share;
  // Of buffers.
  uint buffer_state, buffer_line, buffer_next, buffer_used, sharers, changed;
};

// `words`: agile_parts.ts counts them.
WARPFS_FN Agile agile_at(AgileShape shape, WARPFS_THREAD const Dma& dma, WARPFS_DEVICE uchar* queues, WARPFS_DEVICE uint* words, WARPFS_DEVICE uchar* lines, WARPFS_DEVICE uchar* buffers) {
  Agile agile;
  agile.shape = shape;
  agile.dma = dma;
  agile.queues = queues;
  agile.lines = lines;
  agile.buffers = buffers;
  agile.words = words;
  agile.hand = 0u;
  agile.write_error = AGILE_APART;
  agile.queue_words = 2u * AGILE_APART;
  const uint of_lines = agile.queue_words + shape.queues * agile_queue_words(shape.depth);
  agile.status = of_lines;
  agile.reference = of_lines + shape.lines;
  agile.clock = of_lines + 2u * shape.lines;
  agile.lock = of_lines + 3u * shape.lines;
  agile.tag = of_lines + 4u * shape.lines;
  agile.chain = of_lines + 5u * shape.lines;
  const uint of_blocks = of_lines + 6u * shape.lines;
  agile.block_lock = of_blocks;
  agile.block_line = of_blocks + shape.blocks;
  agile.share = of_blocks + 2u * shape.blocks;
  const uint of_buffers = of_blocks + 3u * shape.blocks;
  agile.buffer_state = of_buffers;
  agile.buffer_line = of_buffers + shape.buffers;
  agile.buffer_next = of_buffers + 2u * shape.buffers;
  agile.buffer_used = of_buffers + 3u * shape.buffers;
  agile.sharers = of_buffers + 4u * shape.buffers;
  agile.changed = of_buffers + 5u * shape.buffers;
  return agile;
}

WARPFS_FN uint agile_state(uint word) { return word & AgileLine::STATES; }
WARPFS_FN uint agile_fill(uint word) { return word & ~(uint)AgileLine::STATES; }
WARPFS_FN uint agile_with(uint word, uint state) { return agile_fill(word) | state; }
WARPFS_FN bool agile_has_bytes(uint word) { return agile_state(word) == AgileLine::READY || agile_state(word) == AgileLine::MODIFIED; }
WARPFS_FN bool agile_is_coming(uint word) { return agile_state(word) >= AgileLine::READING && agile_state(word) <= AgileLine::LANDING; }
// Are lines landed by who wants them? With buffers always: what fills these is copies, and one service warp would make them for all.
WARPFS_FN bool agile_lands(WARPFS_THREAD const Agile& agile) { return AGILE_LANDS != 0u || agile.dma.way != DmaWay::DIRECT || agile.shape.buffers != 0u; }

WARPFS_FN WARPFS_DEVICE uchar* agile_line(WARPFS_THREAD const Agile& agile, uint line) { return agile.lines + (ulong)line * AGILE_LINE_BYTES; }
WARPFS_FN WARPFS_DEVICE uchar* agile_buffer(WARPFS_THREAD const Agile& agile, uint buffer) { return agile.buffers + (ulong)buffer * AGILE_LINE_BYTES; }
WARPFS_FN WARPFS_DEVICE uint* agile_queue(WARPFS_THREAD const Agile& agile, uint queue) { return agile.words + agile.queue_words + queue * agile_queue_words(agile.shape.depth); }

// A word of the cache as a hit looks at it: by an addition of 0 as published, or by a load, which costs others nothing.
WARPFS_FN uint agile_look(WARPFS_DEVICE uint* word) { return AGILE_HAS(LOADS_ARE_ADDITIONS) ? atomic_add(word, 0u) : atomic_load(word); }

// One lane. The locks: of the doorbell of a queue, of a line, of a block. Each is held for a few steps, and none while a drive is waited for.
WARPFS_FN bool agile_try_lock(WARPFS_DEVICE uint* lock) {
  uint expected = 0u;
  if (atomic_load(lock) != 0u || !atomic_cas(lock, expected, 1u)) return false;
  fence_acquire();
  return true;
}
WARPFS_FN void agile_unlock(WARPFS_DEVICE uint* lock) {
  fence_release();
  atomic_store(lock, 0u);
}

// All lanes: between a line and a buffer, 16 bytes a lane.
WARPFS_FN void agile_copy(WARPFS_THREAD const Lane& lane, WARPFS_DEVICE uchar* to, const WARPFS_DEVICE uchar* from) {
  constexpr uint AT_ONCE = 8u;
  for (PieceRange i = lane_pieces(lane, AGILE_LINE_BYTES / 16u); i.at < i.end; i.at += AT_ONCE * i.step) {
    Vec16 part[AT_ONCE];
    for (uint k = 0; k < AT_ONCE; k++) {
      if (i.at + k * i.step < i.end) part[k] = data_load16((const WARPFS_DEVICE Vec16*)from + i.at + k * i.step);
    }
    for (uint k = 0; k < AT_ONCE; k++) {
      if (i.at + k * i.step < i.end) data_store16((WARPFS_DEVICE Vec16*)to + i.at + k * i.step, part[k]);
    }
  }
}

}  // namespace warpfs
