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

// All lanes. Fetches each lane's element: 0, the first error, or PENDING.
template <typename T>
WARPFS_FN int load_pages(WARPFS_THREAD Fs& fs, int file, ulong index, WARPFS_THREAD T& value) {
  const FileView view = file_view(fs, file, 0u, 0u, 0u);
  if (view.error != 0) return view.error;
  const ulong size = file_size_of(fs, file);
  const bool inside = index < size / sizeof(T);
  int status = warp_any(fs.lane, !inside) ? -Errno::erange : 0;
  const ulong offset = index * sizeof(T);
  const ulong page = offset >> fs.line_shift;

  uint lanes = warp_ballot(fs.lane, inside);
  // Every lane takes part in every collective, also those that want nothing.
  const ulong first_page = warp_broadcast64(fs.lane, page, lanes != 0u ? lowest_bit(lanes) : 0u);
  if (warp_any(fs.lane, inside && page != first_page)) pages_ask(fs, view.source, page, inside);
  while (lanes != 0u) {
    const ulong next = warp_broadcast64(fs.lane, page, lowest_bit(lanes));
    const bool mine = inside && page == next;
    lanes &= ~warp_ballot(fs.lane, mine);
    uint line = LINE_NONE;
    const int found = page_read(fs, view.source, next, line);
    if (found == 0) {
      if (mine) value = data_load<T>(line_data(fs, line) + ((uint)offset & (line_bytes(fs) - 1u)));
      page_release(fs, line);
    } else if (status != WARPFS_PENDING) {
      // The other pages are on their way as well; what is here will be here in the next run.
      status = found;
    }
  }
  return status;
}

#if WARPFS_REPLAY
// A lane's words of one load in the log. The words of all lanes lie side by side.
template <typename T>
WARPFS_FN T load_logged(WARPFS_THREAD const Fs& fs) {
  Element<T> element;
  for (uint i = 0; i < (sizeof(T) + 3u) / 4u; i++) element.words[i] = fs.loaded[(fs.load_words + i) * WARP_LANES + fs.lane.index];
  return element.value;
}

template <typename T>
WARPFS_FN void load_log(WARPFS_THREAD const Fs& fs, T value) {
  Element<T> element;
  element.words[(sizeof(T) - 1u) / 4u] = 0u;
  element.value = value;
  for (uint i = 0; i < (sizeof(T) + 3u) / 4u; i++) fs.loaded[(fs.load_words + i) * WARP_LANES + fs.lane.index] = element.words[i];
}
#endif

// The element `index` of the file, seen as an array of T. Past the end: 0, and the item has failed with ERANGE.
template <typename T>
WARPFS_FN T gload(WARPFS_THREAD Fs& fs, int file, ulong index) {
  T value = T(0);
#if WARPFS_REPLAY
  if (fs.pending) return value;
  const uint words = (sizeof(T) + 3u) / 4u;
  if (fs.load_words < fs.load_count) {
    value = load_logged<T>(fs);
    fs.load_words += words;
    return value;
  }
  if (fs.load_words + words > REPLAY_LOG_WORDS) {
    note_error(fs, -Errno::erange);
    return value;
  }
#endif
  const int status = load_pages<T>(fs, file, index, value);
#if WARPFS_REPLAY
  if (status == WARPFS_PENDING) {
    fs.pending = true;
    return value;
  }
  load_log<T>(fs, value);
  fs.load_words += words;
#endif
  if (status != 0) note_error(fs, status);
  return value;
}

}  // namespace warpfs
