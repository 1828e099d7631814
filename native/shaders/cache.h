// Bringing pages into the cache: one request for up to eight of them, one read however many warps ask.
#pragma once

namespace warpfs {

// A request to fill consecutive pages that is being put together. Never waited with: its place in the ring is published first.
struct Fill {
  Reservation reservation;        // leader only
  uint used;                      // pages up to the last one that was claimed
  uint lines[REQUEST_LINES_MAX];  // of the first `used` pages
};

WARPFS_FN void fill_begin(WARPFS_THREAD Fill& fill) {
  fill.reservation = reservation_none();
  fill.used = 0;
}

WARPFS_FN void fill_add(WARPFS_THREAD Fill& fill, uint index, uint line) {
  for (; fill.used < index; fill.used++) fill.lines[fill.used] = LINE_NONE;
  fill.lines[index] = line;
  fill.used = index + 1u;
}

WARPFS_FN uint fill_line(WARPFS_THREAD const Fill& fill, uint index) { return index < fill.used ? fill.lines[index] : (uint)LINE_NONE; }

// All lanes; the leader posts what was claimed, or gives its place back.
WARPFS_FN void fill_publish(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong first_page, WARPFS_THREAD Fill& fill) {
  if (!is_leader(fs)) return;
  if (fill.used == 0u) {
    ring_give_up(fs, fill.reservation);
    return;
  }
  ring_write(fs, fill.reservation, Opcode::FILL, source.handle, first_page << fs.line_shift, fill.used << fs.line_shift, fill.used);
  WARPFS_DEVICE Request* request = ring_slot(fs, fill.reservation);
  // Where the file has become another meanwhile, the host gives its bytes to nobody who asks for the old ones.
  host_store(&request->mailbox, source.file_id);
  for (uint i = 0; i < fill.used; i++) host_store(&request->lines[i], fill.lines[i]);
  ring_publish(fs, fill.reservation);
}

enum : uint32_t {
  PAGE_READY,   // in `line`, pinned, its bytes are there
  PAGE_FILLED,  // the same, and this warp has just brought them
  PAGE_COMING,  // in `line`, pinned: line_wait
  PAGE_OURS,    // in `line`, pinned, claimed by this warp just now: it belongs into the request
  PAGE_LATER,   // `line` is pinned and has to be waited for and let go, then look again
  PAGE_PINNED,  // every line where it could lie is pinned
  PAGE_AGAIN,   // look again
};

// All lanes. What is to be done about a page after one look for it (FIND_*): one attempt to claim a line where it is missing. Never waits.
WARPFS_FN uint page_claim(WARPFS_THREAD Fs& fs, WARPFS_THREAD const CacheSet& set, WARPFS_THREAD const Tag& tag, uint found, uint step,
                          WARPFS_THREAD Reservation& reservation, WARPFS_THREAD uint& line) {
  if (found == FIND_READY) return PAGE_READY;
  if (found == FIND_BUSY) return PAGE_COMING;
  if (found == FIND_AGAIN) return PAGE_AGAIN;
  const uint claimed = set_claim(fs, set, tag, step, reservation, line);
  if (claimed == CLAIM_OURS) {
    count(fs, Counter::MISSES, 1u);
    return PAGE_OURS;
  }
  if (claimed == CLAIM_WAIT) return PAGE_LATER;
  return claimed == CLAIM_PINNED ? PAGE_PINNED : PAGE_AGAIN;
}

// All lanes. The same for a page whose bytes are wanted: where the gpu can read them itself it does (PAGE_FILLED).
WARPFS_FN uint page_claim_to_fill(WARPFS_THREAD Fs& fs, WARPFS_THREAD const CacheSet& set, WARPFS_THREAD const Tag& tag, uint found,
                                  WARPFS_THREAD Reservation& reservation, WARPFS_THREAD uint& line) {
#if WARPFS_WINDOWS
  if (found == FIND_MISS) {
    const ulong address = warp_broadcast64(fs.lane, is_leader(fs) ? window_place(fs, fs.window, tag.page) : 0u, 0u);
    if (address != 0u) {
      const uint tried = page_claim(fs, set, tag, found, LineStep::STARTING, reservation, line);
      if (tried != PAGE_OURS) return tried;
      if (line_fill_here(fs, line, address)) return PAGE_FILLED;
    }
  }
#endif
  return page_claim(fs, set, tag, found, LineStep::FILLING, reservation, line);
}

// All lanes. One look for a page, and one attempt to claim a line for it. Never waits.
WARPFS_FN uint page_try(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Tag& tag, uint step, WARPFS_THREAD Reservation& reservation,
                        WARPFS_THREAD uint& line) {
  const CacheSet set = set_of(fs, tag);
  const uint found = set_find(fs, set, tag, line);
  if (step == LineStep::FILLING) return page_claim_to_fill(fs, set, tag, found, reservation, line);
  return page_claim(fs, set, tag, found, step, reservation, line);
}

// Leader only. One of the lines behind the cache, for one page of one call; LINE_NONE where all are in use.
WARPFS_FN uint bypass_claim(WARPFS_THREAD Fs& fs) {
  const uint lines = fs.geometry->bypass_count;
  for (uint i = 0; i < lines; i++) {
    const uint line = fs.geometry->line_count + (fs.slot + i) % lines;
    WARPFS_DEVICE uint* word_of = fs.words + line;
    uint word = atomic_load(word_of);
    if (line_state(word) == LineState::BUSY && line_pins(word) == 0u) {
      // Left behind by a call that gave up waiting; by now the host may have answered.
      word = atomic_add(word_of, LINE_PIN) + LINE_PIN;
      // Lines behind the cache are never written back: a pin is enough to end their fill.
      if (line_state(word) == LineState::BUSY && line_pins(word) == 1u && line_finish(fs, line, word)) {
        if (line_state(word) == LineState::READY) line_move(fs, line, word, LineState::INVALID, LineStep::NONE);
      }
      line_unpin(fs, line);
      word = atomic_load(word_of);
    }
    if (line_state(word) != LineState::INVALID || line_pins(word) != 0u) continue;
    if (!atomic_cas(word_of, word, line_claimed())) continue;
    fence_acquire();
    atomic_store(&fs.auxes[line].ticket, atomic_load(&fs.auxes[line].ticket) + 1u);
    word = atomic_load(word_of);
    line_move(fs, line, word, LineState::BUSY, LineStep::FILLING);
    return line;
  }
  return LINE_NONE;
}

// Leader only. The line carries nothing for anybody else.
WARPFS_FN void bypass_release(WARPFS_THREAD const Fs& fs, uint line) {
  uint word = atomic_load(fs.words + line);
  while (line_state(word) == LineState::READY) line_move(fs, line, word, LineState::INVALID, LineStep::NONE);
  line_unpin(fs, line);
}

// All lanes. Starts a read of one page past the cache: 0 or -EAGAIN.
WARPFS_FN int bypass_start(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong page) {
  Fill fill;
  fill_begin(fill);
  uint line = LINE_NONE;
  if (is_leader(fs) && ring_reserve(fs, fill.reservation)) {
    line = bypass_claim(fs);
    if (line == (uint)LINE_NONE) ring_give_up(fs, fill.reservation);
  }
  line = warp_broadcast(fs.lane, line, 0u);
  if (line == (uint)LINE_NONE) return -Errno::eagain;
  fill_add(fill, 0u, line);
  fill_publish(fs, source, page, fill);
  count(fs, Counter::BYPASSES, 1u);
  fs.bypass_line = line;
  fs.bypass_page = page;
  return 0;
}

WARPFS_HOT_CALL void page_release_read(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong page, uint line) {
#if WARPFS_HINTS
  if (line != fs.bypass_line) {
    warp_sync(fs.lane);
    if (is_leader(fs)) {
      const Vec16 hint = hint_of(fs, source.file_id, page, line);
      // The bytes are there before the hint, and were read before the pin is gone.
      fence_release();
      hint_store(fs, (int)source.handle, page, hint);
      atomic_sub_unasked(fs.words + line, LINE_PIN);
    }
    return;
  }
#else
  (void)source;
  (void)page;
#endif
  page_release(fs, line);
}

WARPFS_HOT_CALL void page_release(WARPFS_THREAD Fs& fs, uint line) {
  warp_sync(fs.lane);
  if (line == fs.bypass_line) {
    fs.bypass_line = LINE_NONE;
    if (is_leader(fs)) bypass_release(fs, line);
  } else if (is_leader(fs)) {
    line_unpin(fs, line);
  }
}

// All lanes. Waits for a pinned line that is on its way. On 0 it is still pinned, otherwise it was let go (or is held for the next run).
WARPFS_FN int page_wait(WARPFS_THREAD Fs& fs, uint line) {
  const int status = line_wait(fs, line).status;
  count(fs, Counter::WAITS, 1u);
  if (status == WARPFS_PENDING && line != fs.bypass_line) item_hold(fs, line);
  if (status != 0 && status != WARPFS_PENDING) {
    if (line == fs.bypass_line) fs.bypass_line = LINE_NONE;
    if (is_leader(fs)) line_unpin(fs, line);
  }
  return status;
}

// All lanes. Waits for a line that page_try wants out of the way, and lets go of it: 0, the error of its write-back, or wait_outcome().
WARPFS_FN int page_make_way(WARPFS_THREAD Fs& fs, uint line) {
  const Waited waited = line_wait(fs, line);
  if (is_leader(fs)) line_unpin(fs, line);
  // A fill that failed leaves the line free: no concern of ours.
  return waited.status == wait_outcome() ? waited.status : waited.written < 0 ? waited.written : 0;
}

// All lanes. Every line is pinned, and this call does not wait for that. Pins of its own that a replayed item still holds from its last run
// are gone in the next.
WARPFS_FN int item_pins_outcome(WARPFS_THREAD Fs& fs) {
#if WARPFS_REPLAY
  uint holds = 0;
  if (is_leader(fs)) holds = fs.record->status == ItemStatus::PENDING ? fs.record->held_count : 0u;
  if (warp_broadcast(fs.lane, holds, 0u) != 0u) return WARPFS_PENDING;
#else
  (void)fs;
#endif
  return -Errno::eagain;
}

WARPFS_HOT_CALL int page_read(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong page, uint use, WARPFS_THREAD uint& line) {
  WaitBound bound;
  wait_start(fs, bound);
  Tag tag;
  tag.file_id = source.file_id;
  tag.page = page;
  for (;;) {
    // A call that wants several pages may have sent for another one.
    if (fs.bypass_line != (uint)LINE_NONE && fs.bypass_page == page) {
      line = fs.bypass_line;
      return page_wait(fs, line);
    }
    Fill fill;
    fill_begin(fill);
    const bool replaced = use == PAGE_TO_REPLACE;
    const uint tried = page_try(fs, tag, replaced ? LineStep::STARTING : LineStep::FILLING, fill.reservation, line);
    if (tried == PAGE_OURS && !replaced) fill_add(fill, 0u, line);
    fill_publish(fs, source, page, fill);
    if (tried == PAGE_OURS && replaced) return PAGE_IS_OURS;
    if (tried == PAGE_FILLED) return 0;
    if (tried == PAGE_READY) {
      count(fs, Counter::HITS, 1u);
      return 0;
    }
    if (tried == PAGE_OURS) return page_wait(fs, line);
    if (tried == PAGE_COMING) {
      const int status = page_wait(fs, line);
      const bool writes = use == PAGE_TO_WRITE || use == PAGE_TO_REPLACE;
      // Who had claimed it gave up. Or who writes has passed the gate, and a reader was refused because of a truncation that is over.
      if (status == -Errno::eagain || (status == -Errno::estale && writes)) continue;
      if (status >= 0 || status == wait_outcome() || fs.again != 0u) return status;
      // Somebody else asked for it, maybe long ago, and nobody has seen it fail: what is true now is found out once.
      fs.again = 1u;
      continue;
    }
    bool past_the_cache = tried == PAGE_PINNED;
    if (tried == PAGE_LATER) {
      const int status = page_make_way(fs, line);
      if (status == wait_outcome() || (status != 0 && use != PAGE_TO_READ)) return status;
      if (status == 0) continue;
      past_the_cache = true;  // it is full of bytes that cannot be written back
    }
    if (past_the_cache && use == PAGE_TO_MAP) return item_pins_outcome(fs);
    if (past_the_cache && use == PAGE_TO_READ && fs.bypass_line == (uint)LINE_NONE && bypass_start(fs, source, page) == 0) continue;
    count(fs, Counter::RETRIES, 1u);
    if (!warp_wait_again(fs, bound)) return wait_outcome();
  }
}

}  // namespace warpfs
