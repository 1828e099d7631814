// Loading single elements of a file, each lane its own. Lanes on one line share one access.
#pragma once

namespace warpfs {

// All lanes. Asks for the pages that lanes want and that are not here, before the first of them is waited for.
WARPFS_FN void pages_ask(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong page, bool wanted) {
  uint lanes = warp_ballot(fs.lane, wanted);
  while (lanes != 0u) {
    const ulong next = warp_broadcast64(fs.lane, page, lowest_bit(lanes));
    lanes &= ~warp_ballot(fs.lane, wanted && page == next);
    pages_prefetch(fs, source, next << fs.line_shift, 1u);
  }
}

// The element `index` of the file, seen as an array of T. Past the end: 0, and the item has failed with ERANGE.
// Under replay loads are not logged: the pages that an item loads between two of its other calls must fit into the cache together.
template <typename T>
WARPFS_FN T gload(WARPFS_THREAD Fs& fs, int file, ulong index) {
  T value = T(0);
#if WARPFS_REPLAY
  if (fs.pending) return value;
#endif
  const FileView view = file_view(fs, file, 0u, 0u, 0u);
  if (view.error != 0) {
    note_error(fs, view.error);
    return value;
  }
  const ulong size = file_size_of(fs, file);
  const bool inside = index < size / sizeof(T);
  if (warp_any(fs.lane, !inside)) note_error(fs, -Errno::erange);
  const ulong offset = index * sizeof(T);
  const ulong page = offset >> fs.line_shift;

  uint lanes = warp_ballot(fs.lane, inside);
  // Every lane takes part in every collective, also those that want nothing.
  const ulong first_page = warp_broadcast64(fs.lane, page, lanes != 0u ? lowest_bit(lanes) : 0u);
  if (warp_any(fs.lane, inside && page != first_page)) pages_ask(fs, view.source, page, inside);
  int status = 0;
  while (lanes != 0u) {
    const ulong next = warp_broadcast64(fs.lane, page, lowest_bit(lanes));
    const bool mine = inside && page == next;
    lanes &= ~warp_ballot(fs.lane, mine);
    uint line = LINE_NONE;
    const int found = page_read(fs, view.source, next, line);
    if (found != 0) {
      // The other pages are on their way as well; what is here will be here in the next run.
      if (status != WARPFS_PENDING) status = found;
      continue;
    }
    if (mine) value = data_load<T>(line_data(fs, line) + ((uint)offset & (line_bytes(fs) - 1u)));
    page_release(fs, line);
  }
#if WARPFS_REPLAY
  if (status == WARPFS_PENDING) {
    fs.pending = true;
    if (fs.loads < fs.record->loads && is_leader(fs)) fs.record->regressions++;
    if (fs.record->regressions > ITEM_REGRESSIONS_MAX) note_error(fs, -Errno::eagain);
    return value;
  }
  fs.loads++;
#endif
  if (status != 0) note_error(fs, status);
  return value;
}

}  // namespace warpfs
