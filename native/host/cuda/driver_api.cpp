#include "driver_api.h"

#include "../abi_host.h"
#include "../host_error.h"
#include "loaded_library.h"
#include "process_refusal.h"

namespace warpfs::cuda {

namespace {

// By this name the loader finds what the driver installed. Under libcuda.so a toolkit keeps a stub, which is for linking alone.
constexpr const char* LIBRARY = "libcuda.so.1";

/// Asks the driver for a call with the signature of one version of CUDA.
class CallFinder {
 public:
  explicit CallFinder(void* library)
      : newer_(symbol<Newer>(library, "cuGetProcAddress_v2")), older_(symbol<Older>(library, "cuGetProcAddress")) {}

  bool usable() const { return newer_ != nullptr || older_ != nullptr; }

  void* find(const char* name, int version) const {
    void* place = nullptr;
    int status = 0;
    const CUresult result = newer_ != nullptr ? newer_(name, &place, version, 0, &status) : older_(name, &place, version, 0);
    return result == CUDA_SUCCESS ? place : nullptr;
  }

 private:
  using Newer = CUresult (*)(const char* name, void** place, int version, uint64_t flags, int* status);  // since CUDA 12.0
  using Older = CUresult (*)(const char* name, void** place, int version, uint64_t flags);               // since CUDA 11.3
  Newer newer_;
  Older older_;
};

std::string describe(const DriverApi& api, CUresult result) {
  const char* name = nullptr;
  const char* text = nullptr;
  if (api.cuGetErrorName(result, &name) != CUDA_SUCCESS || name == nullptr) return "error " + std::to_string(result);
  if (api.cuGetErrorString(result, &text) != CUDA_SUCCESS || text == nullptr) return name;
  return std::string(name) + " " + text;
}

const char* advice(CUresult result) {
  switch (result) {
    case CUDA_ERROR_NO_DEVICE: return "look at what nvidia-smi lists and at CUDA_VISIBLE_DEVICES; a container needs the GPU handed in (--gpus all)";
    case CUDA_ERROR_STUB_LIBRARY: return "this is the stub of a toolkit: take its folder out of LD_LIBRARY_PATH";
    case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: return "the library and the kernel module are of two versions: restart the machine";
    default: return "look at what nvidia-smi says";
  }
}

/// The first call that the driver lacks, in words; empty where it has all of them.
std::string fill_table(const CallFinder& finder, DriverState& state) {
  std::string lacking;
#define WARPFS_CUDA_FIND(name, version, arguments)                                                  \
  if (lacking.empty()) {                                                                            \
    state.api.name = reinterpret_cast<decltype(state.api.name)>(finder.find(#name, version));       \
    if (state.api.name == nullptr) lacking = #name ", which came with CUDA " + version_name(version); \
  }
  WARPFS_CUDA_DRIVER_CALLS(WARPFS_CUDA_FIND)
#undef WARPFS_CUDA_FIND
#define WARPFS_CUDA_FIND_NEWER(name, version, arguments) state.api.name = reinterpret_cast<decltype(state.api.name)>(finder.find(#name, version));
  WARPFS_CUDA_NEWER_DRIVER_CALLS(WARPFS_CUDA_FIND_NEWER)
#undef WARPFS_CUDA_FIND_NEWER
  return lacking;
}

void load(DriverState& state) {
  void* library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    state.missing = std::string("no driver of NVIDIA (") + dlerror() + "): install the driver; in a container, let NVIDIA's container toolkit hand it in";
    return;
  }
  const auto ask_version = symbol<CUresult (*)(int*)>(library, "cuDriverGetVersion");
  if (ask_version != nullptr) ask_version(&state.version);
  state.path = path_of(reinterpret_cast<const void*>(ask_version), LIBRARY);
  const std::string what = "the driver " + state.path + " (CUDA " + version_name(state.version) + ")";
  const CallFinder finder(library);
  const std::string lacking = finder.usable() ? fill_table(finder, state) : "cuGetProcAddress, which came with CUDA 11.3";
  if (!lacking.empty()) {
    state.missing = what + " is too old: it lacks " + lacking + "; install a newer one";
    return;
  }
  CUresult result = state.api.cuInit(0);
  if (result == CUDA_SUCCESS) result = state.api.cuDeviceGetCount(&state.device_count);
  if (result == CUDA_SUCCESS && state.device_count == 0) result = CUDA_ERROR_NO_DEVICE;
  if (result != CUDA_SUCCESS) state.missing = what + " cannot be used: " + describe(state.api, result) + "; " + advice(result);
}

}  // namespace

std::string version_name(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

const DriverState& driver_state() {
  // Never unloaded: the driver has threads of its own.
  static const DriverState state = [] {
    DriverState loaded;
    load(loaded);
    return loaded;
  }();
  return state;
}

const DriverApi& driver() {
  const DriverState& state = driver_state();
  if (!state.missing.empty()) throw HostError("ERR_WARPFS_DEVICE", state.missing);
  return state.api;
}

void check(CUresult result, const std::string& what) {
  if (result == CUDA_SUCCESS) return;
  const std::string message = what + ": " + describe(driver(), result);
  note_error(result, message);
  switch (result) {
    case CUDA_ERROR_OUT_OF_MEMORY: throw HostError(-Errno::enomem, message);
    case CUDA_ERROR_LAUNCH_TIMEOUT: throw HostError(-Errno::etimedout, message);
    default: throw HostError(-Errno::eio, message);
  }
}

}  // namespace warpfs::cuda
