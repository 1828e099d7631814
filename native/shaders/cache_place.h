// Where a page may lie.
#pragma once

namespace warpfs {

struct CacheSet {
  uint index;
  uint first;  // its first line
  uint ways;
};

WARPFS_FN CacheSet set_at(WARPFS_THREAD const Fs& fs, uint index) {
  CacheSet set;
  set.index = index;
  set.first = index * fs.set_ways_base + (index < fs.set_ways_rest ? index : fs.set_ways_rest);
  set.ways = fs.set_ways_base + (index < fs.set_ways_rest ? 1u : 0u);
  return set;
}

// Consecutive pages lie in consecutive sets, so that one file that fits into the cache fills it evenly.
WARPFS_FN CacheSet set_of(WARPFS_THREAD const Fs& fs, WARPFS_THREAD const Tag& tag) {
  const uint mixed = (uint)tag.page + (uint)(tag.page >> 32) * 0x9e3779b1u + tag.file_id * 0x85ebca6bu;
  // Caches of 2^n lines are the rule, and a division is the longest step of a look at one.
  const bool power_of_two = (fs.set_count & (fs.set_count - 1u)) == 0u;
  return set_at(fs, power_of_two ? mixed & (fs.set_count - 1u) : mixed % fs.set_count);
}

WARPFS_FN uint set_of_line(WARPFS_THREAD const Fs& fs, uint line) {
  // As a rule all sets have 32 ways.
  if (fs.set_ways_rest == 0u && (fs.set_ways_base & (fs.set_ways_base - 1u)) == 0u) return line >> lowest_bit(fs.set_ways_base);
  const uint wide = fs.set_ways_rest * (fs.set_ways_base + 1u);  // lines of the sets that have a way more
  return line < wide ? line / (fs.set_ways_base + 1u) : fs.set_ways_rest + (line - wide) / fs.set_ways_base;
}

// One line of a set stays free for those who map nothing.
WARPFS_FN uint maps_max(uint ways) { return ways > 1u ? ways - 1u : 1u; }

// Leader only. One map more or less in a set. False: there may be no more.
WARPFS_FN bool set_map(WARPFS_THREAD const Fs& fs, uint set, uint ways) {
  if (atomic_add(&fs.sets[set].maps, 1u) < maps_max(ways)) return true;
  atomic_sub(&fs.sets[set].maps, 1u);
  return false;
}
WARPFS_FN void set_unmap(WARPFS_THREAD const Fs& fs, uint line) { atomic_sub_unasked(&fs.sets[set_of_line(fs, line)].maps, 1u); }

}  // namespace warpfs
