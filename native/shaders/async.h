// Asynchronous reads and writes: the start asks the host for the pages, the work is done when the ticket is waited for.
#pragma once

namespace warpfs {

WARPFS_CALL Ticket gread_async(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE uchar* target) {
  Ticket ticket = ticket_make(file, offset, length, false);
  ticket.target = target;
  const int started = prefetch(fs, file, offset, length, true);
  ticket.error = started < 0 && started != WARPFS_PENDING ? started : 0;
  return ticket;
}

WARPFS_CALL Ticket gwrite_async(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, const WARPFS_DEVICE uchar* source) {
  Ticket ticket = ticket_make(file, offset, length, true);
  ticket.source = source;
  const uint within = line_bytes(fs) - 1u;
  int started = 0;
  if (((uint)offset & within) != 0u) started = gprefetch(fs, file, offset, 1u);
  const ulong end = offset + length;
  if (started >= 0 && length != 0u && ((uint)end & within) != 0u) started = gprefetch(fs, file, end - 1u, 1u);
  ticket.error = started < 0 && started != WARPFS_PENDING ? started : 0;
  return ticket;
}

WARPFS_CALL int gwait(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Ticket& ticket) {
  if (ticket.error != 0) return ticket.error;
  if (ticket.writes) return gwrite(fs, ticket.file, ticket.offset, ticket.length, ticket.source);
  return gread(fs, ticket.file, ticket.offset, ticket.length, ticket.target);
}

// All lanes. Is the page on its way?
WARPFS_FN bool page_is_coming(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Tag& tag) {
  uint line = LINE_NONE;
  const CacheSet set = set_of(fs, tag);
  const uint found = set_find(fs, set, tag, line);
  if (found == FIND_MISS || found == FIND_AGAIN) return found == FIND_AGAIN;
  uint coming = 0;
  if (is_leader(fs)) {
    uint word = atomic_add(fs.words + line, LINE_HAND) + LINE_HAND;
    if (line_state(word) == LineState::BUSY && !line_can_be_read(word)) coming = line_finish(fs, line, word) ? 0u : 1u;
    line_leave(fs, line);
    line_unpin(fs, line);
  }
  return warp_broadcast(fs.lane, coming, 0u) != 0u;
}

WARPFS_CALL int gpoll(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Ticket& ticket) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  if (ticket.error != 0) return call_end(fs, ticket.error);
  const FileView view = file_view(fs, ticket.file, ticket.offset, ticket.length, 0u, 0);
  if (view.error != 0) return call_end(fs, view.error);
  bool coming = false;
  Tag tag;
  tag.file_id = view.source.file_id;
  const ulong last = view.count == 0u ? 0u : (ticket.offset + view.count - 1u) >> fs.line_shift;
  for (tag.page = ticket.offset >> fs.line_shift; view.count != 0u && tag.page <= last && !coming; tag.page++) coming = page_is_coming(fs, tag);
#if WARPFS_REPLAY
  // Nothing comes while the item runs: it is run again when something has.
  if (coming) return call_end(fs, WARPFS_PENDING);
#endif
  return call_end(fs, coming ? 0 : 1);
}

}  // namespace warpfs
