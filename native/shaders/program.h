// The kernel behind fs.run: one list of steps per warp. Every step has a result record, which under replay is also the memory of what is done.
#pragma once

namespace warpfs {

// The kernel's own buffers, in this order.
struct Program {
  WARPFS_DEVICE const ProgramWarp* warps;
  WARPFS_DEVICE const ProgramStep* steps;
  WARPFS_DEVICE ProgramResult* results;
  WARPFS_DEVICE uchar* data;
  WARPFS_DEVICE uint* barrier;  // [0]: arrivals of all warps at all barriers so far
  uint warp_count;
};

// All lanes. Every warp of the run arrives before any leaves; `passed` barriers lie behind this warp.
WARPFS_FN int program_barrier(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Program& program, uint passed) {
  int outcome = 0;
  if (is_leader(fs)) {
    fence_release();
    if (fs.asked == 0u) atomic_add(program.barrier, 1u);
    fs.asked = 1u;
    WaitBound bound;
    wait_start(fs, bound);
    while (atomic_load(program.barrier) < (passed + 1u) * program.warp_count) {
      if (!wait_again(fs, bound)) {
        outcome = wait_outcome();
        break;
      }
    }
    fence_acquire();
  }
  return (int)warp_broadcast(fs.lane, (uint)outcome, 0u);
}

// Work that no compiler can leave out: the result depends on every step.
WARPFS_FN uint program_compute(uint seed, ulong steps) {
  uint value = seed;
  for (ulong i = 0; i < steps; i++) value = value * 1664525u + 1013904223u;
  return value;
}

// The handle that a step works with: what its open gave, or why there is none. A file that the program has closed is closed for it, also
// where another warp still has the same file open and the host would take the handle.
WARPFS_FN int program_file(WARPFS_THREAD const Program& program, uint open_step) {
  WARPFS_DEVICE const ProgramResult* opened = program.results + open_step;
  return opened->result >= 0 && opened->mark != 0u ? -Errno::ebadf : opened->result;
}

WARPFS_FN int program_step(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Program& program, uint first, WARPFS_DEVICE const ProgramStep* step,
                           WARPFS_DEVICE ProgramResult* result, WARPFS_THREAD uint& barriers) {
  const uint op = step->op;
  WARPFS_DEVICE uchar* data = program.data + step->data;
  if (op == ProgramOp::NOP) return 0;
  if (op == ProgramOp::OPEN) return gopen(fs, data, step->mode);
  if (op == ProgramOp::BARRIER) {
    int logged = 0;
    if (call_begin(fs, logged)) return logged;
    return call_end(fs, program_barrier(fs, program, barriers));
  }
  if (op == ProgramOp::COMPUTE) {
    const uint mixed = program_compute(fs.item * 32u + fs.lane.index, step->offset);
    const uint sum = warp_sum(fs.lane, mixed);
    if (is_leader(fs)) result->mark = sum;
    return 0;
  }
  if (op == ProgramOp::WAIT) {
    // The step that it waits for says what is to be done; its start has failed, or it has asked for its pages.
    const int started = program.results[first + step->target].result;
    if (started < 0) return started;
    WARPFS_DEVICE const ProgramStep* asked = program.steps + first + step->target;
    const int file = program_file(program, first + asked->target);
    if (file < 0) return file;
    WARPFS_DEVICE uchar* bytes = program.data + asked->data;
    if (asked->op == ProgramOp::WRITE_ASYNC) return gwrite(fs, file, asked->offset, asked->length, bytes);
    return gread(fs, file, asked->offset, asked->length, bytes);
  }
  const int file = program_file(program, first + step->target);
  // An operation on a file that could not be opened ends as its open did.
  if (file < 0) return file;
  if (op == ProgramOp::CLOSE) return gclose(fs, file);
  if (op == ProgramOp::READ) return gread(fs, file, step->offset, step->length, data);
  if (op == ProgramOp::WRITE) return gwrite(fs, file, step->offset, step->length, data);
  if (op == ProgramOp::SYNC) return gfsync(fs, file);
  if (op == ProgramOp::PREFETCH) return gprefetch(fs, file, step->offset, step->length);
  if (op == ProgramOp::READ_ASYNC) return gread_async(fs, file, step->offset, step->length, data).error;
  if (op == ProgramOp::WRITE_ASYNC) return gwrite_async(fs, file, step->offset, step->length, data).error;
  if (op == ProgramOp::STAT) {
    ulong size = 0;
    const int status = gstat(fs, file, size);
    if (is_leader(fs)) result->size = size;
    return status;
  }
  return -Errno::enosys;
}

// One work item: the steps of one warp, in order. Errors are results of their steps; they do not end the program.
WARPFS_FN int run_program(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Program& program) {
  const uint first = program.warps[fs.item].first_step;
  const uint steps = program.warps[fs.item].step_count;
  uint barriers = 0;
  gphase(fs, 0u);  // nothing comes before the first step
  for (uint i = 0; i < steps; i++) {
    WARPFS_DEVICE const ProgramStep* step = program.steps + first + i;
    WARPFS_DEVICE ProgramResult* result = program.results + first + i;
    if (result->done == 0u) {
      const ulong begin = clock_ns();
      const int status = program_step(fs, program, first, step, result, barriers);
      if (fs.pending) return WARPFS_PENDING;
      // All lanes have read what this step was given before its record changes, and see the record after.
      warp_sync(fs.lane);
      if (is_leader(fs)) {
        result->result = status;
        result->nanoseconds = clock_ns() - begin;
        result->done = 1u;
        if (step->op == ProgramOp::CLOSE) program.results[first + step->target].mark = 1u;
      }
      warp_sync(fs.lane);
      // The result remembers the step: the log of calls starts anew with each.
      gcheckpoint(fs);
    }
    if (step->op == ProgramOp::BARRIER) barriers++;
  }
  // A refused call is a result of its step here, not a failure of the item.
  fs.error = 0;
  return WARPFS_DONE;
}

}  // namespace warpfs
