#include "sweep_by_host.h"

#include "../cpu/cpu_rounds.h"
#include "../device.h"
#include "repair.h"

#include <vector>

namespace warpfs::metal {

namespace {

/// Between rounds each side is told what the other has stored.
class HostRounds final : public CpuRounds {
 public:
  HostRounds(CpuExecutor& executor, MetalMemory& memory, Daemon& daemon, const BuiltinKernels& kernels, void* const* buffers)
      : CpuRounds(executor, memory.gpu(), kernels, kernels.sweep, nullptr, buffers, 0), exchange_(*memory.exchange()), daemon_(daemon) {}

 protected:
  void launch(const std::vector<uint32_t>& slots, const std::vector<uint32_t>& items, bool abandon) override {
    exchange_.tell_gpu();
    CpuRounds::launch(slots, items, abandon);
    if (exchange_.tell_host()) daemon_.doorbell();
  }

 private:
  Exchange& exchange_;
  Daemon& daemon_;
};

}  // namespace

int32_t sweep_by_host(MetalMemory& memory, Daemon& daemon, std::chrono::nanoseconds wait) {
  MountMemory& gpu = memory.gpu();
  const Geometry& geometry = gpu.geometry();
  DispatchResult result;
  const PollingWhile polling(daemon);
  if (memory.exchange()->tell_host_all()) daemon.doorbell();
  daemon.wait_until_drained();
  memory.exchange()->tell_gpu();
  auto* const records = gpu.at<ItemRecord>(Binding::RECORDS);
  for (uint32_t slot = 0; slot < geometry.slot_count; slot++) records[slot].status = ItemStatus::DONE;
  repair_tables(gpu);
  collect_faults(*gpu.at<FaultRecord>(Binding::FAULT), result);
  result = DispatchResult{};  // those were of dispatches before
  const BuiltinKernels& kernels = *builtin_kernels(0, true);
  std::vector<void*> buffers;
  for (uint32_t index = 0; index < Binding::OWN; index++) buffers.push_back(gpu.binding(index));
  CpuExecutor executor;
  HostRounds rounds(executor, memory, daemon, kernels, buffers.data());
  rounds.run((geometry.line_count + kernels.sweep_lines - 1) / kernels.sweep_lines, geometry.slot_count, daemon, wait, result);
  daemon.wait_until_drained();
  memory.exchange()->tell_gpu();
  collect_faults(*gpu.at<FaultRecord>(Binding::FAULT), result);
  return result.failures.empty() ? 0 : result.failures.front().error;
}

}  // namespace warpfs::metal
