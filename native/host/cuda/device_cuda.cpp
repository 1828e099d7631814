#include "device_cuda.h"

#include "../assert.h"
#include "courier_alone.h"
#include "process_refusal.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace warpfs::cuda {

namespace {

constexpr auto COURIER_TIME = std::chrono::seconds(1);  // more than it ever takes to end
constexpr auto TIME_BEFORE_NAPS = std::chrono::milliseconds(10);
constexpr auto NAP_MAX = std::chrono::microseconds(200);
constexpr uint32_t NAPS_IN_TIME = 64;

bool still_runs(CUstream stream, std::chrono::nanoseconds time) {
  const auto begin = std::chrono::steady_clock::now();
  while (driver().cuStreamQuery(stream) == CUDA_ERROR_NOT_READY) {
    if (std::chrono::steady_clock::now() - begin > time) return true;
    std::this_thread::yield();
  }
  return false;
}

constexpr uint32_t SHARED_BYTES_USUAL = 48 * 1024;  // a kernel that wants more has to say so
uint32_t shared_bytes(const Dispatch& dispatch) { return dispatch.group_warps * WARP_WORDS * uint32_t(sizeof(uint32_t)) + dispatch.group_memory_bytes; }

/// Scratch memory: where each part begins.
constexpr uint64_t NEXT_GROUP_AT = 0;
constexpr uint64_t SLOTS_AT = 256;
constexpr uint64_t SCRATCH_BYTES = SLOTS_AT + 2 * SLOTS_MAX * sizeof(uint32_t);

/// Looks again at once for a while: a nap takes longer than it should, and threads of the daemon look all the time as well. Then it naps for a part
/// of the time that has gone by, so that a long launch costs little and its end is seen soon.
class Naps {
 public:
  void nap() {
    const auto time = std::chrono::steady_clock::now() - begin_;
    if (time < TIME_BEFORE_NAPS) return std::this_thread::yield();
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(time / NAPS_IN_TIME, NAP_MAX));
  }

 private:
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

/// It says that the GPU is lost, and what that means.
struct CudaDevice::Lost : HostError {
  using HostError::HostError;
};

/// The daemon polls its rings, and the courier runs, exactly as long as kernels run.
class CudaDevice::CourierWhile {
 public:
  explicit CourierWhile(CudaDevice& device) : device_(device) { device_.daemon_.begin_dispatch(); }
  void start() {
    if (device_.options_.serial) return device_.carry_all();  // what the host has changed since the last dispatch
    device_.memory_.courier().begin();
    device_.launch_courier();
    running_ = true;
    // Other kernels may fill the GPU: the courier has its place before.
    while (!device_.memory_.courier().is_running()) look_after_courier();
    // No kernel sees an entry of before: what it says may be no more, windows not even registered.
    while (!device_.memory_.courier().is_delivered()) look_after_courier();
  }
  /// Prefetches and write-backs that nobody waited for end with the dispatch that asked for them.
  void finish() {
    if (device_.options_.serial) return;  // they ended behind the last kernel
    device_.daemon_.wait_until_drained();
    while (!device_.memory_.courier().is_delivered()) look_after_courier();
    device_.memory_.courier().stop();
    device_.wait_for(device_.couriers_.get(), "the courier");
    running_ = false;
  }
  ~CourierWhile() {
    if (running_) end_after_failure();
    device_.daemon_.end_dispatch();
  }

 private:
  /// It ends by itself only where it has failed.
  void look_after_courier() {
    const CUstream stream = device_.couriers_.get();
    const CUresult result = driver().cuStreamQuery(stream);
    if (result != CUDA_ERROR_NOT_READY) device_.lose("the courier", result);
    if (const CUresult beside = device_.failure_beside(stream)) device_.lose("the courier", beside);
    std::this_thread::yield();
  }
  /// The next one sets the flags anew: this one has to have seen them.
  void end_after_failure() {
    device_.memory_.courier().stop();
    if (device_.memory_.context().given_up()) return;
    try {
      device_.wait_for(device_.couriers_.get(), "the courier");
    } catch (const HostError&) {
      // What failed first is on its way; that the GPU is lost is noted.
    }
  }

  CudaDevice& device_;
  bool running_ = false;
};

CudaDevice::CudaDevice(CudaMemory& memory, Daemon& daemon, const CudaDeviceOptions& options)
    : memory_(memory), daemon_(daemon), options_(options), kernels_(memory.context()), couriers_(memory.context()),
      builtin_(memory.context(), {options.builtin}, memory.constants()), small_(memory.context(), small_bytes(memory.geometry()), "the launches"),
      memories_(memory.context()), scratch_(memory.context(), SCRATCH_BYTES, "the launches") {
  WARPFS_ASSERT(options.replay || !options.serial);
  program_ = builtin_.function("warpfs_program");
  sweep_ = builtin_.function("warpfs_sweep");
  courier_ = builtin_.function("warpfs_courier");
  leave_room_for_kernels();
  resident_warps_ = resident_groups(program_, Dispatch{});
  if (options.replay) abandon_ = builtin_.function("warpfs_abandon");
  sweep_lines_ = builtin_.word("warpfs_sweep_lines");
  launch_.next_group = reinterpret_cast<uint32_t*>(scratch_.address() + NEXT_GROUP_AT);
  round_at_ = scratch_.address() + SLOTS_AT;
  for (const CUfunction function : {program_, sweep_, abandon_}) {
    if (function != nullptr) prepare(function);
  }
}

/// A GPU that is lost is left alone: a call of the driver could wait for the kernel that still runs there. What fails may be the first sign of it.
template <typename Work>
auto CudaDevice::while_there(Work&& work) {
  if (broken_.empty()) {
    if (const std::string refusal = process_refusal(); !refusal.empty()) lose_with_process(refusal);
  }
  if (!broken_.empty()) throw HostError(-Errno::eio, "this mount has lost its GPU: " + broken_);
  try {
    memory_.context().enter();
    return work();
  } catch (const Lost&) {
    throw;
  } catch (const HostError& error) {
    if (!broken_.empty()) lose(error, memory_.context().kernel_runs());  // it was seen when the courier was stopped: nobody was told
    const CUresult state = driver().cuStreamQuery(kernels_.get());
    if (state == CUDA_SUCCESS || state == CUDA_ERROR_NOT_READY) throw;
    note_error(state, error.what());
    lose(error, false);
  }
}

/// The first launch of a kernel with a larger stack than those before waits until no other kernel runs, and the courier runs for as long as
/// kernels do. So this one comes before it, and does nothing.
void CudaDevice::prepare(CUfunction function) {
  launch(function, Dispatch{}, 0, nullptr, nullptr);
  wait_for(kernels_.get(), "loading a kernel");
}

CUfunction CudaDevice::find(const std::string& module) {
  auto found = modules_.find(module);
  if (found == modules_.end()) {
    found = modules_.emplace(module, std::make_unique<LoadedKernel>(memory_.context(), std::vector<std::string>{options_.builtin, module}, memory_.constants())).first;
    prepare(found->second->function("warpfs_kernel"));
  }
  return found->second->function("warpfs_kernel");
}

DispatchResult CudaDevice::run(const Dispatch& dispatch) {
  return while_there([&] { return run_kernel(dispatch, dispatch.module.empty() ? program_ : find(dispatch.module)); });
}

/// A small GPU with many rings: the courier would have no place itself, or nobody beside it.
void CudaDevice::leave_room_for_kernels() const {
  const uint32_t multiprocessors = memory_.context().multiprocessors();
  if (memory_.courier().blocks() < multiprocessors) return;
  throw HostError(-Errno::einval, "option ring.count: what serves " + std::to_string(memory_.geometry().ring_count) + " rings may take " +
                                      std::to_string(memory_.courier().blocks()) + " multiprocessors, and " + memory_.context().name() + " has " +
                                      std::to_string(multiprocessors) + ": make it smaller");
}

/// Groups that are resident for certain: where a block of the courier is there may be room for none.
uint32_t CudaDevice::resident_groups(CUfunction function, const Dispatch& dispatch) const {
  return groups_on(memory_.context().multiprocessors() - memory_.courier().blocks(), function, dispatch);
}

uint32_t CudaDevice::groups_on(uint32_t multiprocessors, CUfunction function, const Dispatch& dispatch) const {
  int blocks = 0;
  check(driver().cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, int(dispatch.group_warps * WARP_LANES), shared_bytes(dispatch)),
        "asking how many groups fit");
  if (blocks < 1) throw HostError("ERR_WARPFS_RESIDENT", "a group of " + std::to_string(dispatch.group_warps) + " warps does not fit on the GPU");
  return std::max(1u, std::min(uint32_t(blocks) * multiprocessors, memory_.geometry().slot_count / dispatch.group_warps));
}

void CudaDevice::launch(CUfunction function, const Dispatch& dispatch, uint32_t items, const uint32_t* slots, const uint32_t* slot_items) {
  check(driver().cuMemsetD8Async(scratch_.address() + NEXT_GROUP_AT, 0, sizeof(uint32_t), kernels_.get()), "preparing a launch");
  launch_.items = items;
  launch_.group_warps = dispatch.group_warps;
  launch_.slots = slots;
  launch_.slot_items = slot_items;
  const uint32_t groups = (items + dispatch.group_warps - 1) / dispatch.group_warps;
  const uint32_t grid = std::max(1u, std::min(groups, groups_on(memory_.context().multiprocessors(), function, dispatch)));
  if (shared_bytes(dispatch) > SHARED_BYTES_USUAL) {
    check(driver().cuFuncSetAttribute(function, FUNC_MAX_DYNAMIC_SHARED_BYTES, int(shared_bytes(dispatch))), "asking for group memory");
  }
  void* parameters[] = {&launch_};
  check(driver().cuLaunchKernel(function, grid, 1, 1, dispatch.group_warps * WARP_LANES, 1, 1, shared_bytes(dispatch), kernels_.get(), parameters, nullptr),
        "launching a kernel");
}

void CudaDevice::launch_courier() {
  CourierLaunch launch{};
  memory_.fill_launch(launch);
  void* parameters[] = {&launch};
  check(driver().cuLaunchKernel(courier_, memory_.courier().blocks(), 1, 1, COURIER_THREADS * COURIER_PARTS, 1, 1, 0, couriers_.get(), parameters, nullptr),
        "starting the courier");
}

void CudaDevice::carry_all() {
  cuda::carry_all(memory_.courier(), daemon_, [this] {
    memory_.courier().begin();
    memory_.courier().stop();
    launch_courier();
    wait_for(couriers_.get(), "the courier");
  });
}

/// An error here, or a kernel that goes on beyond its time, is the end of this mount's GPU.
void CudaDevice::wait_for(CUstream stream, const char* what) {
  const auto begin = std::chrono::steady_clock::now();
  Naps naps;
  CUresult result = driver().cuStreamQuery(stream);
  while (result == CUDA_ERROR_NOT_READY) {
    if (options_.kernel_time.count() != 0 && std::chrono::steady_clock::now() - begin > options_.kernel_time) {
      lose(HostError(-Errno::etimedout, std::string(what) + ": it has not ended within " + std::to_string(options_.kernel_time.count()) +
                                            " ms (option kernelTimeMs), and keeps its part of the GPU and the memory of this mount until the process ends"),
           true);
    }
    naps.nap();
    result = driver().cuStreamQuery(stream);
    const CUresult beside = result == CUDA_ERROR_NOT_READY ? failure_beside(stream) : CUDA_SUCCESS;
    if (beside != CUDA_SUCCESS) result = beside;
  }
  if (result == CUDA_SUCCESS) result = failure_beside(stream);
  if (result != CUDA_SUCCESS) lose(what, result);
}

/// What fails in the courier, or in a copy engine, would never be told to the kernel that waits for it.
CUresult CudaDevice::failure_beside(CUstream stream) const {
  const Pusher* pusher = memory_.courier().pusher();
  if (pusher != nullptr && pusher->failure() != CUDA_SUCCESS) return pusher->failure();
  if (stream == couriers_.get()) return CUDA_SUCCESS;
  const CUresult courier = driver().cuStreamQuery(couriers_.get());
  return courier == CUDA_ERROR_NOT_READY ? CUDA_SUCCESS : courier;
}

void CudaDevice::lose(const HostError& why, bool kernel_runs) {
  memory_.courier().break_off();
  memory_.context().give_up(kernel_runs);
  broken_ = why.what();
  const std::string next = !process_refusal().empty() ? "From now on the driver does nothing more for the process that it ran in: other mounts on a GPU there are lost "
                                                        "too. A new mount works, in a process of its own"
                           : kernel_runs              ? "A new mount works, and shares the GPU with that kernel"
                                                      : "A new mount works";
  throw Lost(why.code, broken_ + ". This mount is lost; what kernels wrote and nobody synced is lost with it. " + next);
}

/// Nothing runs here: the driver ended that as well.
void CudaDevice::lose_with_process(const std::string& refusal) {
  memory_.courier().break_off();
  memory_.context().give_up(false);
  broken_ = "another kernel of this process made an error, after which the driver does nothing more for any mount in it (" + refusal +
            "). What kernels of this mount wrote and nobody synced is lost with it. A new mount works, in a process of its own";
}

/// Mostly nothing runs in the context any more. A copy may fail where it does: the courier then ends when it is told to, but a kernel may wait for
/// long for a line that never comes.
void CudaDevice::lose(const char* what, CUresult result) {
  bool kernel_runs = false;
  const Pusher* pusher = memory_.courier().pusher();
  if (pusher != nullptr && pusher->failure() == result) {
    memory_.courier().break_off();
    memory_.courier().stop();
    const CUresult kernels = driver().cuStreamQuery(kernels_.get());
    if (kernels == CUDA_SUCCESS || kernels == CUDA_ERROR_NOT_READY) what = "copying the bytes of lines";
    kernel_runs = kernels == CUDA_ERROR_NOT_READY || still_runs(couriers_.get(), COURIER_TIME);
  }
  try {
    check(result == CUDA_SUCCESS ? CUDA_ERROR_UNKNOWN : result, what);
  } catch (const HostError& error) {
    lose(error, kernel_runs);
  }
  __builtin_unreachable();
}

DispatchResult CudaDevice::run_kernel(const Dispatch& dispatch, CUfunction function) {
  if (options_.replay && dispatch.group_warps > 1) {
    throw HostError(-Errno::einval, "groups of several warps cannot be replayed one warp at a time: use wait 'spin'");
  }
  if (dispatch.all_resident && (dispatch.items + dispatch.group_warps - 1) / dispatch.group_warps > resident_groups(function, dispatch)) {
    throw HostError("ERR_WARPFS_RESIDENT", std::to_string(dispatch.items) + " work items wait for each other, but only " +
                                               std::to_string(resident_groups(function, dispatch) * dispatch.group_warps) + " can be resident");
  }
  DispatchResult result;
  give_buffers(dispatch);
  const auto begin = std::chrono::steady_clock::now();
  if (memory_.windows() != nullptr) memory_.windows()->between_dispatches(options_.window_time);
  {
    CourierWhile courier(*this);
    courier.start();
    if (options_.replay) {
      run_replay(dispatch, function, result);
    } else {
      if (dispatch.items > 0) launch(function, dispatch, dispatch.items, nullptr, nullptr);
      wait_for(kernels_.get(), "running a kernel");
      result.rounds = 1;
    }
    courier.finish();
  }
  result.nanoseconds = uint64_t(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
  take_what_is_left(dispatch, result);
  return result;
}

PlacedMemory CudaDevice::place_memory(const MemoryRequest& request) {
  return while_there([&] { return memories_.place(request); });
}

void CudaDevice::add_counters(CounterTotals& totals) {
  for (uint32_t counter = 0; counter < COUNTER_COUNT; counter++) totals[counter] += std::exchange(counted_[counter], 0);
}

std::string CudaDevice::fill_note() const {
  if (const Pusher* pusher = memory_.courier().pusher()) {
    return std::string("push: the host reads into pinned memory, copy engines move lines from there and back, ") +
           (pusher->has_batches() ? std::to_string(CopyBatches::COPIES_MAX) + " at once" : "one by one: this driver (before CUDA 12.8) or this GPU takes no batches");
  }
  const Windows* windows = memory_.windows();
  if (windows == nullptr) return "pull: the host reads into pinned memory, the courier copies from there";
  std::string registered = std::to_string(windows->bytes_registered() >> 20) + " MiB of files are read where they lie";
  if (windows->bytes_writable() != 0) registered += ", and " + std::to_string(windows->bytes_writable() >> 20) + " MiB of these written";
  return windows->refusal().empty() ? "map: " + registered : "map: " + registered + "; elsewhere pull, as of some part of a file " + windows->refusal();
}

int32_t CudaDevice::sweep() {
  Dispatch dispatch;
  dispatch.items = (memory_.geometry().line_count + sweep_lines_ - 1) / sweep_lines_;
  const DispatchResult result = while_there([&] { return run_kernel(dispatch, sweep_); });
  return result.failures.empty() ? 0 : result.failures.front().error;
}

}  // namespace warpfs::cuda
