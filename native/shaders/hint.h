// Where pages were found: a guess that spares the look at a set. A hint names a line and the version that its tag had while the page was there. A
// line that is claimed anew has another version from before its bytes change, so who reads bytes there and then finds the tag unchanged has read
// bytes of the page, and needs no pin.
#pragma once

namespace warpfs {

#if WARPFS_HINTS

static_assert(sizeof(Hint) == sizeof(Vec16) && sizeof(LineTag) == sizeof(Vec16), "hints and tags are of one moment");

// Each lane that stores bytes into a line which its warp has claimed, or has found claimed by another, before the first of them: who reads one of these without a pin, and then
// the tag, finds that the line was claimed. The claimer's own fence does not speak for the other lanes.
WARPFS_FN void line_is_known_claimed() { fence_release(); }

// By handle: the look at a hint need not wait for the look at the file.
WARPFS_FN WARPFS_DEVICE uint* hint_place(WARPFS_THREAD const Fs& fs, int file, ulong page) {
  const uint mixed = (uint)page + handle_index(file) * 0x85ebca6bu;
  return &fs.hints[mixed & (fs.geometry->hint_count - 1u)].line;
}

WARPFS_FN Vec16 hint_make(uint file_id, ulong page, uint line, uint version) {
  Vec16 hint;
  hint.words[0] = line;
  hint.words[1] = version;
  hint.words[2] = (uint)page;
  hint.words[3] = file_id;
  return hint;
}

// Leader only; the line is pinned.
WARPFS_FN Vec16 hint_of(WARPFS_THREAD const Fs& fs, uint file_id, ulong page, uint line) {
  return hint_make(file_id, page, line, atomic_load(&fs.tags[line].version));
}

// Leader only, behind a fence: who finds the hint finds the bytes.
WARPFS_FN void hint_store(WARPFS_THREAD const Fs& fs, int file, ulong page, Vec16 hint) { atomic_store16(hint_place(fs, file, page), hint); }

// In the place of the line of a hint while a warp is bringing the page: no line has such a number, so nobody takes it for right. That warp waits at most
// for one that waits for nobody (cold_wait), and stores what came of it.
enum : uint32_t { HINT_COMING = 0x80000000u };

WARPFS_FN Vec16 hint_coming(uint file_id, ulong page) { return hint_make(file_id, page, HINT_COMING, 0u); }
WARPFS_FN Vec16 hint_none(ulong page) { return hint_make(0u, page, LINE_NONE, 0u); }

WARPFS_FN bool hint_is_of(Vec16 hint, uint file_id, ulong page) { return hint.words[3] == file_id && hint.words[2] == (uint)page; }

WARPFS_FN bool hint_is_coming(Vec16 hint, uint file_id, ulong page) { return hint_is_of(hint, file_id, page) && hint.words[0] == (uint)HINT_COMING; }

// Leader only. Waits until no warp is said to be bringing the page: the hint as it is then.
WARPFS_FN Vec16 hint_wait_here(WARPFS_THREAD Fs& fs, int file, uint file_id, ulong page, Vec16 hint) {
  WaitBound bound;
  wait_start(fs, bound);
  while (hint_is_coming(hint, file_id, page) && wait_again(fs, bound)) hint = atomic_load16(hint_place(fs, file, page));
  // The bytes are no older than the hint.
  fence_acquire();
  return hint;
}

// Leader only. `hint`: what was seen there. Of the warps that want a page one brings it: it has said so first, and finds what it had seen. A warp that
// has said so already finds the same.
WARPFS_FN Vec16 hint_announce(WARPFS_THREAD const Fs& fs, int file, uint file_id, ulong page, Vec16 hint) {
  if (hint_is_coming(hint, file_id, page)) return hint;
  return atomic_swap16(hint_place(fs, file, page), hint, hint_coming(file_id, page));
}

// It is about this page, and may be right. The file and its size are `seen` in the entry.
WARPFS_FN bool hint_is_about(WARPFS_THREAD const Fs& fs, Vec16 hint, uint file_id, ulong page) {
  return hint_is_of(hint, file_id, page) && hint.words[0] < fs.geometry->line_count;
}

// It is right: the line has carried the page ever since.
WARPFS_FN bool hint_holds(WARPFS_THREAD const Fs& fs, Vec16 hint, ulong page) {
  const Vec16 tag = atomic_load16(&fs.tags[hint.words[0]].file_id);
  return tag.words[3] == hint.words[1] && tag.words[0] == hint.words[3] && tag.words[1] == hint.words[2] && tag.words[2] == (uint)(page >> 32);
}

// What was seen of a file in its entry.
WARPFS_FN ulong size_seen(Vec16 entry) { return (ulong)entry.words[2] | ((ulong)entry.words[3] << 32); }

// The file is that of the handle, and [offset, offset + length) lies within it and in one page.
WARPFS_FN bool page_is_seen(WARPFS_THREAD const Fs& fs, int file, ulong offset, uint length, Vec16 entry) {
  const ulong size = size_seen(entry);
  const uint within = (uint)offset & (line_bytes(fs) - 1u);
  return handle_is(entry.words[0], file) && length != 0u && within + (ulong)length <= line_bytes(fs) && offset < size && size - offset >= length;
}

// One lane. What is said of a file and of where its page is, for whoever loads bytes next: these are no older than the size, and than the hint.
WARPFS_FN void hint_look(WARPFS_THREAD const Fs& fs, int file, ulong page, WARPFS_DEVICE const FileEntry* of, WARPFS_THREAD Vec16& entry, WARPFS_THREAD Vec16& hint) {
  entry = atomic_load16(&of->handle);
  hint = atomic_load16(hint_place(fs, file, page));
  fence_acquire();
}

// How often a warp that hits single elements says so in the word of their line: replacement is a guess as well.
enum : uint32_t { HITS_PER_REFERENCE = 16 };

WARPFS_FN void hint_was_of_use(WARPFS_THREAD const Fs& fs, uint line) {
  // The word is not looked at first: that would be waited for.
  if (policy_counts_hits() && cycle_count() / HITS_PER_REFERENCE % HITS_PER_REFERENCE == 0u) atomic_or_unasked(fs.words + line, LINE_REFERENCE);
}

// Each lane by itself. Its element, if a hint is right and the file is as usual: true.
template <typename T>
WARPFS_FN bool element_peek_alone(WARPFS_THREAD const Fs& fs, int file, ulong index, WARPFS_DEVICE const FileEntry* entry, WARPFS_THREAD T& value) {
  const ulong offset = index * sizeof(T);
  const ulong page = offset >> fs.line_shift;
  Vec16 seen, hint;
  hint_look(fs, file, page, entry, seen, hint);
  if (!handle_is(seen.words[0], file) || index >= size_seen(seen) / sizeof(T) || !hint_is_about(fs, hint, seen.words[1], page)) return false;
  // The bytes before the tag.
  const T loaded = data_guess_acquire<T>(line_data(fs, hint.words[0]) + ((uint)offset & (line_bytes(fs) - 1u)));
  if (!hint_holds(fs, hint, page)) return false;
  value = loaded;
  hint_was_of_use(fs, hint.words[0]);
  return true;
}

// All lanes, each with an element of the same page: the leader looks for all, as in page_copy_out.
template <typename T>
WARPFS_FN bool elements_peek(WARPFS_THREAD const Fs& fs, int file, ulong index, WARPFS_DEVICE const FileEntry* entry, WARPFS_THREAD T& value) {
  const ulong offset = index * sizeof(T);
  const ulong page = offset >> fs.line_shift;
  Vec16 hint = {};
  uint line = LINE_NONE;
  bool whole = true;
  if (is_leader(fs)) {
    Vec16 seen;
    hint_look(fs, file, page, entry, seen, hint);
    whole = page < size_seen(seen) >> fs.line_shift;
    if (handle_is(seen.words[0], file) && hint_is_about(fs, hint, seen.words[1], page)) line = hint.words[0];
  }
  // Where the file ends each lane sees for itself whether its element is in it.
  if (!warp_all(fs.lane, whole)) return element_peek_alone(fs, file, index, entry, value);
  line = warp_broadcast(fs.lane, line, 0u);
  if (line == (uint)LINE_NONE) return false;
  const T loaded = data_guess_acquire<T>(line_data(fs, line) + ((uint)offset & (line_bytes(fs) - 1u)));
  // The bytes of each lane before the tag.
  warp_sync(fs.lane);
  if (!warp_all(fs.lane, !is_leader(fs) || hint_holds(fs, hint, page))) return false;
  value = loaded;
  if (is_leader(fs)) hint_was_of_use(fs, line);
  return true;
}

// All lanes, each with an element of its own if it wants one. True: it was found where a hint is right and the file is as usual.
template <typename T>
WARPFS_FN bool element_peek(WARPFS_THREAD const Fs& fs, int file, ulong index, bool wanted, WARPFS_THREAD T& value) {
  WARPFS_DEVICE const FileEntry* entry = file_place(fs, file);
  const ulong page = index * sizeof(T) >> fs.line_shift;
  const bool same = warp_shuffle(fs.lane, (uint)page, 0u) == (uint)page && page >> 32 == 0u;
  if (warp_all(fs.lane, entry != 0 && wanted && same)) return elements_peek(fs, file, index, entry, value);
  return entry != 0 && wanted && element_peek_alone(fs, file, index, entry, value);
}

#else
WARPFS_FN void line_is_known_claimed() {}
#endif

}  // namespace warpfs
