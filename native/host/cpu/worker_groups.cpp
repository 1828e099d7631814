// The life of groups, warps and fibers on one worker.
#include "collectives.h"
#include "fiber_switch.h"
#include "worker.h"

#include <cstring>

namespace warpfs {

void CpuWorker::start_group(uint64_t index) {
  const LaunchShape& shape = launch->shape;
  WarpGroup* group = free_groups_;
  if (group != nullptr) {
    free_groups_ = group->next_free;
  } else {
    groups_.push_back(std::make_unique<WarpGroup>());
    group = groups_.back().get();
  }
  const uint32_t first_item = uint32_t(index * shape.group_warps);
  const uint32_t left = shape.items - first_item;
  group->warp_count = group->live_warps = left < shape.group_warps ? left : shape.group_warps;
  group->waiting = 0;
  if (launch->slot_is_item) {
    group->first_slot = first_item;
  } else if (free_slots_.empty()) {
    group->first_slot = (index_ * launch->groups_per_worker) * shape.group_warps + slots_used_;
    slots_used_ += shape.group_warps;
  } else {
    group->first_slot = free_slots_.back();
    free_slots_.pop_back();
  }
  if (group->memory_bytes < shape.group_memory_bytes) {
    group->memory = std::make_unique<uchar[]>(shape.group_memory_bytes);
    group->memory_bytes = shape.group_memory_bytes;
  } else if (shape.group_memory_bytes != 0) {
    std::memset(group->memory.get(), 0, shape.group_memory_bytes);
  }
  for (uint32_t number = 0; number < group->warp_count; number++) {
    if (number == group->warps.size()) {
      group->warps.push_back(std::make_unique<ResidentWarp>());
      ResidentWarp* fresh = group->warps.back().get();
      fresh->runtime = cpu_runtime();
      fresh->worker = this;
      fresh->group = group;
    }
    ResidentWarp* warp = group->warps[number].get();
    const uint full = shape.lane_count == 32 ? ~0u : (1u << shape.lane_count) - 1;
    if (warp->full != full) {
      warp->full = full;
      for (uint lane = 0; lane < shape.lane_count; lane++) warp->lanes[lane] = {lane, shape.lane_count, warp};
    }
    warp->group_memory = group->memory.get();
    warp->live = full;
    warp->blocked = warp->yielded = warp->next_lane = warp->resume = warp->cold = warp->followers = 0;
    warp->mixed = warp->parked = false;
    warp->id = {first_item + number, group->first_slot + number};
    push(warp);
  }
  resident_groups_++;
}

void CpuWorker::finish_warp(ResidentWarp* warp) {
  leave_group(warp);
  WarpGroup* group = warp->group;
  if (group->live_warps != 0) return;
  if (!launch->slot_is_item) free_slots_.push_back(group->first_slot);
  group->next_free = free_groups_;
  free_groups_ = group;
  resident_groups_--;
}

LaneFiber* CpuWorker::make_fiber() {
  fibers_.push_back(std::make_unique<LaneFiber>());
  LaneFiber* fiber = fibers_.back().get();
  fiber->worker = this;
  fiber->top = stacks_.reserve();
  fiber->context = fiber_prepare(fiber->top, &CpuWorker::run_lanes, fiber);
  return fiber;
}

/// A fiber for ever: it runs the lanes of a warp that have not started, one after another as plain calls. A lane that blocks keeps the
/// fiber, and the next lane is started by a fresh one; so a warp whose lanes never block needs one fiber and no switch between lanes.
void CpuWorker::run_lanes(void* argument) noexcept {
  LaneFiber* fiber = static_cast<LaneFiber*>(argument);
  CpuWorker* worker = fiber->worker;
  for (;;) {
    ResidentWarp* warp = running;
    const WarpBody body = worker->launch->body;
    void* body_argument = worker->launch->argument;
    uint lane;
    do {
      lane = warp->next_lane++;
      warp->current = lane;
      warp->fibers[lane] = fiber;
      body(warp->lanes[lane], warp->id, body_argument);
      warp->live &= ~(1u << lane);
    } while (warp->next_lane != warp->lanes[0].count);
    // The target comes first: a fiber that is already in the list of free ones could be given to the warp that is next.
    const uint runnable = warp->live & ~warp->blocked;
    void* target = runnable != 0 ? context_of(warp, next_lane_after(runnable, lane)) : worker->leave_warp(warp);
    fiber->next_free = worker->free_fibers_;
    worker->free_fibers_ = fiber;
    fiber_switch(&fiber->context, target);
  }
}

/// A lane has returned, and none of its warp can run.
void* CpuWorker::leave_warp(ResidentWarp* warp) {
  progress = true;
  if (warp->live == 0) {
    finish_warp(warp);
    return next_context();
  }
  const uint released = settle(warp);
  return released != 0 ? context_of(warp, uint(__builtin_ctz(released))) : next_context();
}

}  // namespace warpfs
