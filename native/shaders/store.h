// Storing the dirty bytes of lines into their file where it lies in the memory of the host: the warp that flushes them does it, and nobody is
// asked. Each lane takes a few lines (STORING), all lanes store the bytes of one after another, and one fence of system scope is enough for all of
// them. Lines that others write into, and bytes for which there is no window, are left to the host.
// A store in flight cannot be called back, so it is made within the gate of the file: a truncation waits until it is over. Where the host has taken
// the windows back for another reason the bytes may have gone nowhere: they stay in the line, and the host is asked.
#pragma once

namespace warpfs {

#if WARPFS_STORES

// The file that a warp stores into; `window` has no windows where it may not. The same in all lanes but for `entered`, which is the leader's.
struct StoreTarget {
  uint file;
  uint file_id;
  Vec16 window;
  WARPFS_DEVICE const FileEntry* entry;
  bool entered;  // it has passed the gate for this
};

// A fence of system scope takes longer than the bytes of a line: the more lines it is for, the better.
enum : uint32_t { STORES_OF_LANE = 2 };

// The lines that a lane has taken, with what is dirty of each, and where that goes. It alone ends them.
struct Taken {
  uint count;
  uint stored;  // of all lanes, before these
  uint lines[STORES_OF_LANE];
  uint ranges[STORES_OF_LANE];
  ulong places[STORES_OF_LANE];
};

WARPFS_FN void store_leave(WARPFS_THREAD Fs& fs, WARPFS_THREAD StoreTarget& target) {
  if (is_leader(fs) && target.entered) gate_leave(fs);
  target.entered = false;
  target.file_id = 0;
}

// All lanes. The grant of the file, if the leader is to `look`: without windows where the gpu may not store.
WARPFS_FN Vec16 store_window(WARPFS_THREAD const Fs& fs, WARPFS_THREAD const StoreTarget& target, uint file_id, bool look) {
  ulong low = 0;
  ulong high = 0;
  if (is_leader(fs) && look) {
    const Vec16 window = atomic_load16(&target.entry->window_base[0]);
    if (window_is_writable(window, file_id)) {
      low = (ulong)window.words[0] | ((ulong)window.words[1] << 32);
      high = (ulong)window.words[2] | ((ulong)window.words[3] << 32);
    }
  }
  low = warp_broadcast64(fs.lane, low, 0u);
  high = warp_broadcast64(fs.lane, high, 0u);
  Vec16 window;
  window.words[0] = (uint)low;
  window.words[1] = (uint)(low >> 32);
  window.words[2] = (uint)high;
  window.words[3] = (uint)(high >> 32);
  return window;
}

enum : uint32_t {
  STORE_ENTERED,
  STORE_NONE_HERE,  // these pages lie in no window
  STORE_NEVER,      // the gpu may not store into this file
};

// All lanes. Passes the gate of a file for the pages of the lanes that are `mine`. The windows are looked at within the gate: those of before a
// truncation are no more.
WARPFS_FN uint store_enter(WARPFS_THREAD Fs& fs, uint file, uint file_id, bool mine, ulong page, WARPFS_THREAD StoreTarget& target) {
  target.file = file;
  target.file_id = file_id;
  target.entry = file_place(fs, (int)file);
  target.entered = false;
  // Where there is nothing to store the gate is left alone: others would see it move, and nothing come of it.
  target.window = store_window(fs, target, file_id, target.entry != 0);
  uint outcome = target.window.words[2] != 0u ? STORE_NONE_HERE : STORE_NEVER;
  if (warp_any(fs.lane, mine && window_place(fs, target.window, page) != 0u)) {
    bool open = false;
    if (is_leader(fs)) {
      const bool outside = fs.gate == 0u;
      const bool passed = gate_try(fs, (int)file);
      target.entered = passed && outside;
      FileLook look;
      open = passed && file_look(target.entry, look) && handle_is(look.handle, (int)file) && look.file_id == file_id;
    }
    target.window = store_window(fs, target, file_id, open);
    outcome = target.window.words[2] != 0u ? STORE_ENTERED : STORE_NEVER;
  }
  if (outcome != STORE_ENTERED) store_leave(fs, target);
  return outcome;
}

// One lane. Ends what line_store_begin began.
WARPFS_FN void line_store_end(WARPFS_THREAD const Fs& fs, uint line, uint range, bool stored) {
  if (!stored) restore_dirty(fs, line, range);
  uint word = atomic_load(fs.words + line);
  line_move(fs, line, word, stored ? LineState::READY : LineState::MODIFIED, LineStep::NONE);
  if (stored && dirty_has_mask(range)) mask_free(fs, dirty_mask(range));
}

// One lane. Takes a MODIFIED line that nobody has a hand on, and what is dirty of it. False: it is left as it is.
WARPFS_FN bool line_store_begin(WARPFS_THREAD const Fs& fs, uint line, WARPFS_THREAD const Tag& tag, WARPFS_THREAD uint& range) {
  uint word = atomic_load(fs.words + line);
  do {
    if (line_state(word) != LineState::MODIFIED || line_hands(word) != 0u) return false;
  } while (!atomic_cas(fs.words + line, word, line_with(word, LineState::BUSY, LineStep::STORING)));
  // What the writers did before they let go is visible from here on.
  fence_acquire();
  range = atomic_exchange(&fs.auxes[line].dirty, DIRTY_NONE);
  // The host knows nothing of this attempt: what it answered last is about others.
  atomic_store(&fs.auxes[line].writing, DIRTY_NONE);
  if (tag_matches(fs, line, tag)) return true;
  // It was given to another page since it was looked at.
  line_store_end(fs, line, range, false);
  return false;
}

WARPFS_FN void store_bytes(WARPFS_THREAD const Fs& fs, ulong target, const WARPFS_DEVICE uchar* line, uint first, uint end) {
  for (uint at = first + fs.lane.index; at < end; at += fs.lane.count) bus_store1((WARPFS_DEVICE uchar*)(target + at), data_load1(line + at));
}

WARPFS_FN void store_range(WARPFS_THREAD const Fs& fs, ulong target, const WARPFS_DEVICE uchar* line, uint first, uint end) {
  const uint begin16 = (first + 15u) & ~15u;
  const uint end16 = end & ~15u;
  store_bytes(fs, target, line, first, begin16 < end ? begin16 : end);
  // All loads of a part are on their way before the first of them is waited for.
  for (uint base = begin16 / 16u + fs.lane.index; base < end16 / 16u; base += COPY_AT_ONCE * fs.lane.count) {
    Vec16 part[COPY_AT_ONCE];
    for (uint i = 0; i < COPY_AT_ONCE; i++) {
      if (base + i * fs.lane.count < end16 / 16u) part[i] = data_load16((const WARPFS_DEVICE Vec16*)line + base + i * fs.lane.count);
    }
    for (uint i = 0; i < COPY_AT_ONCE; i++) {
      if (base + i * fs.lane.count < end16 / 16u) bus_store16((WARPFS_DEVICE Vec16*)target + base + i * fs.lane.count, part[i]);
    }
  }
  store_bytes(fs, target, line, end16 > begin16 ? end16 : begin16, end);
}

WARPFS_FN void store_masked(WARPFS_THREAD const Fs& fs, ulong target, const WARPFS_DEVICE uchar* line, const WARPFS_DEVICE uint* mask) {
  for (uint piece = fs.lane.index; piece < line_bytes(fs) / 16u; piece += fs.lane.count) {
    const uint bits = (atomic_load(mask + piece / 2u) >> (piece % 2u * 16u)) & 0xffffu;
    if (bits == 0xffffu) bus_store16((WARPFS_DEVICE Vec16*)target + piece, data_load16((const WARPFS_DEVICE Vec16*)line + piece));
    for (uint left = bits == 0xffffu ? 0u : bits; left != 0u; left &= left - 1u) {
      const uint at = piece * 16u + lowest_bit(left);
      bus_store1((WARPFS_DEVICE uchar*)(target + at), data_load1(line + at));
    }
  }
}

// All lanes. What is dirty of a line that this warp has taken.
WARPFS_CALL void dirty_store(WARPFS_THREAD const Fs& fs, ulong target, uint line, uint dirty) {
  const WARPFS_DEVICE uchar* bytes = line_data(fs, line);
  if (dirty_has_mask(dirty)) {
    store_masked(fs, target, bytes, mask_words(fs, dirty_mask(dirty)));
  } else {
    store_range(fs, target, bytes, dirty_first(dirty), dirty_last(dirty) + 1u);
  }
}

// All lanes. Stores what the lanes have taken, and lets go of it. False: the grant was not what it had been, and the lines are as they were.
WARPFS_CALL bool taken_store(WARPFS_THREAD Fs& fs, WARPFS_THREAD const StoreTarget& target, WARPFS_THREAD Taken& taken) {
  uint stored = 0;
  for (uint i = 0; i < STORES_OF_LANE; i++) {
    const uint lines = warp_ballot(fs.lane, i < taken.count);
    for (uint left = lines; left != 0u; left &= left - 1u) {
      const uint lane = lowest_bit(left);
      const ulong what = warp_broadcast64(fs.lane, ((ulong)taken.ranges[i] << 32) | taken.lines[i], lane);
      dirty_store(fs, warp_broadcast64(fs.lane, taken.places[i], lane), (uint)what, (uint)(what >> 32));
    }
    stored += bit_count(lines);
  }
  if (stored == 0u) return true;
  // Whoever sees that a line is READY, the host too, finds its bytes in the file.
  bus_fence();
  warp_sync(fs.lane);
  uint stands = 0;
  if (is_leader(fs)) stands = window_stands(target.entry, target.window) ? 1u : 0u;
  stands = warp_broadcast(fs.lane, stands, 0u);
  for (uint i = 0; i < STORES_OF_LANE; i++) {
    if (i < taken.count) line_store_end(fs, taken.lines[i], taken.ranges[i], stands != 0u);
  }
  taken.count = 0;
  if (stands == 0u) return false;
  taken.stored += stored;
  if (is_leader(fs)) {
    // Whoever sees that no line is dirty any more knows what all lanes have stored.
    fence_release();
    dirty_count(fs, 0u - stored);
  }
  count(fs, Counter::WRITE_BACKS, stored);
  return true;
}

// All lanes. Ends what was begun with a file, and leaves its gate.
WARPFS_FN void store_end(WARPFS_THREAD Fs& fs, WARPFS_THREAD StoreTarget& target, WARPFS_THREAD Taken& taken) {
  taken_store(fs, target, taken);
  store_leave(fs, target);
}

// All lanes. Takes the lines of the lanes that are `mine`, as far as each of them can be taken and lies in a window.
WARPFS_FN void lines_take(WARPFS_THREAD Fs& fs, WARPFS_THREAD StoreTarget& target, WARPFS_THREAD Taken& taken, bool mine, uint line,
                          WARPFS_THREAD const Tag& tag) {
  const ulong place = mine ? window_place(fs, target.window, tag.page) : 0u;
  if (warp_any(fs.lane, place != 0u && taken.count == STORES_OF_LANE) && !taken_store(fs, target, taken)) {
    store_leave(fs, target);  // another grant may have come in its place
    return;
  }
  uint range = DIRTY_NONE;
  if (place == 0u || !line_store_begin(fs, line, tag, range)) return;
  for (uint i = 0; i < STORES_OF_LANE; i++) {
    if (i != taken.count) continue;
    taken.lines[i] = line;
    taken.ranges[i] = range;
    taken.places[i] = place;
  }
  taken.count++;
}

// All lanes. Takes what the lines at `line`, another one in each lane, carry. False: it is about one file, which the gpu may not store into.
WARPFS_CALL bool lines_take_among(WARPFS_THREAD Fs& fs, WARPFS_THREAD StoreTarget& target, WARPFS_THREAD Taken& taken, uint line, uint end,
                                  WARPFS_THREAD const FlushRange& range) {
  const bool mine = line < end && line_state(atomic_load(fs.words + line)) == LineState::MODIFIED && line_belongs(fs, line, range);
  uint file = 0;
  Tag tag;
  tag.file_id = 0;
  tag.page = 0;
  if (mine) {
    file = atomic_load(&fs.auxes[line].file);
    tag.file_id = atomic_load(&fs.tags[line].file_id);
    tag.page = ((ulong)atomic_load(&fs.tags[line].page_high) << 32) | atomic_load(&fs.tags[line].page_low);
  }
  for (uint lines = warp_ballot(fs.lane, mine); lines != 0u;) {
    const ulong next = warp_broadcast64(fs.lane, ((ulong)file << 32) | tag.file_id, lowest_bit(lines));
    const bool of_it = mine && tag.file_id == (uint)next;
    lines &= ~warp_ballot(fs.lane, of_it);
    if (target.file_id != (uint)next) {
      store_end(fs, target, taken);
      const uint entered = store_enter(fs, (uint)(next >> 32), (uint)next, of_it, tag.page, target);
      if (entered == STORE_NEVER && range.file_id == (uint)next) return false;
      if (entered != STORE_ENTERED) continue;
    }
    lines_take(fs, target, taken, of_it, line, tag);
  }
  return true;
}

// All lanes. Stores what lines [first, end) carry, as far as the gpu can, and adds how many to `stored`. Never waits. False: it can do no more,
// here or elsewhere.
WARPFS_FN bool lines_store(WARPFS_THREAD Fs& fs, uint first, uint end, WARPFS_THREAD const FlushRange& range, WARPFS_THREAD uint& stored) {
  StoreTarget target;
  target.file_id = 0;
  target.entered = false;
  Taken taken;
  taken.count = 0;
  taken.stored = 0;
  bool goes_on = true;
  for (uint base = first; goes_on && base < end; base += LOOK_LINES) {
    const uint last = end - base < LOOK_LINES ? end : base + LOOK_LINES;
    const uint look = lines_look(fs, base, last);
    goes_on = look != LOOK_NOTHING_DIRTY;
    for (uint at = base; goes_on && look == LOOK_MODIFIED && at < last; at += fs.lane.count) {
      goes_on = lines_take_among(fs, target, taken, at + fs.lane.index, last, range);
    }
  }
  store_end(fs, target, taken);
  stored += taken.stored;
  return goes_on;
}

WARPFS_CALL bool set_store(WARPFS_THREAD Fs& fs, uint first, uint ways) {
  FlushRange any;
  any.file_id = 0u;
  any.page_end = 0u;
  uint stored = 0;
  lines_store(fs, first, first + ways, any, stored);
  return stored != 0u;
}

// Pages side by side lie in sets side by side. Of so many pages the writing of one takes along what has become dirty in their sets: while a stream
// of pages is read the other direction of the bus would have nothing to do, and whoever wants a line later, or syncs, would wait for all of it.
enum : uint32_t { BEHIND_PAGES = 32 };

// Which of them it is differs from group to group, so that among warps that go through pages in even steps each has its share.
WARPFS_FN bool page_stores_behind(ulong page) {
  return (uint)page % BEHIND_PAGES == ((uint)(page / BEHIND_PAGES) * 0x9e3779b1u) >> 27;
}
static_assert(BEHIND_PAGES == 1u << (32 - 27), "a hash chooses among all of them");

// All lanes, when a page was written whole that had not been here: what is written again and again stays here.
WARPFS_CALL void pages_store_behind(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong page) {
  Tag tag;
  tag.file_id = source.file_id;
  tag.page = page & ~(ulong)(BEHIND_PAGES - 1u);
  const CacheSet first = set_of(fs, tag);
  const uint end = first.index + BEHIND_PAGES;
  const CacheSet last = set_at(fs, (end < fs.set_count ? end : fs.set_count) - 1u);
  FlushRange range;
  range.file_id = source.file_id;
  range.page_end = ~(ulong)0;
  uint stored = 0;
  lines_store(fs, first.first, last.first + last.ways, range, stored);
}

WARPFS_FN bool line_is_storable(WARPFS_THREAD const Fs& fs, uint line) {
  WARPFS_DEVICE const FileEntry* entry = file_place(fs, (int)atomic_load(&fs.auxes[line].file));
  if (entry == 0) return false;
  const Vec16 window = atomic_load16(&entry->window_base[0]);
  const ulong page = ((ulong)atomic_load(&fs.tags[line].page_high) << 32) | atomic_load(&fs.tags[line].page_low);
  return window_is_writable(window, atomic_load(&fs.tags[line].file_id)) && window_place(fs, window, page) != 0u;
}

// As often as a warp goes through the lines as long as it finds something to store. What others are writing into is left out each time.
enum : uint32_t { STORE_ROUNDS = 16 };

// All lanes. Stores what lines [first, end) carry, beginning with `start`: what is left behind this the host has to write back.
WARPFS_FN void lines_store_all(WARPFS_THREAD Fs& fs, uint first, uint start, uint end, WARPFS_THREAD const FlushRange& range) {
  bool goes_on = true;
  for (uint round = 0; goes_on && round < STORE_ROUNDS; round++) {
    uint stored = 0;
    goes_on = lines_store(fs, start, end, range, stored) && lines_store(fs, first, start, range, stored) && stored != 0u;
  }
}

#endif

}  // namespace warpfs
