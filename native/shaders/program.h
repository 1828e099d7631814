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

// Elements at the u64 indices of the step: their values lie behind the indices.
WARPFS_FN int program_elements(WARPFS_THREAD Fs& fs, int file, WARPFS_DEVICE const ProgramStep* step, WARPFS_DEVICE uchar* data) {
  WARPFS_DEVICE const ulong* indices = (WARPFS_DEVICE const ulong*)data;
  WARPFS_DEVICE uint* values = (WARPFS_DEVICE uint*)(indices + step->length);
  const uint op = step->op;
  int error = 0;
  for (uint base = 0; base < step->length; base += fs.lane.count) {
    const uint at = base + fs.lane.index;
    const bool wanted = at < step->length;
    const ulong index = wanted ? indices[at] : 0u;
    uint value = wanted ? values[at] : 0u;
    int status = 0;
    if (op == ProgramOp::SCATTER) status = gstore<uint>(fs, file, index, value, wanted);
    if (op == ProgramOp::GATHER) value = gload<uint>(fs, file, index, wanted);
    if (op == ProgramOp::ADD) value = gadd<uint>(fs, file, index, value, wanted);
    if (fs.pending) return WARPFS_PENDING;
    if (error == 0) error = status;
    // The amounts of an addition stay for a replay; the old values come behind them.
    if (wanted && op == ProgramOp::GATHER) values[at] = value;
    if (wanted && op == ProgramOp::ADD) values[step->length + at] = value;
  }
  if (error == 0) error = fs.error;
  return error != 0 ? error : (int)step->length;
}

// In whole words of the file: each of them is seen as it was at one moment.
WARPFS_FN void program_copy_peek(WARPFS_THREAD const Fs& fs, WARPFS_THREAD const Peek& peek, uint offset, WARPFS_DEVICE uchar* data) {
  const uint before = offset & 3u;
  Peek words = peek;
  words.bytes -= before;
  for (uint i = fs.lane.index; i * 4u < before + peek.count; i += fs.lane.count) {
    const uint word = peek_load<uint>(words, i);
    for (uint byte = 0; byte < 4u; byte++) {
      const uint at = i * 4u + byte - before;
      if (at < peek.count) data[at] = (uchar)(word >> (8u * byte));
    }
  }
}

// READ by looking, as often as it takes. What is not in one page, or cannot be held, is read as ever.
WARPFS_FN int program_peek(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE uchar* data) {
  Peek peek = {};
  for (;;) {
    const int seen = gpeek(fs, file, offset, length, peek);
    if (fs.pending) return WARPFS_PENDING;
    if (seen < 0) return gread(fs, file, offset, length, data);
    if (seen > 0) program_copy_peek(fs, peek, (uint)offset, data);
    const int right = gpeek_end(fs, peek);
    if (right != 0) return right < 0 ? right : seen;
  }
}

// What a step has mapped, put together again from its result.
WARPFS_FN Map program_map(WARPFS_THREAD const Fs& fs, WARPFS_THREAD const Program& program, uint first, uint map_step) {
  WARPFS_DEVICE const ProgramStep* step = program.steps + map_step;
  WARPFS_DEVICE const ProgramResult* mapped = program.results + map_step;
  Map map;
  map.file = program_file(program, first + step->target);
  map.writes = (step->mode & OPEN_WRITE) != 0u;
  map.count = mapped->result > 0 ? (uint)mapped->result : 0u;
  map.line = (uint)mapped->size;
  map.first = (uint)step->offset & (line_bytes(fs) - 1u);
  map.bytes = line_data(fs, map.line) + map.first;
  return map;
}

// UNMAP and MAP_SYNC, with bytes that are stored in the map first: once, also where the step is replayed.
WARPFS_FN int program_map_end(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Program& program, uint first, WARPFS_DEVICE const ProgramStep* step,
                              WARPFS_DEVICE ProgramResult* result) {
  const int mapped = program.results[first + step->target].result;
  if (mapped < 0) return mapped;
  const Map map = program_map(fs, program, first, first + step->target);
  if (step->mode != 0u && result->mark == 0u) {
    if (!map.writes) return -Errno::ebadf;
    if (step->length > map.count) return -Errno::einval;
    // An unmapped line is somebody else's by now.
    if (program.results[first + step->target].mark != 0u) return -Errno::ebadf;
    copy_to_line(fs.lane, map.bytes, program.data + step->data, step->length);
    warp_sync(fs.lane);
    if (is_leader(fs)) result->mark = 1u;
    warp_sync(fs.lane);
  }
  return step->op == ProgramOp::UNMAP ? gmunmap(fs, map) : gmsync(fs, map);
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
  if (op == ProgramOp::UNLINK) return gunlink(fs, data);
  if (op == ProgramOp::RENAME) return grename(fs, data, data + step->offset);
  if (op == ProgramOp::UNMAP || op == ProgramOp::MAP_SYNC) return program_map_end(fs, program, first, step, result);
  if (op == ProgramOp::WAIT || op == ProgramOp::POLL) {
    // The step that it waits for says what is to be done; its start has failed, or it has asked for its pages.
    const int started = program.results[first + step->target].result;
    if (started < 0) return started;
    WARPFS_DEVICE const ProgramStep* asked = program.steps + first + step->target;
    WARPFS_DEVICE uchar* bytes = program.data + asked->data;
    const int file = program_file(program, first + asked->target);
    if (file < 0) return file;
    if (op == ProgramOp::POLL) {
      const Ticket ticket = ticket_make(file, asked->offset, asked->length, asked->op == ProgramOp::WRITE_ASYNC);
      return gpoll(fs, ticket);
    }
    if (asked->op == ProgramOp::WRITE_ASYNC) return gwrite(fs, file, asked->offset, asked->length, bytes);
    return gread(fs, file, asked->offset, asked->length, bytes);
  }
  const int file = program_file(program, first + step->target);
  // An operation on a file that could not be opened ends as its open did.
  if (file < 0) return file;
  if (op == ProgramOp::CLOSE) return gclose(fs, file);
  if (op == ProgramOp::READ && step->mode != 0u) return program_peek(fs, file, step->offset, step->length, data);
  if (op == ProgramOp::READ) return gread(fs, file, step->offset, step->length, data);
  if (op == ProgramOp::WRITE) return gwrite(fs, file, step->offset, step->length, data);
  if (op == ProgramOp::TRUNCATE) return gftruncate(fs, file, step->offset);
  if (op == ProgramOp::GATHER || op == ProgramOp::SCATTER || op == ProgramOp::ADD) return program_elements(fs, file, step, data);
  if (op == ProgramOp::MAP) {
    Map map;
    const int mapped = gmmap(fs, file, step->offset, step->length, step->mode, map);
    if (mapped > 0) copy_from_line(fs.lane, data, map.bytes, map.count);
    if (is_leader(fs) && mapped > 0) result->size = map.line;
    return mapped;
  }
  if (op == ProgramOp::SYNC) return gfsync(fs, file);
  if (op == ProgramOp::PREFETCH) return gprefetch(fs, file, step->offset, step->length);
  if (op == ProgramOp::READ_ASYNC) return gread_async(fs, file, step->offset, step->length, data).error;
  if (op == ProgramOp::WRITE_ASYNC) return gwrite_async(fs, file, step->offset, step->length, data).error;
  if (op == ProgramOp::STAT) {
    ulong size = 0;
    const int status = gfstat(fs, file, size);
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
        // Only where it is still mapped can it be unmapped once more.
        if (step->op == ProgramOp::UNMAP && (status == 0 || status == -Errno::estale || status == -Errno::ebadf)) {
          program.results[first + step->target].mark = 1u;
        }
      }
      warp_sync(fs.lane);
      // A refused call is a result of its step here, not a failure of the item.
      fs.error = 0;
      // The result remembers the step: the log of calls starts anew with each.
      gcheckpoint(fs);
    }
    if (step->op == ProgramOp::BARRIER) barriers++;
  }
  // What a program stored in its maps it has stored in their last steps: a map that is left behind has lost nothing.
  if (is_leader(fs)) item_unmap(fs);
  fs.error = 0;
  return WARPFS_DONE;
}

}  // namespace warpfs
