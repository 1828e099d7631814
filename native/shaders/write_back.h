// Writing a modified line back. Asynchronous: whoever starts it need not wait for it, and any later waiter finishes it.
#pragma once

namespace warpfs {

WARPFS_FN uint dirty_first(uint range) { return range & 0xffffu; }
WARPFS_FN uint dirty_last(uint range) { return range >> 16; }
WARPFS_FN uint dirty_range(uint first, uint last) { return first | (last << 16); }

// Leader only. Adds bytes [first, last] to what has to be written back. False where they neither touch nor overlap the range that is
// already there: only bytes that the gpu wrote may go back, so the older range has to be written back first.
WARPFS_FN bool dirty_extend(WARPFS_THREAD const Fs& fs, uint line, uint first, uint last) {
  WARPFS_DEVICE uint* word = &fs.auxes[line].dirty;
  uint range = atomic_load(word);
  for (;;) {
    uint wider = dirty_range(first, last);
    if (range != (uint)DIRTY_NONE) {
      if (first > dirty_last(range) + 1u || last + 1u < dirty_first(range)) return false;
      const uint low = first < dirty_first(range) ? first : dirty_first(range);
      const uint high = last > dirty_last(range) ? last : dirty_last(range);
      wider = dirty_range(low, high);
    }
    if (wider == range || atomic_cas(word, range, wider)) return true;
  }
}

// Leader only; the warp holds a pin on a READY or MODIFIED line and has extended its dirty range. One step that cannot fail: with an exchange,
// warps that pin the line, find that their bytes do not fit and let go could keep this one from its move for ever.
WARPFS_FN void line_write(WARPFS_THREAD const Fs& fs, uint line) {
  static_assert((LineState::READY | 1u) == LineState::MODIFIED && (LineState::MODIFIED | 1u) == LineState::MODIFIED, "one bit makes READY MODIFIED");
  // What this warp learned of the line is visible to those who see the new state.
  fence_release();
  atomic_or(fs.words + line, 1u);
}

enum : uint32_t { WRITE_BACK_STARTED, WRITE_BACK_LATER, WRITE_BACK_RING_FULL };

// Leader only. Starts the write-back of a MODIFIED line that nobody has pinned, and leaves `pins` pins (0 or 1) on it for the caller.
// WRITE_BACK_LATER: somebody has it pinned, or has moved it already.
WARPFS_FN uint line_write_back(WARPFS_THREAD Fs& fs, uint line, uint pins) {
  uint word = atomic_load(fs.words + line);
  if (line_state(word) != LineState::MODIFIED || line_pins(word) != 0u) return WRITE_BACK_LATER;
  // The request has its place before the line is taken: a line that is BUSY always gets its answer.
  Reservation reservation = reservation_none();
  if (!ring_reserve(fs, reservation)) return WRITE_BACK_RING_FULL;
  while (!atomic_cas(fs.words + line, word, line_with(word, LineState::BUSY, LineStep::STARTING) + pins * LINE_PIN)) {
    if (line_state(word) != LineState::MODIFIED || line_pins(word) != 0u) {
      ring_give_up(fs, reservation);
      return WRITE_BACK_LATER;
    }
  }
  // Nobody has it pinned, so no write is under way: what the writers did before they let go is visible from here on.
  fence_acquire();
  WARPFS_DEVICE LineAux* aux = fs.auxes + line;
  const uint range = atomic_exchange(&aux->dirty, DIRTY_NONE);
  atomic_store(&aux->writing, range);
  atomic_store(&aux->ticket, atomic_load(&aux->ticket) + 1u);
  word = atomic_load(fs.words + line);
  line_move(fs, line, word, LineState::BUSY, LineStep::WRITING);
  const ulong page = ((ulong)atomic_load(&fs.tags[line].page_high) << 32) | atomic_load(&fs.tags[line].page_low);
  ring_write(fs, reservation, Opcode::WRITE_BACK, atomic_load(&aux->file), (page << fs.line_shift) + dirty_first(range),
             dirty_last(range) - dirty_first(range) + 1u, 1u);
  host_store(&ring_slot(fs, reservation)->lines[0], line);
  // The host drops bytes that were written before the file was truncated: it knows them by their file_id.
  host_store(&ring_slot(fs, reservation)->mailbox, atomic_load(&fs.tags[line].file_id));
  ring_publish(fs, reservation);
  count(fs, Counter::WRITE_BACKS, 1u);
  return WRITE_BACK_STARTED;
}

// Leader only. Where readers come and go so fast that a modified line is never free, new ones are asked to stay away until it was written back.
WARPFS_FN void line_drain(WARPFS_THREAD const Fs& fs, uint line) {
  uint word = atomic_load(fs.words + line);
  if (line_is(word, LineState::MODIFIED, LineStep::NONE)) line_move(fs, line, word, LineState::MODIFIED, LineStep::DRAINING);
}

}  // namespace warpfs
