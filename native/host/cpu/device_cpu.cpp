#include "device_cpu.h"

#include "../assert.h"
#include "../daemon.h"
#include "../host_error.h"

#include <algorithm>

namespace warpfs {

namespace {

struct LaunchArgument {
  KernelEntry entry;
  void* const* buffers;
  const uint32_t* slots;  // replay: the slot of each launched item; null: the slot of the resident warp
  const uint32_t* items;  // replay: the item in each slot
};

void lane_body(Lane& lane, const WarpId& id, void* argument) {
  const auto* launch = static_cast<const LaunchArgument*>(argument);
  if (launch->slots == nullptr) {
    launch->entry(lane, id.item, id.slot, launch->buffers);
  } else {
    const uint32_t slot = launch->slots[id.item];
    launch->entry(lane, launch->items[slot], slot, launch->buffers);
  }
}

/// The daemon polls the rings exactly as long as kernels run.
class PollingWhile {
 public:
  explicit PollingWhile(Daemon& daemon) : daemon_(daemon) { daemon_.begin_dispatch(); }
  ~PollingWhile() { daemon_.end_dispatch(); }

 private:
  Daemon& daemon_;
};

CpuExecutorOptions executor_options(const MountMemory& memory, Daemon& daemon, const CpuDeviceOptions& options) {
  CpuExecutorOptions executor;
  executor.workers = options.workers;
  executor.resident_warps = memory.geometry().slot_count;
  executor.doorbell = [](void* argument) { static_cast<Daemon*>(argument)->doorbell(); };
  executor.doorbell_argument = &daemon;
  return executor;
}

}  // namespace

CpuDevice::CpuDevice(MountMemory& memory, Daemon& daemon, const CpuDeviceOptions& options)
    : memory_(memory), daemon_(daemon), options_(options), builtins_(builtin_kernels(options.policy, options.replay)),
      executor_(executor_options(memory, daemon, options)) {
  if (builtins_ == nullptr) throw HostError(-Errno::einval, "unknown replacement policy " + std::to_string(options.policy));
}

CpuDevice::Kernel CpuDevice::find(const std::string& module) {
  if (module.empty()) return {builtins_->program, nullptr};
  auto found = modules_.find(module);
  if (found == modules_.end()) found = modules_.emplace(module, std::make_unique<KernelModule>(module)).first;
  return {found->second->entry(), found->second->attach()};
}

DispatchResult CpuDevice::run(const Dispatch& dispatch) { return run_kernel(dispatch, find(dispatch.module)); }

DispatchResult CpuDevice::run_kernel(const Dispatch& dispatch, const Kernel& kernel) {
  if (dispatch.all_resident && dispatch.items > executor_.resident_warps()) {
    throw HostError(-Errno::erange, std::to_string(dispatch.items) + " work items wait for each other, but only " +
                                        std::to_string(executor_.resident_warps()) + " can be resident");
  }
  if (options_.replay && dispatch.group_warps > 1) {
    throw HostError(-Errno::einval, "groups of several warps cannot be replayed one warp at a time: use wait 'spin'");
  }
  std::vector<void*> buffers;
  for (uint32_t index = 0; index < Binding::OWN; index++) buffers.push_back(memory_.binding(index));
  buffers.insert(buffers.end(), dispatch.buffers.begin(), dispatch.buffers.end());

  DispatchResult result;
  const auto begin = std::chrono::steady_clock::now();
  {
    const PollingWhile polling(daemon_);
    if (options_.replay) {
      run_replay(dispatch, kernel, buffers.data(), result);
    } else {
      run_spin(dispatch, kernel, buffers.data(), result);
    }
    // Prefetches and write-backs that nobody waited for end with the dispatch that asked for them.
    daemon_.wait_until_drained();
  }
  result.nanoseconds = uint64_t(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
  collect(result);
  return result;
}

void CpuDevice::run_spin(const Dispatch& dispatch, const Kernel& kernel, void* const* buffers, DispatchResult& result) {
  LaunchArgument argument = {kernel.entry, buffers, nullptr, nullptr};
  LaunchShape shape;
  shape.items = dispatch.items;
  shape.group_warps = dispatch.group_warps;
  shape.group_memory_bytes = dispatch.group_memory_bytes;
  if (dispatch.items > 0) executor_.launch(shape, lane_body, &argument, kernel.attach);
  result.rounds = 1;
}

void CpuDevice::run_replay(const Dispatch& dispatch, const Kernel& kernel, void* const* buffers, DispatchResult& result) {
  ItemRecord* records = memory_.at<ItemRecord>(Binding::RECORDS);
  const uint32_t slot_count = memory_.geometry().slot_count;
  std::vector<uint32_t> items(slot_count);   // the item in each slot
  std::vector<uint32_t> active;              // slots that are launched in this round
  std::vector<uint32_t> free_slots(slot_count);
  for (uint32_t slot = 0; slot < slot_count; slot++) free_slots[slot] = slot_count - 1 - slot;
  uint32_t next_item = 0;
  auto last_progress = std::chrono::steady_clock::now();
  KernelEntry entry = kernel.entry;
  WarpAttach attach = kernel.attach;

  while (next_item < dispatch.items || !active.empty()) {
    while (next_item < dispatch.items && !free_slots.empty()) {
      const uint32_t slot = free_slots.back();
      free_slots.pop_back();
      const uint32_t asked = records[slot].mail_sequence;  // the mailbox goes on counting
      records[slot] = ItemRecord{};
      records[slot].mail_sequence = asked;
      items[slot] = next_item++;
      active.push_back(slot);
    }
    const uint64_t completions = daemon_.completions();
    LaunchArgument argument = {entry, buffers, active.data(), items.data()};
    LaunchShape shape;
    shape.items = uint32_t(active.size());
    shape.group_memory_bytes = dispatch.group_memory_bytes;
    executor_.launch(shape, lane_body, &argument, attach);
    result.rounds++;

    const auto done = [&](uint32_t slot) { return records[slot].status == ItemStatus::DONE; };
    const auto first_done = std::stable_partition(active.begin(), active.end(), [&](uint32_t slot) { return !done(slot); });
    const bool finished_some = first_done != active.end();
    free_slots.insert(free_slots.end(), first_done, active.end());
    active.erase(first_done, active.end());
    if (active.empty()) continue;

    // A round is only worth its cost once the host has answered: all that it was asked for where that is quick, else some of it.
    const bool answered = daemon_.wait_for_completion(completions, std::chrono::milliseconds(20));
    const auto now = std::chrono::steady_clock::now();
    if (finished_some || answered) {
      last_progress = now;
    } else if (now - last_progress > options_.wait) {
      WARPFS_ASSERT(entry != builtins_->abandon);
      entry = builtins_->abandon;
      attach = nullptr;
      // Items that never had their turn fail as well.
      result.failed_items = dispatch.items - next_item;
      for (; next_item < dispatch.items; next_item++) {
        if (result.failures.size() < FAULT_ITEMS_MAX) result.failures.push_back({next_item, -Errno::etimedout});
      }
    }
  }
}

void CpuDevice::collect(DispatchResult& result) {
  FaultRecord* fault = memory_.at<FaultRecord>(Binding::FAULT);
  result.failed_items += fault->count;
  for (uint32_t i = 0; i < std::min<uint32_t>(fault->count, FAULT_ITEMS_MAX); i++) result.failures.push_back({fault->items[i], fault->errors[i]});
  result.lane_values[0] = fault->lane_values[0];
  result.lane_values[1] = fault->lane_values[1];
  *fault = FaultRecord{};
}

int32_t CpuDevice::sweep() {
  Dispatch dispatch;
  dispatch.items = (memory_.geometry().line_count + builtins_->sweep_lines - 1) / builtins_->sweep_lines;
  const DispatchResult result = run_kernel(dispatch, {builtins_->sweep, nullptr});
  return result.failures.empty() ? 0 : result.failures.front().error;
}

}  // namespace warpfs
