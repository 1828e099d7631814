// Kernels that the host runs for its own ends.
#pragma once

namespace warpfs {

enum : uint32_t { SWEEP_LINES = 64 };  // lines that one work item of a sweep looks after: enough for one fence, and few enough that many store at once

// Writes back every modified line of the cache: fs.sync() and unmount.
WARPFS_FN int run_sweep(WARPFS_THREAD Fs& fs) {
  int result = 0;
  if (call_begin(fs, result)) return result;
  const uint first = fs.item * SWEEP_LINES;
  const uint lines = fs.geometry->line_count;
  const uint end = first + SWEEP_LINES < lines ? first + SWEEP_LINES : lines;
  FlushRange all;
  all.file_id = 0;
  all.page_end = 0;
  return call_end(fs, lines_flush(fs, first, end, all));
}

#if WARPFS_REPLAY
// Ends a pending item that will not be run again: nothing that it holds outlives the dispatch.
WARPFS_FN void run_abandon(WARPFS_THREAD Fs& fs) {
  if (is_leader(fs) && fs.bypass_line != (uint)LINE_NONE) line_unpin(fs, fs.bypass_line);
  if (is_leader(fs)) gate_leave(fs);
  note_error(fs, -Errno::etimedout);
}
#endif

}  // namespace warpfs
