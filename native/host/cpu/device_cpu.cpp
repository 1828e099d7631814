#include "device_cpu.h"

#include "../daemon.h"
#include "../host_error.h"
#include "cpu_rounds.h"

namespace warpfs {

namespace {

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
  if (dispatch.items > 0) executor_.launch(shape, launch_lane, &argument, kernel.attach);
  result.rounds = 1;
}

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
