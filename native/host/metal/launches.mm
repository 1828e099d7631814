#include "launches.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace warpfs::metal {

namespace {

constexpr uint32_t GROUP_SIMDGROUPS = 8;  // warps that have nothing to do with each other share a threadgroup: a core takes few of these
constexpr uint32_t GROUP_MEMORY_STEP = 16;
constexpr uint64_t GROUPS_AT = 2048, SLOTS_AT = 4096;  // in an area
static_assert(sizeof(MetalLaunch) <= GROUPS_AT);
constexpr auto FOREVER = std::chrono::hours(24 * 365);
constexpr auto GIVE_UP_TIME = std::chrono::seconds(2);  // every wait of a kernel ends soon once it is told to
constexpr auto EMPTY_TIME = std::chrono::seconds(1);  // for a command buffer that runs nothing

MTLSize threads_of(uint32_t simdgroups) { return MTLSizeMake(simdgroups * WARP_LANES, 1, 1); }

}  // namespace

uint32_t* Launches::Area::groups() const { return reinterpret_cast<uint32_t*>(memory.bytes() + GROUPS_AT); }
uint32_t* Launches::Area::slots() const { return reinterpret_cast<uint32_t*>(memory.bytes() + SLOTS_AT); }
uint64_t Launches::Area::slots_address() const { return memory.address() + SLOTS_AT; }

Launches::Launches(Context& context, const std::array<uint64_t, Binding::OWN>& tables, uint32_t slot_count, std::chrono::milliseconds patience)
    : context_(context), tables_(tables), slot_count_(slot_count), patience_(patience),
      quantum_(first_quantum([context.device() recommendedMaxWorkingSetSize]), slot_count), event_([context.device() newSharedEvent]) {
  for (Area& area : areas_) area.memory = Buffer(context, context.buffer(SLOTS_AT + 2 * uint64_t(slot_count) * sizeof(uint32_t), "the launches"));
}

uint32_t Launches::simdgroups(const Work& work) const {
  if (work.group_warps > 1 || work.group_memory_bytes != 0) return work.group_warps;
  return std::clamp(uint32_t([work.pipeline maxTotalThreadsPerThreadgroup] / WARP_LANES), 1u, GROUP_SIMDGROUPS);
}

MetalLaunch Launches::launch_of(const Work& work, uint32_t first, uint32_t items) const {
  MetalLaunch launch{};
  static_assert(sizeof launch.own == METAL_OWN_MAX * sizeof(uint64_t));
  std::memcpy(launch.own, work.own.data(), work.own.size() * sizeof(uint64_t));
  launch.first = first;
  launch.items = items;
  launch.group_warps = simdgroups(work);
  return launch;
}

void Launches::bind(id<MTLComputeCommandEncoder> encoder, const Work& work) const {
  [encoder setComputePipelineState:work.pipeline];
  [encoder setBytes:tables_.data() length:sizeof tables_ atIndex:0];
  const uint32_t steps = std::max(1u, (work.group_memory_bytes + GROUP_MEMORY_STEP - 1) / GROUP_MEMORY_STEP);
  [encoder setThreadgroupMemoryLength:steps * GROUP_MEMORY_STEP atIndex:0];
}

Committed Launches::commit(const Work& work, const MetalLaunch& launch) {
  id<MTLCommandBuffer> commands = [context_.queue() commandBuffer];
  id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
  bind(encoder, work);
  [encoder setBytes:&launch length:sizeof launch atIndex:1];
  const uint32_t groups = (launch.items + launch.group_warps - 1) / launch.group_warps;
  [encoder dispatchThreadgroups:MTLSizeMake(groups, 1, 1) threadsPerThreadgroup:threads_of(launch.group_warps)];
  [encoder endEncoding];
  return Committed(commands);
}

void Launches::commit_ahead(const Work& work, Area& area) {
  id<MTLCommandBuffer> commands = [context_.queue() commandBuffer];
  [commands encodeWaitForEvent:event_.get() value:++value_];
  id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
  bind(encoder, work);
  [encoder setBuffer:area.memory.get() offset:0 atIndex:1];
  [encoder dispatchThreadgroupsWithIndirectBuffer:area.memory.get() indirectBufferOffset:GROUPS_AT threadsPerThreadgroup:threads_of(simdgroups(work))];
  [encoder endEncoding];
  area.pipeline = static_cast<const void*>(work.pipeline);
  area.ahead = Committed(commands);
}

void Launches::begin_ahead(Area& area, const MetalLaunch& launch) {
  *area.launch() = launch;
  area.groups()[0] = launch.items == 0 ? 0 : (launch.items + launch.group_warps - 1) / launch.group_warps;
  area.groups()[1] = area.groups()[2] = 1;
  event_.get().signaledValue = value_;
}

std::vector<Lost> Launches::run_round(const Work& work, const std::vector<uint32_t>& slots, const std::vector<uint32_t>& items, bool ahead) {
  const Pool pool;
  Area& area = areas_[turn_];
  if (area.ahead && area.pipeline != static_cast<const void*>(work.pipeline)) let_go();
  std::copy(slots.begin(), slots.end(), area.slots());
  std::copy(items.begin(), items.end(), area.slots() + slot_count_);
  std::vector<Part> parts;
  for (uint32_t first = 0; first < slots.size();) {
    const uint32_t count = std::min(uint32_t(slots.size()) - first, quantum_.items());
    MetalLaunch launch = launch_of(work, first, count);
    launch.slots = reinterpret_cast<const uint32_t*>(area.slots_address());
    launch.slot_items = launch.slots + slot_count_;
    launch.replays = 1;
    if (area.ahead) {
      begin_ahead(area, launch);
      parts.push_back({std::exchange(area.ahead, Committed()), first, count, true});
    } else {
      parts.push_back({commit(work, launch), first, count});
    }
    first += count;
  }
  turn_ ^= 1;
  if (ahead) commit_ahead(work, areas_[turn_]);
  return wait_for(parts);
}

std::vector<Lost> Launches::run_all(const Work& work, uint32_t items, uint32_t* give_up) {
  const uint32_t at_once = std::max(1u, slot_count_ / work.group_warps) * work.group_warps;
  for (uint32_t first = 0; first < items; first += at_once) {
    const Pool pool;
    // Nothing says that one ends before the next begins, and they have the same slots.
    const uint32_t count = std::min(at_once, items - first);
    std::vector<Part> parts;
    parts.push_back({commit(work, launch_of(work, first, count)), first, count});
    std::vector<Lost> lost = wait_for(parts, give_up);
    if (!lost.empty()) return lost;
  }
  return {};
}

void Launches::let_go(bool gpu_runs) {
  for (Area& area : areas_) {
    if (!area.ahead) continue;
    const Pool pool;
    begin_ahead(area, MetalLaunch{});
    // The area is written again behind it.
    if (gpu_runs) area.ahead.wait_until(std::chrono::steady_clock::now() + EMPTY_TIME);
    area.ahead = Committed();
  }
}

std::vector<Lost> Launches::wait_for(const std::vector<Part>& parts, uint32_t* give_up) {
  std::vector<Lost> lost;
  for (const auto& [commands, first, items, waited] : parts) {
    const auto then = std::chrono::steady_clock::now() + (patience_.count() == 0 ? std::chrono::nanoseconds(FOREVER) : std::chrono::nanoseconds(patience_));
    if (!commands.wait_until(then)) {
      CommandEnd late;
      late.ended_well = false;
      late.text = "a command buffer has not ended within " + std::to_string(patience_.count()) + " ms";
      if (give_up != nullptr) __atomic_store_n(give_up, 1u, __ATOMIC_RELEASE);
      const bool ends = give_up != nullptr && commands.wait_until(std::chrono::steady_clock::now() + GIVE_UP_TIME);
      lost.push_back({late, first, items, !ends});
      continue;
    }
    const CommandEnd end = commands.end();
    if (end.ended_well && !waited) quantum_.took(items, end.seconds);
    if (!end.ended_well) lost.push_back({end, first, items});
    if (end.took_too_long) quantum_.was_ended(items);
  }
  return lost;
}

}  // namespace warpfs::metal
