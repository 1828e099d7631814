#include "check_warp.h"

#include "engine.h"

namespace warpfs {

namespace {

/// Collectives that hand memory over between the lanes; the others give values and order nothing (dialect/ORDERING.md).
bool orders_memory(uint32_t kind) {
  switch (kind) {
    case CPU_BARRIER: case CPU_BROADCAST: case CPU_PICK: case CPU_VOTES: case CPU_SYNC: return true;
    default: return false;
  }
}

/// Lets lanes out of the collective that they wait in; the others stay.
void release(CheckWarp& warp, uint32_t lanes) {
  Engine& engine = *warp.engine;
  warp.blocked &= ~lanes;
  warp.active = lanes;
  warp.uncombined = 1;
  // No lane still reads the half that is filled from now on: every live lane was blocked a moment ago.
  const uint32_t filled = warp.parity;
  warp.parity = filled ^ 1;
  for (uint32_t rest = warp.blocked; rest != 0; rest &= rest - 1) {
    const uint32_t lane = uint32_t(__builtin_ctz(rest));
    warp.values[filled ^ 1][lane] = warp.values[filled][lane];
  }
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) engine.let_on(engine.actor(warp.first_actor + uint32_t(__builtin_ctz(rest))));
}

void report_disagreement(CheckWarp& warp, uint32_t lanes, const CollectiveSite& site) {
  const ulong* values = warp.values[warp.parity];
  Engine& engine = *warp.engine;
  const uint32_t first = uint32_t(__builtin_ctz(lanes));
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
    const uint32_t lane = uint32_t(__builtin_ctz(rest));
    if (values[lane] == values[first]) continue;
    engine.report("non_uniform",
                  "the lanes of warp " + std::to_string(warp.id.item) + " call with different arguments: lane " + std::to_string(first) + " with " +
                      std::to_string(values[first]) + ", lane " + std::to_string(lane) + " with " + std::to_string(values[lane]) +
                      " (arguments folded into one word) at " + site.file + ":" + std::to_string(site.line_and_kind >> 8),
                  {&engine.actor(warp.first_actor + first), &engine.actor(warp.first_actor + lane)});
  }
}

void release_parked(CheckGroup& group) {
  Engine& engine = *group.warps.front()->engine;
  group.waiting = 0;
  std::vector<uint32_t> meeting;
  for (CheckWarp* warp : group.warps) {
    if (!warp->parked) continue;
    for (uint32_t rest = warp->blocked; rest != 0; rest &= rest - 1) meeting.push_back(warp->first_actor + uint32_t(__builtin_ctz(rest)));
  }
  engine.join_actors(meeting);
  for (CheckWarp* warp : group.warps) {
    if (!warp->parked) continue;
    warp->parked = false;
    release(*warp, warp->blocked);
  }
}

/// Every live lane of the warp waits: completes the collective that goes first.
void complete(CheckWarp& warp) {
  const uint32_t lanes = choose_site(warp.blocked, warp.sites, warp.depths);
  const CollectiveSite& site = warp.sites[__builtin_ctz(lanes)];
  const uint32_t kind = site.line_and_kind & 255;
  if (kind == CPU_BARRIER && warp.group->warps.size() > 1) {
    warp.parked = true;
    warp.group->waiting++;
    if (warp.group->waiting == warp.group->live_warps) release_parked(*warp.group);
    return;
  }
  if (kind == CPU_UNIFORM) report_disagreement(warp, lanes, site);
  warp.engine->join_lanes(warp, lanes, orders_memory(kind));
  release(warp, lanes);
}

}  // namespace

extern "C" __attribute__((visibility("hidden"))) CpuSwitch warpfs_engine_rendezvous(CpuWarp* met, uint lane, const char* file, uint line_and_kind) {
  CheckWarp& warp = *static_cast<CheckWarp*>(met);
  Engine& engine = *warp.engine;
  warp.sites[lane] = {file, line_and_kind};
  const Actor& self = engine.current();
  // How deep in calls the lane is, on the stack that its kernel runs on.
  const void* at = engine.compares_states() ? self.lane_switch.kernel_at : __builtin_frame_address(0);
  warp.depths[lane] = self.stack_top - static_cast<const unsigned char*>(at);
  warp.blocked |= 1u << lane;
  if (warp.blocked == warp.live) complete(warp);
  if ((warp.blocked >> lane & 1) != 0) engine.block_current(ActorState::COLLECTIVE);
  else engine.block_current(ActorState::READY);
  return {nullptr, nullptr};
}

extern "C" __attribute__((visibility("hidden"))) CpuSwitch warpfs_engine_pause(CpuWarp*, uint) {
  engine_of_thread->pause(false, uintptr_t(__builtin_return_address(0)));
  return {nullptr, nullptr};
}

extern "C" __attribute__((visibility("hidden"))) CpuSwitch warpfs_engine_spin() {
  if (engine_of_thread != nullptr && engine_of_thread->in_fiber()) engine_of_thread->pause(true, uintptr_t(__builtin_return_address(0)));
  return {nullptr, nullptr};
}

namespace {

void doorbell() {}

ulong now() { return engine_of_thread == nullptr || engine_of_thread->compares_states() ? 0 : engine_of_thread->now(); }

// Instrumented code never switches stacks itself, and no lane of it makes a call for others (cpu_calls.h).
constexpr uint CHECKED_ABI = CPU_ABI & ~1u;
constexpr CpuRuntime RUNTIME = {CHECKED_ABI, warpfs_engine_rendezvous, nullptr, warpfs_engine_pause, warpfs_engine_spin, warpfs_fiber_switch, doorbell, now};
#if WARPFS_LANE_SWITCH
constexpr CpuRuntime RUNTIME_OF_TWO_STACKS = {CHECKED_ABI, warpfs_leave_rendezvous, nullptr, warpfs_leave_pause, warpfs_leave_spin, warpfs_fiber_switch, doorbell, now};
#endif

}  // namespace

const CpuRuntime* check_runtime(bool two_stacks) {
#if WARPFS_LANE_SWITCH
  if (two_stacks) return &RUNTIME_OF_TWO_STACKS;
#endif
  (void)two_stacks;
  return &RUNTIME;
}

void CheckWarp::begin(Engine& of, const CpuRuntime* with, CheckGroup& in, uint32_t lane_total) {
  engine = &of;
  runtime = with;
  group = &in;
  group_memory = in.memory;
  lane_count = lane_total;
  full = live = lane_total == 32 ? ~0u : (1u << lane_total) - 1;
  active = parity = uncombined = followers = 0;
  expired = waits_exceeded = 0;
  counts = of.compares_states() ? 0 : 1;
  blocked = 0;
  parked = false;
  for (uint32_t lane = 0; lane < lane_total; lane++) lanes[lane] = {lane, lane_total, this};
}

bool CheckWarp::lane_returned(uint32_t lane) {
  live &= ~(1u << lane);
  if (live != 0) {
    if (blocked == live) complete(*this);
    return false;
  }
  group->live_warps--;
  if (group->live_warps != 0 && group->waiting == group->live_warps) release_parked(*group);
  return true;
}

}  // namespace warpfs
