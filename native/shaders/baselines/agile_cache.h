// AGILE: a block of the file in a line of the cache. Every step is taken by the leader and leaves nothing locked behind it; between two steps all
// lanes do what takes all of them: move bytes, submit, wait.
#pragma once
#include "agile_line.h"
#include "agile_queue.h"
#include "agile_victim.h"

namespace warpfs {

// Leader only. No line has the block: takes one for it, with the lock of the block, so that only one warp does.
WARPFS_FN uint agile_miss(WARPFS_THREAD const Agile& agile, WARPFS_THREAD AgileWant& want, WARPFS_THREAD uint& line) {
  WARPFS_DEVICE uint* lock = agile.words + agile.block_lock + want.block;
  if (want.looked && !agile_may_find(agile, want.written)) return AgileTurn::LATER;
  if (!agile_try_lock(lock)) return AgileTurn::LATER;
  uint turn = AgileTurn::AGAIN;
  if (atomic_load(agile.words + agile.block_line + want.block) == 0u) {
    const AgileVictim victim = agile_find_victim(agile, want.written);
    turn = victim.turn;
    want.looked = turn == AgileTurn::LATER;
    line = victim.line;
    if (turn == AgileTurn::SUBMIT) {
      const uint word = atomic_load(agile.words + agile.status + line) + AgileLine::FILL;
      atomic_store(agile.words + agile.tag + line, want.block);
      atomic_store(agile.words + agile.clock + line, AgileClock::USED);
      if (agile.shape.buffers != 0u) atomic_store(agile.words + agile.chain + line, want.buffer == AGILE_NONE ? 0u : want.buffer + 1u);
      if (want.buffer != AGILE_NONE) {
        atomic_store(agile.words + agile.buffer_line + want.buffer, line);
        atomic_store(agile.words + agile.buffer_next + want.buffer, 0u);
      } else if (want.mode != AGILE_PREFETCH) {
        atomic_add(agile.words + agile.reference + line, 1u);
        want.pinned = line;
      }
      fence_release();
      atomic_store(agile.words + agile.status + line, agile_with(word, want.mode == AGILE_WHOLE ? AgileLine::READY : AgileLine::READING));
      atomic_store(agile.words + agile.block_line + want.block, line + 1u);
      if (want.mode == AGILE_WHOLE) turn = AgileTurn::HIT;
    }
    if (turn == AgileTurn::WRITE) want.written = line;
  }
  agile_unlock(lock);
  return turn;
}

// Leader only. A pinned line of the block with this word of its state: what can be done with it.
WARPFS_FN uint agile_with_line(WARPFS_THREAD const Agile& agile, WARPFS_THREAD AgileWant& want, uint line, uint word) {
  if (want.mode == AGILE_PREFETCH) return AgileTurn::STARTED;
  if (agile_has_bytes(word)) {
    if (!AGILE_HAS(REFERENCE_NEVER_SET) && atomic_load(agile.words + agile.clock + line) != AgileClock::USED) atomic_store(agile.words + agile.clock + line, AgileClock::USED);
    return AgileTurn::HIT;
  }
  const uint state = agile_state(word);
  if (state == AgileLine::FAILED) return AgileTurn::ERROR;
  if (state == AgileLine::ARRIVED) {
    uint expected = word;
    return atomic_cas(agile.words + agile.status + line, expected, agile_with(word, AgileLine::LANDING)) ? AgileTurn::LAND : AgileTurn::AGAIN;
  }
  if (want.buffer == AGILE_NONE || state != AgileLine::READING) return AgileTurn::LATER;
  // The buffer is hung into the chain. The line stays the block's while it is pinned, so that this is the chain of the block.
  atomic_store(agile.words + agile.buffer_line + want.buffer, line);
  uint head = atomic_load(agile.words + agile.chain + line);
  while (head != AGILE_CHAIN_CLOSED) {
    atomic_store(agile.words + agile.buffer_next + want.buffer, head);
    fence_release();
    if (atomic_cas(agile.words + agile.chain + line, head, want.buffer + 1u)) return AgileTurn::STARTED;
  }
  return AgileTurn::LATER;
}

// Leader only. One step towards a block.
WARPFS_FN uint agile_step(WARPFS_THREAD const Agile& agile, WARPFS_THREAD AgileWant& want, WARPFS_THREAD uint& line) {
  if (want.pinned == AGILE_NONE) {
    line = agile_look(agile.words + agile.block_line + want.block) - 1u;
    if (line == AGILE_NONE) return agile_miss(agile, want, line);
    const uint seen = agile_look(agile.words + agile.status + line);
    if (AGILE_HAS(MODIFIED_READ_TRAPS) && want.mode == AGILE_READ && agile_state(seen) == AgileLine::MODIFIED) return AgileTurn::ERROR;
    if (!agile_has_bytes(seen) && !agile_is_coming(seen) && agile_state(seen) != AgileLine::FAILED) return AgileTurn::LATER;
    if (AGILE_HAS(HIT_WITHOUT_RECHECK)) {
      if (!agile_has_bytes(seen)) return agile_with_line(agile, want, line, seen);
      fence_acquire();
      if (agile_look(agile.words + agile.tag + line) != want.block) return AgileTurn::LATER;
      atomic_add(agile.words + agile.reference + line, 1u);
      want.pinned = line;
      return agile_with_line(agile, want, line, seen);
    }
    atomic_add(agile.words + agile.reference + line, 1u);
    fence_seq();
    const uint word = agile_look(agile.words + agile.status + line);
    // Of the same fill as before: then the fence stands between the end of that fill and the bytes. Another word needs one of its own.
    const bool same = agile_fill(word) == agile_fill(seen) && agile_look(agile.words + agile.tag + line) == want.block;
    if (!same || (!agile_has_bytes(word) && !agile_is_coming(word) && agile_state(word) != AgileLine::FAILED)) {
      agile_unpin(agile, line);
      return AgileTurn::LATER;
    }
    want.pinned = line;
    if (!agile_has_bytes(seen)) fence_acquire();
    return agile_with_line(agile, want, line, word);
  }
  line = want.pinned;
  const uint word = atomic_load(agile.words + agile.status + line);
  if (agile_has_bytes(word)) fence_acquire();
  return agile_with_line(agile, want, line, word);
}

// Leader only. Steps until all lanes have something to do. While the others wait for it, polls cost no collectives.
WARPFS_FN uint agile_steps(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, WARPFS_THREAD AgileWant& want, WARPFS_THREAD WaitBound& bound, WARPFS_THREAD uint& line) {
  uint turn = agile_step(agile, want, line);
  while (turn == AgileTurn::LATER || turn == AgileTurn::AGAIN) {
    if (turn == AgileTurn::LATER && !wait_again(fs, bound)) turn = AgileTurn::TOO_LONG;
    else turn = agile_step(agile, want, line);
  }
  if (want.pinned != AGILE_NONE && (turn == AgileTurn::STARTED || turn == AgileTurn::ERROR || turn == AgileTurn::TOO_LONG)) agile_unpin(agile, want.pinned);
  return turn;
}

// All lanes. HIT: the line is pinned, and `line` says which; STARTED: the buffer will get the bytes. Otherwise -errno is in `outcome`.
WARPFS_FN uint agile_acquire(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint queue, WARPFS_THREAD AgileWant& want, WARPFS_THREAD uint& line, WARPFS_THREAD int& outcome) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    uint found = 0u;
    if (is_leader(fs)) {
      const uint turn = agile_steps(fs, agile, want, bound, found);
      found = found * AgileTurn::TURNS | turn;
    }
    found = warp_broadcast(lane, found, 0u);
    line = found / AgileTurn::TURNS;
    const uint turn = found % AgileTurn::TURNS;
    outcome = turn == AgileTurn::TOO_LONG ? wait_outcome() : -Errno::eio;
    if (turn == AgileTurn::LAND) {
      agile_land(fs, agile, line);
      continue;
    }
    if (turn != AgileTurn::SUBMIT && turn != AgileTurn::WRITE) return turn;
    const bool fills = turn == AgileTurn::SUBMIT;
    uint block = 0u;
    if (!fills) {
      block = warp_broadcast(lane, is_leader(fs) ? atomic_load(agile.words + agile.tag + line) : 0u, 0u);
      const ulong place = (ulong)line * AGILE_LINE_BYTES;
      dma_leave(lane, agile.dma, place, place, (ulong)block * AGILE_LINE_BYTES, AGILE_LINE_BYTES);
    }
    uint submitted = 0u;
    if (is_leader(fs)) submitted = (uint)agile_submit(fs, agile, queue, fills ? AgileKind::FILL : AgileKind::EVICT, line, fills ? want.block : block);
    outcome = (int)warp_broadcast(lane, submitted, 0u);
    if (outcome != 0) return AgileTurn::ERROR;
    if (fills && (want.buffer != AGILE_NONE || want.mode == AGILE_PREFETCH)) return AgileTurn::STARTED;
  }
}

}  // namespace warpfs
