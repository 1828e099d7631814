#include "device_metal.h"

#include "../cpu/builtin.h"
#include "../host_error.h"
#include "capture.h"
#include "sweep_by_host.h"

#include <utility>

namespace warpfs::metal {

namespace {

std::array<uint64_t, Binding::OWN> addresses_of(const MountMemory& memory, const Buffer& tables) {
  std::array<uint64_t, Binding::OWN> addresses{};
  for (uint32_t binding = 0; binding < Binding::OWN; binding++) {
    addresses[binding] = tables.address() + uint64_t(static_cast<uint8_t*>(memory.binding(binding)) - memory.base());
  }
  return addresses;
}

}  // namespace

MetalDevice::MetalDevice(MetalMemory& memory, Gpu& on, Daemon& daemon, const MetalDeviceOptions& options)
    : memory_(memory), daemon_(daemon), options_(options), context_(on.context()), kernels_(context_),
      launches_(context_, addresses_of(gpu(), on.tables()), gpu().geometry().slot_count, options.kernel_time), memories_(context_), own_(context_, memories_) {
  const Pool pool;
  kernels_.find(options_.builtin, "warpfs_program");
}

MetalDevice::~MetalDevice() = default;

void MetalDevice::check_there() const {
  if (!broken_.empty()) throw HostError(-Errno::eio, "this mount has lost its GPU: " + broken_);
}

void MetalDevice::lose(const Lost& lost) {
  broken_ = lost.end.text;
  still_runs_ = lost.still_runs;
  launches_.let_go(!lost.still_runs);
  if (lost.still_runs) {
    context_.give_up();
    memory_.leave();
  }
  check_there();
  __builtin_unreachable();
}

void MetalDevice::load(const std::string& module) {
  check_there();
  kernels_.find(module, "warpfs_kernel");
}

PlacedMemory MetalDevice::place_memory(const MemoryRequest& request) {
  check_there();
  return memories_.place(request);
}

DispatchResult MetalDevice::run(const Dispatch& dispatch) {
  check_there();
  const Pool pool;
  const Capture capture(context_);
  return run_kernel(dispatch.module.empty() ? kernels_.find(options_.builtin, "warpfs_program") : kernels_.find(dispatch.module, "warpfs_kernel"), dispatch);
}

Work MetalDevice::work_of(id<MTLComputePipelineState> pipeline, const Dispatch& dispatch) {
  Work work;
  work.pipeline = pipeline;
  work.own = own_.give(dispatch);
  work.group_warps = dispatch.group_warps;
  work.group_memory_bytes = dispatch.group_memory_bytes;
  return work;
}

DispatchResult MetalDevice::run_kernel(id<MTLComputePipelineState> pipeline, const Dispatch& dispatch) {
  if (options_.replay && dispatch.group_warps > 1) {
    throw HostError(-Errno::einval, "groups of several warps cannot be replayed one warp at a time, and this device replays: use groupWarps 1");
  }
  if (dispatch.group_warps * WARP_LANES > [pipeline maxTotalThreadsPerThreadgroup]) {
    throw HostError("ERR_WARPFS_RESIDENT", "a group of " + std::to_string(dispatch.group_warps) + " warps does not fit on the GPU: this kernel takes at most " +
                                               std::to_string([pipeline maxTotalThreadsPerThreadgroup] / WARP_LANES));
  }
  if (dispatch.all_resident && dispatch.items > resident_warps()) {
    throw HostError("ERR_WARPFS_RESIDENT", std::to_string(dispatch.items) + " work items wait for each other, but only " + std::to_string(resident_warps()) + " can be resident");
  }
  Work work = work_of(pipeline, dispatch);
  DispatchResult result;
  const auto begin = std::chrono::steady_clock::now();
  {
    const PollingWhile polling(daemon_);
    if (options_.replay) {
      run_replay(std::move(work), dispatch, result);
    } else {
      run_spin(work, dispatch);
      result.rounds = 1;
    }
    drain();
  }
  result.nanoseconds = uint64_t(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
  own_.take(dispatch);
  collect_faults(*gpu().at<FaultRecord>(Binding::FAULT), result);
  return result;
}

/// Prefetches and write-backs that nobody waited for end with the dispatch that asked for them.
void MetalDevice::drain() {
  daemon_.wait_until_drained();
  if (memory_.exchange() != nullptr) memory_.exchange()->tell_gpu();
}

void MetalDevice::run_spin(const Work& work, const Dispatch& dispatch) {
  uint32_t* const give_up = &gpu().at<FaultRecord>(Binding::FAULT)->give_up;
  *give_up = 0;
  const std::vector<Lost> lost = launches_.run_all(work, dispatch.items, give_up);
  if (!lost.empty()) lose(lost.front());
}

std::string MetalDevice::fill_note() const {
  const std::lock_guard lock(loss_mutex_);
  std::string note = "the host reads into the lines, which are the memory of the GPU as well";
  if (recovered_ != 0) note += "; the items of " + std::to_string(recovered_) + " rounds were replayed because " + last_loss_;
  return note;
}

void MetalDevice::add_counters(CounterTotals& totals) { fold_counters(gpu().at<WarpStats>(Binding::STATS), gpu().geometry().stats_count, totals); }

int32_t MetalDevice::sweep() {
  if (!broken_.empty() && !still_runs_ && options_.replay) return sweep_by_host(memory_, daemon_, options_.wait);
  check_there();
  const Pool pool;
  const uint32_t sweep_lines = builtin_kernels(0, options_.replay)->sweep_lines;  // of the same source
  Dispatch dispatch;
  dispatch.items = (gpu().geometry().line_count + sweep_lines - 1) / sweep_lines;
  const DispatchResult result = run_kernel(kernels_.find(options_.builtin, "warpfs_sweep"), dispatch);
  return result.failures.empty() ? 0 : result.failures.front().error;
}

std::shared_ptr<Gpu> open_gpu(MetalMemory& memory) { return std::make_shared<Gpu>(memory.gpu()); }

std::unique_ptr<Device> make_device(MetalMemory& memory, Gpu& gpu, Daemon& daemon, const MetalDeviceOptions& options) {
  return std::make_unique<MetalDevice>(memory, gpu, daemon, options);
}

}  // namespace warpfs::metal
