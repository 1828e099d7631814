// Reading a page of a file where it lies in the memory of the host: the warp that claimed the line fills it, and nobody is asked. The host takes
// a window back in the file entry, and changes nothing of the file before the gpu has got that: who sees the same window behind its copy
// as before it has copied bytes of the identity that it wanted.
#pragma once

namespace warpfs {

#if WARPFS_WINDOWS

// Where the page lies by this grant, or 0.
WARPFS_FN ulong window_place(WARPFS_THREAD const Fs& fs, WARPFS_THREAD const Vec16& window, ulong page) {
  const uint windows = window.words[2];
  if (windows == 0u) return 0u;
  const ulong offset = page << fs.line_shift;
  const uint shift = window.words[3] & ((1u << WINDOW_REACH_SHIFT) - 1u);
  const ulong end = (ulong)((window.words[3] & ~(uint)WINDOW_WRITABLE) >> WINDOW_REACH_SHIFT) << (shift - WINDOW_PARTS_SHIFT);
  if (offset + line_bytes(fs) > end || ((windows >> (offset >> shift)) & 1u) == 0u) return 0u;
  return ((ulong)window.words[0] | ((ulong)(window.words[1] & 0xffffu) << 32)) + offset;
}

// It is a grant for this identity of the file.
WARPFS_FN bool window_is_of(WARPFS_THREAD const Vec16& window, uint file_id) { return window.words[1] >> 16 == (file_id & 0xffffu); }

// The same, and the gpu may store there.
WARPFS_FN bool window_is_writable(WARPFS_THREAD const Vec16& window, uint file_id) { return (window.words[3] & WINDOW_WRITABLE) != 0u && window_is_of(window, file_id); }

// Is the grant of a file still this one?
WARPFS_FN bool window_stands(WARPFS_DEVICE const FileEntry* entry, WARPFS_THREAD const Vec16& window) {
  return words_are_equal(atomic_load16(&entry->window_base[0]), window);
}

// All loads of a part are on their way before the first of them is waited for.
WARPFS_FN void copy_from_window(WARPFS_THREAD const Fs& fs, WARPFS_DEVICE uchar* line, ulong address) {
  const WARPFS_DEVICE Vec16* from = (const WARPFS_DEVICE Vec16*)address;
  WARPFS_DEVICE Vec16* to = (WARPFS_DEVICE Vec16*)line;
  const uint pieces = line_bytes(fs) / 16u;
  for (uint base = fs.lane.index; base < pieces; base += COPY_AT_ONCE * fs.lane.count) {
    Vec16 part[COPY_AT_ONCE];
    for (uint i = 0; i < COPY_AT_ONCE; i++) {
      if (base + i * fs.lane.count < pieces) part[i] = bus_load16(from + base + i * fs.lane.count);
    }
    line_is_known_claimed();
    for (uint i = 0; i < COPY_AT_ONCE; i++) {
      if (base + i * fs.lane.count < pieces) data_fill16(to + base + i * fs.lane.count, part[i]);
    }
  }
}

// All lanes. Fills a line that this warp has claimed in step STARTING. False: the window is no more, the line was let go, and the host is to be
// asked.
WARPFS_CALL bool line_fill_here(WARPFS_THREAD Fs& fs, uint line, ulong address) {
  copy_from_window(fs, line_data(fs, line), address);
  // Each lane has read its bytes before the window is looked at again.
  fence_acquire();
  warp_sync(fs.lane);
  uint filled = 0;
  if (is_leader(fs)) {
    filled = window_stands(fs.window_entry, fs.window) ? 1u : 0u;
    if (filled != 0u) {
      uint word = atomic_load(fs.words + line);
      line_move(fs, line, word, LineState::READY, LineStep::NONE);
    } else {
      fs.window.words[2] = 0u;
      line_let_go(fs, line);
    }
  }
  return warp_broadcast(fs.lane, filled, 0u) != 0u;
}

#endif

}  // namespace warpfs
