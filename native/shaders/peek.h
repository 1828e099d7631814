// Looking at bytes of one page where they lie. Where the page is in the cache nothing is held for that, and nobody is waited for: another page may take
// the line meanwhile. So whatever was made of the bytes counts only if gpeek_end says so; else it is to be made again, from bytes that are held.
#pragma once

namespace warpfs {

// All of it zero at first. `bytes` and `count` are the same in all lanes; load with peek_load.
struct Peek {
  const WARPFS_DEVICE uchar* bytes;
  uint count;
  uint line;
  int file;
  bool held;   // as a map is
  bool again;  // it was in vain: the next one holds
#if WARPFS_HINTS
  // Of the leader.
  Vec16 hint;
  uint word;  // of the line
  ulong page;
#endif
};

// All lanes, with the same arguments: as gmmap to read.
WARPFS_FN int gpeek(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_THREAD Peek& peek) {
#if WARPFS_HINTS
  WARPFS_DEVICE const FileEntry* of = file_place(fs, file);
  if (!peek.again && of != 0 && arguments_are_equal(fs, file, offset, length, 0u)) {
    Vec16 entry = {};
    const uint line = page_look(fs, file, offset, length, of, entry, peek.hint);
    if (line != (uint)LINE_NONE) {
      peek.word = word_of_hit(fs, line);
      peek.page = offset >> fs.line_shift;
      peek.bytes = line_data(fs, line) + ((uint)offset & (line_bytes(fs) - 1u));
      peek.count = length;
      peek.line = line;
      peek.held = false;
      return (int)length;
    }
  }
#endif
  Map map;
  const int mapped = gmmap(fs, file, offset, length, WARPFS_RDONLY, map);
  peek.bytes = map.bytes;
  peek.count = mapped > 0 ? (uint)mapped : 0u;
  peek.line = map.line;
  peek.file = file;
  peek.held = mapped > 0;
  return mapped;
}

// All lanes, behind their last load. 1: what they have seen were bytes of the file; 0: they may not have been; or what went wrong.
WARPFS_FN int gpeek_end(WARPFS_THREAD Fs& fs, WARPFS_THREAD Peek& peek) {
  if (peek.count == 0u) return 1;
  if (peek.held) {
    Map map;
    map.line = peek.line;
    map.first = (uint)(peek.bytes - line_data(fs, peek.line));
    map.bytes = line_data(fs, peek.line) + map.first;
    map.count = peek.count;
    map.file = peek.file;
    map.writes = false;
    const int unmapped = gmunmap(fs, map);
    peek.again = false;
    return unmapped == 0 ? 1 : unmapped;
  }
#if WARPFS_HINTS
  peek.again = !page_was_there(fs, peek.hint, peek.page);
  if (peek.again) return 0;
  line_was_hit(fs, peek.line, peek.word);
  count(fs, Counter::HITS, 1u);
#endif
  return 1;
}

// Element `index`, counted in elements from the first byte.
template <typename T>
WARPFS_FN T peek_load(WARPFS_THREAD const Peek& peek, uint index) {
#if WARPFS_HINTS
  if (!peek.held) return data_guess<T>(peek.bytes + index * (uint)sizeof(T));
#endif
  return data_load<T>(peek.bytes + index * (uint)sizeof(T));
}

}  // namespace warpfs
