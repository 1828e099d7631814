#include "mount.h"

#include "cpu/device_cpu.h"
#include "cuda/device_cuda.h"
#include "host_error.h"
#include "metal/metal.h"
#include "pages_in_memory.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <unistd.h>

namespace warpfs {

namespace {

constexpr auto AUTO_WINDOW_TIME = std::chrono::milliseconds(100);  // 1.5 GiB of windows: with each dispatch as much, so that none begins late
constexpr uint32_t CUDA_SPIN_SWEEPS = 8192;  // about 1 ms: a sleep costs more than the bus ever takes
constexpr uint32_t METAL_SPIN_POLLS = 1u << 20;  // there is no clock, and the system ends a kernel after some seconds, or does not
constexpr uint32_t BYPASS_LINES = 64;   // reads that may go past the cache at once
constexpr uint32_t STATS_RECORDS = 64;  // so many warps add up without meeting on one record
constexpr uint32_t MASKS_MIN = 64;      // of a small cache every line may have a mask
constexpr uint64_t FILE_BYTES_MAX = (uint64_t(1) << 63) - 1;  // offsets of the operating system are signed

uint32_t checked(const char* name, uint64_t value, uint64_t low, uint64_t high, bool power_of_two = false) {
  if (value >= low && value <= high && (!power_of_two || std::has_single_bit(value))) return uint32_t(value);
  throw HostError(-Errno::einval, std::string(name) + ": " + std::to_string(value) + " is not " + (power_of_two ? "a power of two " : "") + "from " +
                                      std::to_string(low) + " to " + std::to_string(high));
}

}  // namespace

Geometry mount_geometry(const MountOptions& options) {
  Geometry g = {};
  g.abi_hash = ABI_HASH;
  g.line_count = checked("lineCount", options.line_count, 1, uint64_t(1) << 30);
  g.set_count = (g.line_count + SET_WAYS - 1) / SET_WAYS;
  g.bypass_count = BYPASS_LINES;
  g.line_bytes = checked("lineBytes", options.line_bytes, LINE_BYTES_MIN, LINE_BYTES_MAX, true);
  g.line_shift = uint32_t(std::countr_zero(g.line_bytes));
  g.ring_count = checked("ringCount", options.ring_count, 1, 64);
  g.ring_slots = checked("ringSlots", options.ring_slots, 1, 65536, true);
  g.slot_count = checked("slotCount", options.slot_count, 1, SLOTS_MAX);
  g.file_count = checked("fileCount", options.file_count, 1, (1u << HANDLE_INDEX_BITS) - 1);
  g.read_only = options.read_only ? 1 : 0;
  g.wait_polls = options.device == DeviceKind::METAL ? METAL_SPIN_POLLS : 1u << 30;
  g.wait_ns = uint64_t(checked("waitMs", options.wait_ms, 1, 0x7fffffff)) * 1000000u;
  g.stats_count = STATS_RECORDS;
  g.replay = options.replay ? 1 : 0;
  // Two places for each line: few pages take the place of another.
  if (options.device == DeviceKind::CUDA) g.hint_count = std::bit_ceil(g.line_count) * 2;
  g.mask_count = std::clamp(g.line_count / LINES_PER_MASK, std::min(g.line_count, MASKS_MIN), uint32_t(MASKS_MAX));
  if (options.max_dirty_bytes != 0) {
    g.dirty_lines_max = uint32_t(std::clamp(options.max_dirty_bytes / g.line_bytes, uint64_t(1), uint64_t(g.line_count)));
  }
  if (options.max_file_bytes > FILE_BYTES_MAX) {
    throw HostError(-Errno::einval, "maxFileBytes: no file is larger than " + std::to_string(FILE_BYTES_MAX));
  }
  g.file_bytes_max = options.max_file_bytes;
  return g;
}

Mount::Mount(const MountOptions& options) {
  const Geometry geometry = mount_geometry(options);
  DaemonOptions daemon;
  daemon.root = options.root;
  daemon.read_only = options.read_only;
  daemon.threads = checked("daemonThreads", options.daemon_threads, 1, 64);
  daemon.io = options.io;
  daemon.sandbox = options.sandbox;
  daemon.fault = options.fault;
  daemon.medium = options.medium;
  if (options.device == DeviceKind::CUDA) make_cuda(options, geometry, daemon);
  else if (options.device == DeviceKind::METAL) make_metal(options, geometry, daemon);
  else make_cpu(options, geometry, daemon);
}

void Mount::make_cpu(const MountOptions& options, const Geometry& geometry, const DaemonOptions& daemon) {
  memory_ = std::make_unique<MountMemory>(geometry);
  DaemonOptions rung = daemon;
  rung.has_doorbell = true;
  daemon_ = std::make_unique<Daemon>(memory_->host_view(), rung);
  CpuDeviceOptions device;
  device.workers = options.workers;
  device.policy = options.policy;
  device.replay = options.replay;
  device.wait = std::chrono::milliseconds(options.wait_ms);
  device_ = std::make_unique<CpuDevice>(*memory_, *daemon_, device);
}

void Mount::make_cuda(const MountOptions& options, const Geometry& geometry, const DaemonOptions& daemon) {
  cuda::FillOptions fill;
  fill.push = options.fill == "push";
  fill.channels = std::max(fill.channels, daemon.threads);
  const bool in_place = options.fill == "auto" || options.fill == "map";
  if (in_place && options.medium) {
    // The daemon sees nothing of a read in place.
    if (options.fill == "map") throw HostError(-Errno::einval, "fill: 'map' would go past the medium");
    fill_note_ = "; not map, which would go past the medium";
  } else if (in_place) {
    const uint64_t memory_bytes = uint64_t(sysconf(_SC_PHYS_PAGES)) * page_bytes();
    fill.windows.emplace();
    fill.windows->only_resident = options.fill == "auto";
    fill.windows->writable = !options.replay;
    fill.windows->bytes_max = options.window_bytes_max != 0 ? options.window_bytes_max : memory_bytes / 2;
  }
  cuda_memory_ = std::make_unique<cuda::CudaMemory>(int(options.device_index), geometry, fill);
  DaemonOptions polling = daemon;
  polling.spin_sweeps = CUDA_SPIN_SWEEPS;
  daemon_ = std::make_unique<Daemon>(cuda_memory_->host_view(), polling);
  cuda::CudaDeviceOptions device;
  device.builtin = options.builtin;
  device.replay = options.replay;
  device.serial = options.serial;
  device.wait = std::chrono::milliseconds(options.wait_ms);
  device.window_time = options.fill == "auto" ? std::chrono::nanoseconds(AUTO_WINDOW_TIME) : std::chrono::nanoseconds(std::chrono::hours(1));
  device.kernel_time = std::chrono::milliseconds(options.kernel_time_ms);
  device_ = std::make_unique<cuda::CudaDevice>(*cuda_memory_, *daemon_, device);
}

void Mount::make_metal(const MountOptions& options, const Geometry& geometry, const DaemonOptions& daemon) {
  metal_memory_ = std::make_unique<metal::MetalMemory>(geometry, options.replay);
  metal_gpu_ = metal::open_gpu(*metal_memory_);
  DaemonOptions rung = daemon;
  rung.has_doorbell = options.replay;
  if (options.replay) rung.device_engine = metal::mtlio_maker(*metal_gpu_);
  daemon_ = std::make_unique<Daemon>(metal_memory_->host_view(), rung);
  metal::MetalDeviceOptions device;
  device.builtin = options.builtin;
  device.replay = options.replay;
  device.wait = std::chrono::milliseconds(options.wait_ms);
  device.kernel_time = std::chrono::milliseconds(options.kernel_time_ms);
  device_ = metal::make_device(*metal_memory_, *metal_gpu_, *daemon_, device);
}

Mount::~Mount() {
  try {
    if (device_) sync();
  } catch (const std::exception&) {
    // Whoever wants to know calls unmount.
  }
  if (cuda_memory_) cuda_memory_->stop();
  device_.reset();  // kernels end before the daemon that serves them
}

DispatchResult Mount::run(const Dispatch& dispatch) {
  DispatchResult result = device_->run(dispatch);
  device_->add_counters(totals_);
  return result;
}

int32_t Mount::sync() {
  const int32_t swept = device_->sweep();
  device_->add_counters(totals_);
  const int32_t synced = daemon_->sync_all();
  return swept < 0 ? swept : synced;
}

int32_t Mount::unmount(bool discard) {
  int32_t synced = -Errno::eio;
  try {
    synced = sync();
  } catch (const std::exception&) {
    if (!discard) throw;  // with it nothing may keep the threads
  }
  if (synced < 0 && !discard) return synced;
  if (cuda_memory_) cuda_memory_->stop();
  device_.reset();
  daemon_.reset();
  cuda_memory_.reset();
  metal_gpu_.reset();
  metal_memory_.reset();
  return synced;
}

}  // namespace warpfs
