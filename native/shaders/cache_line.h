// One line of the cache: its state word and its tag.
//
//   word:  | hands 13 | pins 13 | reference 1 | step 3 | state 2 |
//
// INVALID -claim-> BUSY -fill-> READY -write-> MODIFIED -write back-> BUSY -> READY -evict and claim-> BUSY
//
// Who may do what:
//  * claim and evict need pins = 0, and are one compare-and-swap; the start of a write-back needs hands = 0: who reads or has the line mapped
//    is in nobody's way;
//  * the tag changes only while the line is BUSY, by the warp that claimed it, before any other warp can pin it as that page;
//  * BUSY is left by whichever warp sees first that the host has finished. It must have a hand on the line: with a hand the line is neither
//    claimed nor written back once more, so the word, the tag and the ticket that it looks at belong together. Where a warp stores the bytes
//    into the file itself (STORING) it alone leaves it, and it waits for nobody meanwhile.
#pragma once

namespace warpfs {

enum : uint32_t {
  LINE_PIN = 1u << LINE_PINS_SHIFT,
  LINE_HAND = 1u << LINE_HANDS_SHIFT,
  LINE_REFERENCE = 1u << LINE_REFERENCE_SHIFT,
  LINE_STATE_AND_STEP = LINE_STATE_MASK | LINE_STEP_MASK,
};

// Its bytes are there; they may be on their way to the file.
WARPFS_FN bool line_can_be_read(uint word) {
  return (word & LINE_STATE_MASK) == LineState::READY || (word & LINE_STATE_MASK) == LineState::MODIFIED ||
         (word & LINE_STATE_AND_STEP) == (LineState::BUSY | ((uint)LineStep::WRITING << LINE_STEP_SHIFT)) ||
         (word & LINE_STATE_AND_STEP) == (LineState::BUSY | ((uint)LineStep::STORING << LINE_STEP_SHIFT));
}

// A page of a file as the cache knows it.
struct Tag {
  uint file_id;
  ulong page;
};

WARPFS_FN uint line_state(uint word) { return word & LINE_STATE_MASK; }
WARPFS_FN uint line_step(uint word) { return (word & LINE_STEP_MASK) >> LINE_STEP_SHIFT; }
WARPFS_FN uint line_pins(uint word) { return (word & LINE_PINS_MASK) >> LINE_PINS_SHIFT; }
WARPFS_FN uint line_hands(uint word) { return (word & LINE_HANDS_MASK) >> LINE_HANDS_SHIFT; }
WARPFS_FN uint line_with(uint word, uint state, uint step) { return (word & ~(uint)LINE_STATE_AND_STEP) | state | (step << LINE_STEP_SHIFT); }
WARPFS_FN bool line_is(uint word, uint state, uint step) { return (word & LINE_STATE_AND_STEP) == (state | (step << LINE_STEP_SHIFT)); }

// The word of a line at the moment it is claimed: one pin (the claimer's), no hand, no reference.
WARPFS_FN uint line_claimed() { return line_with(LINE_PIN, LineState::BUSY, LineStep::CLAIMING); }

WARPFS_FN bool tag_matches(WARPFS_THREAD const Fs& fs, uint line, WARPFS_THREAD const Tag& tag) {
  WARPFS_DEVICE LineTag* tag_of = fs.tags + line;
#if WARPFS_LOADS_16
  const Vec16 seen = atomic_load16(&tag_of->file_id);
  return seen.words[0] == tag.file_id && seen.words[1] == (uint)tag.page && seen.words[2] == (uint)(tag.page >> 32);
#else
  return atomic_load(&tag_of->page_low) == (uint)tag.page && atomic_load(&tag_of->file_id) == tag.file_id &&
         atomic_load(&tag_of->page_high) == (uint)(tag.page >> 32);
#endif
}

// The line is ours: nobody else changes its tag, or raises its version. The version, where there are any.
WARPFS_FN uint tag_write(WARPFS_THREAD const Fs& fs, uint line, WARPFS_THREAD const Tag& tag) {
  WARPFS_DEVICE LineTag* tag_of = fs.tags + line;
#if WARPFS_LOADS_16
  Vec16 words;
  words.words[0] = tag.file_id;
  words.words[1] = (uint)tag.page;
  words.words[2] = (uint)(tag.page >> 32);
  words.words[3] = atomic_load(&tag_of->version) + 1u;
  atomic_store16(&tag_of->file_id, words);
  return words.words[3];
#else
  atomic_store(&tag_of->file_id, tag.file_id);
  atomic_store(&tag_of->page_low, (uint)tag.page);
  atomic_store(&tag_of->page_high, (uint)(tag.page >> 32));
  return 0u;
#endif
}

// Leader only, after a warp_sync: everything that the warp read from or wrote to the line comes before the pin is gone.
WARPFS_FN void line_unpin(WARPFS_THREAD const Fs& fs, uint line) {
  fence_release();
  atomic_sub_unasked(fs.words + line, LINE_PIN);
}

// Leader only; the warp holds a pin. True: the line is READY or MODIFIED, and until line_leave no write-back of it starts. False: it is BUSY,
// or waits until nobody writes into it any more.
WARPFS_FN bool line_enter(WARPFS_THREAD const Fs& fs, uint line) {
  // Looked at first: a hand that comes and goes would keep others from the write-back that is waited for.
  const uint word = atomic_load(fs.words + line);
  if (line_state(word) == LineState::BUSY || line_step(word) == LineStep::DRAINING) return false;
  const uint seen = atomic_add(fs.words + line, LINE_HAND);
  fence_acquire();
  const bool drains = line_step(seen) == LineStep::DRAINING;
  if (line_state(seen) == LineState::READY || (line_state(seen) == LineState::MODIFIED && !drains)) return true;
  atomic_sub(fs.words + line, LINE_HAND);
  return false;
}

// Leader only, after a warp_sync: what the warp wrote comes before the hand is gone.
WARPFS_FN void line_leave(WARPFS_THREAD const Fs& fs, uint line) {
  fence_release();
  atomic_sub(fs.words + line, LINE_HAND);
}

// Moves a line that this warp may move to another state and step, whatever pins and references come and go meanwhile.
// False where the line is no longer in the state and step that `word` shows. `word` is left as last seen.
// line_move_seen: a fence has been made since this warp has written anything that others must see with the new state.
WARPFS_FN bool line_move_seen(WARPFS_THREAD const Fs& fs, uint line, WARPFS_THREAD uint& word, uint state, uint step) {
  const uint from = word & LINE_STATE_AND_STEP;
  while ((word & LINE_STATE_AND_STEP) == from) {
    const uint moved = line_with(word, state, step);
    if (atomic_cas(fs.words + line, word, moved)) {
      word = moved;
      return true;
    }
  }
  return false;
}
WARPFS_FN bool line_move(WARPFS_THREAD const Fs& fs, uint line, WARPFS_THREAD uint& word, uint state, uint step) {
  // What this warp wrote or learned of the line is visible to those who see the new state.
  fence_release();
  return line_move_seen(fs, line, word, state, step);
}

}  // namespace warpfs
