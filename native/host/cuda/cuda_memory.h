// The memory of a mount on an NVIDIA GPU: all tables in the memory of the GPU, and the host's own copy of those that it reads or writes, in
// pinned memory, with the courier between them.
#pragma once
#include "courier.h"

#include <optional>

namespace warpfs::cuda {

/// How bytes of files get to the GPU and back.
struct FillOptions {
  std::optional<WindowOptions> windows{};  // files are read where they lie, as far as that goes
  bool push = false;                       // copy engines move the bytes of lines; else the courier does
  uint32_t channels = 4;                   // of the courier: as many as threads answer at the same time
};

class CudaMemory {
 public:
  /// Throws HostError: ENOMEM where the cache does not fit.
  CudaMemory(int device_index, const Geometry& geometry, const FillOptions& fill);

  Context& context() { return context_; }
  Courier& courier() { return courier_; }
  /// Null where files are not read where they lie.
  Windows* windows() { return windows_.get(); }
  /// No file table is used from here on, and no thread of this is left.
  void stop();
  HostView host_view();
  const Geometry& geometry() const { return geometry_; }
  /// Of a binding, in the memory of the GPU.
  CUdeviceptr table(uint32_t binding) const { return tables_.address() + offsets_[binding]; }
  KernelConstants constants() const;
  void fill_launch(CourierLaunch& launch) const;
  uint64_t line_data_bytes() const { return line_data_bytes_; }
  uint64_t overhead_bytes() const { return tables_.bytes() - line_data_bytes_; }

 private:
  void first_values();

  Context context_;
  const Geometry geometry_;
  uint64_t offsets_[Binding::OWN] = {};
  uint64_t line_data_bytes_ = 0;
  DeviceMemory tables_;
  DeviceMemory positions_;  // of the channels
  const Geometry host_geometry_;
  PinnedMemory host_place_;
  MountMemory host_memory_;
  Courier courier_;
  std::unique_ptr<Windows> windows_;
};

}  // namespace warpfs::cuda
