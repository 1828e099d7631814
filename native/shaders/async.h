// Asynchronous reads and writes: the start asks the host for the pages, the work is done when the ticket is waited for.
#pragma once

namespace warpfs {

WARPFS_CALL Ticket gread_async(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE uchar* target) {
  Ticket ticket;
  ticket.file = file;
  ticket.length = length;
  ticket.offset = offset;
  ticket.target = target;
  ticket.source = target;
  ticket.writes = false;
  const int started = gprefetch(fs, file, offset, length);
  ticket.error = started < 0 && started != WARPFS_PENDING ? started : 0;
  return ticket;
}

WARPFS_CALL Ticket gwrite_async(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, const WARPFS_DEVICE uchar* source) {
  Ticket ticket;
  ticket.file = file;
  ticket.length = length;
  ticket.offset = offset;
  ticket.target = 0;
  ticket.source = source;
  ticket.writes = true;
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

}  // namespace warpfs
