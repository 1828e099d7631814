// Opening and closing files, and changing their length.
#pragma once

namespace warpfs {

// All lanes. Makes a file shorter or longer: 0, or -errno, or PENDING. The gate keeps writers away; what lies before the new end goes into the
// file first, because the host gives what is left a new identity, under which no older line is found.
WARPFS_FN int file_truncate(WARPFS_THREAD Fs& fs, int file, ulong length) {
  FileView view = file_view(fs, file, length, 0u, 0u, is_leader(fs) ? gate_close(fs, file) : 0);
  if (view.error != 0) return view.error;
  if (warp_broadcast(fs.lane, fs.asked, 0u) == 0u && length < file_size_of(fs, file)) {
    FlushRange range;
    range.file_id = view.source.file_id;
    range.page_end = (length + line_bytes(fs) - 1u) >> fs.line_shift;
    const int flushed = lines_flush(fs, 0u, fs.geometry->line_count, range);
    if (flushed != 0) return flushed;
  }
  ulong size = 0;
  return mail_ask(fs, Opcode::TRUNCATE, (uint)file, length, 0u, size);
}

WARPFS_CALL int gftruncate(WARPFS_THREAD Fs& fs, int file, ulong length) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  if (fs.geometry->read_only != 0u) return call_end(fs, -Errno::erofs);
  if (file >= 0 && ((uint)file & HANDLE_WRITABLE) == 0u) {
    const FileView view = file_view(fs, file, 0u, 0u, 0u, 0);
    return call_end(fs, view.error != 0 ? view.error : -Errno::ebadf);
  }
  if (length > fs.geometry->file_bytes_max || length > 0x7fffffffffffffffu) return call_end(fs, -Errno::efbig);
  return call_end(fs, file_truncate(fs, file, length));
}

// All lanes. Of one that a host has closed that came in the place of another nobody knows.
WARPFS_FN bool file_is_empty(WARPFS_THREAD Fs& fs, int file) {
  uint empty = 0;
  if (is_leader(fs)) {
    WARPFS_DEVICE const FileEntry* entry = file_entry(fs, file);
    FileLook look;
    if (entry != 0 && file_look(entry, look) && look.size == 0u) empty = 1u;
  }
  return warp_broadcast(fs.lane, empty, 0u) != 0u;
}

// What an open that truncates is about to do; its handle is in `kept`.
enum : uint32_t { OPENING, EMPTYING, OPEN_FAILED };

WARPFS_CALL int gopen(WARPFS_THREAD Fs& fs, const WARPFS_DEVICE uchar* path, uint mode) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  ulong stage = fs.progress;  // OPENING .. OPEN_FAILED | error << 32, the same in all lanes
  ulong nothing = 0;
  if (!arguments_agree(fs, (ulong)path, mode, 0u, nothing) || (mode & OPEN_APPEND) != 0u) return call_end(fs, -Errno::einval);
  if ((uint)stage == OPENING) {
    const int handle = path_ask(fs, Opcode::OPEN, mode, path, 0);
    if (handle < 0 || (mode & OPEN_TRUNCATE) == 0u) return call_end(fs, handle);
    fs.kept = (uint)handle + 1u;
    stage = EMPTYING;
  }
  const int handle = (int)(fs.kept - 1u);
  if ((uint)stage == EMPTYING) {
    // A file that is empty is left alone: its lines stay what they are.
    const bool empty = warp_broadcast(fs.lane, fs.asked, 0u) == 0u && file_is_empty(fs, handle);
    fs.progress = stage;  // before anything more is asked for: what is asked for is of this stage
    const int emptied = empty ? 0 : file_truncate(fs, handle, 0u);
    if (emptied == WARPFS_PENDING) return call_end(fs, emptied);
    if (emptied == 0) return call_end(fs, handle);
    stage = OPEN_FAILED | ((ulong)(uint)-emptied << 32);
  }
  ulong value = 0;
  fs.progress = stage;
  const int closed = mail_ask(fs, Opcode::CLOSE, (uint)handle, 0u, 0u, value);
  return call_end(fs, closed == WARPFS_PENDING ? closed : -(int)(uint)(stage >> 32));
}

WARPFS_CALL int gclose(WARPFS_THREAD Fs& fs, int file) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  int flushed = 0;
  // Once the host was asked the handle may be gone: only its answer is of interest.
  if (warp_broadcast(fs.lane, fs.asked, 0u) == 0u) {
    const FileView view = file_view(fs, file, 0u, 0u, 0u, 0);
    if (view.error != 0) return call_end(fs, view.error);
    if (((uint)file & HANDLE_WRITABLE) != 0u) flushed = file_flush(fs, view.source.file_id);
    if (flushed == WARPFS_PENDING) return call_end(fs, flushed);
    fs.kept = (uint)-flushed;  // a replayed close learns it in one run and returns it in another
  }
  ulong value = 0;
  // The host keeps a file open whose bytes could not be written.
  const int closed = mail_ask(fs, Opcode::CLOSE, (uint)file, 0u, fs.kept != 0u ? 1u : 0u, value);
  return call_end(fs, closed < 0 ? closed : -(int)fs.kept);
}

}  // namespace warpfs
