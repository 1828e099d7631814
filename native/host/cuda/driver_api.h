// The driver of NVIDIA's GPUs, found at run time: building and installing need no header and no library of CUDA. The calls have the names
// and the arguments that NVIDIA's documentation gives them; their types are spelled out here.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace warpfs::cuda {

using CUresult = int;  // 0: CUDA_SUCCESS
using CUdevice = int;
using CUcontext = struct ContextOfDriver*;
using CUmodule = struct ModuleOfDriver*;
using CUfunction = struct FunctionOfDriver*;
using CUstream = struct StreamOfDriver*;
using CUevent = struct EventOfDriver*;
using CUlinkState = struct LinkOfDriver*;
using CUdeviceptr = unsigned long long;
struct CUmemcpyAttributes {
  int source_order;
  struct {
    int type, id;
  } source_hint, target_hint;  // of managed memory alone
  unsigned flags;
};
static_assert(sizeof(CUmemcpyAttributes) == 24, "as the driver lays it out");

enum : CUresult {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_INVALID_VALUE = 1,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_STUB_LIBRARY = 34,
  CUDA_ERROR_NO_DEVICE = 100,
  CUDA_ERROR_INVALID_DEVICE = 101,
  CUDA_ERROR_ECC_UNCORRECTABLE = 214,
  CUDA_ERROR_NVLINK_UNCORRECTABLE = 220,
  CUDA_ERROR_CONTAINED = 226,
  CUDA_ERROR_NOT_READY = 600,
  CUDA_ERROR_ILLEGAL_ADDRESS = 700,
  CUDA_ERROR_LAUNCH_TIMEOUT = 702,
  CUDA_ERROR_ASSERT = 710,
  CUDA_ERROR_HARDWARE_STACK_ERROR = 714,
  CUDA_ERROR_ILLEGAL_INSTRUCTION = 715,
  CUDA_ERROR_MISALIGNED_ADDRESS = 716,
  CUDA_ERROR_INVALID_ADDRESS_SPACE = 717,
  CUDA_ERROR_INVALID_PC = 718,
  CUDA_ERROR_LAUNCH_FAILED = 719,
  CUDA_ERROR_TENSOR_MEMORY_LEAK = 721,
  CUDA_ERROR_NOT_SUPPORTED = 801,
  CUDA_ERROR_UNKNOWN = 999,
  CUDA_ERROR_SYSTEM_DRIVER_MISMATCH = 803,
};

enum : int {  // CUdevice_attribute
  DEVICE_CLOCK_RATE = 13,
  DEVICE_MULTIPROCESSORS = 16,
  DEVICE_PCI_BUS = 33,
  DEVICE_MAX_THREADS_PER_MULTIPROCESSOR = 39,
  DEVICE_COMPUTE_MAJOR = 75,
  DEVICE_COMPUTE_MINOR = 76,
  DEVICE_CAN_USE_HOST_POINTER = 91,  // registered memory has one address for both sides
  DEVICE_HOST_REGISTER_READ_ONLY = 113,
};

enum : int { MEMCPY_SRC_ACCESS_ORDER_STREAM = 1 };  // CUmemcpySrcAccessOrder

enum : unsigned {
  STREAM_NON_BLOCKING = 1,
  EVENT_DISABLE_TIMING = 2,
  HOST_ALLOC_MAPPED = 2,
  HOST_REGISTER_MAPPED = 2,
  HOST_REGISTER_READ_ONLY = 8,
  MEMCPY_FLAG_PREFER_OVERLAP_WITH_COMPUTE = 1,
  CTX_SCHED_BLOCKING_SYNC = 4,
  CTX_MAP_HOST = 8,
  LINK_INPUT_CUBIN = 0,  // CUjitInputType
  FUNC_MAX_THREADS = 0,  // CUfunction_attribute
  FUNC_SHARED_BYTES = 1,
  FUNC_LOCAL_BYTES = 3,
  FUNC_REGISTERS = 4,
  FUNC_MAX_DYNAMIC_SHARED_BYTES = 8,
};

/// name, the version of CUDA whose signature is meant (for cuGetProcAddress), arguments.
#define WARPFS_CUDA_DRIVER_CALLS(CALL)                                                                                              \
  CALL(cuInit, 2000, (unsigned flags))                                                                                            \
  CALL(cuDriverGetVersion, 2020, (int* version))                                                                                  \
  CALL(cuGetErrorName, 6000, (CUresult error, const char** name))                                                                  \
  CALL(cuGetErrorString, 6000, (CUresult error, const char** text))                                                                \
  CALL(cuDeviceGetCount, 2000, (int* count))                                                                                      \
  CALL(cuDeviceGet, 2000, (CUdevice * device, int ordinal))                                                                        \
  CALL(cuDeviceGetName, 2000, (char* name, int bytes, CUdevice device))                                                            \
  CALL(cuDeviceGetAttribute, 2000, (int* value, int attribute, CUdevice device))                                                   \
  CALL(cuDeviceTotalMem, 3020, (size_t * bytes, CUdevice device))                                                                  \
  CALL(cuCtxCreate, 3020, (CUcontext * context, unsigned flags, CUdevice device))                                                  \
  CALL(cuCtxDestroy, 4000, (CUcontext context))                                                                                   \
  CALL(cuCtxSetCurrent, 4000, (CUcontext context))                                                                                \
  CALL(cuCtxSynchronize, 2000, ())                                                                                                \
  CALL(cuModuleLoadData, 2000, (CUmodule * module, const void* image))                                                             \
  CALL(cuModuleUnload, 2000, (CUmodule module))                                                                                   \
  CALL(cuModuleGetFunction, 2000, (CUfunction * function, CUmodule module, const char* name))                                      \
  CALL(cuModuleGetGlobal, 3020, (CUdeviceptr * place, size_t* bytes, CUmodule module, const char* name))                            \
  CALL(cuFuncGetAttribute, 2020, (int* value, int attribute, CUfunction function))                                                 \
  CALL(cuFuncSetAttribute, 9000, (CUfunction function, int attribute, int value))                                                  \
  CALL(cuOccupancyMaxActiveBlocksPerMultiprocessor, 6050, (int* blocks, CUfunction function, int threads, size_t shared_bytes))    \
  CALL(cuLaunchKernel, 4000,                                                                                                      \
       (CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z, \
        unsigned shared_bytes, CUstream stream, void** parameters, void** extra))                                                  \
  CALL(cuLinkCreate, 6050, (unsigned options, int* names, void** values, CUlinkState* state))                                      \
  CALL(cuLinkAddData, 6050,                                                                                                       \
       (CUlinkState state, int type, void* data, size_t bytes, const char* name, unsigned options, int* names, void** values))     \
  CALL(cuLinkComplete, 5050, (CUlinkState state, void** cubin, size_t* bytes))                                                     \
  CALL(cuLinkDestroy, 5050, (CUlinkState state))                                                                                  \
  CALL(cuStreamCreate, 2000, (CUstream * stream, unsigned flags))                                                                  \
  CALL(cuStreamDestroy, 4000, (CUstream stream))                                                                                  \
  CALL(cuStreamQuery, 2000, (CUstream stream))                                                                                    \
  CALL(cuStreamSynchronize, 2000, (CUstream stream))                                                                              \
  CALL(cuEventCreate, 2000, (CUevent * event, unsigned flags))                                                                     \
  CALL(cuEventDestroy, 4000, (CUevent event))                                                                                     \
  CALL(cuEventRecord, 2000, (CUevent event, CUstream stream))                                                                      \
  CALL(cuEventQuery, 2000, (CUevent event))                                                                                       \
  CALL(cuEventElapsedTime, 2000, (float* milliseconds, CUevent begin, CUevent end))                                                \
  CALL(cuMemGetInfo, 3020, (size_t * free_bytes, size_t* total_bytes))                                                             \
  CALL(cuMemAlloc, 3020, (CUdeviceptr * place, size_t bytes))                                                                      \
  CALL(cuMemFree, 3020, (CUdeviceptr place))                                                                                      \
  CALL(cuMemHostAlloc, 2020, (void** place, size_t bytes, unsigned flags))                                                         \
  CALL(cuMemFreeHost, 2000, (void* place))                                                                                        \
  CALL(cuMemHostRegister, 6050, (void* place, size_t bytes, unsigned flags))                                                       \
  CALL(cuMemHostUnregister, 4000, (void* place))                                                                                  \
  CALL(cuMemHostGetDevicePointer, 3020, (CUdeviceptr * place, void* host, unsigned flags))                                         \
  CALL(cuMemcpyHtoD, 3020, (CUdeviceptr to, const void* from, size_t bytes))                                                       \
  CALL(cuMemcpyDtoH, 3020, (void* to, CUdeviceptr from, size_t bytes))                                                             \
  CALL(cuMemcpyHtoDAsync, 3020, (CUdeviceptr to, const void* from, size_t bytes, CUstream stream))                                 \
  CALL(cuMemcpyDtoHAsync, 3020, (void* to, CUdeviceptr from, size_t bytes, CUstream stream))                                       \
  CALL(cuMemcpyDtoDAsync, 3020, (CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream))                                 \
  CALL(cuMemsetD8Async, 3020, (CUdeviceptr place, unsigned char value, size_t bytes, CUstream stream))

/// The same, of calls that only newer drivers have: null elsewhere. The version keeps to one signature: with CUDA 13.0 the place for what
/// failed went from the arguments of cuMemcpyBatchAsync, and drivers of then still give the older one to whoever asks for 12.8.
#define WARPFS_CUDA_NEWER_DRIVER_CALLS(CALL)                                                                                        \
  CALL(cuMemcpyBatchAsync, 12080,                                                                                                 \
       (CUdeviceptr * to, CUdeviceptr * from, size_t * bytes, size_t count, CUmemcpyAttributes * attributes, size_t * first_copies,  \
        size_t attribute_count, size_t * failed, CUstream stream))

struct DriverApi {
#define WARPFS_CUDA_MEMBER(name, version, arguments) CUresult(*name) arguments = nullptr;
  WARPFS_CUDA_DRIVER_CALLS(WARPFS_CUDA_MEMBER)
  WARPFS_CUDA_NEWER_DRIVER_CALLS(WARPFS_CUDA_MEMBER)
#undef WARPFS_CUDA_MEMBER
};

/// What there is of the driver on this machine. Loaded and initialised with the first call, from any thread; never throws.
struct DriverState {
  DriverApi api;
  std::string path;     // of the library; empty where there is none
  int version = 0;      // of CUDA, 13000 for 13.0: what the driver supports
  int device_count = 0;
  std::string missing;  // why it cannot be used, and what to do; empty where it can
};
const DriverState& driver_state();

/// "13.0" for 13000.
std::string version_name(int version);

/// Loaded and initialised with the first call, from any thread. Throws HostError with code ERR_WARPFS_DEVICE, which says what is missing and
/// what to do.
const DriverApi& driver();

/// Throws HostError where `result` is not CUDA_SUCCESS: "what: CUDA_ERROR_ILLEGAL_ADDRESS an illegal memory access was encountered". Its
/// code is ENOMEM where memory is short, ETIMEDOUT for a launch that took too long, otherwise EIO. An error after which the driver does nothing
/// more for this process is noted (process_refusal.h).
void check(CUresult result, const std::string& what);

}  // namespace warpfs::cuda
