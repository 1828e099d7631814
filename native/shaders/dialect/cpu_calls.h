// The calls as the cpu device makes them. Lanes that are fibers of one thread gain nothing from making a call together, and each collective in
// it costs a switch for each of them. So all lanes meet, lane 0 makes the call as a warp of one lane would, and the others learn what came of it.
// The code is the same: what the calls of a whole warp and of one lane do, check mode proves for 1 to 32 lanes.
//
// Included after dialect/cpu.h, in the place of warpfs.h. A build for check mode gets warpfs.h and nothing else.
#pragma once

#if defined(WARPFS_CPU_CHECKED)
#include "../warpfs.h"
#else

#define gopen lanes_gopen
#define gclose lanes_gclose
#define gfstat lanes_gfstat
#define gftruncate lanes_gftruncate
#define gunlink lanes_gunlink
#define grename lanes_grename
#define gread lanes_gread
#define gwrite lanes_gwrite
#define gfsync lanes_gfsync
#define gmmap lanes_gmmap
#define gmunmap lanes_gmunmap
#define gmsync lanes_gmsync
#define gprefetch lanes_gprefetch
#define gread_async lanes_gread_async
#define gwrite_async lanes_gwrite_async
#define gwait lanes_gwait
#define gpoll lanes_gpoll
#include "../warpfs.h"
#undef gopen
#undef gclose
#undef gfstat
#undef gftruncate
#undef gunlink
#undef grename
#undef gread
#undef gwrite
#undef gfsync
#undef gmmap
#undef gmunmap
#undef gmsync
#undef gprefetch
#undef gread_async
#undef gwrite_async
#undef gwait
#undef gpoll

namespace warpfs {

/// What lane 0 tells the others of a call: what came of it, and how it changed what each lane knows of its item.
template <typename Out>
struct Told {
  bool made;  // false: they do not agree, and each makes it
  bool pending;
  int result;
  int error;
  uint call;
  Out out;
};
struct Nothing {};

/// Lane 0. Waits until all other lanes wait for it. True: they do, for a call with the same arguments.
WARPFS_CPU_FN bool all_follow(const Lane& lane, ulong arguments) {
  CpuWarp* warp = lane.warp;
  cpu_attachment.budget = CPU_SPIN_BUDGET;
  for (;;) {
    const CpuSwitch next = warp->runtime->stand_back(warp, 0);
    if (next.target == nullptr) break;
    cpu_stop(warp->runtime, next);
  }
  bool agree = warp->followers == lane.count - 1;
  for (uint other = 1; other < lane.count; other++) agree &= warp->values[warp->parity][other] == arguments;
  return agree;
}

/// All lanes. `call` is made by lane 0 for all of them, where they agree on its `arguments`; `out` is what it gives beside its result.
template <typename Out, typename Call>
WARPFS_CPU_FN int call_alone(Fs& fs, ulong arguments, Out& out, Call call) {
#if WARPFS_REPLAY
  // What the log says each lane reads for itself.
  if (fs.pending || fs.call < fs.log_count || fs.call >= REPLAY_LOG_CALLS) return call();
#endif
  static const char which_call = 0;
  arguments ^= (ulong)&which_call;
  CpuWarp* warp = fs.lane.warp;
  Told<Out> told;
  static_assert(sizeof told <= sizeof warp->values[0] && __is_trivially_copyable(Out), "it is told through the values of a collective");
  if (is_leader(fs)) {
    told.made = all_follow(fs.lane, arguments);
    if (told.made) {
      const uint count = fs.lane.count;
      fs.lane.count = 1;
      told.result = call();
      fs.lane.count = count;
    }
    told.error = fs.error;
    told.pending = fs.pending;
#if WARPFS_REPLAY
    told.call = fs.call;
#endif
    told.out = out;
    __builtin_memcpy(warp->values[warp->parity], &told, sizeof told);
  } else {
    warp->values[warp->parity][fs.lane.index] = arguments;
    warp->followers++;
  }
  cpu_meet(fs.lane, CPU_TELL, __builtin_FILE(), __builtin_LINE());
  if (!is_leader(fs)) {
    warp->followers--;
    __builtin_memcpy(&told, warp->values[warp->parity ^ 1], sizeof told);
    // Where lane 0 is not among them nobody has told them anything.
    if ((warp->active & 1u) == 0u) told.made = false;
  }
  if (!told.made) return call();  // which will say what is wrong
  if (!is_leader(fs)) {
    out = told.out;
    fs.error = told.error;
#if WARPFS_REPLAY
    fs.call = told.call;
    fs.pending = told.pending;
    // Where an earlier run of the item has begun the call, all lanes have read how far it was.
    if (!fs.pending) call_clear(fs);
#endif
  }
  return told.result;
}

template <typename Call>
WARPFS_CPU_FN int call_alone(Fs& fs, ulong arguments, Call call) {
  Nothing nothing;
  return call_alone(fs, arguments, nothing, call);
}

/// `other` is what a call about a range of a file has besides: an address, or a mode.
WARPFS_FN ulong range_arguments(int file, ulong offset, uint length, ulong other) { return mix_arguments((ulong)length << 32 | (uint)file, offset, other); }
WARPFS_FN ulong ticket_arguments(const Ticket& ticket) { return range_arguments(ticket.file, ticket.offset, ticket.length, ticket.writes ? (ulong)ticket.source : (ulong)ticket.target); }
WARPFS_FN ulong map_arguments(const Map& map) { return mix_arguments((ulong)map.line << 32 | map.count, (ulong)map.first << 32 | (uint)map.file, map.writes); }

WARPFS_CALL int gopen(Fs& fs, const uchar* path, uint mode) {
  return call_alone(fs, mix_arguments((ulong)path, mode, 0u), [&] { return lanes_gopen(fs, path, mode); });
}
WARPFS_CALL int gclose(Fs& fs, int file) {
  return call_alone(fs, (uint)file, [&] { return lanes_gclose(fs, file); });
}
WARPFS_CALL int gfstat(Fs& fs, int file, ulong& size) {
  return call_alone(fs, (uint)file, size, [&] { return lanes_gfstat(fs, file, size); });
}
WARPFS_CALL int gftruncate(Fs& fs, int file, ulong length) {
  return call_alone(fs, mix_arguments((uint)file, length, 0u), [&] { return lanes_gftruncate(fs, file, length); });
}
WARPFS_CALL int gunlink(Fs& fs, const uchar* path) {
  return call_alone(fs, (ulong)path, [&] { return lanes_gunlink(fs, path); });
}
WARPFS_CALL int grename(Fs& fs, const uchar* path, const uchar* to) {
  return call_alone(fs, mix_arguments((ulong)path, (ulong)to, 0u), [&] { return lanes_grename(fs, path, to); });
}
WARPFS_CALL int gread(Fs& fs, int file, ulong offset, uint length, uchar* target) {
  return call_alone(fs, range_arguments(file, offset, length, (ulong)target), [&] { return lanes_gread(fs, file, offset, length, target); });
}
WARPFS_CALL int gwrite(Fs& fs, int file, ulong offset, uint length, const uchar* source) {
  return call_alone(fs, range_arguments(file, offset, length, (ulong)source), [&] { return lanes_gwrite(fs, file, offset, length, source); });
}
WARPFS_CALL int gfsync(Fs& fs, int file) {
  return call_alone(fs, (uint)file, [&] { return lanes_gfsync(fs, file); });
}
WARPFS_CALL int gmmap(Fs& fs, int file, ulong offset, uint length, uint mode, Map& map) {
  return call_alone(fs, range_arguments(file, offset, length, mode), map, [&] { return lanes_gmmap(fs, file, offset, length, mode, map); });
}
WARPFS_CALL int gmunmap(Fs& fs, const Map& map) {
  return call_alone(fs, map_arguments(map), [&] { return lanes_gmunmap(fs, map); });
}
WARPFS_CALL int gmsync(Fs& fs, const Map& map) {
  return call_alone(fs, map_arguments(map), [&] { return lanes_gmsync(fs, map); });
}
WARPFS_CALL int gprefetch(Fs& fs, int file, ulong offset, uint length) {
  return call_alone(fs, range_arguments(file, offset, length, 0u), [&] { return lanes_gprefetch(fs, file, offset, length); });
}
WARPFS_CALL Ticket gread_async(Fs& fs, int file, ulong offset, uint length, uchar* target) {
  Ticket ticket;
  call_alone(fs, range_arguments(file, offset, length, (ulong)target), ticket, [&] {
    ticket = lanes_gread_async(fs, file, offset, length, target);
    return 0;
  });
  return ticket;
}
WARPFS_CALL Ticket gwrite_async(Fs& fs, int file, ulong offset, uint length, const uchar* source) {
  Ticket ticket;
  call_alone(fs, range_arguments(file, offset, length, (ulong)source), ticket, [&] {
    ticket = lanes_gwrite_async(fs, file, offset, length, source);
    return 0;
  });
  return ticket;
}
WARPFS_CALL int gwait(Fs& fs, const Ticket& ticket) {
  return call_alone(fs, ticket_arguments(ticket), [&] { return lanes_gwait(fs, ticket); });
}
WARPFS_CALL int gpoll(Fs& fs, const Ticket& ticket) {
  return call_alone(fs, ticket_arguments(ticket), [&] { return lanes_gpoll(fs, ticket); });
}

}  // namespace warpfs
#endif
