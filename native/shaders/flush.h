// Getting modified lines into their files: for gfsync, gclose, truncations, and the sweep that the host asks for at sync and unmount.
#pragma once

namespace warpfs {

enum : uint32_t {
  FLUSH_CLEAN,   // nothing to write back, or it carries something else by now
  FLUSH_PINNED,  // its write-back is under way, and it is pinned so that it can be waited for
  FLUSH_AGAIN,   // somebody writes into it or stores it, or the ring is full
  FLUSH_FAILED,  // this call has started its write-back in an earlier run, and it failed
};

// Leader only. A look at one line that may have to be written back, and an attempt to start that. It is pinned only while it is BUSY.
WARPFS_FN uint line_flush_look(WARPFS_THREAD Fs& fs, uint line, WARPFS_THREAD const FlushRange& range) {
  WARPFS_DEVICE uint* word_of = fs.words + line;
  const uint word = atomic_load(word_of);
  fence_acquire();
  if (!line_belongs(fs, line, range) || line_state(word) == LineState::READY || line_state(word) == LineState::INVALID) return FLUSH_CLEAN;
  if (line_state(word) == LineState::MODIFIED) {
    if (fs.served != 0u && line_write_back_error(fs, line) < 0) return FLUSH_FAILED;
    line_drain(fs, line);
    return line_write_back(fs, line, 1u) == WRITE_BACK_STARTED ? FLUSH_PINNED : FLUSH_AGAIN;
  }
  // Who stores it waits for nobody, and may have to leave it to the host.
  if (line_step(word) < LineStep::FILLING || line_step(word) == LineStep::STORING) return FLUSH_AGAIN;
  const uint seen = atomic_add(word_of, LINE_PIN);
  fence_acquire();
  const bool answered = line_step(seen) >= LineStep::FILLING && line_step(seen) != LineStep::STORING;
  if (line_state(seen) == LineState::BUSY && answered && line_belongs(fs, line, range)) return FLUSH_PINNED;
  line_unpin(fs, line);
  return FLUSH_AGAIN;
}

// All lanes. Sees one line through to the end of its write-back: 0, its error, or wait_outcome().
WARPFS_FN int line_flush(WARPFS_THREAD Fs& fs, uint line, WARPFS_THREAD const FlushRange& range) {
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    uint waits = FLUSH_AGAIN;
    if (is_leader(fs)) waits = line_flush_look(fs, line, range);
    waits = warp_broadcast(fs.lane, waits, 0u);
    if (waits == FLUSH_CLEAN) return 0;
    if (waits == FLUSH_PINNED) return page_make_way(fs, line);
    if (waits == FLUSH_FAILED) return (int)warp_broadcast(fs.lane, is_leader(fs) ? (uint)line_write_back_error(fs, line) : 0u, 0u);
    if (!warp_wait_again(fs, bound)) return wait_outcome();
  }
}

// All lanes. Asks the host to write back what lines [first, end) carry, and waits for nothing. False: nothing is dirty any more.
WARPFS_FN bool lines_flush_start(WARPFS_THREAD Fs& fs, uint first, uint end, WARPFS_THREAD const FlushRange& range) {
  uint look = LOOK_WRITTEN;
  for (uint base = first; base < end && look != LOOK_NOTHING_DIRTY; base += 32u) {
    if ((base - first) % LOOK_LINES == 0u) look = lines_look(fs, base, end - base < LOOK_LINES ? end : base + LOOK_LINES);
    if (look != LOOK_MODIFIED) continue;
    uint mask = unwritten_among(fs, base, end - base < 32u ? end - base : 32u, range);
    for (; mask != 0u && is_leader(fs); mask &= mask - 1u) {
      const uint line = base + lowest_bit(mask);
      if (fs.served == 0u || line_write_back_error(fs, line) == 0) line_write_back(fs, line, 0u);
    }
  }
  return look != LOOK_NOTHING_DIRTY;
}

// All lanes. Waits until what lines [first, end) carry is written back. False: nothing is dirty any more. `result`: the first error, or PENDING.
WARPFS_FN bool lines_flush_wait(WARPFS_THREAD Fs& fs, uint first, uint end, WARPFS_THREAD const FlushRange& range, WARPFS_THREAD int& result) {
  uint look = LOOK_WRITTEN;
  for (uint base = first; base < end && look != LOOK_NOTHING_DIRTY; base += 32u) {
    if ((base - first) % LOOK_LINES == 0u) look = lines_look(fs, base, end - base < LOOK_LINES ? end : base + LOOK_LINES);
    if (look != LOOK_MODIFIED && look != LOOK_WRITING) continue;
    uint mask = unwritten_among(fs, base, end - base < 32u ? end - base : 32u, range);
    for (; mask != 0u; mask &= mask - 1u) {
      const int status = line_flush(fs, base + lowest_bit(mask), range);
      if (status == WARPFS_PENDING) {
        result = status;
      } else if (status != 0 && result == 0) {
        result = status;
      }
    }
  }
  return look != LOOK_NOTHING_DIRTY;
}

// All lanes. Writes back what lines [first, end) carry of a file (0: of any): 0, the first error, or PENDING. What the gpu can store into the file
// itself comes first. Of the rest the first round starts everything, the second waits: the host has many write-backs at once.
// `served` says that a run of this call is past it.
WARPFS_FN int lines_flush(WARPFS_THREAD Fs& fs, uint first, uint end, WARPFS_THREAD const FlushRange& range) {
  int result = 0;
  const uint start = flush_start(fs, first, end);
#if WARPFS_STORES
  lines_store_all(fs, first, start, end, range);
#endif
  if (lines_flush_start(fs, start, end, range) && lines_flush_start(fs, first, start, range) && lines_flush_wait(fs, start, end, range, result)) {
    lines_flush_wait(fs, first, start, range, result);
  }
  // Under replay: what was started is not started again for ever where it fails and others look at the answer first.
  fs.served = 1u;
  return result;
}

// All lanes. The whole of one file.
WARPFS_FN int file_flush(WARPFS_THREAD Fs& fs, uint file_id) {
  FlushRange range;
  range.file_id = file_id;
  range.page_end = ~(ulong)0;
  return lines_flush(fs, 0u, fs.geometry->line_count, range);
}

// All lanes, when everything that had to be written back has been, or has failed with `flushed`: the host syncs, or tells no error twice.
WARPFS_FN int file_sync(WARPFS_THREAD Fs& fs, int file, int flushed) {
  if (flushed == WARPFS_PENDING) return flushed;
  if (warp_broadcast(fs.lane, fs.asked, 0u) == 0u) fs.kept = (uint)-flushed;
  ulong value = 0;
  const int synced = mail_ask(fs, Opcode::SYNC, (uint)file, 0u, fs.kept != 0u ? 1u : 0u, value);
  return synced == WARPFS_PENDING || fs.kept == 0u ? synced : -(int)fs.kept;
}

WARPFS_CALL int gfsync(WARPFS_THREAD Fs& fs, int file) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  int flushed = 0;
  if (warp_broadcast(fs.lane, fs.asked, 0u) == 0u) {
    const FileView view = file_view(fs, file, 0u, 0u, 0u, 0);
    if (view.error != 0) return call_end(fs, view.error);
    flushed = file_flush(fs, view.source.file_id);
  }
  return call_end(fs, file_sync(fs, file, flushed));
}

}  // namespace warpfs
