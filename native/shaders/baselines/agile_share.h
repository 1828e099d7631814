// AGILE: reads into the buffers of users, and the share table, by which a block is in one such buffer at most: whoever asks for it as well gets
// that one. So what one of them changes the others see, and the last that lets go writes it through to the cache.
#pragma once
#include "agile_cache.h"

namespace warpfs {

// All lanes. The buffer will get the block: by a copy of its line, or from the chain of the line when that arrives. 0, or -errno.
WARPFS_FN int agile_fill_buffer(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint queue, uint block, uint buffer) {
  AgileWant want = {block, AGILE_READ, buffer, AGILE_NONE, AGILE_NONE, false};
  uint line = 0u;
  int outcome = 0;
  const uint turn = agile_acquire(fs, agile, queue, want, line, outcome);
  if (turn == AgileTurn::STARTED) return 0;
  if (turn == AgileTurn::HIT) {
    agile_copy(fs.lane, agile_buffer(agile, buffer), agile_line(agile, line));
    outcome = agile_release(fs, agile, line, false);
  }
  if (is_leader(fs)) {
    fence_release();
    atomic_store(agile.words + agile.buffer_state + buffer, turn == AgileTurn::HIT ? AgileBuffer::READY : AgileBuffer::FAILED);
  }
  return outcome;
}

// All lanes: asyncRead into a buffer of this warp's own that nobody uses.
WARPFS_FN int agile_async_read(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint queue, uint block, uint buffer) {
  if (is_leader(fs)) atomic_store(agile.words + agile.buffer_state + buffer, AgileBuffer::WAITING);
  return agile_fill_buffer(fs, agile, queue, block, buffer);
}

// Leader only: HIT, ERROR or LATER; or LAND, a line that arrived and that this warp is to land, for all who wait.
WARPFS_FN uint agile_buffer_look(WARPFS_THREAD const Agile& agile, uint buffer, WARPFS_THREAD uint& line) {
  const uint state = atomic_load(agile.words + agile.buffer_state + buffer);
  if (state == AgileBuffer::READY) {
    fence_acquire();
    return AgileTurn::HIT;
  }
  if (state == AgileBuffer::FAILED) return AgileTurn::ERROR;
  line = atomic_load(agile.words + agile.buffer_line + buffer);
  uint word = atomic_load(agile.words + agile.status + line);
  // Where it is no longer the line of this buffer it is that of another, which wants to be landed as well.
  if (agile_state(word) == AgileLine::ARRIVED && atomic_cas(agile.words + agile.status + line, word, agile_with(word, AgileLine::LANDING))) return AgileTurn::LAND;
  return AgileTurn::LATER;
}

// All lanes: the bytes of a buffer are there.
WARPFS_FN int agile_buffer_wait(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint buffer) {
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    uint found = 0u;
    if (is_leader(fs)) {
      uint turn = agile_buffer_look(agile, buffer, found);
      while (turn == AgileTurn::LATER) turn = wait_again(fs, bound) ? agile_buffer_look(agile, buffer, found) : (uint)AgileTurn::TOO_LONG;
      found = found * AgileTurn::TURNS | turn;
    }
    found = warp_broadcast(fs.lane, found, 0u);
    const uint turn = found % AgileTurn::TURNS;
    if (turn != AgileTurn::LAND) return turn == AgileTurn::HIT ? 0 : turn == AgileTurn::TOO_LONG ? wait_outcome() : -Errno::eio;
    agile_land(fs, agile, found / AgileTurn::TURNS);
  }
}

// Leader only: the lock of a block, or wait_outcome().
WARPFS_FN int agile_lock_block(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint block, WARPFS_THREAD WaitBound& bound) {
  while (!agile_try_lock(agile.words + agile.block_lock + block)) {
    if (!wait_again(fs, bound)) return wait_outcome();
  }
  return 0;
}

// Leader only, with the lock of the block: a buffer that nobody uses, the one of the place where this warp asks if it can be had. It may
// still be with those who shared it; there are as many buffers as places, so that one is always free.
WARPFS_FN uint agile_free_buffer(WARPFS_THREAD const Agile& agile, uint preferred) {
  for (uint i = 0, buffer = preferred; i < agile.shape.buffers; i++, buffer = buffer + 1u == agile.shape.buffers ? 0u : buffer + 1u) {
    uint expected = 0u;
    if (atomic_load(agile.words + agile.buffer_used + buffer) == 0u && atomic_cas(agile.words + agile.buffer_used + buffer, expected, 1u)) {
      fence_acquire();
      return buffer;
    }
  }
  return AGILE_NONE;
}

// Leader only: the buffer that has the block, with one sharer more. `owns`: it is this warp that has to fill it. 0, or wait_outcome().
WARPFS_FN int agile_share_join(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint block, bool whole, uint preferred, WARPFS_THREAD uint& buffer, WARPFS_THREAD bool& owns) {
  WaitBound bound;
  wait_start(fs, bound);
  do {
    if (agile_lock_block(fs, agile, block, bound) != 0) return wait_outcome();
    buffer = atomic_load(agile.words + agile.share + block) - 1u;
    owns = buffer == AGILE_NONE;
    if (owns) {
      buffer = agile_free_buffer(agile, preferred);
      if (buffer != AGILE_NONE) {
        atomic_store(agile.words + agile.sharers + buffer, 1u);
        atomic_store(agile.words + agile.changed + buffer, 0u);
        atomic_store(agile.words + agile.buffer_state + buffer, whole ? AgileBuffer::READY : AgileBuffer::WAITING);
        atomic_store(agile.words + agile.share + block, buffer + 1u);
      }
    } else if (atomic_load(agile.words + agile.buffer_state + buffer) == AgileBuffer::CLOSING) {
      buffer = AGILE_NONE;  // it is written through, and then the block is in its line
    } else {
      atomic_store(agile.words + agile.sharers + buffer, atomic_load(agile.words + agile.sharers + buffer) + 1u);
    }
    agile_unlock(agile.words + agile.block_lock + block);
    if (buffer != AGILE_NONE) return 0;
  } while (wait_again(fs, bound));
  return wait_outcome();
}

// All lanes: asyncRead with the share table, or asyncWrite where the `whole` block is to be overwritten. `buffer`: in which one the block will be.
WARPFS_FN int agile_share_ask(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint queue, uint block, bool whole, uint preferred, WARPFS_THREAD uint& buffer) {
  uint failed = 0u;
  bool owns = false;
  if (is_leader(fs)) failed = agile_share_join(fs, agile, block, whole, preferred, buffer, owns) != 0 ? 1u : 0u;
  const uint found = warp_broadcast(fs.lane, failed | (owns ? 2u : 0u), 0u);
  buffer = warp_broadcast(fs.lane, buffer, 0u);
  if ((found & 1u) != 0u) return wait_outcome();
  return (found & 2u) != 0u && !whole ? agile_fill_buffer(fs, agile, queue, block, buffer) : 0;
}

// All lanes. What this warp has changed is seen by whoever asks for the block from now on.
WARPFS_FN int agile_share_release(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint queue, uint block, uint buffer, bool changed) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  enum : uint { DONE = 0u, WRITE_THROUGH = 1u, LOST = 2u };
  uint what = DONE;
  WaitBound bound;
  wait_start(fs, bound);
  warp_sync(lane);
  if (is_leader(fs)) {
    if (agile_lock_block(fs, agile, block, bound) != 0) {
      what = LOST;
    } else {
      const uint left = atomic_load(agile.words + agile.sharers + buffer) - 1u;
      atomic_store(agile.words + agile.sharers + buffer, left);
      if (changed) atomic_store(agile.words + agile.changed + buffer, 1u);
      if (left == 0u && atomic_load(agile.words + agile.changed + buffer) != 0u) {
        atomic_store(agile.words + agile.buffer_state + buffer, AgileBuffer::CLOSING);
        what = WRITE_THROUGH;
      } else if (left == 0u) {
        atomic_store(agile.words + agile.share + block, 0u);
      }
      agile_unlock(agile.words + agile.block_lock + block);
      if (left == 0u && what == DONE) atomic_store(agile.words + agile.buffer_used + buffer, 0u);
    }
  }
  what = warp_broadcast(lane, what, 0u);
  if (what != WRITE_THROUGH) return what == DONE ? 0 : wait_outcome();
  AgileWant want = {block, AGILE_WHOLE, AGILE_NONE, AGILE_NONE, AGILE_NONE, false};
  uint line = 0u;
  int outcome = 0;
  if (agile_acquire(fs, agile, queue, want, line, outcome) != AgileTurn::HIT) return outcome;
  agile_copy(lane, agile_line(agile, line), agile_buffer(agile, buffer));
  outcome = agile_release(fs, agile, line, true);
  if (outcome != 0) return outcome;
  if (is_leader(fs)) {
    if (agile_lock_block(fs, agile, block, bound) != 0) {
      what = LOST;
    } else {
      atomic_store(agile.words + agile.share + block, 0u);
      agile_unlock(agile.words + agile.block_lock + block);
      atomic_store(agile.words + agile.buffer_used + buffer, 0u);
    }
  }
  return warp_broadcast(lane, what, 0u) == LOST ? wait_outcome() : 0;
}

}  // namespace warpfs
