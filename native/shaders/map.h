// Mapping a part of one line: it stays where it is until it is unmapped, and the kernel loads and stores there by itself. What it stores counts
// as written when it is unmapped or synced; until then no flush is about it, and none is held up by it.
#pragma once

namespace warpfs {

// A map in ItemRecord.maps: line + 1 << 1 | for writing.
WARPFS_FN uint map_entry(WARPFS_THREAD const Map& map) { return (map.line + 1u) << 1 | (map.writes ? 1u : 0u); }

WARPFS_FN void map_set(WARPFS_THREAD const Fs& fs, WARPFS_THREAD Map& map, uint line, ulong offset, int count) {
  map.line = line;
  map.count = count > 0 ? (uint)count : 0u;
  map.first = (uint)offset & (line_bytes(fs) - 1u);
  map.bytes = map.count != 0u ? line_data(fs, line) + map.first : 0;
}

WARPFS_CALL int gmmap(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, uint mode, WARPFS_THREAD Map& map) {
  map.file = file;
  map.writes = (mode & OPEN_WRITE) != 0u;
  map_set(fs, map, 0u, offset, 0);
  int result = 0;
  if (call_begin(fs, result)) {
#if WARPFS_REPLAY
    if (result > 0) map_set(fs, map, (uint)fs.log[fs.call - 1u].value, offset, result);
#endif
    return result;
  }
  WaitBound bound;
  wait_start(fs, bound);
  uint line = LINE_NONE;
  FileView view;
  for (;;) {
    view = file_view(fs, file, offset, length, mode, 0);
    if (view.error != 0) return call_end(fs, view.error);
    if (map.writes && fs.geometry->read_only != 0u) return call_end(fs, -Errno::erofs);
    if (map.writes && ((uint)file & HANDLE_WRITABLE) == 0u) return call_end(fs, -Errno::ebadf);
    if (length == 0u || map.first + (ulong)length > line_bytes(fs)) return call_end(fs, -Errno::einval);
    if (view.count == 0u) return call_end(fs, 0);
    uint place = 0;
    if (is_leader(fs)) place = map_place(fs, 0u);
    if (warp_broadcast(fs.lane, place, 0u) == MAPS_MAX) return call_end(fs, -Errno::enomem);
    Tag tag;
    tag.file_id = view.source.file_id;
    tag.page = offset >> fs.line_shift;
    const CacheSet set = set_of(fs, tag);
    uint room = 1u;
    if (is_leader(fs)) room = set_map(fs, set.index, set.ways) ? 1u : 0u;
    if (warp_broadcast(fs.lane, room, 0u) == 0u) return call_end(fs, item_pins_outcome(fs));
    const int status = page_read(fs, view.source, tag.page, PAGE_TO_MAP, line);
    if (status != 0 && is_leader(fs)) atomic_sub(&fs.sets[set.index].maps, 1u);
    if (status == 0) {
#if WARPFS_HINTS
      if (is_leader(fs)) {
        const Vec16 hint = hint_of(fs, tag.file_id, tag.page, line);
        fence_release();
        hint_store(fs, file, tag.page, hint);
      }
#endif
      if (map.writes) line_is_known_claimed();
      map_set(fs, map, line, offset, (int)view.count);
      if (is_leader(fs)) item_maps(fs)[place] = map_entry(map);
      break;
    }
    if (status != -Errno::estale) return call_end(fs, status);
    if (!file_wait_renewed(fs, file, view.source.file_id, bound)) return call_end(fs, wait_outcome());
  }
#if WARPFS_REPLAY
  if (is_leader(fs)) fs.log[fs.call].value = line;
#endif
  return call_end(fs, (int)view.count);
}

// All lanes. What the kernel stored in its map counts as written from here on: 0, ESTALE where the file was cut off or replaced since, or
// another -errno, or PENDING.
WARPFS_FN int map_write(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Map& map) {
  const FileView view = file_view_to_write(fs, map.file, 0u, 0u, (ulong)map.bytes);
  if (view.error != 0) return view.error;
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    // All lanes have stored.
    warp_sync(fs.lane);
    uint outcome = 0;  // 0: done, 1: wait for its write-back, 2: other bytes of the line first, 3: another file by now
    if (is_leader(fs)) {
      if (atomic_load(&fs.tags[map.line].file_id) != view.source.file_id) {
        outcome = 3u;
      } else if (!line_enter(fs, map.line)) {
        line_write_back(fs, map.line, 0u);
        outcome = 1u;
      } else if (!line_soil(fs, view.source, map.line, map.first, map.first + map.count - 1u)) {
        atomic_add(fs.words + map.line, LINE_PIN);  // line_make_way lets go of one
        outcome = 2u;
      } else {
        line_leave(fs, map.line);
      }
    }
    outcome = warp_broadcast(fs.lane, outcome, 0u);
    if (outcome == 0u) return 0;
    if (outcome == 3u) return -Errno::estale;
    int status = LINE_LATER;
    if (outcome == 1u) {
      uint busy = 0;
      if (is_leader(fs)) busy = line_state(atomic_load(fs.words + map.line)) == LineState::BUSY ? 1u : 0u;
      if (warp_broadcast(fs.lane, busy, 0u) != 0u) status = line_wait(fs, map.line).status;
    } else {
      status = line_make_way(fs, map.line, fs.served);
    }
    if (status == 0) continue;
    if (status != LINE_LATER) return status;
    if (!warp_wait_again(fs, bound)) return wait_outcome();
  }
}

// Leader only. True: it is mapped.
WARPFS_FN bool map_is(WARPFS_THREAD const Fs& fs, WARPFS_THREAD const Map& map) { return map_place(fs, map_entry(map)) != MAPS_MAX; }

// All lanes. Common to gmunmap and gmsync. True: `result` says how it ended already.
WARPFS_FN bool map_ends(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Map& map, WARPFS_THREAD int& result) {
  ulong mapped = 0;
  if (is_leader(fs)) mapped = map.count == 0u || map_is(fs, map) ? 1u : 0u;
  result = 0;
  if (!arguments_agree(fs, map_entry(map), map.first, map.count, mapped)) {
    result = -Errno::einval;
  } else if (mapped == 0u) {
    result = -Errno::ebadf;
  } else {
    return map.count == 0u;
  }
  return true;
}

WARPFS_CALL int gmunmap(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Map& map) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  if (map_ends(fs, map, result)) return call_end(fs, result);
  const int status = map.writes ? map_write(fs, map) : 0;
  // Where it could not even be tried, the map stays: nothing is lost.
  if (status != 0 && status != -Errno::estale && status != -Errno::ebadf) return call_end(fs, status);
  warp_sync(fs.lane);
  if (is_leader(fs)) {
    const uint place = map_place(fs, map_entry(map));
    set_unmap(fs, map.line);
    line_unpin(fs, map.line);
    item_maps(fs)[place] = 0u;
  }
  return call_end(fs, status);
}

WARPFS_CALL int gmsync(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Map& map) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  if (map_ends(fs, map, result) || !map.writes) return call_end(fs, result);
  int flushed = 0;
  if (warp_broadcast(fs.lane, fs.asked, 0u) == 0u) {
    // A replayed call that is past this waits for the write-back of what it has stored.
    if (fs.progress == 0u) {
      const int status = map_write(fs, map);
      if (status != 0) return call_end(fs, status);
      fs.progress = 1u;
      fs.served = 0;
    }
    FlushRange line;
    line.file_id = atomic_load(&fs.tags[map.line].file_id);
    line.page_end = ~(ulong)0;
    flushed = lines_flush(fs, map.line, map.line + 1u, line);
  }
  return call_end(fs, file_sync(fs, map.file, flushed));
}

}  // namespace warpfs
