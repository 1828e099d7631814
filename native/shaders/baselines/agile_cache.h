// AGILE: a block of the file in a line of the cache. Every step is taken by the leader and leaves nothing locked behind it; between two steps all
// lanes do what takes all of them: move bytes, submit, wait.
#pragma once
#include "agile_queue.h"
#include "agile_victim.h"

namespace warpfs {

// All lanes, of the one warp that set it LANDING (or of the service warp, which saw it arrive): its bytes are brought to their place, and into
// the buffers that hang in its chain; then it is READY for all.
WARPFS_FN void agile_land(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint line) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  const ulong place = (ulong)line * AGILE_LINE_BYTES;
  uint block = 0u, next = 0u;
  if (is_leader(fs)) {
    peer_fence();
    block = atomic_load(agile.tag + line);
    if (agile.shape.buffers != 0u) next = atomic_exchange(agile.chain + line, AGILE_CHAIN_CLOSED);
    fence_acquire();
  }
  block = warp_broadcast(lane, block, 0u);
  next = warp_broadcast(lane, next, 0u);
  dma_land(lane, agile.dma, place, place, (ulong)block * AGILE_LINE_BYTES, AGILE_LINE_BYTES);
  while (next != 0u) {
    const uint buffer = next - 1u;
    next = warp_broadcast(lane, is_leader(fs) ? atomic_load(agile.buffer_next + buffer) : 0u, 0u);
    agile_copy(lane, agile_buffer(agile, buffer), agile_line(agile, line));
    warp_sync(lane);
    if (is_leader(fs)) {
      fence_release();
      atomic_store(agile.buffer_state + buffer, AgileBuffer::READY);
    }
  }
  warp_sync(lane);
  if (is_leader(fs)) {
    const uint word = atomic_load(agile.status + line);
    fence_release();
    atomic_store(agile.status + line, agile_with(word, AgileLine::READY));
  }
}

// Leader only.
WARPFS_FN void agile_unpin(WARPFS_THREAD const Agile& agile, uint line) {
  fence_release();
  atomic_sub(agile.reference + line, 1u);
}

// Leader only. No line has the block: takes one for it, with the lock of the block, so that only one warp does.
WARPFS_FN uint agile_miss(WARPFS_THREAD const Agile& agile, WARPFS_THREAD AgileWant& want, WARPFS_THREAD uint& line) {
  WARPFS_DEVICE uint* lock = agile.block_lock + want.block;
  if (want.looked && !agile_may_find(agile, want.written)) return AgileTurn::LATER;
  if (!agile_try_lock(lock)) return AgileTurn::LATER;
  uint turn = AgileTurn::AGAIN;
  if (atomic_load(agile.block_line + want.block) == 0u) {
    const AgileVictim victim = agile_find_victim(agile, want.written);
    turn = victim.turn;
    want.looked = turn == AgileTurn::LATER;
    line = victim.line;
    if (turn == AgileTurn::SUBMIT) {
      const uint word = atomic_load(agile.status + line) + AgileLine::FILL;
      atomic_store(agile.tag + line, want.block);
      atomic_store(agile.clock + line, AgileClock::USED);
      if (agile.shape.buffers != 0u) atomic_store(agile.chain + line, want.buffer == AGILE_NONE ? 0u : want.buffer + 1u);
      if (want.buffer != AGILE_NONE) {
        atomic_store(agile.buffer_line + want.buffer, line);
        atomic_store(agile.buffer_next + want.buffer, 0u);
      } else if (want.mode != AGILE_PREFETCH) {
        atomic_add(agile.reference + line, 1u);
        want.pinned = line;
      }
      fence_release();
      atomic_store(agile.status + line, agile_with(word, want.mode == AGILE_WHOLE ? AgileLine::READY : AgileLine::READING));
      atomic_store(agile.block_line + want.block, line + 1u);
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
    if (!AGILE_HAS(REFERENCE_NEVER_SET) && atomic_load(agile.clock + line) != AgileClock::USED) atomic_store(agile.clock + line, AgileClock::USED);
    return AgileTurn::HIT;
  }
  const uint state = agile_state(word);
  if (state == AgileLine::FAILED) return AgileTurn::ERROR;
  if (state == AgileLine::ARRIVED) {
    uint expected = word;
    return atomic_cas(agile.status + line, expected, agile_with(word, AgileLine::LANDING)) ? AgileTurn::LAND : AgileTurn::AGAIN;
  }
  if (want.buffer == AGILE_NONE || state != AgileLine::READING) return AgileTurn::LATER;
  // The buffer is hung into the chain. The line stays the block's while it is pinned, so that this is the chain of the block.
  atomic_store(agile.buffer_line + want.buffer, line);
  uint head = atomic_load(agile.chain + line);
  while (head != AGILE_CHAIN_CLOSED) {
    atomic_store(agile.buffer_next + want.buffer, head);
    fence_release();
    if (atomic_cas(agile.chain + line, head, want.buffer + 1u)) return AgileTurn::STARTED;
  }
  return AgileTurn::LATER;
}

// Leader only. One step towards a block.
WARPFS_FN uint agile_step(WARPFS_THREAD const Agile& agile, WARPFS_THREAD AgileWant& want, WARPFS_THREAD uint& line) {
  if (want.pinned == AGILE_NONE) {
    line = agile_look(agile.block_line + want.block) - 1u;
    if (line == AGILE_NONE) return agile_miss(agile, want, line);
    const uint seen = agile_look(agile.status + line);
    if (AGILE_HAS(MODIFIED_READ_TRAPS) && want.mode == AGILE_READ && agile_state(seen) == AgileLine::MODIFIED) return AgileTurn::ERROR;
    if (!agile_has_bytes(seen) && !agile_is_coming(seen) && agile_state(seen) != AgileLine::FAILED) return AgileTurn::LATER;
    if (AGILE_HAS(HIT_WITHOUT_RECHECK)) {
      if (!agile_has_bytes(seen)) return agile_with_line(agile, want, line, seen);
      fence_acquire();
      if (agile_look(agile.tag + line) != want.block) return AgileTurn::AGAIN;
      atomic_add(agile.reference + line, 1u);
      want.pinned = line;
      return agile_with_line(agile, want, line, seen);
    }
    atomic_add(agile.reference + line, 1u);
    fence_seq();
    const uint word = agile_look(agile.status + line);
    // Of the same fill as before: then the fence stands between the end of that fill and the bytes. Another word needs one of its own.
    const bool same = agile_fill(word) == agile_fill(seen) && agile_look(agile.tag + line) == want.block;
    if (!same || (!agile_has_bytes(word) && !agile_is_coming(word) && agile_state(word) != AgileLine::FAILED)) {
      agile_unpin(agile, line);
      return AgileTurn::LATER;
    }
    want.pinned = line;
    if (!agile_has_bytes(seen)) fence_acquire();
    return agile_with_line(agile, want, line, word);
  }
  line = want.pinned;
  const uint word = atomic_load(agile.status + line);
  fence_acquire();
  return agile_with_line(agile, want, line, word);
}

// All lanes. HIT: the line is pinned, and `line` says which; STARTED: the buffer will get the bytes. ERROR: -errno is in `outcome`.
WARPFS_FN uint agile_acquire(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint queue, WARPFS_THREAD AgileWant& want, WARPFS_THREAD uint& line, WARPFS_THREAD int& outcome) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  WaitBound bound;
  wait_start(fs, bound);
  outcome = -Errno::eio;
  for (;;) {
    uint found = 0u;
    if (is_leader(fs)) {
      const uint turn = agile_step(agile, want, found);
      found = found * AgileTurn::TURNS | turn;
      if ((turn == AgileTurn::STARTED || turn == AgileTurn::ERROR) && want.pinned != AGILE_NONE) agile_unpin(agile, want.pinned);
    }
    found = warp_broadcast(lane, found, 0u);
    line = found / AgileTurn::TURNS;
    const uint turn = found % AgileTurn::TURNS;
    if (turn == AgileTurn::HIT || turn == AgileTurn::STARTED || turn == AgileTurn::ERROR) return turn;
    if (turn == AgileTurn::LAND) {
      agile_land(fs, agile, line);
    } else if (turn == AgileTurn::SUBMIT || turn == AgileTurn::WRITE) {
      const bool fills = turn == AgileTurn::SUBMIT;
      const uint block = warp_broadcast(lane, is_leader(fs) ? atomic_load(agile.tag + line) : 0u, 0u);
      const ulong place = (ulong)line * AGILE_LINE_BYTES;
      if (!fills) dma_leave(lane, agile.dma, place, place, (ulong)block * AGILE_LINE_BYTES, AGILE_LINE_BYTES);
      uint submitted = 0u;
      if (is_leader(fs)) submitted = (uint)agile_submit(fs, agile, queue, fills ? AgileKind::FILL : AgileKind::EVICT, line, block);
      outcome = (int)warp_broadcast(lane, submitted, 0u);
      if (outcome != 0) return AgileTurn::ERROR;
      outcome = -Errno::eio;
      if (fills && (want.buffer != AGILE_NONE || want.mode == AGILE_PREFETCH)) return AgileTurn::STARTED;
    } else if (turn == AgileTurn::LATER && !warp_wait_again(fs, bound)) {
      outcome = wait_outcome();
      return AgileTurn::ERROR;
    }
  }
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
    for (uint word = atomic_load(agile.status + line); agile_state(word) != AgileLine::MODIFIED && marked != 0u; word = atomic_load(agile.status + line)) {
      uint expected = word;
      if (agile_state(word) == AgileLine::READY && atomic_cas(agile.status + line, expected, agile_with(word, AgileLine::MODIFIED))) break;
      marked = wait_again(fs, bound) ? 1u : 0u;
    }
    agile_unpin(agile, line);
  }
  return warp_broadcast(fs.lane, marked, 0u) != 0u ? 0 : wait_outcome();
}

}  // namespace warpfs
