#include "context.h"

#include "../abi_host.h"
#include "../host_error.h"
#include "exit_without_driver.h"
#include "process_refusal.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace warpfs::cuda {

namespace {

constexpr int COMPUTE_MAJOR_MIN = 7;  // warps whose lanes go on one by one, and the memory model that the shaders rest on

std::string megabytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

/// Contexts that cannot be destroyed any more, because a kernel of this process never ends: the driver would wait for it, whichever context it is
/// in. Everything else works in them, so later mounts have them.
struct Spares {
  std::mutex mutex;
  bool keeps = false;
  std::vector<std::pair<CUdevice, CUcontext>> contexts;
};

Spares& spares() {
  static Spares* const only = new Spares;  // never destroyed: mounts that nobody unmounted end later
  return *only;
}

CUcontext take_spare(CUdevice device) {
  std::lock_guard lock(spares().mutex);
  auto& contexts = spares().contexts;
  const auto found = std::find_if(contexts.begin(), contexts.end(), [&](const auto& spare) { return spare.first == device; });
  if (found == contexts.end()) return nullptr;
  const CUcontext context = found->second;
  contexts.erase(found);
  return context;
}

bool keep_spare(CUdevice device, CUcontext context, bool usable) {
  std::lock_guard lock(spares().mutex);
  if (spares().keeps && usable) spares().contexts.emplace_back(device, context);
  return spares().keeps;
}

}  // namespace

Context::Context(int device_index) {
  if (const std::string refusal = process_refusal(); !refusal.empty()) {
    throw HostError(-Errno::eio, "the driver does nothing more for this process since an error of a kernel in it: " + refusal);
  }
  const DriverApi& api = driver();
  int count = 0;
  check(api.cuDeviceGetCount(&count), "counting the GPUs");
  if (device_index < 0 || device_index >= count) {
    throw HostError("ERR_WARPFS_DEVICE", "there is no CUDA device " + std::to_string(device_index) + ": this machine has " +
                                             (count == 0 ? "none" : count == 1 ? "one, number 0" : std::to_string(count) + ", from 0 on"));
  }
  check(api.cuDeviceGet(&device_, device_index), "getting the GPU");
  char name[256] = {};
  check(api.cuDeviceGetName(name, sizeof name - 1, device_), "naming the GPU");
  name_ = name;
  if (attribute(DEVICE_COMPUTE_MAJOR) < COMPUTE_MAJOR_MIN) {
    throw HostError("ERR_WARPFS_DEVICE", name_ + " has compute capability " + std::to_string(attribute(DEVICE_COMPUTE_MAJOR)) + "." +
                                             std::to_string(attribute(DEVICE_COMPUTE_MINOR)) + "; 7.0 or newer is needed");
  }
  multiprocessors_ = uint32_t(attribute(DEVICE_MULTIPROCESSORS));
  context_ = take_spare(device_);
  if (context_ != nullptr) return;
  const CUresult made = api.cuCtxCreate(&context_, CTX_SCHED_BLOCKING_SYNC | CTX_MAP_HOST, device_);
  try {
    check(made, "making a context on " + name_);
  } catch (const HostError& error) {
    note_context_refused(made, error.what());
    throw;
  }
}

Context::~Context() {
  if (!kernel_runs_ && !keep_spare(device_, context_, !given_up_)) driver().cuCtxDestroy(context_);
}

void forget_spare_contexts() {
  std::lock_guard lock(spares().mutex);
  spares().keeps = false;
  spares().contexts.clear();
}

void Context::give_up(bool kernel_runs) {
  given_up_ = true;
  kernel_runs_ = kernel_runs;
  note_lost_mount();
  if (!kernel_runs) return;
  exit_without_driver();
  std::lock_guard lock(spares().mutex);
  spares().keeps = true;
}

int Context::attribute(int which) const {
  int value = 0;
  check(driver().cuDeviceGetAttribute(&value, which, device_), "asking what the GPU can do");
  return value;
}

DeviceMemory::DeviceMemory(Context& context, uint64_t bytes, const std::string& what) : context_(&context), bytes_(bytes) {
  context.enter();
  const CUresult result = driver().cuMemAlloc(&address_, bytes);
  if (result == CUDA_ERROR_OUT_OF_MEMORY) {
    size_t free_bytes = 0, total_bytes = 0;
    driver().cuMemGetInfo(&free_bytes, &total_bytes);
    throw HostError("ENOMEM", what + " needs " + megabytes(bytes) + ", and of the " + megabytes(total_bytes) + " of " + context.name() +
                                  " only " + megabytes(free_bytes) + " are free");
  }
  check(result, "getting memory of the GPU for " + what);
  check(driver().cuMemsetD8Async(address_, 0, bytes, nullptr), "clearing memory of the GPU");
  check(driver().cuCtxSynchronize(), "clearing memory of the GPU");
}

void DeviceMemory::reset() {
  if (address_ != 0 && context_->enter_to_free()) driver().cuMemFree(address_);
}

PinnedMemory::PinnedMemory(Context& context, uint64_t bytes, const std::string& what) : context_(context) {
  context.enter();
  void* place = nullptr;
  const CUresult result = driver().cuMemHostAlloc(&place, bytes, HOST_ALLOC_MAPPED);
  if (result == CUDA_ERROR_OUT_OF_MEMORY) throw HostError("ENOMEM", what + ": no " + megabytes(bytes) + " of memory that the GPU can reach");
  check(result, "getting pinned memory for " + what);
  place_ = static_cast<uint8_t*>(place);
  std::memset(place_, 0, bytes);
}

PinnedMemory::~PinnedMemory() {
  if (place_ != nullptr && context_.enter_to_free()) driver().cuMemFreeHost(place_);
}

Stream::Stream(Context& context) : context_(context) {
  context.enter();
  check(driver().cuStreamCreate(&stream_, STREAM_NON_BLOCKING), "making a stream");
}

Stream::~Stream() {
  if (stream_ != nullptr && context_.enter_to_free()) driver().cuStreamDestroy(stream_);
}

}  // namespace warpfs::cuda
