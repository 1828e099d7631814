// Where pages were found: a guess that spares a lane the look at a set, and costs no read-modify-write. A hint names a line and the version that
// its tag had while the page was there. A line that is claimed anew has another version from before its bytes change, so who reads an element there
// and then finds the tag unchanged has read the page.
#pragma once

namespace warpfs {

#if WARPFS_HINTS

// By handle: the look at a hint need not wait for the look at the file.
WARPFS_FN WARPFS_DEVICE Hint* hint_place(WARPFS_THREAD const Fs& fs, int file, ulong page) {
  const uint mixed = (uint)page + (uint)(page >> 32) * 0x9e3779b1u + handle_index(file) * 0x85ebca6bu;
  return fs.hints + (mixed & (fs.geometry->hint_count - 1u));
}

// Leader only; the line is pinned, and its bytes are there. One that goes past the cache is nobody's.
WARPFS_FN void hint_write(WARPFS_THREAD const Fs& fs, int file, ulong page, uint line) {
  if (line >= fs.geometry->line_count) return;
  Word2 hint;
  hint.words[0] = line;
  hint.words[1] = atomic_load(&fs.tags[line].version);
  // Who finds the hint finds the bytes.
  fence_release();
  atomic_store8(&hint_place(fs, file, page)->line, hint);
}

// How often a warp that hits by hints says so in the word of a line: replacement is a guess as well.
enum : uint32_t { HITS_PER_REFERENCE = 16 };

// Each lane by itself. Its element, if a hint is right and the file is as usual: true.
template <typename T>
WARPFS_FN bool element_peek(WARPFS_THREAD const Fs& fs, int file, ulong index, bool wanted, WARPFS_THREAD T& value) {
  WARPFS_DEVICE const FileEntry* entry = file_place(fs, file);
  if (entry == 0 || !wanted) return false;
  const ulong offset = index * sizeof(T);
  const ulong page = offset >> fs.line_shift;
  const Vec16 seen = atomic_load16(&entry->handle);
  const Word2 hint = atomic_load8_acquire(&hint_place(fs, file, page)->line);
  const uint line = hint.words[0];
  if (line >= fs.geometry->line_count) return false;
  // The hint before the bytes, the bytes before the tag.
  const T loaded = data_guess_acquire<T>(line_data(fs, line) + ((uint)offset & (line_bytes(fs) - 1u)));
  const Vec16 tag = atomic_load16(&fs.tags[line].file_id);
  const ulong size = (ulong)seen.words[2] | ((ulong)seen.words[3] << 32);
  if (!handle_is(seen.words[0], file) || index >= size / sizeof(T)) return false;
  if (tag.words[0] != seen.words[1] || tag.words[1] != (uint)page || tag.words[2] != (uint)(page >> 32) || tag.words[3] != hint.words[1]) return false;
  value = loaded;
  if (policy_counts_hits() && cycle_count() / HITS_PER_REFERENCE % HITS_PER_REFERENCE == 0u) {
    if ((atomic_load(fs.words + line) & LINE_REFERENCE) == 0u) atomic_or(fs.words + line, LINE_REFERENCE);
  }
  return true;
}

#endif

}  // namespace warpfs
