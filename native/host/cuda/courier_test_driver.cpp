#include "courier_test_driver.h"

#include "../abi_host.h"
#include "../cpu/test_check.h"
#include "../host_error.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace warpfs::cuda {

namespace {

constexpr size_t PAGE = 16384;

CUresult give_memory(void** place, size_t bytes) {
  *place = std::aligned_alloc(PAGE, (bytes + PAGE - 1) / PAGE * PAGE);
  std::memset(*place, 0, bytes);
  return CUDA_SUCCESS;
}

DriverApi played_driver() {
  DriverApi api{};
  api.cuDeviceGetCount = [](int* count) -> CUresult { return *count = 1, CUDA_SUCCESS; };
  api.cuDeviceGet = [](CUdevice* device, int) -> CUresult { return *device = 0, CUDA_SUCCESS; };
  api.cuDeviceGetName = [](char* name, int bytes, CUdevice) -> CUresult { return std::snprintf(name, size_t(bytes), "a played GPU"), CUDA_SUCCESS; };
  api.cuDeviceGetAttribute = [](int* value, int, CUdevice) -> CUresult { return *value = 9, CUDA_SUCCESS; };
  api.cuCtxCreate = [](CUcontext* context, unsigned, CUdevice) -> CUresult { return *context = nullptr, CUDA_SUCCESS; };
  api.cuCtxSetCurrent = [](CUcontext) -> CUresult { return CUDA_SUCCESS; };
  api.cuCtxDestroy = [](CUcontext) -> CUresult { return CUDA_SUCCESS; };
  api.cuCtxSynchronize = []() -> CUresult { return CUDA_SUCCESS; };
  api.cuMemAlloc = [](CUdeviceptr* place, size_t bytes) -> CUresult {
    const CUresult result = give_memory(reinterpret_cast<void**>(place), bytes);
    return played_engine().got(*place, bytes), result;
  };
  api.cuMemFree = [](CUdeviceptr place) -> CUresult { return played_engine().gave_back(place), std::free(reinterpret_cast<void*>(place)), CUDA_SUCCESS; };
  api.cuMemHostAlloc = [](void** place, size_t bytes, unsigned) -> CUresult { return give_memory(place, bytes); };
  api.cuMemFreeHost = [](void* place) -> CUresult { return std::free(place), CUDA_SUCCESS; };
  api.cuMemsetD8Async = [](CUdeviceptr, unsigned char, size_t, CUstream) -> CUresult { return CUDA_SUCCESS; };
  api.cuMemcpyDtoH = [](void* to, CUdeviceptr from, size_t bytes) -> CUresult { return std::memcpy(to, reinterpret_cast<const void*>(from), bytes), CUDA_SUCCESS; };
  api.cuMemcpyHtoD = [](CUdeviceptr to, const void* from, size_t bytes) -> CUresult { return std::memcpy(reinterpret_cast<void*>(to), from, bytes), CUDA_SUCCESS; };
  api.cuStreamCreate = [](CUstream* stream, unsigned flags) -> CUresult {
    static std::atomic<uintptr_t> next{1};
    CHECK(flags == STREAM_NON_BLOCKING);
    return *stream = reinterpret_cast<CUstream>(next.fetch_add(1)), CUDA_SUCCESS;
  };
  api.cuStreamDestroy = [](CUstream) -> CUresult { return CUDA_SUCCESS; };
  add_copies(api, true);
  return api;
}

}  // namespace

DriverApi& played_api() {
  static DriverApi api = played_driver();
  return api;
}

// In the place of those of driver_api.cpp.
const DriverApi& driver() { return played_api(); }
void check(CUresult result, const std::string& what) {
  if (result != CUDA_SUCCESS) throw HostError(-Errno::eio, what + ": " + std::to_string(result));
}

void begin(bool has_batches) {
  played_engine().reset();
  add_copies(played_api(), has_batches);
}

}  // namespace warpfs::cuda
