// A work item is what one warp does. Under replay an item that would have to wait leaves with PENDING and is run again from its beginning;
// the calls that it had finished return their logged results, so that nothing happens twice, and the call that it was in goes on.
#pragma once

namespace warpfs {

// Misses on pages that an earlier run had already passed, after which a pending item fails: what it loads does not fit into the cache.
enum : uint32_t { ITEM_REGRESSIONS_MAX = 1024 };

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
  fs.bypass_line = LINE_NONE;
}

WARPFS_FN void item_begin(WARPFS_THREAD Fs& fs) {
  fs.line_shift = fs.geometry->line_shift;
  fs.set_count = fs.geometry->set_count;
  fs.set_ways_base = fs.geometry->line_count / fs.set_count;
  fs.set_ways_rest = fs.geometry->line_count % fs.set_count;
  fs.error = 0;
  fs.call = 0;
  fs.log_count = 0;
  fs.loads = 0;
  fs.held_count = 0;
  fs.pending = false;
  for (uint i = 0; i < COUNTER_COUNT; i++) fs.counters[i] = 0;
  call_clear(fs);
#if WARPFS_REPLAY
  WARPFS_DEVICE const ItemRecord* record = fs.record;
  if (record->status == ItemStatus::PENDING) {
    fs.error = record->error;
    fs.log_count = record->log_count;
    fs.progress = record->progress;
    fs.served = record->served;
    fs.asked = record->asked;
    fs.bypass_line = record->bypass - 1u;  // 0 becomes LINE_NONE
  }
#endif
}

// All lanes, first thing in every call that has a result. True: `result` is final, return it.
WARPFS_FN bool call_begin(WARPFS_THREAD Fs& fs, WARPFS_THREAD int& result) {
#if WARPFS_REPLAY
  result = WARPFS_PENDING;
  if (fs.pending) return true;
  if (fs.call < fs.log_count) {
    result = fs.record->log[fs.call];
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
  if (is_leader(fs)) fs.record->log[fs.call] = result;
  fs.call++;
#endif
  call_clear(fs);
  return result;
}

// Leaves the item when the call has to wait and the kernel replays; an item is `int body(...)`.
#define WARPFS_TRY(declaration, ...) \
  declaration = __VA_ARGS__;         \
  if (fs.pending) return ::warpfs::WARPFS_PENDING

// Folds what the leader counted into one of the records that the host adds up after the dispatch.
WARPFS_FN void item_fold_counters(WARPFS_THREAD const Fs& fs) {
  WARPFS_DEVICE WarpStats* stats = fs.stats + (fs.slot & (fs.geometry->stats_count - 1u));
  for (uint i = 0; i < COUNTER_COUNT; i++) {
    if (fs.counters[i] == 0u) continue;
    const uint before = atomic_add(&stats->low[i], fs.counters[i]);
    if (before + fs.counters[i] < before) atomic_add(&stats->high[i], 1u);
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
  record->log_count = fs.call;
  record->asked = fs.asked;
  record->error = fs.error;
  record->progress = fs.progress;
  record->served = fs.served;
  record->bypass = fs.bypass_line + 1u;
  if (fs.loads > record->loads) record->loads = fs.loads;
  record->held_count = fs.held_count;
  for (uint i = 0; i < fs.held_count; i++) record->held[i] = fs.held[i];
  record->status = ItemStatus::PENDING;
}
#endif

// All lanes, once at the end of every run of an item. `status` is what its body returned.
WARPFS_FN void item_end(WARPFS_THREAD Fs& fs, int status) {
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
  fs.record->status = ItemStatus::DONE;
#endif
  if (fs.error != 0) item_report_error(fs);
}

}  // namespace warpfs
