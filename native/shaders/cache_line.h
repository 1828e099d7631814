// One line of the cache: its state word, its tag, and the last step of its fills and write-backs.
//
//   word:  | version 12 | pins 14 | reference 1 | step 3 | state 2 |
//
// INVALID -claim-> BUSY -fill-> READY -write-> MODIFIED -write back-> BUSY -> READY -evict and claim-> BUSY
//
// Who may do what:
//  * claim and evict need pins = 0, and are one compare-and-swap;
//  * the tag changes only while the line is BUSY, by the warp that claimed it, before any other warp can pin it as that page;
//  * BUSY is left by whichever warp sees first that the host has finished. It must hold a pin: with a pin the line cannot
//    be claimed again, so the word, the tag and the ticket that it looks at belong together. The version is not needed for that.
#pragma once

namespace warpfs {

enum : uint32_t {
  LINE_PIN = 1u << LINE_PINS_SHIFT,
  LINE_REFERENCE = 1u << LINE_REFERENCE_SHIFT,
  LINE_STATE_AND_STEP = LINE_STATE_MASK | LINE_STEP_MASK,
};

// A page of a file as the cache knows it.
struct Tag {
  uint file_id;
  ulong page;
};

WARPFS_FN uint line_state(uint word) { return word & LINE_STATE_MASK; }
WARPFS_FN uint line_step(uint word) { return (word & LINE_STEP_MASK) >> LINE_STEP_SHIFT; }
WARPFS_FN uint line_pins(uint word) { return (word & LINE_PINS_MASK) >> LINE_PINS_SHIFT; }
WARPFS_FN uint line_with(uint word, uint state, uint step) { return (word & ~(uint)LINE_STATE_AND_STEP) | state | (step << LINE_STEP_SHIFT); }
WARPFS_FN bool line_is(uint word, uint state, uint step) { return (word & LINE_STATE_AND_STEP) == (state | (step << LINE_STEP_SHIFT)); }

// The word of a line at the moment it is claimed: one pin (the claimer's), no reference, the next version.
WARPFS_FN uint line_claimed(uint word) {
  return line_with(((word & LINE_VERSION_MASK) + (1u << LINE_VERSION_SHIFT)) | LINE_PIN, LineState::BUSY, LineStep::CLAIMING);
}

WARPFS_FN bool tag_matches(WARPFS_THREAD const Fs& fs, uint line, WARPFS_THREAD const Tag& tag) {
  WARPFS_DEVICE LineMeta* meta = fs.metas + line;
  return atomic_load(&meta->page_low) == (uint)tag.page && atomic_load(&meta->file_id) == tag.file_id &&
         atomic_load(&meta->page_high) == (uint)(tag.page >> 32);
}

WARPFS_FN void tag_write(WARPFS_THREAD const Fs& fs, uint line, WARPFS_THREAD const Tag& tag) {
  WARPFS_DEVICE LineMeta* meta = fs.metas + line;
  atomic_store(&meta->file_id, tag.file_id);
  atomic_store(&meta->page_low, (uint)tag.page);
  atomic_store(&meta->page_high, (uint)(tag.page >> 32));
}

// Leader only, after a warp_sync: everything that the warp read from or wrote to the line comes before the pin is gone.
WARPFS_FN void line_unpin(WARPFS_THREAD const Fs& fs, uint line) {
  fence_release();
  atomic_sub(&fs.metas[line].word, LINE_PIN);
}

// Moves a line that this warp may move to another state and step, whatever pins and references come and go meanwhile.
// False where the line is no longer in the state and step that `word` shows. `word` is left as last seen.
WARPFS_FN bool line_move(WARPFS_THREAD const Fs& fs, uint line, WARPFS_THREAD uint& word, uint state, uint step) {
  const uint from = word & LINE_STATE_AND_STEP;
  // What this warp wrote or learned of the line is visible to those who see the new state.
  fence_release();
  while ((word & LINE_STATE_AND_STEP) == from) {
    const uint moved = line_with(word, state, step);
    if (atomic_cas(&fs.metas[line].word, word, moved)) {
      word = moved;
      return true;
    }
  }
  return false;
}

// A failed write-back keeps its bytes. The range is put back only where no write has begun a new one: those merge with it.
WARPFS_FN void restore_dirty(WARPFS_THREAD const Fs& fs, uint line) {
  const uint range = atomic_load(&fs.auxes[line].writing);
  uint seen = DIRTY_NONE;
  while (!atomic_cas(&fs.auxes[line].dirty, seen, range)) {
    if (seen != (uint)DIRTY_NONE) return;
  }
}

// Takes the last step of a fill or of a write-back once the host has finished it. The caller holds a pin.
// True when the line was moved, by this warp or another.
WARPFS_FN bool line_finish(WARPFS_THREAD const Fs& fs, uint line, WARPFS_THREAD uint& word) {
  const uint step = line_step(word);
  if (step != LineStep::FILLING && step != LineStep::WRITING) return false;
  // The ticket was raised before the step became FILLING or WRITING.
  fence_acquire();
  if (host_load(&fs.dones[line].sequence) != atomic_load(&fs.auxes[line].ticket)) return false;
  // The host wrote the data and the result before the sequence.
  host_fence_acquire();
  const bool failed = (int)host_load((WARPFS_DEVICE const uint*)&fs.dones[line].result) < 0;
  uint state = LineState::READY;
  if (failed) state = step == LineStep::FILLING ? LineState::INVALID : LineState::MODIFIED;
  if (failed && step == LineStep::WRITING) restore_dirty(fs, line);
  line_move(fs, line, word, state, LineStep::NONE);
  return true;
}

// All lanes; the warp holds a pin. Waits until the line is no longer BUSY: 0, the error of its fill, or wait_outcome().
WARPFS_FN int line_wait(WARPFS_THREAD Fs& fs, uint line) {
  int outcome = 0;
  if (is_leader(fs)) {
    WaitBound bound;
    wait_start(fs, bound);
    uint word = atomic_load(&fs.metas[line].word);
    while (line_state(word) == LineState::BUSY) {
      if (line_finish(fs, line, word)) {
        word = atomic_load(&fs.metas[line].word);
      } else if (wait_again(fs, bound)) {
        word = atomic_load(&fs.metas[line].word);
      } else {
        outcome = wait_outcome();
        break;
      }
    }
    fence_acquire();
    if (line_state(word) == LineState::INVALID) {
      // The pin keeps the line from being claimed, so this is still the result of the fill that failed.
      host_fence_acquire();
      outcome = (int)host_load((WARPFS_DEVICE const uint*)&fs.dones[line].result);
      if (outcome >= 0) outcome = -Errno::eagain;  // the claim was given up before anything was asked for
    }
  }
  return (int)warp_broadcast(fs.lane, (uint)outcome, 0u);
}

// All lanes; the warp holds a pin on a line whose write-back it has waited for: 0, or the error with which it failed.
WARPFS_FN int line_write_back_result(WARPFS_THREAD Fs& fs, uint line) {
  int result = 0;
  if (is_leader(fs) && line_state(atomic_load(&fs.metas[line].word)) == LineState::MODIFIED) {
    // Only a write-back of an unpinned line could change this result.
    host_fence_acquire();
    result = (int)host_load((WARPFS_DEVICE const uint*)&fs.dones[line].result);
  }
  return (int)warp_broadcast(fs.lane, (uint)result, 0u);
}

}  // namespace warpfs
