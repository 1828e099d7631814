// The metal device of one mount: runs dispatches on an Apple GPU. Kernels never wait for the host (replay): an item that needs it leaves, and is launched again
// when the host has answered.
#pragma once
#include "../daemon.h"
#include "gpu.h"
#include "kernels.h"
#include "launches.h"
#include "memories.h"
#include "metal.h"
#include "metal_memory.h"
#include "repair.h"

namespace warpfs::metal {

class MetalDevice final : public Device {
 public:
  MetalDevice(MetalMemory& memory, Gpu& on, Daemon& daemon, const MetalDeviceOptions& options);
  ~MetalDevice() override;

  DispatchResult run(const Dispatch& dispatch) override;
  int32_t sweep() override;
  void add_counters(CounterTotals& totals) override;
  void load(const std::string& module) override;
  PlacedMemory place_memory(const MemoryRequest& request) override;
  void free_memory(const void* name) override { memories_.free(name); }
  void copy_memory(const MemoryCopy& copy) override { memories_.copy(copy); }

  uint32_t worker_count() const override { return 1; }  // Metal does not say how many cores there are
  uint32_t resident_warps() const override { return gpu().geometry().slot_count; }
  uint64_t line_data_bytes() const override { return gpu().line_data_bytes(); }
  uint64_t overhead_bytes() const override { return gpu().overhead_bytes(); }
  std::string fill_note() const override;

 private:
  class Rounds;

  MountMemory& gpu() const { return memory_.gpu(); }
  Work work_of(id<MTLComputePipelineState> pipeline, const Dispatch& dispatch);
  DispatchResult run_kernel(id<MTLComputePipelineState> pipeline, const Dispatch& dispatch);
  void run_replay(Work work, const Dispatch& dispatch, DispatchResult& result);
  void run_spin(const Work& work, const Dispatch& dispatch);
  void drain();
  /// Behind a round of which this was lost: the mount goes on, or throws.
  void recover(const std::vector<Lost>& lost, const std::vector<uint32_t>& slots, const std::vector<uint32_t>& items);
  void check_there() const;
  [[noreturn]] void lose(const Lost& lost);

  MetalMemory& memory_;
  Daemon& daemon_;
  const MetalDeviceOptions options_;
  Context& context_;
  Kernels kernels_;
  Launches launches_;
  KernelMemories memories_;
  OwnBuffers own_;
  uint32_t losses_ = 0;     // command buffers that were lost since the last round that lost none
  uint32_t recovered_ = 0;  // rounds that lost something, and whose items went on
  std::string last_loss_;   // what the last of them lost; under its mutex, for whoever asks beside a dispatch
  mutable std::mutex loss_mutex_;
  std::string broken_;     // why nothing runs here any more
  bool still_runs_ = false;  // and a kernel that does not end may be at anything
};

}  // namespace warpfs::metal
