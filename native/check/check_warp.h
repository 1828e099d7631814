// A warp under check mode: its lanes are actors of the engine, its collectives are where they meet.
#pragma once
#include "../host/cpu/divergence.h"
#include "../host/cpu/executor.h"
#include "../shaders/dialect/cpu.h"

#include <vector>

namespace warpfs {

class Engine;
struct CheckWarp;

struct CheckGroup {
  std::vector<CheckWarp*> warps;
  uint32_t live_warps = 0;  // those with a lane that has not returned
  uint32_t waiting = 0;     // those whose lanes all wait at the barrier of the group
  uint8_t* memory = nullptr;
};

struct CheckWarp : CpuWarp {
  CheckWarp() : CpuWarp() {}
  Engine* engine = nullptr;
  CheckGroup* group = nullptr;
  WarpBody body = nullptr;
  void* argument = nullptr;
  WarpId id = {};
  uint32_t place = 0;        // among the resident warps
  uint32_t first_actor = 0;
  uint32_t lane_count = 0;
  uint32_t live = 0;         // lanes that have not returned
  uint32_t blocked = 0;      // live lanes that wait in a collective
  bool parked = false;
  CollectiveSite sites[32] = {};
  ptrdiff_t depths[32] = {};
  Lane lanes[32] = {};

  void begin(Engine& engine, const CpuRuntime* runtime, CheckGroup& group, uint32_t lane_count);
  /// The lane has returned from its body. True where the warp has ended with it.
  bool lane_returned(uint32_t lane);
};

/// What instrumented code is given in place of the runtime of the workers.
const CpuRuntime* check_runtime(bool two_stacks);

}  // namespace warpfs
