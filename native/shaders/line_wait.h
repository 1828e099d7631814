// The last step of a fill or a write-back, and waiting for it.
#pragma once

namespace warpfs {

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
    uint word = atomic_load(fs.words + line);
    while (line_state(word) == LineState::BUSY) {
      if (line_finish(fs, line, word)) {
        word = atomic_load(fs.words + line);
      } else if (wait_again(fs, bound)) {
        word = atomic_load(fs.words + line);
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

// Leader only. The error with which the last write-back of a MODIFIED line failed, or 0.
WARPFS_FN int line_write_back_error(WARPFS_THREAD const Fs& fs, uint line) {
  if (line_state(atomic_load(fs.words + line)) != LineState::MODIFIED) return 0;
  if (atomic_load(&fs.auxes[line].writing) == (uint)DIRTY_NONE) return 0;  // the answer is to something that came before its bytes
  host_fence_acquire();
  const int result = (int)host_load((WARPFS_DEVICE const uint*)&fs.dones[line].result);
  return result < 0 ? result : 0;
}

// All lanes; the warp holds a pin on a line whose write-back it has waited for: 0, or the error with which it failed.
WARPFS_FN int line_write_back_result(WARPFS_THREAD Fs& fs, uint line) {
  int result = 0;
  if (is_leader(fs) && line_state(atomic_load(fs.words + line)) == LineState::MODIFIED) {
    // Only a write-back of an unpinned line could change this result.
    host_fence_acquire();
    result = (int)host_load((WARPFS_DEVICE const uint*)&fs.dones[line].result);
  }
  return (int)warp_broadcast(fs.lane, (uint)result, 0u);
}

}  // namespace warpfs
