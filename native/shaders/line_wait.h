// The last step of a fill or a write-back, and waiting for it.
#pragma once

namespace warpfs {

// A failed write-back keeps its bytes. The range is put back only where no write has begun a new one: those merge with it.
WARPFS_FN void restore_dirty(WARPFS_THREAD const Fs& fs, uint line, uint range) {
  uint seen = DIRTY_NONE;
  while (!atomic_cas(&fs.auxes[line].dirty, seen, range)) {
    if (seen != (uint)DIRTY_NONE) return;
  }
}

// Takes the last step of a fill or of a write-back once the host has finished it. The caller has a hand on the line.
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
  const uint written = atomic_load(&fs.auxes[line].writing);
  if (failed && step == LineStep::WRITING) restore_dirty(fs, line, written);
  if (!line_move(fs, line, word, state, LineStep::NONE)) return true;
  if (!failed && step == LineStep::WRITING) {
    if (dirty_has_mask(written)) mask_free(fs, dirty_mask(written));
    dirty_count(fs, ~0u);
  }
  return true;
}

// Leader only. The error with which the last write-back of a MODIFIED line failed, or 0.
WARPFS_FN int line_write_back_error(WARPFS_THREAD const Fs& fs, uint line) {
  if (line_state(atomic_load(fs.words + line)) != LineState::MODIFIED) return 0;
  if (atomic_load(&fs.auxes[line].writing) == (uint)DIRTY_NONE) return 0;  // the answer is to something that came before its bytes
  host_fence_acquire();
  const int result = (int)host_load((WARPFS_DEVICE const uint*)&fs.dones[line].result);
  return result < 0 ? result : 0;
}

// In LineAux.writing of an INVALID line, until its next claim: who had claimed it has asked nobody for its bytes.
enum : uint32_t { FILL_GIVEN_UP = 0 };

// One lane, which has claimed the line and pinned it: it is nobody's again.
WARPFS_FN void line_let_go(WARPFS_THREAD const Fs& fs, uint line) {
  atomic_store(&fs.auxes[line].writing, FILL_GIVEN_UP);
  uint word = atomic_load(fs.words + line);
  while (line_state(word) == LineState::BUSY) line_move(fs, line, word, LineState::INVALID, LineStep::NONE);
  line_unpin(fs, line);
}

// What came of waiting for a line.
struct Waited {
  int status;   // 0, the error of its fill, or wait_outcome()
  int written;  // where its bytes are still to be written back: the error with which the last attempt failed, or 0
};

// Leader only; the warp has a hand on the line, so no other write-back changes the result.
WARPFS_FN int line_result(WARPFS_THREAD const Fs& fs, uint line) {
  host_fence_acquire();
  return (int)host_load((WARPFS_DEVICE const uint*)&fs.dones[line].result);
}

// All lanes; the warp holds a pin. Waits until the line is no longer BUSY.
WARPFS_FN Waited line_wait(WARPFS_THREAD Fs& fs, uint line) {
  Waited waited;
  waited.status = waited.written = 0;
  if (is_leader(fs)) {
    WaitBound bound;
    wait_start(fs, bound);
    uint word = atomic_add(fs.words + line, LINE_HAND) + LINE_HAND;
    while (line_state(word) == LineState::BUSY) {
      if (line_finish(fs, line, word)) {
        word = atomic_load(fs.words + line);
      } else if (wait_again(fs, bound)) {
        word = atomic_load(fs.words + line);
      } else {
        waited.status = wait_outcome();
        break;
      }
    }
    fence_acquire();
    if (line_state(word) == LineState::INVALID) {
      // The pin keeps the line from being claimed, so this is still the result of the fill that failed.
      waited.status = line_result(fs, line);
      // The claim was given up before anything was asked for: what the host has answered for this line was about something else.
      if (waited.status >= 0 || atomic_load(&fs.auxes[line].writing) == (uint)FILL_GIVEN_UP) waited.status = -Errno::eagain;
    } else if (line_state(word) == LineState::MODIFIED) {
      waited.written = line_write_back_error(fs, line);
    }
    line_leave(fs, line);
  }
  const ulong both = warp_broadcast64(fs.lane, ((ulong)(uint)waited.status << 32) | (uint)waited.written, 0u);
  waited.status = (int)(uint)(both >> 32);
  waited.written = (int)(uint)both;
  return waited;
}

// One lane. A write-back that the host has ended and nobody waits for is ended by whoever looks for room: the word as it is then.
WARPFS_FN uint line_settle(WARPFS_THREAD const Fs& fs, uint line, uint word) {
  if (!line_is(word, LineState::BUSY, LineStep::WRITING)) return word;
  if (host_load(&fs.dones[line].sequence) != atomic_load(&fs.auxes[line].ticket)) return word;
  // One that has failed is left to those who want to know: a replayed call would start it again and never learn why it fails.
  if (line_result(fs, line) < 0) return word;
  word = atomic_add(fs.words + line, LINE_HAND | LINE_PIN) + (LINE_HAND | LINE_PIN);
  fence_acquire();
  if (line_is(word, LineState::BUSY, LineStep::WRITING)) line_finish(fs, line, word);
  fence_release();
  return atomic_sub(fs.words + line, LINE_HAND | LINE_PIN) - (LINE_HAND | LINE_PIN);
}

}  // namespace warpfs
