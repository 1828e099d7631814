// Reading into the kernel's own memory, and reading ahead.
#pragma once

namespace warpfs {

// The part of a call that one request can serve: up to eight consecutive pages.
struct Chunk {
  ulong first_page;
  uint pages;
  uint begin;  // first byte in the first page
  uint bytes;
};

WARPFS_FN Chunk chunk_at(WARPFS_THREAD const Fs& fs, ulong position, uint bytes_left) {
  Chunk chunk;
  chunk.first_page = position >> fs.line_shift;
  chunk.begin = (uint)position & (line_bytes(fs) - 1u);
  const ulong reach = ((ulong)REQUEST_LINES_MAX << fs.line_shift) - chunk.begin;
  chunk.bytes = bytes_left < reach ? bytes_left : (uint)reach;
  chunk.pages = ((chunk.begin + chunk.bytes - 1u) >> fs.line_shift) + 1u;
  return chunk;
}

// Copies what a chunk wants from its page number `index`.
WARPFS_FN void chunk_copy_out(WARPFS_THREAD const Fs& fs, WARPFS_THREAD const Chunk& chunk, uint index, uint line, WARPFS_DEVICE uchar* target) {
  const uint page_begin = index << fs.line_shift;
  const uint from = index == 0u ? chunk.begin : 0u;
  const uint end = chunk.begin + chunk.bytes - page_begin;
  const uint to = end < line_bytes(fs) ? end : line_bytes(fs);
  copy_from_line(fs.lane, target + (page_begin + from - chunk.begin), line_data(fs, line) + from, to - from);
}

// All lanes. Serves one page if it is here: FIND_READY if it was, else what set_find gave (and a pin, where that is FIND_BUSY).
WARPFS_FN uint chunk_hit(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, WARPFS_THREAD const CacheSet& set, WARPFS_THREAD const Tag& tag,
                         WARPFS_THREAD const Chunk& chunk, uint index, WARPFS_DEVICE uchar* target, WARPFS_THREAD uint& line) {
  const uint found = set_find(fs, set, tag, line);
  if (found == FIND_READY) {
    chunk_copy_out(fs, chunk, index, line, target);
    page_release_read(fs, source, tag.page, line);
    fs.served |= 1u << index;
    count(fs, Counter::HITS, 1u);
  }
  return found;
}

// All lanes. First round: serves the pages that are here, and claims lines for those that nobody has asked for, all in one request.
WARPFS_FN void chunk_start(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, WARPFS_THREAD const Chunk& chunk, WARPFS_DEVICE uchar* target,
                           WARPFS_THREAD Fill& fill) {
  Tag tag;
  tag.file_id = source.file_id;
  for (uint index = 0; index < chunk.pages; index++) {
    if (((fs.served >> index) & 1u) != 0u) continue;
    tag.page = chunk.first_page + index;
    const CacheSet set = set_of(fs, tag);
    uint line = LINE_NONE;
    const uint found = chunk_hit(fs, source, set, tag, chunk, index, target, line);
    if (found == FIND_READY) continue;
    const uint tried = page_claim_to_fill(fs, set, tag, found, fill.reservation, line);
    if (tried == PAGE_OURS) {
      fill_add(fill, index, line);
    } else if (tried == PAGE_FILLED) {
      chunk_copy_out(fs, chunk, index, line, target);
      page_release_read(fs, source, tag.page, line);
      fs.served |= 1u << index;
    } else if (tried == PAGE_COMING || tried == PAGE_LATER) {
      // Nothing is waited for while the request has not been posted.
      if (is_leader(fs)) line_unpin(fs, line);
    }
  }
  fill_publish(fs, source, chunk.first_page, fill);
}

// All lanes. Second round: waits for each page in turn, never with another warp's page pinned.
WARPFS_FN int chunk_finish(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, WARPFS_THREAD const Chunk& chunk, WARPFS_DEVICE uchar* target,
                           WARPFS_THREAD const Fill& fill) {
  int status = 0;
  for (uint index = 0; index < chunk.pages; index++) {
    if (((fs.served >> index) & 1u) != 0u) continue;
    uint line = fill_line(fill, index);
    if (line != (uint)LINE_NONE) {
      if (status != 0) {
        // An earlier page failed or is not there yet: this one is kept for the next run, or let go.
        if (status == WARPFS_PENDING) {
          item_hold(fs, line);
        } else if (is_leader(fs)) {
          line_unpin(fs, line);
        }
        continue;
      }
      status = page_wait(fs, line);
    } else if (status == 0) {
      status = page_read(fs, source, chunk.first_page + index, PAGE_TO_READ, line);
    }
    if (status != 0) continue;
    chunk_copy_out(fs, chunk, index, line, target);
    page_release_read(fs, source, chunk.first_page + index, line);
    fs.served |= 1u << index;
  }
  return status;
}

WARPFS_FN int chunk_read(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, WARPFS_THREAD const Chunk& chunk, WARPFS_DEVICE uchar* target) {
  Fill fill;
  fill_begin(fill);
  // A page that goes past the cache is the only one that this call was waiting for: nothing is claimed beside it.
  if (fs.bypass_line == (uint)LINE_NONE) chunk_start(fs, source, chunk, target, fill);
  if (fs.served == 0xffffffffu >> (32u - chunk.pages)) return 0;
  return chunk_finish(fs, source, chunk, target, fill);
}

// All lanes. The host refuses bytes of an identity that is dead or about to die (ESTALE): what was read so far is of the file as it was
// before, so the read begins again.
WARPFS_FN void read_restart(WARPFS_THREAD Fs& fs) {
  // The same bytes will be written once more, and by other lanes.
  warp_sync(fs.lane);
  if (fs.bypass_line != (uint)LINE_NONE && is_leader(fs)) line_unpin(fs, fs.bypass_line);
  call_clear(fs);
}

WARPFS_HOT_CALL int gread(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE uchar* target) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  FileView view = file_view(fs, file, offset, length, (ulong)target, 0);
  if (view.error != 0) return call_end(fs, view.error);
  if (!read_target_is_new(fs, target, length)) {
    note_error(fs, -Errno::einval);
    return call_end(fs, -Errno::einval);
  }
  int status = 0;
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    if (fs.kept != 0u && fs.file_id != view.source.file_id) read_restart(fs);
    // The file may grow between the runs of a replayed item: what was not there when the read began is not part of it.
    if (fs.kept == 0u) {
      fs.kept = view.count + 1u;
      fs.file_id = view.source.file_id;
    }
    const uint bytes = fs.kept - 1u;
    status = 0;
    while (fs.progress < bytes && status == 0) {
      const Chunk chunk = chunk_at(fs, offset + fs.progress, bytes - (uint)fs.progress);
      status = chunk_read(fs, view.source, chunk, target + fs.progress);
      if (status == 0) {
        fs.progress += chunk.bytes;
        fs.served = 0;
      }
    }
    if (status != -Errno::estale) break;
    read_restart(fs);
    if (!file_wait_renewed(fs, file, view.source.file_id, bound)) {
      status = wait_outcome();
      break;
    }
    view = file_view(fs, file, offset, length, (ulong)target, 0);
    if (view.error != 0) return call_end(fs, view.error);
  }
  if (status == WARPFS_PENDING) return call_end(fs, status);
  count(fs, Counter::READS, 1u);
  count(fs, Counter::BYTES_READ, (uint)fs.progress);
  return read_end(fs, fs.progress > 0u ? (int)fs.progress : status, target, length);
}

WARPFS_CALL uint pages_prefetch(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong offset, uint length) {
  uint started = 0;
  bool room = true;
  while (started < length && room) {
    const Chunk chunk = chunk_at(fs, offset + started, length - started);
    Fill fill;
    fill_begin(fill);
    Tag tag;
    tag.file_id = source.file_id;
    for (uint index = 0; index < chunk.pages; index++) {
      tag.page = chunk.first_page + index;
      uint line = LINE_NONE;
      const uint tried = page_try(fs, tag, LineStep::FILLING, fill.reservation, line);
      if (tried == PAGE_OURS) {
        fill_add(fill, index, line);
      } else if (tried != PAGE_PINNED && tried != PAGE_AGAIN) {
        if (is_leader(fs)) line_unpin(fs, line);
      }
      room = room && tried <= PAGE_OURS;
    }
    fill_publish(fs, source, chunk.first_page, fill);
    for (uint index = 0; index < chunk.pages; index++) {
      if (fill_line(fill, index) != (uint)LINE_NONE && is_leader(fs)) line_unpin(fs, fill.lines[index]);
    }
    started += chunk.bytes;
  }
  return started;
}

// All lanes. These bytes lie where a warp gets at them without the host.
WARPFS_FN bool range_is_near(WARPFS_THREAD const Fs& fs, ulong offset, uint count) {
  uint near = 0;
#if WARPFS_WINDOWS
  if (is_leader(fs) && count != 0u) {
    const ulong first = offset >> fs.line_shift, last = (offset + count - 1u) >> fs.line_shift;
    near = window_place(fs, fs.window, first) != 0u && window_place(fs, fs.window, last) != 0u ? 1u : 0u;
  }
#else
  (void)offset;
  (void)count;
#endif
  return warp_broadcast(fs.lane, near, 0u) != 0u;
}

// All lanes. `far_alone`: for whoever will certainly wait for these bytes; what is near is not asked for, a read brings it sooner than the host would.
WARPFS_FN int prefetch(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, bool far_alone) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  const FileView view = file_view(fs, file, offset, length, 0u, 0);
  if (view.error != 0) return call_end(fs, view.error);
  if (far_alone && range_is_near(fs, offset, view.count)) return call_end(fs, (int)view.count);
  return call_end(fs, (int)pages_prefetch(fs, view.source, offset, view.count));
}

WARPFS_CALL int gprefetch(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length) { return prefetch(fs, file, offset, length, false); }

}  // namespace warpfs
