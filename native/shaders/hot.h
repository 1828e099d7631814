// Calls about one page that is in the cache, as they are made where a call of a function and a look at memory of one's own cost much: everything is
// in registers, and what is not quite usual is left to the usual call, before anything was changed.
#pragma once
#if WARPFS_HINTS

namespace warpfs {

// All lanes. The line with the bytes [offset, offset + length) of an open file, pinned; LINE_NONE where they lie in more than one page, not all
// of them within the file, in no line that is ready, or where the lanes do not agree on what they want. `maps`: it is counted as mapped, too.
WARPFS_FN uint page_peek(WARPFS_THREAD const Fs& fs, int file, ulong offset, uint length, uint others, bool maps) {
  const ulong mixed = mix_arguments(offset, ((ulong)length << 32) | (uint)file, others);
  WARPFS_DEVICE const FileEntry* entry = file_place(fs, file);
  if (!warp_all_equal(fs.lane, (uint)mixed ^ (uint)(mixed >> 32)) || entry == 0) return LINE_NONE;
  const uint within = (uint)offset & (line_bytes(fs) - 1u);
  const Vec16 seen = atomic_load16(&entry->handle);
  const ulong size = (ulong)seen.words[2] | ((ulong)seen.words[3] << 32);
  const bool usual = handle_is(seen.words[0], file) && length != 0u && within + (ulong)length <= line_bytes(fs) && offset < size && size - offset >= length;
  Tag tag;
  tag.file_id = seen.words[1];
  tag.page = offset >> fs.line_shift;
  const CacheSet set = set_of(fs, tag);
  uint line = set.first + fs.lane.index;
  bool mine = false;
  uint maps_before = 0;
  // Counted before it is found: so nobody waits for the count alone.
  if (maps && is_leader(fs)) maps_before = atomic_add(&fs.sets[set.index].maps, 1u);
  if (usual && fs.lane.index < set.ways) {
    const uint word = atomic_load(fs.words + line);
    mine = tag_matches(fs, line, tag) && line_can_be_read(word);
  }
  const uint there = warp_ballot(fs.lane, mine);
  bool pinned = false;
  if (mine && fs.lane.index == lowest_bit(there)) {
    // With the pin the tag can no longer change.
    const uint before = atomic_add_acquire(fs.words + line, LINE_PIN);
    pinned = line_pins(before) < PINS_MAX && line_can_be_read(before) && tag_matches(fs, line, tag);
    if (!pinned) atomic_sub(fs.words + line, LINE_PIN);
    if (pinned && policy_counts_hits() && (before & LINE_REFERENCE) == 0u) atomic_or(fs.words + line, LINE_REFERENCE);
  }
  if (there != 0u) line = warp_shuffle(fs.lane, pinned ? line : (uint)LINE_NONE, lowest_bit(there));
  else line = LINE_NONE;
  if (maps) {
    const bool room = maps_before < (set.ways > 1u ? set.ways - 1u : 1u);
    // Lanes that saw the file change looked at different sets.
    const bool same_set = warp_shuffle(fs.lane, set.index, there != 0u ? lowest_bit(there) : 0u) == set.index;
    const bool gives_up = is_leader(fs) && (line == (uint)LINE_NONE || !room || !same_set);
    if (gives_up) {
      atomic_sub(&fs.sets[set.index].maps, 1u);
      if (line != (uint)LINE_NONE) line_unpin(fs, line);
    }
    if (warp_any(fs.lane, gives_up)) return LINE_NONE;
  }
  // What the lane that pinned it has acquired is visible to all.
  warp_sync(fs.lane);
  return line;
}

WARPFS_FN int gread(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE uchar* target) {
  const uint line = page_peek(fs, file, offset, length, (uint)(ulong)target, false);
  if (line == (uint)LINE_NONE) return gread_usual(fs, file, offset, length, target);
  copy_from_line(fs.lane, target, line_data(fs, line) + ((uint)offset & (line_bytes(fs) - 1u)), length);
  warp_sync(fs.lane);
  if (is_leader(fs)) line_unpin(fs, line);
  count(fs, Counter::HITS, 1u);
  count(fs, Counter::READS, 1u);
  count(fs, Counter::BYTES_READ, length);
  return (int)length;
}

// To read; a map to write is made in the usual way.
WARPFS_FN int gmmap(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, uint mode, WARPFS_THREAD Map& map) {
  const bool reads = mode == WARPFS_RDONLY;
  const uint line = warp_all(fs.lane, reads) ? page_peek(fs, file, offset, length, mode, true) : (uint)LINE_NONE;
  if (line != (uint)LINE_NONE) {
    uint mapped = 0;
    if (is_leader(fs)) {
      const uint place = map_place(fs, 0u);
      mapped = place < MAPS_MAX ? 1u : 0u;
      if (mapped != 0u) {
        item_maps(fs)[place] = (line + 1u) << 1;
      } else {
        set_unmap(fs, line);
        line_unpin(fs, line);
      }
    }
    if (warp_shuffle(fs.lane, mapped, 0u) != 0u) {
      map.file = file;
      map.writes = false;
      map.line = line;
      map.count = length;
      map.first = (uint)offset & (line_bytes(fs) - 1u);
      map.bytes = line_data(fs, line) + map.first;
      count(fs, Counter::HITS, 1u);
      return (int)length;
    }
  }
  Map other;
  const int result = gmmap_usual(fs, file, offset, length, mode, other);
  map = other;
  return result;
}

WARPFS_FN int gmunmap(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Map& map) {
  uint done = 0;
  const bool agree = warp_all_equal(fs.lane, map.line);
  if (agree && is_leader(fs) && !map.writes && map.count != 0u) {
    const uint place = map_place(fs, (map.line + 1u) << 1);
    done = place < MAPS_MAX ? 1u : 0u;
    if (done != 0u) item_maps(fs)[place] = 0u;
  }
  if (warp_broadcast(fs.lane, done, 0u) != 0u) {
    if (is_leader(fs)) {
      line_unpin(fs, map.line);
      set_unmap(fs, map.line);
    }
    return 0;
  }
  const Map other = map;
  return gmunmap_usual(fs, other);
}

}  // namespace warpfs
#endif
