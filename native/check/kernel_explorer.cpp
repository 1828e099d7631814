#include "kernel_explorer.h"

#include "attached.h"
#include "search.h"

#include "../host/assert.h"

#include <algorithm>
#include <cstring>

namespace warpfs {

namespace {

constexpr uint64_t GAP_BYTES = 256;  // belongs to nobody, so that a step beside an allocation is seen
constexpr size_t LANE_STACK_BYTES = 16384;

uint64_t with_gap(uint64_t bytes) { return ((bytes + 15) & ~uint64_t(15)) + GAP_BYTES; }

uint32_t resident_of(const CheckedKernel& kernel) { return kernel.resident_warps == 0 ? kernel.warps : kernel.resident_warps; }

uint64_t arena_bytes(const CheckedKernel& kernel) {
  return with_gap(kernel.memory.size() * 4) + with_gap(kernel.group_memory_bytes) * resident_of(kernel);
}

}  // namespace

KernelExplorer::KernelExplorer(CheckedKernel kernel)
    : kernel_(std::move(kernel)), engine_(resident_of(kernel_) * kernel_.lane_count, arena_bytes(kernel_), LANE_STACK_BYTES, LANE_STACK_BYTES),
      warps_(resident_of(kernel_)), groups_(resident_of(kernel_) / kernel_.group_warps) {
  WARPFS_ASSERT(kernel_.lane_count >= 1 && kernel_.lane_count <= 32);
  WARPFS_ASSERT(!groups_.empty() && resident_of(kernel_) % kernel_.group_warps == 0);
  uint8_t* place = engine_.arena();
  std::memcpy(place, kernel_.memory.data(), kernel_.memory.size() * 4);
  if (!kernel_.memory.empty()) engine_.add_region(place, kernel_.memory.size() * 4, 4, RegionKind::OWN, "memory");
  place += with_gap(kernel_.memory.size() * 4);
  for (uint32_t index = 0; index < groups_.size(); index++) {
    CheckGroup& group = groups_[index];
    group.memory = place;
    if (kernel_.group_memory_bytes != 0) engine_.add_region(place, kernel_.group_memory_bytes, 4, RegionKind::GROUP, "group_memory");
    place += with_gap(kernel_.group_memory_bytes);
    for (uint32_t warp = 0; warp < kernel_.group_warps; warp++) {
      CheckWarp& member = warps_[index * kernel_.group_warps + warp];
      member.body = kernel_.body;
      member.argument = engine_.arena();
      member.group = &group;
    }
  }
  if (resident_of(kernel_) < kernel_.warps) {
    engine_.on_warp_done = [this](CheckWarp& warp) {
      if (warp.group->live_warps == 0 && next_warp_ < kernel_.warps) start_group(*warp.group);
    };
  }
}

void KernelExplorer::start_group(CheckGroup& group) {
  const uint32_t size = std::min(kernel_.group_warps, kernel_.warps - next_warp_);
  const uint32_t first_place = uint32_t(&group - groups_.data()) * kernel_.group_warps;
  group.warps.clear();
  group.live_warps = size;
  group.waiting = 0;
  if (kernel_.group_memory_bytes != 0) {
    std::memset(group.memory, 0, kernel_.group_memory_bytes);
    engine_.renew(group.memory, kernel_.group_memory_bytes);
  }
  for (uint32_t index = 0; index < size; index++) {
    CheckWarp& warp = warps_[first_place + index];
    warp.id = {next_warp_++, first_place + index};
    group.warps.push_back(&warp);
    warp.begin(engine_, check_runtime(engine_.compares_states()), group, kernel_.lane_count);
  }
  for (uint32_t index = 0; index < size; index++) engine_.add_warp(warps_[first_place + index], first_place + index, kernel_.lane_count);
}

void KernelExplorer::attempt(const ScheduleOptions& options, const Decisions* replayed, bool record, bool trace, Search* search) {
  engine_.search = search;
  engine_.begin_schedule(options, replayed, record, trace);
  if (search != nullptr) search->begin_execution(engine_.actor_count());
  next_warp_ = 0;
  for (CheckGroup& group : groups_) {
    if (next_warp_ < kernel_.warps) start_group(group);
  }
  const bool ended = engine_.run_lanes() == RunEnd::LANES_DONE;
  engine_.end_speculation();
  if (!ended || engine_.stopped() || !kernel_.is_right) return;
  const uint32_t* memory = reinterpret_cast<const uint32_t*>(engine_.arena());
  if (!kernel_.is_right(memory)) engine_.report("wrong_result", "the memory at the end is not what it should be");
}

LoopResult KernelExplorer::explore(const ScheduleOptions& options, const LoopLimits& limits) {
  const Attached attached(engine_, nullptr);
  LoopResult result;
  ScheduleLoop(*this, options).run(limits, result);
  return result;
}

LoopResult KernelExplorer::replay(const ScheduleOptions& options, const Decisions& decisions) {
  LoopLimits limits;
  limits.has_decisions = true;
  limits.decisions = decisions;
  limits.shrink = false;
  return explore(options, limits);
}

}  // namespace warpfs
