// Loading, storing and adding to single elements of a file, each lane its own. Lanes on one line share one access.
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

WARPFS_FN uint element_add(WARPFS_DEVICE uchar* place, uint amount) { return atomic_add((WARPFS_DEVICE uint*)place, amount); }
WARPFS_FN int element_add(WARPFS_DEVICE uchar* place, int amount) { return (int)atomic_add((WARPFS_DEVICE uint*)place, (uint)amount); }
WARPFS_FN float element_add(WARPFS_DEVICE uchar* place, float amount) {
  Element<float> before;
  Element<float> after;
  before.words[0] = atomic_load((WARPFS_DEVICE uint*)place);
  do {
    after.value = before.value + amount;
  } while (!atomic_cas((WARPFS_DEVICE uint*)place, before.words[0], after.words[0]));
  return before.value;
}

// What is done with an element, given `value`; afterwards `value` is what it was before (a store leaves it).
struct ElementLoad {
  enum : uint32_t { WRITES = 0 };
  template <typename T>
  static WARPFS_METHOD void act(WARPFS_DEVICE uchar* place, WARPFS_THREAD T& value) { value = data_load<T>(place); }
};
struct ElementStore {
  enum : uint32_t { WRITES = 1 };
  template <typename T>
  static WARPFS_METHOD void act(WARPFS_DEVICE uchar* place, WARPFS_THREAD T& value) { data_store<T>(place, value); }
};
struct ElementAdd {
  enum : uint32_t { WRITES = 1 };
  template <typename T>
  static WARPFS_METHOD void act(WARPFS_DEVICE uchar* place, WARPFS_THREAD T& value) { value = element_add(place, value); }
};

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

// All lanes. Does it to each lane's element: 0, the first error, or PENDING. What a lane has done once it does not do again when its item is
// replayed: `served` has a bit for it. So a call gets on also where its pages do not all fit into the cache.
template <typename T, typename Action>
WARPFS_FN int elements_move(WARPFS_THREAD Fs& fs, int file, ulong index, bool wanted, WARPFS_THREAD T& value) {
  static_assert((sizeof(T) & (sizeof(T) - 1u)) == 0u && sizeof(T) <= LINE_BYTES_MIN, "an element lies in one line");
  const FileView view = Action::WRITES != 0u ? file_view_to_write(fs, file, 0u, 0u, 0u) : file_view(fs, file, 0u, 0u, 0u, 0);
  if (view.error != 0) return view.error;
  fs.file_id = view.source.file_id;
  const ulong size = file_size_of(fs, file);
  const bool inside = wanted && index < size / sizeof(T);
  int status = warp_any(fs.lane, wanted && !inside) ? -Errno::erange : 0;
  if (!inside) value = T(0);
  const ulong offset = index * sizeof(T);
  const ulong page = offset >> fs.line_shift;
  const uint within = (uint)offset & (line_bytes(fs) - 1u);

  uint lanes = warp_ballot(fs.lane, inside);
  // Every lane takes part in every collective, also those that want nothing.
  const ulong first_page = warp_broadcast64(fs.lane, page, lanes != 0u ? lowest_bit(lanes) : 0u);
  lanes &= ~fs.served;
  if (warp_any(fs.lane, inside && page != first_page)) pages_ask(fs, view.source, page, ((lanes >> fs.lane.index) & 1u) != 0u);
  WaitBound bound;
  wait_start(fs, bound);
  while (lanes != 0u) {
    const ulong next = warp_broadcast64(fs.lane, page, lowest_bit(lanes));
    bool mine = inside && ((lanes >> fs.lane.index) & 1u) != 0u && page == next;
    uint now = warp_ballot(fs.lane, mine);
    uint line = LINE_NONE;
    int found = 0;
    if (Action::WRITES == 0u) {
      found = page_read(fs, view.source, next, PAGE_TO_READ, line);
    } else {
      found = page_enter(fs, view.source, next, PAGE_TO_WRITE, line);
      const uint soiled = found == 0 ? elements_soil(fs, view.source, line, mine, within, (uint)sizeof(T)) : now;
      if (soiled == 0u) {
        uint tried = (uint)fs.progress;
        found = line_make_way(fs, line, tried);
        fs.progress = tried;
        if (found == LINE_LATER) found = warp_wait_again(fs, bound) ? 0 : wait_outcome();
        if (found == 0) continue;
      } else if (found == 0) {
        now = soiled;
        mine = mine && ((soiled >> fs.lane.index) & 1u) != 0u;
      }
    }
    if (found == 0) {
      if (mine) Action::act(line_data(fs, line) + within, value);
#if WARPFS_REPLAY
      if (mine) load_log<T>(fs, value);
#endif
      if (Action::WRITES == 0u) {
        page_release_read(fs, view.source, next, line);
      } else {
        page_leave(fs, line);
      }
      fs.served |= now;
    } else if (found != WARPFS_PENDING) {
      return found;
    } else {
      // The other pages are on their way as well; what is here will be here in the next run.
      status = found;
    }
    lanes &= ~now;
  }
  if (Action::WRITES != 0u && status != WARPFS_PENDING && elements_write_through(fs, view.source) == WARPFS_PENDING) return WARPFS_PENDING;
  return status;
}

// All lanes. The same, until no truncation comes in between.
template <typename T, typename Action>
WARPFS_FN int elements_do(WARPFS_THREAD Fs& fs, int file, ulong index, bool wanted, WARPFS_THREAD T& value) {
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    T moved = value;
#if WARPFS_REPLAY
    if (((fs.served >> fs.lane.index) & 1u) != 0u) moved = load_logged<T>(fs);
#endif
    int status = elements_move<T, Action>(fs, file, index, wanted, moved);
    if (status == -Errno::estale) {
      // The lanes of one load see one file.
      if (Action::WRITES == 0u) fs.served = 0;
      if (file_wait_renewed(fs, file, fs.file_id, bound)) continue;
      status = wait_outcome();
    }
    value = moved;
    return status;
  }
}

// All lanes, last thing in a load or an addition.
template <typename T>
WARPFS_FN T elements_end(WARPFS_THREAD Fs& fs, int status, T value) {
  if (status != 0) note_error(fs, status);
  // As in call_end: the call may end before it comes to the page that it went past the cache for.
  if (fs.bypass_line != (uint)LINE_NONE && is_leader(fs)) line_unpin(fs, fs.bypass_line);
  if (is_leader(fs)) gate_leave(fs);
  call_clear(fs);
  return value;
}

// Loads and adds give a value to each lane, so the log of loads remembers them.
template <typename T, typename Action>
WARPFS_FN T elements_value(WARPFS_THREAD Fs& fs, int file, ulong index, T value, bool wanted) {
#if WARPFS_REPLAY
  if (fs.pending) return T(0);
  const uint words = (sizeof(T) + 3u) / 4u;
  if (fs.load_words < fs.load_count) {
    value = load_logged<T>(fs);
    fs.load_words += words;
    return value;
  }
  if (fs.load_words + words > REPLAY_LOG_WORDS) {
    note_error(fs, -Errno::erange);
    return T(0);
  }
#endif
  T moved = value;
#if WARPFS_HINTS
  if (Action::WRITES == 0u) {
    moved = T(0);
    const bool served = element_peek<T>(fs, file, index, wanted, moved);
    if (warp_all(fs.lane, served || !wanted)) {
      count(fs, Counter::HITS, 1u);
      return moved;
    }
    // The others go their usual way, and leave hints for the next time.
    T rest = T(0);
    const int status = elements_do<T, Action>(fs, file, index, wanted && !served, rest);
    if (!served) moved = rest;
    return elements_end(fs, status, moved);
  }
#endif
  const int status = elements_do<T, Action>(fs, file, index, wanted, moved);
  // A lane whose element was not reached has its argument there, which is no answer.
  if (status != 0 && ((fs.served >> fs.lane.index) & 1u) == 0u) moved = T(0);
#if WARPFS_REPLAY
  if (status == WARPFS_PENDING) {
    fs.pending = true;
    return T(0);
  }
  load_log<T>(fs, moved);
  fs.load_words += words;
#endif
  return elements_end(fs, status, moved);
}

// The element `index` of the file, seen as an array of T. Past the end: 0, and the item has failed with ERANGE. Lanes that do not want one get 0.
template <typename T>
WARPFS_FN T gload(WARPFS_THREAD Fs& fs, int file, ulong index, bool wanted = true) {
  return elements_value<T, ElementLoad>(fs, file, index, T(0), wanted);
}

// Adds to an element (uint, int, float) in one step, whoever adds beside it: what it was before. Past the end as gload; a file never grows.
template <typename T>
WARPFS_FN T gadd(WARPFS_THREAD Fs& fs, int file, ulong index, T amount, bool wanted = true) {
  return elements_value<T, ElementAdd>(fs, file, index, amount, wanted);
}

// Stores an element: 0, or -errno. Past the end: ERANGE, and the other lanes have stored theirs.
template <typename T>
WARPFS_FN int gstore(WARPFS_THREAD Fs& fs, int file, ulong index, T value, bool wanted = true) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  return call_end(fs, elements_do<T, ElementStore>(fs, file, index, wanted, value));
}

}  // namespace warpfs
