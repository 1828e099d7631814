// One mounted file system: the shared memory, the daemon that serves it, and the device that runs kernels on it.
// Not thread-safe: one thread at a time calls it (the dispatcher thread of the addon).
#pragma once
#include "cuda/cuda_memory.h"
#include "daemon.h"
#include "device.h"
#include "metal/metal_memory.h"
#include "mount_memory.h"

#include <memory>
#include <optional>
#include <string>

namespace warpfs {

namespace metal {
class Gpu;
}

enum class DeviceKind { CPU, CUDA, METAL };

struct MountOptions {
  std::string root;
  DeviceKind device = DeviceKind::CPU;
  uint32_t device_index = 0;       // cuda: which of them
  std::string builtin;             // cuda, metal: path of the built-in kernels, compiled or as a text
  std::string fill = "auto";       // cuda: how bytes of files get to the GPU: "auto", "pull", "push" or "map"
  uint64_t window_bytes_max = 0;   // cuda: bytes of files that may be registered at once; 0: half of the memory
  uint32_t kernel_time_ms = 0;     // cuda, metal: one launch may take so long; 0: as long as it likes
  bool serial = false;             // cuda: one kernel runs at a time; with replay alone
  bool read_only = false;
  bool replay = false;
  uint32_t policy = 0;
  uint32_t line_count = 65536;
  uint32_t line_bytes = 4096;
  uint32_t ring_count = 4;
  uint32_t ring_slots = 1024;
  uint32_t slot_count = 1024;
  uint32_t file_count = 4096;
  uint32_t daemon_threads = 1;
  std::string io = "auto";
  uint64_t max_dirty_bytes = 0;                            // 0: no limit but the cache
  uint64_t max_file_bytes = (uint64_t(1) << 63) - 1;
  uint32_t wait_ms = 30000;
  uint32_t workers = 0;
  std::string sandbox = "auto";  // see sandbox.h
  CallFault fault{};             // see host_calls.h
  std::optional<MediumProfile> medium{};  // see daemon.h
};

/// Throws HostError where a number is out of its range.
Geometry mount_geometry(const MountOptions& options);

class Mount {
 public:
  /// Throws HostError or std::system_error.
  explicit Mount(const MountOptions& options);
  ~Mount();

  DispatchResult run(const Dispatch& dispatch);
  void load(const std::string& module) { device_->load(module); }
  PlacedMemory place_memory(const MemoryRequest& request) { return device_->place_memory(request); }
  /// From any thread, beside whatever runs.
  void copy_memory(const MemoryCopy& copy) { device_->copy_memory(copy); }
  void free_memory(const void* name) { device_->free_memory(name); }
  /// Everything that kernels wrote is on the disk: 0, or the first error.
  int32_t sync();
  /// Syncs, and stops where that gave 0: then it is the last call. Otherwise everything stays as it is, and the error is returned.
  /// With discard it stops in any case, and the error says that bytes were lost.
  int32_t unmount(bool discard);

  /// Sums since the mount, in the order of Counter.
  CounterTotals stats() const { return totals_; }
  const Daemon& daemon() const { return *daemon_; }
  const Device& device() const { return *device_; }
  std::string fill_note() const { return device_->fill_note() + fill_note_; }

 private:
  void make_cpu(const MountOptions& options, const Geometry& geometry, const DaemonOptions& daemon);
  void make_cuda(const MountOptions& options, const Geometry& geometry, const DaemonOptions& daemon);
  void make_metal(const MountOptions& options, const Geometry& geometry, const DaemonOptions& daemon);

  // One of the three, by device.
  std::unique_ptr<MountMemory> memory_;
  std::unique_ptr<cuda::CudaMemory> cuda_memory_;
  std::unique_ptr<metal::MetalMemory> metal_memory_;
  std::shared_ptr<metal::Gpu> metal_gpu_;
  std::unique_ptr<Daemon> daemon_;
  std::unique_ptr<Device> device_;
  CounterTotals totals_ = {};
  std::string fill_note_;  // what the device does not know
};

}  // namespace warpfs
