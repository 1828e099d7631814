// A work item is what one warp does. Under replay an item that would have to wait leaves with PENDING and is run again from its beginning;
// the calls and loads that it had finished return what the log says, so that nothing happens twice, and the call that it was in goes on.
//
// The log has an end. What an item does between two checkpoints has to fit: REPLAY_LOG_CALLS calls, REPLAY_LOG_WORDS words of loads a lane,
// and no two reads into the same bytes (the log knows how many bytes a read gave, not which). An item that does more keeps its progress in its
// phase, a few words that start as zeros, and makes checkpoints. Under spin the phase is zeros and a checkpoint does nothing.
#pragma once

namespace warpfs {

// All lanes. A pin that the next run of a pending item needs: without it small caches could lose every page before it was read.
WARPFS_FN void item_hold(WARPFS_THREAD Fs& fs, uint line) {
#if WARPFS_REPLAY
  if (fs.held_count < HELD_LINES_MAX) {
    fs.held[fs.held_count] = line;
    fs.held_count++;
    return;
  }
#endif
  if (is_leader(fs)) line_unpin(fs, line);
}

WARPFS_FN void call_clear(WARPFS_THREAD Fs& fs) {
  fs.progress = 0;
  fs.served = 0;
  fs.asked = 0;
  fs.kept = 0;
  fs.file_id = 0;
  fs.again = 0;
  fs.bypass_line = LINE_NONE;
  fs.bypass_page = 0;
}

#if WARPFS_REPLAY
// Leader only. All that a later run goes on with, but for what it holds.
WARPFS_FN void item_save_progress(WARPFS_THREAD const Fs& fs) {
  WARPFS_DEVICE ItemRecord* record = fs.record;
  record->log_count = fs.call;
  record->asked = fs.asked;
  record->kept = fs.kept;
  record->file_id = fs.file_id;
  record->again = fs.again;
  record->gate = fs.gate;
  record->error = fs.error;
  record->progress = fs.progress;
  record->served = fs.served;
  record->bypass = fs.bypass_line + 1u;
  record->bypass_page[0] = (uint)fs.bypass_page;
  record->bypass_page[1] = (uint)(fs.bypass_page >> 32);
  record->load_words = fs.load_words;
  for (uint i = 0; i < PHASE_WORDS; i++) record->phase[i] = fs.phase[i];
  record->status = ItemStatus::PENDING;
}
#endif

// Leader only. Where the system may end a kernel anywhere, the record says at any time where the item goes on: behind all that the host has done for it.
WARPFS_FN void item_note(WARPFS_THREAD const Fs& fs) {
#if WARPFS_REPLAY && WARPFS_MAY_BE_ENDED
  item_save_progress(fs);
#else
  (void)fs;
#endif
}

// Leader only. The same for a call that has ended, before it lets go of anything: what the record does not name is let go of for it.
WARPFS_FN void item_note_end(WARPFS_THREAD Fs& fs) {
#if WARPFS_REPLAY && WARPFS_MAY_BE_ENDED
  const uint gate = fs.gate;
  fs.gate = 0;
  item_save_progress(fs);
  fs.gate = gate;
#else
  (void)fs;
#endif
}

#if !WARPFS_CALLS_LINKED
WARPFS_CALL void item_begin(WARPFS_THREAD Fs& fs) {
#if WARPFS_SHAPE_IN_FS
  fs.line_shift = fs.geometry->line_shift;
  fs.set_count = fs.geometry->set_count;
  fs.set_ways_base = fs.geometry->line_count / fs.set_count;
  fs.set_ways_rest = fs.geometry->line_count % fs.set_count;
#endif
  fs.error = 0;
  fs.pending = false;
  for (uint i = 0; i < COUNTER_COUNT && is_leader(fs); i++) item_counters(fs)[i] = 0;
  fs.gate = 0;
  call_clear(fs);
#if WARPFS_MAPS_NEAR
  for (uint i = 0; i < MAPS_MAX && is_leader(fs); i++) item_maps(fs)[i] = 0;
#endif
#if WARPFS_REPLAY
  fs.call = 0;
  fs.log_count = 0;
  fs.load_words = 0;
  fs.load_count = 0;
  fs.prologue_calls = 0;
  fs.prologue_words = 0;
  fs.in_prologue = true;
  fs.held_count = 0;
  for (uint i = 0; i < PHASE_WORDS; i++) fs.phase[i] = fs.phase_next[i] = 0;
  WARPFS_DEVICE const ItemRecord* record = fs.record;
  if (record->status == ItemStatus::PENDING) {
    fs.error = record->error;
    fs.log_count = record->log_count;
    fs.load_count = record->load_words;
    for (uint i = 0; i < PHASE_WORDS; i++) fs.phase[i] = fs.phase_next[i] = record->phase[i];
    fs.progress = record->progress;
    fs.served = record->served;
    fs.asked = record->asked;
    fs.kept = record->kept;
    fs.file_id = record->file_id;
    fs.again = record->again;
    fs.gate = record->gate;
    fs.bypass_line = record->bypass - 1u;  // 0 becomes LINE_NONE
    fs.bypass_page = (ulong)record->bypass_page[0] | ((ulong)record->bypass_page[1] << 32);
  }
#endif
}
#endif

// All lanes, first thing in every call that has a result. True: `result` is final, return it.
WARPFS_FN bool call_begin(WARPFS_THREAD Fs& fs, WARPFS_THREAD int& result) {
#if WARPFS_REPLAY
  result = WARPFS_PENDING;
  if (fs.pending) return true;
  if (fs.call < fs.log_count) {
    result = fs.log[fs.call].result;
    fs.call++;
    return true;
  }
  if (fs.call >= REPLAY_LOG_CALLS) {
    result = -Errno::erange;
    note_error(fs, result);
    return true;
  }
#else
  (void)fs;
  (void)result;
#endif
  return false;
}

// All lanes, last thing in every call that has a result.
WARPFS_FN int call_end(WARPFS_THREAD Fs& fs, int result) {
#if WARPFS_REPLAY
  if (result == WARPFS_PENDING) {
    fs.pending = true;
    return result;
  }
  if (is_leader(fs)) {
    fs.log[fs.call].result = result;
    fs.log[fs.call].length = 0;
  }
  fs.call++;
#endif
  const uint bypass = fs.bypass_line;
  call_clear(fs);
  if (is_leader(fs)) item_note_end(fs);
  // A replayed call may end before it comes to the page that it went past the cache for: its file may be gone by then.
  if (bypass != (uint)LINE_NONE && is_leader(fs)) line_unpin(fs, bypass);
  if (is_leader(fs)) gate_leave(fs);
  return result;
}

// All lanes. A read into bytes that an earlier read of this item went to: a replay could not give both back.
WARPFS_FN bool read_target_is_new(WARPFS_THREAD const Fs& fs, WARPFS_DEVICE const uchar* target, uint length) {
#if WARPFS_REPLAY
  const ulong begin = (ulong)target;
  bool overlaps = false;
  for (uint i = fs.lane.index; i < fs.call; i += fs.lane.count) {
    WARPFS_DEVICE const LogEntry* entry = fs.log + i;
    if (entry->length != 0u && begin < entry->value + entry->length && entry->value < begin + length) overlaps = true;
  }
  return !warp_any(fs.lane, overlaps);
#else
  (void)fs;
  (void)target;
  (void)length;
  return true;
#endif
}

// All lanes, instead of call_end, at the end of a read.
WARPFS_FN int read_end(WARPFS_THREAD Fs& fs, int result, WARPFS_DEVICE const uchar* target, uint length) {
  const int ended = call_end(fs, result);
#if WARPFS_REPLAY
  if (!fs.pending && is_leader(fs)) {
    fs.log[fs.call - 1u].value = (ulong)target;
    fs.log[fs.call - 1u].length = length;
  }
  // The next read looks at this entry with all lanes.
  warp_sync(fs.lane);
#else
  (void)target;
  (void)length;
#endif
  return ended;
}

// All lanes. A word of the phase as the last checkpoint kept it, 0 before the first. The calls before the first gphase are the prologue: their
// results stay in the log, so that what the item has opened there stays open.
WARPFS_FN uint gphase(WARPFS_THREAD Fs& fs, uint index) {
#if WARPFS_REPLAY
  if (fs.in_prologue) {
    fs.in_prologue = false;
    fs.prologue_calls = fs.call;
    fs.prologue_words = fs.load_words;
  }
  return index < PHASE_WORDS ? fs.phase[index] : 0u;
#else
  (void)fs;
  (void)index;
  return 0u;
#endif
}

// All lanes, with the same value: what the next checkpoint is to keep. Beyond PHASE_WORDS the item fails.
WARPFS_FN void gphase_set(WARPFS_THREAD Fs& fs, uint index, uint value) {
  if (index >= PHASE_WORDS) note_error(fs, -Errno::erange);
#if WARPFS_REPLAY
  if (index < PHASE_WORDS) fs.phase_next[index] = value;
#else
  (void)value;
#endif
}

// All lanes. What the item did since its prologue is behind it: it will go on from its phase, and the log is free again.
WARPFS_FN void gcheckpoint(WARPFS_THREAD Fs& fs) {
#if WARPFS_REPLAY
  if (fs.pending) return;
  gphase(fs, 0u);
  for (uint i = 0; i < PHASE_WORDS; i++) fs.phase[i] = fs.phase_next[i];
  fs.call = fs.prologue_calls;
  fs.log_count = fs.prologue_calls;
  fs.load_words = fs.prologue_words;
  fs.load_count = fs.prologue_words;
  // No lane looks any more at the entries that will now be written again.
  warp_sync(fs.lane);
  if (is_leader(fs)) item_note(fs);
#else
  (void)fs;
#endif
}

// A call had to wait, and the kernel replays.
WARPFS_FN bool item_leaves(WARPFS_THREAD const Fs& fs) {
#if WARPFS_REPLAY
  return fs.pending;
#else
  (void)fs;
  return false;
#endif
}

// Leaves the item when a call had to; an item is `int body(...)`.
#define WARPFS_TRY(declaration, ...) \
  declaration = __VA_ARGS__;         \
  if (::warpfs::item_leaves(fs)) return ::warpfs::WARPFS_PENDING

#if !WARPFS_CALLS_LINKED

// Folds what the leader counted into one of the records that the host adds up after the dispatch.
WARPFS_FN void item_fold_counters(WARPFS_THREAD const Fs& fs) {
  WARPFS_DEVICE WarpStats* stats = fs.stats + (fs.slot & (fs.geometry->stats_count - 1u));
  for (uint i = 0; i < COUNTER_COUNT; i++) {
    const uint counted = item_counters(fs)[i];
    if (counted == 0u) continue;
    const uint before = atomic_add(&stats->low[i], counted);
    if (before + counted < before) atomic_add(&stats->high[i], 1u);
  }
}

WARPFS_FN void item_report_error(WARPFS_THREAD const Fs& fs) {
  const uint place = atomic_add(&fs.fault->count, 1u);
  if (place < FAULT_ITEMS_MAX) {
    fs.fault->items[place] = fs.item;
    fs.fault->errors[place] = fs.error;
  }
}

#if WARPFS_REPLAY
// Leader only. Pins that were kept for this run: it has taken its own by now.
WARPFS_FN void item_release(WARPFS_THREAD const Fs& fs) {
  WARPFS_DEVICE ItemRecord* record = fs.record;
  if (record->status == ItemStatus::PENDING) {
    for (uint i = 0; i < record->held_count; i++) line_unpin(fs, record->held[i]);
  }
  record->held_count = 0;
}

WARPFS_FN void item_save(WARPFS_THREAD const Fs& fs) {
  WARPFS_DEVICE ItemRecord* record = fs.record;
  item_save_progress(fs);
  record->held_count = fs.held_count;
  for (uint i = 0; i < fs.held_count; i++) record->held[i] = fs.held[i];
}
#endif

// Leader only. Maps that the item leaves behind. What it stored in one for writing since it last said so may never reach the file: that fails it.
WARPFS_FN void item_unmap(WARPFS_THREAD Fs& fs) {
  for (uint i = 0; i < MAPS_MAX; i++) {
    const uint entry = item_maps(fs)[i];
    if (entry == 0u) continue;
    item_maps(fs)[i] = 0u;
    set_unmap(fs, (entry >> 1) - 1u);
    line_unpin(fs, (entry >> 1) - 1u);
    if ((entry & 1u) != 0u) note_error(fs, -Errno::ebusy);
  }
}

// All lanes, once at the end of every run of an item. `status` is what its body returned.
WARPFS_CALL void item_end(WARPFS_THREAD Fs& fs, int status) {
  if (status < 0 && status != WARPFS_PENDING) note_error(fs, status);
#if WARPFS_REPLAY
  // No lane reads the record any more.
  warp_sync(fs.lane);
#endif
  if (!is_leader(fs)) return;
  item_fold_counters(fs);
#if WARPFS_REPLAY
  item_release(fs);
  if (fs.pending) {
    item_save(fs);
    return;
  }
  // A load of several elements may have left one pending before another one failed.
  for (uint i = 0; i < fs.held_count; i++) line_unpin(fs, fs.held[i]);
  fs.record->status = ItemStatus::DONE;
#endif
  item_unmap(fs);
  if (fs.error != 0) item_report_error(fs);
}

#endif

}  // namespace warpfs
