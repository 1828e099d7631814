// What calls in registers (hot.h) come to where no hint was right: the page is brought, by this warp or another one, and the call ends as it would have with
// a hint; or it begins anew in the usual way. Apart, so that what hits takes no registers for it.
#pragma once
#if WARPFS_HINTS && WARPFS_WINDOWS

namespace warpfs {

WARPFS_CALL Vec16 hint_wait(WARPFS_THREAD Fs& fs, int file, ulong page, Vec16 hint) {
  return hint_wait_here(fs, file, hint.words[3], page, hint);
}

WARPFS_CALL bool page_is_near(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length) {
  bool near = false;
  if (is_leader(fs)) {
    const ulong page = offset >> fs.line_shift;
    WARPFS_DEVICE const FileEntry* of = file_place(fs, file);
    const Vec16 entry = atomic_load16(&of->handle);
    const Vec16 window = atomic_load16(&of->window_base[0]);
    const Vec16 hint = atomic_load16(hint_place(fs, file, page));
    if (page_is_seen(fs, file, offset, length, entry)) {
      near = cold_place(fs, window, entry.words[1], page) != 0u || hint_is_coming(hint, entry.words[1], page) ||
             (hint_is_about(fs, hint, entry.words[1], page) && hint_holds(fs, hint, page));
    }
  }
  return warp_any(fs.lane, near);
}

// Few pieces at once: with more of them the function would save registers of its caller for longer than most such copies take.
WARPFS_CALL bool page_copy_brought(WARPFS_THREAD Fs& fs, ulong offset, uint length, WARPFS_DEVICE uchar* target, Vec16 hint) {
  return page_copy<COPY_OF_REST>(fs, offset, length, target, hint.words[0], hint);
}

WARPFS_CALL int gmmap_unhinted(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_THREAD Map& map, Vec16 entry, Vec16 hint) {
  const Brought brought = page_bring(fs, file, offset, length, 0, entry, hint);
  if (brought.line != (uint)LINE_NONE && page_map(fs, file, offset, length, map, entry, hint_brought(brought, entry, offset >> fs.line_shift))) return (int)length;
  return gmmap_usual(fs, file, offset, length, WARPFS_RDONLY, map);
}

}  // namespace warpfs
#endif
