// Writing through the cache: the bytes are in a line when the call returns, and in the file after a write-back.
#pragma once

namespace warpfs {

struct Piece {
  ulong page;
  uint first;  // first byte within the line
  uint last;   // last byte within the line
};

// All lanes; the warp holds a pin on a READY or MODIFIED line. False: other bytes of the line have to be written back first.
WARPFS_FN bool piece_write(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, WARPFS_THREAD const Piece& piece, uint line,
                           const WARPFS_DEVICE uchar* bytes) {
  uint fits = 0;
  if (is_leader(fs)) {
    fits = dirty_extend(fs, line, piece.first, piece.last) ? 1u : 0u;
    if (fits != 0u) {
      atomic_store(&fs.auxes[line].file, source.handle);
      line_write(fs, line);
    }
  }
  if (warp_broadcast(fs.lane, fits, 0u) == 0u) return false;
  // The pin keeps the line from being written back until all bytes are in it.
  copy_to_line(fs.lane, line_data(fs, line) + piece.first, bytes, piece.last - piece.first + 1u);
  return true;
}

// All lanes. A line that this warp has claimed and covers whole: nothing is read for it.
WARPFS_FN void piece_write_whole(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, WARPFS_THREAD const Piece& piece, uint line,
                                 const WARPFS_DEVICE uchar* bytes) {
  copy_to_line(fs.lane, line_data(fs, line), bytes, piece.last + 1u);
  warp_sync(fs.lane);
  if (is_leader(fs)) {
    atomic_store(&fs.auxes[line].file, source.handle);
    atomic_store(&fs.auxes[line].dirty, dirty_range(piece.first, piece.last));
    uint word = atomic_load(fs.words + line);
    line_move(fs, line, word, LineState::READY, LineStep::NONE);
    line_write(fs, line);
  }
}

// All lanes. The line carries older bytes that do not touch these: gets them written back. 0, their error, or wait_outcome(); 1 where that
// is for others to do, or has been done meanwhile.
WARPFS_FN int piece_make_way(WARPFS_THREAD Fs& fs, uint line) {
  uint waits = 0;
  if (is_leader(fs)) {
    line_drain(fs, line);
    line_unpin(fs, line);
    if (line_write_back(fs, line, 1u) == WRITE_BACK_STARTED) waits = 1u;
  }
  if (warp_broadcast(fs.lane, waits, 0u) == 0u) return 1;
  return page_make_way(fs, line);
}

// All lanes. Brings the bytes of one line into the cache: 0, or -errno, or PENDING.
WARPFS_FN int line_gwrite(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, WARPFS_THREAD const Piece& piece, const WARPFS_DEVICE uchar* bytes) {
  const bool whole = piece.first == 0u && piece.last + 1u == line_bytes(fs);
  WaitBound bound;
  wait_start(fs, bound);
  Tag tag;
  tag.file_id = source.file_id;
  tag.page = piece.page;
  for (;;) {
    Fill fill;
    fill_begin(fill);
    uint line = LINE_NONE;
    uint tried = page_try(fs, tag, whole ? LineStep::STARTING : LineStep::FILLING, fill.reservation, line);
    if (tried == PAGE_OURS && !whole) fill_add(fill, 0u, line);
    fill_publish(fs, source, piece.page, fill);
    int status = 0;
    int refused = 0;  // the older bytes that the line carries could not be written back
    if (tried == PAGE_OURS && whole) {
      piece_write_whole(fs, source, piece, line, bytes);
      page_release(fs, line);
      return 0;
    }
    if (tried == PAGE_OURS || tried == PAGE_COMING) {
      status = page_wait(fs, line);
      if (status != 0) return status;
      if (tried == PAGE_COMING) refused = line_write_back_result(fs, line);
      tried = PAGE_READY;
    } else if (tried == PAGE_READY) {
      count(fs, Counter::HITS, 1u);
    } else if (tried == PAGE_LATER) {
      status = page_make_way(fs, line);
      if (status != 0) return status;
      continue;
    }
    if (tried == PAGE_READY) {
      if (piece_write(fs, source, piece, line, bytes)) {
        page_release(fs, line);
        return 0;
      }
      if (refused < 0) {
        // A replayed item starts a write-back in one run and learns in the next how it ended: to start another would go on for ever.
        page_release(fs, line);
        return refused;
      }
      status = piece_make_way(fs, line);
      if (status < 0) return status;
      if (status == 0) continue;  // the line is clean: nothing to wait for
    }
    count(fs, Counter::RETRIES, 1u);
    if (!warp_wait_again(fs, bound)) return wait_outcome();
  }
}

// All lanes. Says how far the file reaches now. Last of all, so that nobody sees the new size before the new bytes.
WARPFS_FN int file_extend(WARPFS_THREAD Fs& fs, int file, ulong end) {
  uint needed = fs.asked;
  if (is_leader(fs) && needed == 0u) {
    WARPFS_DEVICE const FileEntry* entry = file_entry(fs, file);
    ulong size = 0;
    // Where the size cannot be seen, asking once too often does no harm.
    if (entry != 0 && (!file_size(entry, size) || size < end)) needed = 1u;
  }
  if (warp_broadcast(fs.lane, needed, 0u) == 0u) return 0;
  ulong size = 0;
  return mail_ask(fs, Opcode::EXTEND, (uint)file, end, 0u, size);
}

WARPFS_HOT_CALL int gwrite(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, const WARPFS_DEVICE uchar* source) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  const FileView view = file_view(fs, file, offset, length, (ulong)source);
  if (view.error != 0) return call_end(fs, view.error);
  if (fs.geometry->read_only != 0u) return call_end(fs, -Errno::erofs);
  if (((uint)file & HANDLE_WRITABLE) == 0u) return call_end(fs, -Errno::ebadf);
  int status = 0;
  // A replayed write that has asked for the new size has written all that it will: the request says how far.
  const bool written = fs.asked != 0u;
  while (!written && fs.progress < length && status == 0) {
    const ulong position = offset + fs.progress;
    Piece piece;
    piece.page = position >> fs.line_shift;
    piece.first = (uint)position & (line_bytes(fs) - 1u);
    const uint room = line_bytes(fs) - piece.first;
    const uint left = length - (uint)fs.progress;
    piece.last = piece.first + (left < room ? left : room) - 1u;
    status = line_gwrite(fs, view.source, piece, source + fs.progress);
    if (status == 0) fs.progress += piece.last - piece.first + 1u;
  }
  if (fs.progress > 0u && status != WARPFS_PENDING) {
    const int extended = file_extend(fs, file, offset + fs.progress);
    if (extended < 0) status = extended;
    if (extended < 0 && extended != WARPFS_PENDING) fs.progress = 0;
  }
  if (status == WARPFS_PENDING) return call_end(fs, status);
  count(fs, Counter::WRITES, 1u);
  count(fs, Counter::BYTES_WRITTEN, (uint)fs.progress);
  return call_end(fs, fs.progress > 0u ? (int)fs.progress : status);
}

}  // namespace warpfs
