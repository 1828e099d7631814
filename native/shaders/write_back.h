// Writing a modified line back. Asynchronous: whoever starts it need not wait for it, and any later waiter finishes it.
#pragma once

namespace warpfs {

// Leader only; the warp has a hand on a READY or MODIFIED line and has said which bytes will be dirty. One step that cannot fail: with an
// exchange, warps that pin the line, find that their bytes do not fit and let go could keep this one from its move for ever.
WARPFS_FN void line_write(WARPFS_THREAD const Fs& fs, uint line) {
  static_assert((LineState::READY | 1u) == LineState::MODIFIED && (LineState::MODIFIED | 1u) == LineState::MODIFIED, "one bit makes READY MODIFIED");
  // What this warp learned of the line is visible to those who see the new state.
  fence_release();
  // Counted before it is seen, so that the end of a write-back never counts it off first.
  dirty_count(fs, 1u);
  if (line_state(atomic_or(fs.words + line, 1u)) == LineState::MODIFIED) dirty_count(fs, ~0u);
}

enum : uint32_t { WRITE_BACK_STARTED, WRITE_BACK_LATER, WRITE_BACK_RING_FULL };

// Leader only. Starts the write-back of a MODIFIED line that nobody has a hand on, and leaves `pins` pins (0 or 1) on it for the caller.
// WRITE_BACK_LATER: somebody writes into it, or has moved it already.
WARPFS_FN uint line_write_back(WARPFS_THREAD Fs& fs, uint line, uint pins) {
  uint word = atomic_load(fs.words + line);
  if (line_state(word) != LineState::MODIFIED || line_hands(word) != 0u) return WRITE_BACK_LATER;
  // The request has its place before the line is taken: a line that is BUSY always gets its answer.
  Reservation reservation = reservation_none();
  if (!ring_reserve(fs, reservation)) return WRITE_BACK_RING_FULL;
  while (!atomic_cas(fs.words + line, word, line_with(word, LineState::BUSY, LineStep::STARTING) + pins * LINE_PIN)) {
    if (line_state(word) != LineState::MODIFIED || line_hands(word) != 0u) {
      ring_give_up(fs, reservation);
      return WRITE_BACK_LATER;
    }
  }
  // Nobody has a hand on it, so no write is under way: what the writers did before they let go is visible from here on.
  fence_acquire();
  WARPFS_DEVICE LineAux* aux = fs.auxes + line;
  // Said in `writing` before it is gone from `dirty`: a warp that is stopped here for good leaves a trace of which bytes they are.
  const uint range = atomic_load(&aux->dirty);
  atomic_store(&aux->writing, range);
  atomic_store(&aux->dirty, DIRTY_NONE);
  atomic_store(&aux->ticket, atomic_load(&aux->ticket) + 1u);
  word = atomic_load(fs.words + line);
  line_move(fs, line, word, LineState::BUSY, LineStep::WRITING);
  const ulong page = ((ulong)atomic_load(&fs.tags[line].page_high) << 32) | atomic_load(&fs.tags[line].page_low);
  const bool masked = dirty_has_mask(range);
  const uint first = masked ? 0u : dirty_first(range);
  const uint bytes = masked ? line_bytes(fs) : dirty_last(range) - first + 1u;
  ring_write(fs, reservation, Opcode::WRITE_BACK, atomic_load(&aux->file), (page << fs.line_shift) + first, bytes, 1u);
  WARPFS_DEVICE Request* request = ring_slot(fs, reservation);
  host_store(&request->lines[0], line);
  host_store(&request->lines[1], masked ? dirty_mask(range) + 1u : 0u);
  // The host drops bytes that were written before the file was truncated: it knows them by their file_id.
  host_store(&request->mailbox, atomic_load(&fs.tags[line].file_id));
  ring_publish(fs, reservation);
  count(fs, Counter::WRITE_BACKS, 1u);
  return WRITE_BACK_STARTED;
}

// Leader only. Where writers come and go so fast that a modified line is never free, new ones are asked to stay away until it was written back.
WARPFS_FN void line_drain(WARPFS_THREAD const Fs& fs, uint line) {
  uint word = atomic_load(fs.words + line);
  if (line_is(word, LineState::MODIFIED, LineStep::NONE)) line_move(fs, line, word, LineState::MODIFIED, LineStep::DRAINING);
}

}  // namespace warpfs
