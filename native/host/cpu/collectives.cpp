#include "collectives.h"

#include "divergence.h"
#include "fiber_switch.h"
#include "worker.h"

namespace warpfs {

namespace {

/// Lets lanes out of the collective that they are blocked in; the others stay.
void release(ResidentWarp* warp, uint lanes) {
  const uint staying = warp->blocked & ~lanes;
  warp->blocked = staying;
  warp->active = lanes;
  warp->uncombined = 1;
  // No lane still reads the half that is filled from now on: every live lane was blocked a moment ago.
  const uint filled = warp->parity;
  warp->parity = filled ^ 1;
  warp->mixed = staying != 0;
  if (warp->cold != 0) warp->cold--;
  warp->worker->progress = true;
  for (uint rest = staying; rest != 0; rest &= rest - 1) {
    const uint lane = uint(__builtin_ctz(rest));
    warp->values[filled ^ 1][lane] = warp->values[filled][lane];
  }
}

void release_parked(WarpGroup* group) {
  group->waiting = 0;
  for (uint index = 0; index < group->warp_count; index++) {
    ResidentWarp* warp = group->warps[index].get();
    if (!warp->parked) continue;
    warp->parked = false;
    release(warp, warp->live);
    warp->resume = uint(__builtin_ctz(warp->live));
    warp->worker->push(warp);
  }
}

/// All live lanes of the warp are at the barrier. False when other warps of the group are not.
bool pass_barrier(ResidentWarp* warp) {
  WarpGroup* group = warp->group;
  if (group->waiting + 1 < group->live_warps) {
    group->waiting++;
    warp->parked = true;
    return false;
  }
  release_parked(group);
  release(warp, warp->live);
  return true;
}

/// All fibers start at the same depth and are left by the same path, so the stack that is used says how deep in calls a lane is.
uint choose_mixed_site(const ResidentWarp& warp) {
  ptrdiff_t depths[32];
  for (uint rest = warp.blocked; rest != 0; rest &= rest - 1) {
    const uint lane = uint(__builtin_ctz(rest));
    depths[lane] = warp.fibers[lane]->top - static_cast<const unsigned char*>(warp.contexts[lane]);
  }
  return choose_site(warp.blocked, warp.sites, depths);
}

/// Lanes are blocked at more than one site: from now on each says where.
__attribute__((noinline)) void note_site(ResidentWarp* warp, uint lane, const CollectiveSite& site) {
  if (!warp->mixed) {
    for (uint rest = warp->blocked; rest != 0; rest &= rest - 1) warp->sites[__builtin_ctz(rest)] = warp->common;
    warp->common = NO_SITE;
    warp->mixed = true;
  }
  warp->sites[lane] = site;
}

/// The lane that runs was the last to block. Gives where to go on, or null where this lane does.
void* complete(ResidentWarp* warp) {
  CpuWorker* worker = warp->worker;
  if (warp->mixed) {
    // To choose a site, all lanes must have been left, this one too: the worker does it on its own stack.
    worker->unsettled = warp;
    return worker->scheduler_context;
  }
  return settle(warp) != 0 ? nullptr : worker->next_context();
}

/// Every lane that can run has yielded: it is another warp's turn. A lane that yielded never goes on before other warps have had theirs,
/// even where lanes of its own warp got somewhere meanwhile: what it waits for may be up to them. The next turn starts with another lane.
void* give_turn(ResidentWarp* warp, uint runnable, uint lane) {
  warp->yielded = 0;
  warp->resume = next_lane_after(runnable, lane);
  warp->worker->push(warp);
  warp->worker->gave_turns++;
  return warp->worker->next_context();
}

__attribute__((noinline)) CpuSwitch rendezvous_of_any(ResidentWarp* warp, uint lane, const char* file, uint line_and_kind) {
  if (warp->blocked == 0) {
    warp->common = {file, line_and_kind};
  } else if (!(warp->common == CollectiveSite{file, line_and_kind})) {
    note_site(warp, lane, {file, line_and_kind});
  }
  warp->blocked |= 1u << lane;
  const uint runnable = warp->live & ~warp->blocked;
  void* target;
  if (runnable == 0) {
    target = complete(warp);
  } else if ((runnable & ~warp->yielded) != 0) {
    target = context_of(warp, next_lane_after(runnable & ~warp->yielded, lane));
  } else {
    target = give_turn(warp, runnable, lane);
  }
  return {&warp->contexts[lane], target};
}

/// While a warp waited others ran, and its stacks are far away: each is on its way before it is needed. The lines that a lane in a call has.
void fetch_stack(const void* context) {
  for (int line = 0; line < 3; line++) __builtin_prefetch(static_cast<const char*>(context) + 64 * line);
}

// The path that nearly every lane takes in every collective: neither the first nor the last to come, at the site where the others are,
// before a neighbour that has started. It is made of few stores, which are what limits it.
//
// The warp and the lane are read from where the last switch put them and not from the arguments, which are the same: an argument comes
// off the stack that was just switched to, and the CPU would have to wait for that before it can find the next stack. Guessing that the
// next lane is the neighbour has the same reason: a guessed branch does not wait for the masks.
CpuSwitch rendezvous(CpuWarp*, uint, const char* file, uint line_and_kind) {
  ResidentWarp* warp = CpuWorker::running;
  const uint lane = warp->current, neighbour = (lane + 1) & 31;
  const uint others = warp->blocked, blocked = others | 1u << lane;
  const bool usual = others != 0 && warp->common == CollectiveSite{file, line_and_kind} &&
                     ((warp->live & ~blocked & ~warp->yielded) >> neighbour & 1) != 0 && neighbour != warp->next_lane;
  if (__builtin_expect(!usual, 0)) return rendezvous_of_any(warp, lane, file, line_and_kind);
  if (warp->cold != 0) fetch_stack(warp->contexts[(lane + 4) & 31]);
  warp->blocked = blocked;
  warp->current = neighbour;
  return {&warp->contexts[lane], warp->contexts[neighbour]};
}

CpuSwitch stand_back(CpuWarp*, uint) {
  ResidentWarp* warp = CpuWorker::running;
  const uint lane = warp->current, others = warp->live & ~warp->blocked & ~(1u << lane), untried = others & ~warp->yielded;
  if (others == 0) return {nullptr, nullptr};
  if (untried != 0) return {&warp->contexts[lane], context_of(warp, next_lane_after(untried, lane))};
  return {&warp->contexts[lane], give_turn(warp, others, lane)};
}

CpuSwitch yield(ResidentWarp* warp, uint lane) {
  const uint runnable = warp->live & ~warp->blocked;
  warp->yielded |= 1u << lane;
  const uint untried = runnable & ~warp->yielded;
  if (untried != 0) return {&warp->contexts[lane], context_of(warp, next_lane_after(untried, lane))};
  return {&warp->contexts[lane], give_turn(warp, runnable, lane)};
}

CpuSwitch pause(CpuWarp*, uint) { return yield(CpuWorker::running, CpuWorker::running->current); }

CpuSwitch spin() {
  CpuWorker* worker = CpuWorker::of_this_thread();
  if (worker == nullptr || CpuWorker::running == nullptr) return {nullptr, nullptr};  // the dialect is used outside of a launch
  worker->spun = true;
  return yield(CpuWorker::running, CpuWorker::running->current);
}

void doorbell() {
  if (const CpuWorker* worker = CpuWorker::of_this_thread()) worker->executor().ring_doorbell();
}

constexpr CpuRuntime RUNTIME = {CPU_ABI, rendezvous, stand_back, pause, spin, warpfs_fiber_switch, doorbell, clock_ns};

}  // namespace

const CpuRuntime* cpu_runtime() { return &RUNTIME; }

uint settle(ResidentWarp* warp) {
  const uint lanes = warp->mixed ? choose_mixed_site(*warp) : warp->blocked;
  const CollectiveSite& site = warp->mixed ? warp->sites[__builtin_ctz(lanes)] : warp->common;
  const bool at_barrier = site.line_and_kind == CPU_BARRIER;
  if (at_barrier && warp->group->warp_count > 1) return pass_barrier(warp) ? lanes : 0;
  release(warp, lanes);
  return lanes;
}

void leave_group(ResidentWarp* warp) {
  WarpGroup* group = warp->group;
  group->live_warps--;
  if (group->live_warps != 0 && group->waiting == group->live_warps) release_parked(group);
}

}  // namespace warpfs
