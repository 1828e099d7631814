#include "device_cpu.h"

#include "../daemon.h"
#include "../host_error.h"
#include "../replay_rounds.h"

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
  const KernelModule& found = modules_.at(module);
  return {found.entry(), found.attach()};
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
  collect_faults(*memory_.at<FaultRecord>(Binding::FAULT), result);
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

namespace {

class CpuRounds final : public ReplayRounds {
 public:
  CpuRounds(CpuExecutor& executor, MountMemory& memory, const BuiltinKernels& builtins, KernelEntry entry, WarpAttach attach,
            void* const* buffers, uint32_t group_memory_bytes)
      : executor_(executor), records_(memory.at<ItemRecord>(Binding::RECORDS)), abandon_(builtins.abandon), entry_(entry), attach_(attach),
        buffers_(buffers), group_memory_bytes_(group_memory_bytes) {}

 protected:
  void begin_item(uint32_t slot) override { records_[slot] = new_record(records_[slot]); }
  void launch(const std::vector<uint32_t>& slots, const std::vector<uint32_t>& items, bool abandon) override {
    LaunchArgument argument = {abandon ? abandon_ : entry_, buffers_, slots.data(), items.data()};
    LaunchShape shape;
    shape.items = uint32_t(slots.size());
    shape.group_memory_bytes = group_memory_bytes_;
    executor_.launch(shape, lane_body, &argument, abandon ? nullptr : attach_);
  }
  bool is_done(uint32_t slot) const override { return records_[slot].status == ItemStatus::DONE; }

 private:
  CpuExecutor& executor_;
  ItemRecord* const records_;
  const KernelEntry abandon_, entry_;
  const WarpAttach attach_;
  void* const* const buffers_;
  const uint32_t group_memory_bytes_;
};

}  // namespace

void CpuDevice::run_replay(const Dispatch& dispatch, const Kernel& kernel, void* const* buffers, DispatchResult& result) {
  CpuRounds rounds(executor_, memory_, *builtins_, kernel.entry, kernel.attach, buffers, dispatch.group_memory_bytes);
  rounds.run(dispatch.items, memory_.geometry().slot_count, daemon_, options_.wait, result);
}

void CpuDevice::add_counters(CounterTotals& totals) {
  fold_counters(memory_.at<WarpStats>(Binding::STATS), memory_.geometry().stats_count, totals);
}

int32_t CpuDevice::sweep() {
  Dispatch dispatch;
  dispatch.items = (memory_.geometry().line_count + builtins_->sweep_lines - 1) / builtins_->sweep_lines;
  const DispatchResult result = run_kernel(dispatch, {builtins_->sweep, nullptr});
  return result.failures.empty() ? 0 : result.failures.front().error;
}

}  // namespace warpfs
