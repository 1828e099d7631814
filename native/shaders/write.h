// Writing through the cache: the bytes are in a line when the call returns, and in the file after a write-back.
#pragma once

namespace warpfs {

struct Piece {
  ulong page;
  uint first;  // first byte within the line
  uint last;   // last byte within the line
};

// All lanes. Brings a page to where the warp may write into it (PAGE_TO_WRITE, PAGE_TO_REPLACE): 0 and a pinned `line` with a hand of ours on
// it, or what page_read gave instead.
WARPFS_CALL int page_enter(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong page, uint use, WARPFS_THREAD uint& line) {
  WaitBound bound;
  wait_start(fs, bound);
  int status = page_read(fs, source, page, use, line);
  while (status == 0) {
    uint waits = 0;
    if (is_leader(fs) && !line_enter(fs, line)) {
      // Where it drains, whoever finds it free first sends it on its way.
      line_write_back(fs, line, 0u);
      waits = line_state(atomic_load(fs.words + line)) == LineState::BUSY ? 1u : 2u;
    }
    waits = warp_broadcast(fs.lane, waits, 0u);
    if (waits == 0u) break;
    count(fs, Counter::RETRIES, 1u);
    if (waits == 1u) {
      status = page_wait(fs, line);
    } else if (!warp_wait_again(fs, bound)) {
      // The pin is kept meanwhile: to let go and look again would disturb those who wait for the same.
      item_hold(fs, line);
      return wait_outcome();
    }
  }
  if (status >= 0) line_is_known_claimed();
  return status;
}

// All lanes. Lets go of a line that page_enter gave.
WARPFS_CALL void page_leave(WARPFS_THREAD Fs& fs, uint line) {
  warp_sync(fs.lane);
  if (!is_leader(fs)) return;
  fence_release();
  atomic_sub(fs.words + line, LINE_HAND | LINE_PIN);
}

// Leader only; the warp has a hand on the line. False: no mask is free, so other bytes of the line have to be written back first.
WARPFS_CALL bool line_soil(WARPFS_THREAD const Fs& fs, WARPFS_THREAD const Source& source, uint line, uint first, uint last) {
  if (!dirty_add(fs, line, first, last)) return false;
  atomic_store(&fs.auxes[line].file, source.handle);
  line_write(fs, line);
  return true;
}

// All lanes. A line that this warp has claimed and covers whole: nothing is read for it. page_leave lets go of it.
WARPFS_FN void piece_write_whole(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, WARPFS_THREAD const Piece& piece, uint line,
                                 const WARPFS_DEVICE uchar* bytes) {
  copy_to_line(fs.lane, line_data(fs, line), bytes, piece.last + 1u);
  warp_sync(fs.lane);
  if (is_leader(fs)) {
    atomic_store(&fs.auxes[line].file, source.handle);
    atomic_store(&fs.auxes[line].dirty, dirty_range(piece.first, piece.last));
    // With a hand on it nobody takes these bytes to the file before the line says that it is MODIFIED.
    uint word = atomic_add(fs.words + line, LINE_HAND) + LINE_HAND;
    line_move(fs, line, word, LineState::READY, LineStep::NONE);
    line_write(fs, line);
  }
}

// All lanes; the warp has a hand on a line whose older bytes do not touch these, and there is no mask for them: gets them written back, and
// lets go of the line. 0: the line is clean. Else LINE_LATER, their error, or wait_outcome(). `tried`: this call has had that done before.
WARPFS_CALL int line_make_way(WARPFS_THREAD Fs& fs, uint line, WARPFS_THREAD uint& tried) {
  int status = 0;
  uint waits = 0;
  if (is_leader(fs)) {
    // A replayed item starts a write-back in one run and learns in the next how it ended: to start another would go on for ever.
    if (tried != 0u) status = line_write_back_error(fs, line);
    line_drain(fs, line);
    line_leave(fs, line);
    line_unpin(fs, line);
    if (status == 0 && line_write_back(fs, line, 1u) == WRITE_BACK_STARTED) waits = 1u;
  }
  const ulong both = warp_broadcast64(fs.lane, ((ulong)(uint)status << 32) | waits, 0u);
  tried = 1u;
  status = (int)(uint)(both >> 32);
  if (status < 0) return status;
  return (uint)both != 0u ? page_make_way(fs, line) : LINE_LATER;
}

// All lanes. Brings the bytes of one line into the cache: 0, or -errno, or PENDING.
WARPFS_FN int line_gwrite(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, WARPFS_THREAD const Piece& piece, const WARPFS_DEVICE uchar* bytes) {
  const bool whole = piece.first == 0u && piece.last + 1u == line_bytes(fs);
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    uint line = LINE_NONE;
    int status = page_enter(fs, source, piece.page, whole ? PAGE_TO_REPLACE : PAGE_TO_WRITE, line);
    if (status == PAGE_IS_OURS) {
      piece_write_whole(fs, source, piece, line, bytes);
      page_leave(fs, line);
#if WARPFS_STORES
      if (page_stores_behind(piece.page)) pages_store_behind(fs, source, piece.page);
#endif
      return 0;
    }
    if (status != 0) return status;
    uint fits = 0;
    if (is_leader(fs)) fits = line_soil(fs, source, line, piece.first, piece.last) ? 1u : 0u;
    if (warp_broadcast(fs.lane, fits, 0u) != 0u) {
      // The hand keeps the line from being written back until all bytes are in it.
      copy_to_line(fs.lane, line_data(fs, line) + piece.first, bytes, piece.last - piece.first + 1u);
      page_leave(fs, line);
      return 0;
    }
    status = line_make_way(fs, line, fs.served);
    if (status == 0) continue;
    if (status != LINE_LATER) return status;
    count(fs, Counter::RETRIES, 1u);
    if (!warp_wait_again(fs, bound)) return wait_outcome();
  }
}

// All lanes. Says how far the file reaches now. Last of all, so that nobody sees the new size before the new bytes.
WARPFS_FN int file_extend(WARPFS_THREAD Fs& fs, int file, ulong end) {
  uint needed = fs.asked;
  if (is_leader(fs) && needed == 0u) {
    WARPFS_DEVICE const FileEntry* entry = file_entry(fs, file);
    FileLook look;
    // Where the size cannot be seen, asking once too often does no harm.
    if (entry != 0 && (!file_look(entry, look) || look.size < end)) needed = 1u;
  }
  if (warp_broadcast(fs.lane, needed, 0u) == 0u) return 0;
  ulong size = 0;
  return mail_ask(fs, Opcode::EXTEND, (uint)file, end, 0u, size);
}

// All lanes; the warp has a hand on the line. Says which bytes of it the lanes that are `mine` are about to write: the mask of those lanes that
// may, none where other bytes of the line have to be written back first.
WARPFS_CALL uint elements_soil(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, uint line, bool mine, uint first, uint bytes) {
  const uint lanes = warp_ballot(fs.lane, mine);
  const uint lead = lowest_bit(lanes);
  const uint base = warp_broadcast(fs.lane, first, lead);
  // Side by side in the order of the lanes: one range says it all.
  const uint before = bit_count(lanes & ((1u << fs.lane.index) - 1u));
  const bool side_by_side = !warp_any(fs.lane, mine && first != base + before * bytes);
  uint mask = MASK_NONE;
  uint soiled = 0;
  if (is_leader(fs)) {
    if (!side_by_side) mask = dirty_to_mask(fs, line);
    if (mask != (uint)MASK_NONE) {
      atomic_store(&fs.auxes[line].file, source.handle);
      line_write(fs, line);
      soiled = lanes;
    } else {
      const uint together = side_by_side ? lanes : 1u << lead;
      if (line_soil(fs, source, line, base, base + bit_count(together) * bytes - 1u)) soiled = together;
    }
  }
  const ulong both = warp_broadcast64(fs.lane, ((ulong)mask << 32) | soiled, 0u);
  mask = (uint)(both >> 32);
  if (mine && mask != (uint)MASK_NONE) mask_set(fs, mask, first, first + bytes - 1u);
  return (uint)both;
}

// All lanes, after elements were written. Where too many lines are dirty, those of this file go on to it: 0, or PENDING.
WARPFS_CALL int elements_write_through(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source) {
  const uint limit = fs.geometry->dirty_lines_max;
  if (limit == 0u) return 0;
  uint over = fs.kept;
  if (is_leader(fs) && atomic_load(&fs.dirty->lines) > limit) over = 1u;
  if (warp_broadcast(fs.lane, over, 0u) == 0u) return 0;
  const uint served = fs.served;
  fs.served = fs.kept;  // of the flush: it has begun in an earlier run
  const int status = file_flush(fs, source.file_id);
  fs.served = served;
  fs.kept = 1u;
  return status == WARPFS_PENDING ? status : 0;
}

// All lanes. Where too many lines are dirty, what a call has written goes on to the file before the call ends: 0, or PENDING. An attempt that
// fails keeps its bytes, and whoever syncs will hear of it.
WARPFS_CALL int pages_write_through(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong offset, uint bytes) {
  const uint limit = fs.geometry->dirty_lines_max;
  if (limit == 0u || bytes == 0u) return 0;
  uint over = fs.kept;
  if (is_leader(fs) && atomic_load(&fs.dirty->lines) > limit) over = 1u;
  over = warp_broadcast(fs.lane, over, 0u);
  if (over == 0u) return 0;
  Tag tag;
  tag.file_id = source.file_id;
  const ulong last = (offset + bytes - 1u) >> fs.line_shift;
  int status = 0;
  for (uint round = 0; round < 2u; round++) {
    for (tag.page = offset >> fs.line_shift; tag.page <= last; tag.page++) {
      uint line = LINE_NONE;
      const CacheSet set = set_of(fs, tag);
      const uint found = set_find(fs, set, tag, line);
      if (found != FIND_READY && found != FIND_BUSY) continue;
      // The first round starts what no run of this call has started yet, the second waits.
      if (round == 0u && fs.kept == 0u && is_leader(fs)) line_write_back(fs, line, 0u);
      uint waits = 0;
      if (is_leader(fs)) waits = round != 0u && line_state(atomic_load(fs.words + line)) == LineState::BUSY ? 1u : 0u;
      if (warp_broadcast(fs.lane, waits, 0u) != 0u) {
        if (page_make_way(fs, line) == WARPFS_PENDING) status = WARPFS_PENDING;
      } else if (is_leader(fs)) {
        line_unpin(fs, line);
      }
    }
  }
  fs.kept = 1u;
  return status;
}

// All lanes, in every call that writes: passes the gate, and looks the file up.
WARPFS_CALL FileView file_view_to_write(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, ulong address) {
  FileView view = file_view(fs, file, offset, length, address, is_leader(fs) ? gate_pass(fs, file) : 0);
  if (view.error != 0) return view;
  if (((uint)file & HANDLE_WRITABLE) == 0u) view.error = -Errno::ebadf;
  if (fs.geometry->read_only != 0u) view.error = -Errno::erofs;
  return view;
}

WARPFS_HOT_CALL int gwrite(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, const WARPFS_DEVICE uchar* source) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  const FileView view = file_view_to_write(fs, file, offset, length, (ulong)source);
  if (view.error != 0) return call_end(fs, view.error);
  const ulong room = offset < fs.geometry->file_bytes_max ? fs.geometry->file_bytes_max - offset : 0u;
  if (length != 0u && room == 0u) return call_end(fs, -Errno::efbig);
  const uint bytes = length < room ? length : (uint)room;
  int status = 0;
  // A replayed write that has asked for the new size has written all that it will: the request says how far.
  const bool written = fs.asked != 0u;
  while (!written && fs.progress < bytes && status == 0) {
    const ulong position = offset + fs.progress;
    Piece piece;
    piece.page = position >> fs.line_shift;
    piece.first = (uint)position & (line_bytes(fs) - 1u);
    const uint within = line_bytes(fs) - piece.first;
    const uint left = bytes - (uint)fs.progress;
    piece.last = piece.first + (left < within ? left : within) - 1u;
    status = line_gwrite(fs, view.source, piece, source + fs.progress);
    if (status != 0) break;
    fs.progress += piece.last - piece.first + 1u;
    fs.served = 0;
    fs.again = 0;
  }
  if (fs.progress > 0u && status != WARPFS_PENDING) {
    const int extended = file_extend(fs, file, offset + fs.progress);
    if (extended < 0) status = extended;
    if (extended < 0 && extended != WARPFS_PENDING) fs.progress = 0;
  }
  if (status != WARPFS_PENDING && pages_write_through(fs, view.source, offset, (uint)fs.progress) == WARPFS_PENDING) status = WARPFS_PENDING;
  if (status == WARPFS_PENDING) return call_end(fs, status);
  count(fs, Counter::WRITES, 1u);
  count(fs, Counter::BYTES_WRITTEN, (uint)fs.progress);
  return call_end(fs, fs.progress > 0u ? (int)fs.progress : status);
}

}  // namespace warpfs
