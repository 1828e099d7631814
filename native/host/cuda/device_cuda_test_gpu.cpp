#include "device_cuda_test_gpu.h"

#include "../cpu/builtin.h"
#include "../cpu/executor.h"
#include "../daemon_test.h"
#include "../host_error.h"
#include "context.h"
#include "copies_test_engine.h"
#include "device_cuda_test_courier.h"
#include "process_refusal.h"

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace warpfs::cuda {

struct ContextOfDriver {
  bool endless = false;
  std::atomic<uint32_t> things{1};           // itself, and what was made in it
  std::vector<StreamOfDriver*> streams;
};
struct StreamOfDriver {
  ContextOfDriver* context;
  std::thread courier;
  std::atomic<bool> runs{false};
  std::vector<std::function<void()>> begun{};  // copies, in their order: nobody finds their bytes before the stream has come so far
};
struct FunctionOfDriver {
  ModuleOfDriver* module;
  std::string name;
  bool launched = false;
};
struct ModuleOfDriver {
  std::string text;
  KernelConstants constants{};
  uint32_t abi_hash = ABI_HASH, sweep_lines = 0;
  std::map<std::string, FunctionOfDriver> functions;
};
struct LinkOfDriver {
  std::string text;  // of what was added last
};

namespace played {

namespace {

constexpr uint32_t OWN_BUFFERS = 5;  // of the kernel that runs programs
constexpr size_t PAGE = 16384;
constexpr int MULTIPROCESSORS = 32;

constexpr int GROUP_MEMORY_MAX = 200000;

std::atomic<bool> one_at_a_time{false}, dies{false}, endless_kernel{false};
/// What each call about any context answers once something has gone wrong in one of them, and the making of a new one. Giving back a context works.
std::atomic<CUresult> refusal{CUDA_SUCCESS};
std::atomic<uint32_t> couriers{0}, things{0}, registrations{0}, registrations_for_writing{0};
thread_local ContextOfDriver* current = nullptr;
CourierLaunch last_courier{};

/// What every call does that is about the context of this thread.
CUresult state() {
  CHECK(current != nullptr);
  CHECK(!current->endless);  // it would wait
  return refusal;
}

CUresult made() { return current->things++, things++, CUDA_SUCCESS; }
CUresult gone() { return current->things--, things--, CUDA_SUCCESS; }

CUresult give_memory(void** place, size_t bytes) {
  if (const CUresult dead = state()) return dead;
  *place = std::aligned_alloc(PAGE, (bytes + PAGE - 1) / PAGE * PAGE);
  std::memset(*place, 0xa5, bytes);
  return made();
}

CUresult take_memory(void* place) {
  if (const CUresult dead = state()) return dead;
  std::free(place);
  return gone();
}

CUresult copy(void* to, const void* from, size_t bytes) {
  if (const CUresult dead = state()) return dead;
  if (dies.exchange(false)) return refusal = CUDA_ERROR_ILLEGAL_ADDRESS;
  return std::memcpy(to, from, bytes), CUDA_SUCCESS;
}

CUresult begin_in(CUstream stream, std::function<void()> work) {
  if (const CUresult dead = state()) return dead;
  if (stream == nullptr) return work(), CUDA_SUCCESS;
  stream->begun.push_back(std::move(work));
  return CUDA_SUCCESS;
}

void carry_out(CUstream stream) {
  for (const auto& work : std::exchange(stream->begun, {})) work();
}

CUresult copy_in(CUstream stream, void* to, const void* from, size_t bytes) {
  if (dies.exchange(false)) return refusal = CUDA_ERROR_ILLEGAL_ADDRESS;
  return begin_in(stream, [=] { std::memcpy(to, from, bytes); });
}

void launch_courier(StreamOfDriver& stream, const ModuleOfDriver& module, const CourierLaunch& launch) {
  couriers++;
  CHECK(!stream.runs);
  if (one_at_a_time) {
    CHECK_EQUAL(load_acquire(launch.stop), 1);
    courier_alone(launch, module.constants);
    last_courier = launch;
    return;
  }
  if (stream.courier.joinable()) stream.courier.join();
  stream.runs = true;
  stream.courier = std::thread([&stream, &module, launch] {
    courier_beside(launch, module.constants, refusal);
    stream.runs = false;
  });
}

struct KernelArgument {
  KernelEntry entry;
  const KernelLaunch* launch;
  std::vector<void*> buffers;
};

void lane_body(Lane& lane, const WarpId& id, void* argument) {
  const auto* kernel = static_cast<const KernelArgument*>(argument);
  const uint32_t slot = kernel->launch->slots != nullptr ? kernel->launch->slots[id.item] : id.slot;
  kernel->entry(lane, kernel->launch->slots != nullptr ? kernel->launch->slot_items[slot] : id.item, slot, kernel->buffers.data());
}

void run_builtin(const FunctionOfDriver& function, const KernelLaunch& launch) {
  const BuiltinKernels* builtin = builtin_kernels(Policy::CLOCK, function.module->text == "replay");
  KernelArgument argument{builtin->program, &launch, {}};
  if (function.name == "warpfs_sweep") argument.entry = builtin->sweep;
  if (function.name == "warpfs_abandon") argument.entry = builtin->abandon;
  for (void* table : function.module->constants.tables) argument.buffers.push_back(table);
  for (uint32_t own = 0; own < OWN_BUFFERS; own++) argument.buffers.push_back(launch.own[own]);
  CpuExecutorOptions options;
  options.workers = 2;
  options.resident_warps = function.module->constants.geometry.slot_count;
  static CpuExecutor executor(options);
  LaunchShape shape;
  shape.items = launch.items;
  executor.launch(shape, lane_body, &argument);
}

CUresult launch_kernel(CUfunction function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream stream, void** parameters, void**) {
  if (const CUresult dead = state()) return dead;
  carry_out(stream);
  if (function->name == "warpfs_courier") {
    launch_courier(*stream, *function->module, *static_cast<const CourierLaunch*>(parameters[0]));
    return CUDA_SUCCESS;
  }
  // The first launch of a kernel may need a larger stack, for which the driver waits until nothing runs.
  for (const StreamOfDriver* other : current->streams) CHECK(function->launched || !other->runs);
  function->launched = true;
  const KernelLaunch& launch = *static_cast<const KernelLaunch*>(parameters[0]);
  if (launch.items == 0) return CUDA_SUCCESS;
  if (function->module->text == "endless") {
    current->endless = true;
    endless_kernel = true;
  } else if (function->module->text == "stray") {
    refusal = CUDA_ERROR_ILLEGAL_ADDRESS;
  } else {
    if (one_at_a_time) CHECK(!has_message(last_courier));  // what the kernel would be told beside a courier, it knows from the start
    run_builtin(*function, launch);
  }
  return CUDA_SUCCESS;
}

CUresult query(CUstream stream) {
  if (stream->context->endless) return CUDA_ERROR_NOT_READY;
  if (const CUresult dead = state()) return dead;
  carry_out(stream);
  return stream->runs ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
}

CUresult destroy_context(CUcontext context) {
  CHECK(!endless_kernel);  // it would wait, whichever context the kernel is in
  for (StreamOfDriver* stream : context->streams) {
    if (stream->courier.joinable()) stream->courier.join();
    delete stream;
  }
  if (current == context) current = nullptr;
  things -= context->things;
  delete context;
  return CUDA_SUCCESS;
}

CUresult global(CUdeviceptr* place, size_t* bytes, CUmodule module, const char* name) {
  if (const CUresult dead = state()) return dead;
  const std::string wanted = name;
  if (wanted == "warpfs_constants") return *place = reinterpret_cast<CUdeviceptr>(&module->constants), *bytes = sizeof module->constants, CUDA_SUCCESS;
  uint32_t& word = wanted == "warpfs_abi_hash" ? module->abi_hash : module->sweep_lines;
  return *place = reinterpret_cast<CUdeviceptr>(&word), *bytes = sizeof word, CUDA_SUCCESS;
}

void add_kernels(DriverApi& api) {
  api.cuLinkCreate = [](unsigned, int*, void**, CUlinkState* state) -> CUresult { return *state = new LinkOfDriver, CUDA_SUCCESS; };
  api.cuLinkAddData = [](CUlinkState state, int, void* data, size_t bytes, const char*, unsigned, int*, void**) -> CUresult {
    return state->text.assign(static_cast<const char*>(data), bytes), CUDA_SUCCESS;
  };
  api.cuLinkComplete = [](CUlinkState state, void** cubin, size_t* bytes) -> CUresult { return *cubin = state->text.data(), *bytes = state->text.size(), CUDA_SUCCESS; };
  api.cuLinkDestroy = [](CUlinkState state) -> CUresult { return delete state, CUDA_SUCCESS; };
  api.cuModuleLoadData = [](CUmodule* module, const void* image) -> CUresult {
    if (const CUresult dead = state()) return dead;
    *module = new ModuleOfDriver;
    (*module)->text = static_cast<const char*>(image);
    (*module)->sweep_lines = builtin_kernels(Policy::CLOCK, true)->sweep_lines;
    return made();
  };
  api.cuModuleUnload = [](CUmodule) -> CUresult {
    if (const CUresult dead = state()) return dead;
    return gone();
  };
  api.cuModuleGetFunction = [](CUfunction* function, CUmodule module, const char* name) -> CUresult {
    *function = &module->functions.try_emplace(name, FunctionOfDriver{module, name}).first->second;
    return state();
  };
  api.cuModuleGetGlobal = global;
  api.cuFuncSetAttribute = [](CUfunction, int, int value) -> CUresult { return value > GROUP_MEMORY_MAX ? CUDA_ERROR_INVALID_VALUE : state(); };
  api.cuOccupancyMaxActiveBlocksPerMultiprocessor = [](int* blocks, CUfunction, int, size_t) -> CUresult { return *blocks = 8, state(); };
  api.cuLaunchKernel = launch_kernel;
}

void add_memory(DriverApi& api) {
  api.cuMemAlloc = [](CUdeviceptr* place, size_t bytes) -> CUresult {
    if (const CUresult failed = give_memory(reinterpret_cast<void**>(place), bytes)) return failed;
    return played_engine().got(*place, bytes), CUDA_SUCCESS;
  };
  api.cuMemFree = [](CUdeviceptr place) -> CUresult { return played_engine().gave_back(place), take_memory(reinterpret_cast<void*>(place)); };
  api.cuMemHostAlloc = [](void** place, size_t bytes, unsigned) -> CUresult { return give_memory(place, bytes); };
  api.cuMemFreeHost = take_memory;
  api.cuMemHostRegister = [](void*, size_t, unsigned flags) -> CUresult {
    registrations++;
    if ((flags & HOST_REGISTER_READ_ONLY) == 0) registrations_for_writing++;
    return state();
  };
  api.cuMemHostUnregister = [](void*) -> CUresult { return registrations--, state(); };
  api.cuMemsetD8Async = [](CUdeviceptr place, unsigned char value, size_t bytes, CUstream stream) -> CUresult {
    return begin_in(stream, [=] { std::memset(reinterpret_cast<void*>(place), value, bytes); });
  };
  api.cuMemcpyHtoD = [](CUdeviceptr to, const void* from, size_t bytes) -> CUresult { return copy(reinterpret_cast<void*>(to), from, bytes); };
  api.cuMemcpyDtoH = [](void* to, CUdeviceptr from, size_t bytes) -> CUresult { return copy(to, reinterpret_cast<const void*>(from), bytes); };
}

DriverApi played_driver() {
  DriverApi api{};
  api.cuGetErrorName = [](CUresult, const char** name) -> CUresult { return *name = "CUDA_ERROR_ILLEGAL_ADDRESS", CUDA_SUCCESS; };
  api.cuDeviceGetCount = [](int* count) -> CUresult { return *count = 1, CUDA_SUCCESS; };
  api.cuDeviceGet = [](CUdevice* device, int) -> CUresult { return *device = 0, CUDA_SUCCESS; };
  api.cuDeviceGetName = [](char* name, int bytes, CUdevice) -> CUresult { return std::snprintf(name, size_t(bytes), "a played GPU"), CUDA_SUCCESS; };
  api.cuDeviceGetAttribute = [](int* value, int, CUdevice) -> CUresult { return *value = MULTIPROCESSORS, CUDA_SUCCESS; };
  api.cuCtxCreate = [](CUcontext* context, unsigned, CUdevice) -> CUresult {
    if (const CUresult refused = refusal) return refused;
    return things++, *context = current = new ContextOfDriver, CUDA_SUCCESS;
  };
  api.cuCtxSetCurrent = [](CUcontext context) -> CUresult { return current = context, state(); };
  api.cuCtxDestroy = destroy_context;
  api.cuCtxSynchronize = state;
  api.cuStreamCreate = [](CUstream* stream, unsigned) -> CUresult {
    *stream = new StreamOfDriver{current, {}, {}, {}};
    current->streams.push_back(*stream);
    return made();
  };
  api.cuStreamDestroy = [](CUstream) -> CUresult {
    if (const CUresult dead = state()) return dead;
    return gone();
  };
  api.cuStreamQuery = query;
  add_kernels(api);
  add_memory(api);
  add_copies(api, true);
  // Copy engines move lines in batches; single copies are those of dispatches.
  api.cuMemcpyHtoDAsync = [](CUdeviceptr to, const void* from, size_t bytes, CUstream stream) -> CUresult { return copy_in(stream, reinterpret_cast<void*>(to), from, bytes); };
  api.cuMemcpyDtoHAsync = [](void* to, CUdeviceptr from, size_t bytes, CUstream stream) -> CUresult { return copy_in(stream, to, reinterpret_cast<const void*>(from), bytes); };
  // Waits for no kernel.
  api.cuEventQuery = [](CUevent event) -> CUresult { return refusal != CUDA_SUCCESS ? CUresult(refusal) : played_engine().look(event); };
  return api;
}

}  // namespace

void begin(bool one_kernel_at_a_time) {
  one_at_a_time = one_kernel_at_a_time;
  couriers = 0;
  things = 0;
  registrations = registrations_for_writing = 0;
  last_courier = {};
  refusal = CUDA_SUCCESS;
  forget_refusal();
  forget_spare_contexts();
  endless_kernel = false;
  played_engine().reset();
}
uint32_t courier_launches() { return couriers; }
uint32_t left_behind() { return things; }
void die_unnoticed() { dies = true; }
void refuse_contexts(CUresult result) { refusal = result; }
uint32_t registered() { return registrations; }
uint32_t registered_for_writing() { return registrations_for_writing; }

}  // namespace played

// In the place of those of driver_api.cpp.
const DriverApi& driver() {
  static const DriverApi api = played::played_driver();
  return api;
}
void check(CUresult result, const std::string& what) {
  if (result == CUDA_SUCCESS) return;
  const std::string message = what + ": error " + std::to_string(result);
  note_error(result, message);
  throw HostError(-Errno::eio, message);
}

}  // namespace warpfs::cuda
