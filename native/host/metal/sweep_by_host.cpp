#include "sweep_by_host.h"

#include "../cpu/builtin.h"
#include "../cpu/executor.h"
#include "../device.h"
#include "../replay_rounds.h"
#include "repair.h"

#include <algorithm>

namespace warpfs::metal {

namespace {

class HostRounds final : public ReplayRounds {
 public:
  HostRounds(MetalMemory& memory, Daemon& daemon, const BuiltinKernels& kernels) : memory_(memory), daemon_(daemon), kernels_(kernels) {
    for (uint32_t index = 0; index < Binding::OWN; index++) buffers_.push_back(memory.gpu().binding(index));
    records_ = memory.gpu().at<ItemRecord>(Binding::RECORDS);
  }

 protected:
  void begin_item(uint32_t slot) override { records_[slot] = new_record(records_[slot]); }
  void launch(const std::vector<uint32_t>& slots, const std::vector<uint32_t>& items, bool abandon) override {
    memory_.exchange()->tell_gpu();
    Launch launch{abandon ? kernels_.abandon : kernels_.sweep, buffers_.data(), slots.data(), items.data()};
    LaunchShape shape;
    shape.items = uint32_t(slots.size());
    executor_.launch(shape, run_lane, &launch, nullptr);
    if (memory_.exchange()->tell_host()) daemon_.doorbell();
  }
  bool is_done(uint32_t slot) const override { return records_[slot].status == ItemStatus::DONE; }

 private:
  struct Launch {
    KernelEntry entry;
    void* const* buffers;
    const uint32_t *slots, *items;
  };
  static void run_lane(Lane& lane, const WarpId& id, void* argument) {
    const Launch& launch = *static_cast<const Launch*>(argument);
    const uint32_t slot = launch.slots[id.item];
    launch.entry(lane, launch.items[slot], slot, launch.buffers);
  }

  MetalMemory& memory_;
  Daemon& daemon_;
  const BuiltinKernels& kernels_;
  CpuExecutor executor_;
  std::vector<void*> buffers_;
  ItemRecord* records_ = nullptr;
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
  HostRounds rounds(memory, daemon, kernels);
  rounds.run((geometry.line_count + kernels.sweep_lines - 1) / kernels.sweep_lines, geometry.slot_count, daemon, wait, result);
  daemon.wait_until_drained();
  memory.exchange()->tell_gpu();
  collect_faults(*gpu.at<FaultRecord>(Binding::FAULT), result);
  return result.failures.empty() ? 0 : result.failures.front().error;
}

}  // namespace warpfs::metal
