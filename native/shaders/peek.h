// Looking at bytes of one page where they lie. Where the page is in the cache nothing is held for that, and nobody is waited for: another page may take
// the line meanwhile. So whatever was made of the bytes counts only if gpeek_end says so; else it is to be made again, from bytes that are held.
#pragma once

namespace warpfs {

// How the bytes of a peek were found, and how the next attempt is to find them: what was in vain is not tried again.
enum : uint32_t {
  PEEK_HINTED,
  PEEK_BROUGHT,
  PEEK_HELD,  // by a map
};

// All of it zero at first. `bytes` and `count` are the same in all lanes; load with peek_load.
struct Peek {
  WARPFS_DEVICE uchar* bytes;
  uint count;
  uint way;
#if WARPFS_HINTS
  // Of the leader.
  Vec16 hint;
  uint word;  // of the line
#endif
};

// The map that holds it.
WARPFS_FN Map peek_map(WARPFS_THREAD const Fs& fs, WARPFS_THREAD const Peek& peek) {
  const ulong at = (ulong)(peek.bytes - fs.lines);
  Map map;
  map.bytes = peek.bytes;
  map.count = peek.count;
  map.first = (uint)at & (line_bytes(fs) - 1u);
  map.line = (uint)(at >> fs.line_shift);
  map.file = -1;  // none is asked for to let go of what was read
  map.writes = false;
  return map;
}

// Calls where the usual ones have parts in registers: a peek that holds nothing needs them for what it looks at.
#if WARPFS_HINTS
WARPFS_FN int peek_hold(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_THREAD Map& map) { return gmmap_usual(fs, file, offset, length, WARPFS_RDONLY, map); }
WARPFS_FN int peek_let_go(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Map& map) { return gmunmap_usual(fs, map); }
#else
WARPFS_FN int peek_hold(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_THREAD Map& map) { return gmmap(fs, file, offset, length, WARPFS_RDONLY, map); }
WARPFS_FN int peek_let_go(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Map& map) { return gmunmap(fs, map); }
#endif

// All lanes, with the same arguments: as gmmap to read.
WARPFS_FN int gpeek(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_THREAD Peek& peek) {
#if WARPFS_HINTS
  WARPFS_DEVICE const FileEntry* of = file_place(fs, file);
  const bool near = offset >> fs.line_shift >> 32 == 0u;  // the hint says all of its page
  if (peek.way != PEEK_HELD && of != 0 && near && arguments_are_equal(fs, file, offset, length, 0u)) {
    Vec16 entry = {};
    uint line = page_look(fs, file, offset, length, of, entry, peek.hint);
    if (peek.way == PEEK_BROUGHT || line == (uint)LINE_NONE) {
      const Brought brought = page_bring(fs, file, offset, length, 0, entry, peek.hint);
      line = brought.line;
      peek.hint = hint_brought(brought, entry, offset >> fs.line_shift);
      peek.way = PEEK_BROUGHT;
    }
    if (line != (uint)LINE_NONE) {
      peek.word = word_of_hit(fs, line);
      peek.bytes = line_data(fs, line) + ((uint)offset & (line_bytes(fs) - 1u));
      peek.count = length;
      return (int)length;
    }
  }
#endif
  // What a call gets by reference lies in memory: the peek itself does not.
  Map map;
  const int mapped = peek_hold(fs, file, offset, length, map);
  peek.bytes = map.bytes;
  peek.count = map.count;
  peek.way = PEEK_HELD;
  return mapped;
}

// All lanes, behind their last load. 1: what they have seen were bytes of the file; 0: they may not have been; or what went wrong.
WARPFS_FN int gpeek_end(WARPFS_THREAD Fs& fs, WARPFS_THREAD Peek& peek) {
  const uint way = peek.way;
  peek.way = PEEK_HINTED;
  if (peek.count == 0u) return 1;
  if (way == PEEK_HELD) {
    const Map map = peek_map(fs, peek);
    const int unmapped = peek_let_go(fs, map);
    return unmapped == 0 ? 1 : unmapped;
  }
#if WARPFS_HINTS
  if (!page_was_there(fs, peek.hint, peek.hint.words[2])) {
    peek.way = way + 1u;
    return 0;
  }
  line_was_hit(fs, peek.hint.words[0], peek.word);
  if (way == PEEK_HINTED) count(fs, Counter::HITS, 1u);
#endif
  return 1;
}

// Element `index`, counted in elements from the first byte.
template <typename T>
WARPFS_FN T peek_load(WARPFS_THREAD const Peek& peek, uint index) {
#if WARPFS_HINTS
  if (peek.way != PEEK_HELD) return data_guess<T>(peek.bytes + index * (uint)sizeof(T));
#endif
  return data_load<T>(peek.bytes + index * (uint)sizeof(T));
}

}  // namespace warpfs
