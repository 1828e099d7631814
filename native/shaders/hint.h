// Where pages were found: a guess that spares a lane the look at a set, and costs no read-modify-write. A hint names a line and the version that
// its tag had while the page was there. A line that is claimed anew has another version from before its bytes change, so who reads an element there
// and then finds the tag unchanged has read the page.
#pragma once

namespace warpfs {

#if WARPFS_HINTS

WARPFS_FN WARPFS_DEVICE Hint* hint_place(WARPFS_THREAD const Fs& fs, uint file_id, ulong page) {
  const uint mixed = (uint)page + (uint)(page >> 32) * 0x9e3779b1u + file_id * 0x85ebca6bu;
  return fs.hints + (mixed & (fs.geometry->hint_count - 1u));
}

// Leader only; the line is pinned, and its bytes are there. One that goes past the cache is nobody's.
WARPFS_FN void hint_write(WARPFS_THREAD const Fs& fs, uint file_id, ulong page, uint line) {
  if (line >= fs.geometry->line_count) return;
  Word2 hint;
  hint.words[0] = line;
  hint.words[1] = atomic_load(&fs.tags[line].version);
  // Who finds the hint finds the bytes.
  fence_release();
  atomic_store8(&hint_place(fs, file_id, page)->line, hint);
}

// How often a warp that hits by hints says so in the word of a line: replacement is a guess as well.
enum : uint32_t { HITS_PER_REFERENCE = 16 };

// One lane. The element at `within` of a page, if a hint is right: true.
template <typename T>
WARPFS_FN bool hint_load(WARPFS_THREAD const Fs& fs, uint file_id, ulong page, uint within, bool refers, WARPFS_THREAD T& value) {
  const Word2 hint = atomic_load8_acquire(&hint_place(fs, file_id, page)->line);
  const uint line = hint.words[0];
  if (line >= fs.geometry->line_count) return false;
  // The hint before the bytes, the bytes before the tag.
  const T loaded = data_load_acquire<T>(line_data(fs, line) + within);
  const Vec16 tag = atomic_load16(&fs.tags[line].file_id);
  if (tag.words[0] != file_id || tag.words[1] != (uint)page || tag.words[2] != (uint)(page >> 32) || tag.words[3] != hint.words[1]) return false;
  if (refers && policy_counts_hits() && (atomic_load(fs.words + line) & LINE_REFERENCE) == 0u) atomic_or(fs.words + line, LINE_REFERENCE);
  value = loaded;
  return true;
}

// All lanes. What of the elements hints can serve: the lanes that got theirs. Whatever is unusual is left to others.
template <typename T>
WARPFS_FN bool elements_peek(WARPFS_THREAD Fs& fs, int file, ulong index, bool wanted, WARPFS_THREAD T& value) {
  WARPFS_DEVICE const FileEntry* entry = file_place(fs, file);
  if (entry == 0) return false;
  const Vec16 seen = atomic_load16(&entry->handle);
  const ulong size = (ulong)seen.words[2] | ((ulong)seen.words[3] << 32);
  const ulong offset = index * sizeof(T);
  if (!wanted || !handle_is(seen.words[0], file) || index >= size / sizeof(T)) return false;
  const bool refers = cycle_count() / HITS_PER_REFERENCE % HITS_PER_REFERENCE == 0u;
  return hint_load<T>(fs, seen.words[1], offset >> fs.line_shift, (uint)offset & (line_bytes(fs) - 1u), refers, value);
}

#endif

}  // namespace warpfs
