// AGILE: which line is taken for another block. The hand of the clock is one word for all warps; a line that was used gets a second chance.
#pragma once
#include "agile_state.h"

namespace warpfs {

namespace AgileTurn {
enum : uint {
  HIT = 0u,      // pinned
  STARTED = 1u,  // the buffer hangs in the chain of a line on its way, or nothing is to be done for a prefetch
  AGAIN = 2u,
  LATER = 3u,
  SUBMIT = 4u,   // a line that was taken is to be read
  WRITE = 5u,    // a dirty victim is to be written back
  LAND = 6u,     // a line that arrived is to be landed
  ERROR = 7u,
  TOO_LONG = 8u,
  TURNS = 16u
};
}

// What an access of a warp is about, and what its leader remembers from turn to turn.
struct AgileWant {
  uint block;
  uint mode;        // AGILE_READ to AGILE_PREFETCH
  uint buffer;      // AGILE_NONE: the line itself is wanted
  uint pinned;      // a line, or AGILE_NONE
  uint written;     // a victim whose write-back this warp began
  bool looked;      // in vain, for a victim
};
// The first three as in a list of accesses. WHOLE: nothing of the block that was there before is wanted.
enum : uint { AGILE_READ = 0u, AGILE_UPDATE = 1u, AGILE_OVERWRITE = 2u, AGILE_WHOLE = 4u, AGILE_PREFETCH = 5u };

struct AgileVictim {
  uint turn;  // SUBMIT: it was taken; or WRITE, LAND, LATER, ERROR
  uint line;
};

// Leader only. A line with these words may go, if nobody refers to it: it becomes BUSY with `busy`. Two looks, because whoever pins adds first
// and looks afterwards.
WARPFS_FN bool agile_take(WARPFS_THREAD const Agile& agile, uint line, uint word, uint busy) {
  if (atomic_load(agile.words + agile.reference + line) != 0u) return false;
  uint expected = word;
  if (!atomic_cas(agile.words + agile.status + line, expected, agile_with(word, busy))) return false;
  fence_seq();
  if (AGILE_HAS(HIT_WITHOUT_RECHECK) || atomic_load(agile.words + agile.reference + line) == 0u) {
    fence_acquire();
    return true;
  }
  atomic_store(agile.words + agile.status + line, word);
  return false;
}

// Leader only, with the lock of the line.
WARPFS_FN uint agile_try_victim(WARPFS_THREAD const Agile& agile, uint line, bool may_write) {
  const uint word = atomic_load(agile.words + agile.status + line);
  fence_acquire();
  switch (agile_state(word)) {
    case AgileLine::INVALID:
      atomic_store(agile.words + agile.status + line, agile_with(word, AgileLine::BUSY));
      return AgileTurn::SUBMIT;
    case AgileLine::READY:
    case AgileLine::FAILED:
      if (!agile_take(agile, line, word, AgileLine::BUSY)) return AgileTurn::AGAIN;
      // The line is this warp's alone, so the record of its block is as well.
      atomic_store(agile.words + agile.block_line + atomic_load(agile.words + agile.tag + line), 0u);
      return AgileTurn::SUBMIT;
    case AgileLine::MODIFIED:
      if (atomic_load(agile.words + agile.reference + line) != 0u) return AgileTurn::AGAIN;
      if (AGILE_HAS(DIRTY_EVICT_TRAPS) || atomic_load(agile.words + agile.write_error) != 0u) return AgileTurn::ERROR;
      if (!may_write) return AgileTurn::LATER;
      return agile_take(agile, line, word, AgileLine::WRITING) ? AgileTurn::WRITE : AgileTurn::AGAIN;
    case AgileLine::ARRIVED: {
      uint expected = word;
      return atomic_cas(agile.words + agile.status + line, expected, agile_with(word, AgileLine::LANDING)) ? AgileTurn::LAND : AgileTurn::AGAIN;
    }
    default:
      return AgileTurn::AGAIN;
  }
}

WARPFS_FN uint agile_try_victim_locked(WARPFS_THREAD const Agile& agile, uint line, bool may_write) {
  if (!agile_try_lock(agile.words + agile.lock + line)) return AgileTurn::AGAIN;
  const uint turn = agile_try_victim(agile, line, may_write);
  agile_unlock(agile.words + agile.lock + line);
  return turn;
}

// Leader only. A warp that began to write a victim back goes on to another line; where that is dirty as well it comes back to its own.
WARPFS_FN AgileVictim agile_find_victim(WARPFS_THREAD const Agile& agile, uint written) {
  bool may_write = true;
  if (written != AGILE_NONE) {
    const uint state = agile_state(atomic_load(agile.words + agile.status + written));
    const uint turn = state == AgileLine::INVALID ? agile_try_victim_locked(agile, written, false) : (uint)AgileTurn::AGAIN;
    if (turn != AgileTurn::AGAIN) return {turn, written};
    may_write = state != AgileLine::WRITING;
  }
  for (uint step = 0; step < 2u * agile.shape.lines; step++) {
    const uint line = atomic_add(agile.words + agile.hand, 1u) % agile.shape.lines;
    WARPFS_DEVICE uint* clock = agile.words + agile.clock + line;
    if (atomic_load(clock) == AgileClock::USED) {
      atomic_store(clock, AgileClock::CANDIDATE);
      continue;
    }
    const uint turn = agile_try_victim_locked(agile, line, may_write);
    if (turn != AgileTurn::AGAIN) return {turn, line};
  }
  return {AgileTurn::LATER, 0u};
}

// Leader only, after a search in vain: may another one find more? Those who wait only look, or each would give the others something to look at.
WARPFS_FN bool agile_may_find(WARPFS_THREAD const Agile& agile, uint written) {
  if (written != AGILE_NONE && agile_state(atomic_load(agile.words + agile.status + written)) == AgileLine::WRITING) return false;
  for (uint line = 0; line < agile.shape.lines; line++) {
    const uint state = agile_state(atomic_load(agile.words + agile.status + line));
    const bool may_go = state == AgileLine::INVALID || state == AgileLine::ARRIVED || (state <= AgileLine::FAILED && atomic_load(agile.words + agile.reference + line) == 0u);
    if (may_go && atomic_load(agile.words + agile.lock + line) == 0u) return true;
  }
  return false;
}

}  // namespace warpfs
