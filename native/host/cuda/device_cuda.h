// The cuda device of one mount: runs dispatches on an NVIDIA GPU under either waiting strategy, with the courier beside them, or between their
// kernels where only one kernel runs at a time.
#pragma once
#include "../daemon.h"
#include "../device.h"
#include "../host_error.h"
#include "cuda_memory.h"
#include "kernel_memories.h"
#include "loaded_kernel.h"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace warpfs::cuda {

struct CudaDeviceOptions {
  std::string builtin;  // path of the compiled built-in kernels, which kernels of users are linked with
  bool replay = false;
  bool serial = false;  // a tool lets one kernel run at a time: courier_alone.h. Replay alone
  std::chrono::nanoseconds wait = std::chrono::seconds(30);   // without any progress, pending items are given up after this
  std::chrono::nanoseconds window_time{};                     // what a dispatch may wait at its start until files can be read where they lie
  std::chrono::milliseconds kernel_time{};                    // one launch may take so long; 0: as long as it likes
};

class CudaDevice final : public Device {
 public:
  CudaDevice(CudaMemory& memory, Daemon& daemon, const CudaDeviceOptions& options);

  DispatchResult run(const Dispatch& dispatch) override;
  int32_t sweep() override;
  void add_counters(CounterTotals& totals) override;
  PlacedMemory place_memory(const MemoryRequest& request) override;
  void copy_memory(const MemoryCopy& copy) override;
  void free_memory(const void* name) override { memories_.free(name); }

  uint32_t worker_count() const override { return memory_.context().multiprocessors(); }
  uint32_t resident_warps() const override { return resident_warps_; }
  uint64_t line_data_bytes() const override { return memory_.line_data_bytes(); }
  uint64_t overhead_bytes() const override { return memory_.overhead_bytes(); }
  std::string fill_note() const override;

 private:
  class Rounds;
  class CourierWhile;
  class OwnBuffers;
  struct Lost;

  template <typename Work>
  auto while_there(Work&& work);
  CUfunction find(const std::string& module);
  DispatchResult run_kernel(const Dispatch& dispatch, CUfunction function);
  void run_replay(const Dispatch& dispatch, CUfunction function, DispatchResult& result);
  void give_buffers(const Dispatch& dispatch);
  void take_what_is_left(const Dispatch& dispatch, DispatchResult& result);
  static uint64_t small_bytes(const Geometry& geometry);
  void launch(CUfunction function, const Dispatch& dispatch, uint32_t items, const uint32_t* slots, const uint32_t* slot_items);
  void launch_courier();
  void carry_all();
  void prepare(CUfunction function);
  void wait_for(CUstream stream, const char* what);
  CUresult failure_beside(CUstream stream) const;
  /// The kernel that runs, if any, is not waited for.
  [[noreturn]] void lose(const HostError& why, bool kernel_runs);
  [[noreturn]] void lose(const char* what, CUresult result);
  void lose_with_process(const std::string& refusal);
  void leave_room_for_kernels() const;
  uint32_t groups_on(uint32_t multiprocessors, CUfunction function, const Dispatch& dispatch) const;
  uint32_t resident_groups(CUfunction function, const Dispatch& dispatch) const;

  CudaMemory& memory_;
  Daemon& daemon_;
  const CudaDeviceOptions options_;
  Stream kernels_, couriers_;
  LoadedKernel builtin_;
  CUfunction program_ = nullptr, sweep_ = nullptr, abandon_ = nullptr, courier_ = nullptr;
  uint32_t sweep_lines_ = 0;
  uint32_t resident_warps_ = 0;
  std::map<std::string, std::unique_ptr<LoadedKernel>> modules_;
  DeviceMemory own_;               // the buffers of a dispatch; only grows
  PinnedMemory small_;             // those that are small, as they lie there, then what every dispatch leaves
  CounterTotals counted_{};        // what dispatches left, and nobody has added up yet
  KernelMemories memories_;        // those of them that last
  DeviceMemory scratch_;           // next_group, the addresses of own buffers, slots, items
  CUdeviceptr round_at_ = 0;       // there: the slots of a round, then the items in each slot
  KernelLaunch launch_{};
  std::string broken_;             // why nothing runs here any more
};

}  // namespace warpfs::cuda
