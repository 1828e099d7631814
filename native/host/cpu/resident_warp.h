// A warp while it is resident, and the group that it is part of. Both belong to the one worker that started them: nothing here is shared
// between threads, so nothing is atomic.
#pragma once
#include "divergence.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace warpfs {

class CpuWorker;
struct WarpGroup;

/// A stack and the loop that runs lanes on it.
struct LaneFiber {
  void* context;          // where the loop was left, while the fiber is free
  LaneFiber* next_free;
  unsigned char* top;     // of its stack
  CpuWorker* worker;
};

struct ResidentWarp : CpuWarp {
  uint live;       // lanes that have not returned, including those that have not started
  uint blocked;    // live lanes that wait in a collective
  uint yielded;    // lanes that yielded since the warp was last given to the worker
  uint next_lane;  // lanes from here on have not started: they have no stack yet
  uint current;    // the lane that runs, or ran last
  uint resume;     // the lane to go on with when the worker comes back to this warp
  uint cold;       // collectives to come in which its lanes run for the first time since other warps did
  // Where all blocked lanes are, while they are at one site; sites is filled only when they are not (mixed), and this then equals no site.
  CollectiveSite common;
  bool mixed;
  bool parked;     // all live lanes wait at the barrier of the group: the warp is not in the queue of the worker
  WarpId id;
  CpuWorker* worker;
  WarpGroup* group;
  ResidentWarp* next_queued;
  void* contexts[32];     // where a lane was left that has started and does not run
  LaneFiber* fibers[32];  // whose stack a lane that has started is on
  CollectiveSite sites[32];  // of blocked lanes, where mixed
  Lane lanes[32];
};
static_assert(sizeof(ResidentWarp) % 4096 != 0, "warps at the same place of a page would compete for the same cache sets");

struct WarpGroup {
  uint warp_count;
  uint live_warps;  // those with a lane that has not returned
  uint waiting;     // parked warps
  uint first_slot;
  std::vector<std::unique_ptr<ResidentWarp>> warps;  // grows to the largest group that was run with it
  std::unique_ptr<uchar[]> memory;
  size_t memory_bytes = 0;
  WarpGroup* next_free;
};

/// The lane of the mask that comes next after the given one, in a circle. The mask is not empty.
inline uint next_lane_after(uint mask, uint lane) {
  const uint above = mask & (0xfffffffeu << lane);
  return uint(__builtin_ctz(above != 0 ? above : mask));
}

}  // namespace warpfs
