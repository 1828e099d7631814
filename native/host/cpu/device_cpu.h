// The cpu device of one mount: runs dispatches to their end under either waiting strategy.
#pragma once
#include "../device.h"
#include "../mount_memory.h"
#include "builtin.h"
#include "executor.h"
#include "kernel_module.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace warpfs {

class Daemon;

struct CpuDeviceOptions {
  uint32_t workers = 0;  // 0: one per core
  uint32_t policy = 0;
  bool replay = false;
  std::chrono::nanoseconds wait = std::chrono::seconds(30);  // without any progress, pending items are given up after this
};

class CpuDevice final : public Device {
 public:
  CpuDevice(MountMemory& memory, Daemon& daemon, const CpuDeviceOptions& options);

  DispatchResult run(const Dispatch& dispatch) override;
  int32_t sweep() override;
  void add_counters(CounterTotals& totals) override;

  uint32_t worker_count() const override { return executor_.worker_count(); }
  uint32_t resident_warps() const override { return executor_.resident_warps(); }
  uint64_t line_data_bytes() const override { return memory_.line_data_bytes(); }
  uint64_t overhead_bytes() const override { return memory_.overhead_bytes(); }

 private:
  struct Kernel {
    KernelEntry entry;
    WarpAttach attach;
  };
  Kernel find(const std::string& module);
  void run_spin(const Dispatch& dispatch, const Kernel& kernel, void* const* buffers, DispatchResult& result);
  void run_replay(const Dispatch& dispatch, const Kernel& kernel, void* const* buffers, DispatchResult& result);
  DispatchResult run_kernel(const Dispatch& dispatch, const Kernel& kernel);

  MountMemory& memory_;
  Daemon& daemon_;
  CpuDeviceOptions options_;
  const BuiltinKernels* builtins_;
  CpuExecutor executor_;
  KernelModules modules_;
};

}  // namespace warpfs
