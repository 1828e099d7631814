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
constexpr uint32_t LOOKS = 3;

CUresult give_memory(void** place, size_t bytes) {
  *place = std::aligned_alloc(PAGE, (bytes + PAGE - 1) / PAGE * PAGE);
  std::memset(*place, 0, bytes);
  return CUDA_SUCCESS;
}

/// Something to be told apart by.
template <typename Handle>
Handle next_handle() {
  static std::atomic<uintptr_t> next{1};
  return reinterpret_cast<Handle>(next.fetch_add(1));
}

CUresult batch(CUdeviceptr* to, CUdeviceptr* from, size_t* bytes, size_t count, CUmemcpyAttributes* attributes, size_t* first, size_t attribute_count, size_t*, CUstream stream) {
  CHECK(count > 0 && attribute_count == 1 && first[0] == 0 && attributes->source_order == MEMCPY_SRC_ACCESS_ORDER_STREAM);
  played_engine().count_call();
  for (size_t i = 0; i < count; i++) {
    if (const CUresult result = played_engine().copy(stream, to[i], from[i], bytes[i])) return result;
  }
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
    CHECK(flags == STREAM_NON_BLOCKING);
    return *stream = next_handle<CUstream>(), CUDA_SUCCESS;
  };
  api.cuStreamDestroy = [](CUstream) -> CUresult { return CUDA_SUCCESS; };
  api.cuStreamSynchronize = [](CUstream stream) -> CUresult { return played_engine().settle(stream); };
  api.cuEventCreate = [](CUevent* event, unsigned) -> CUresult { return *event = next_handle<CUevent>(), CUDA_SUCCESS; };
  api.cuEventDestroy = [](CUevent) -> CUresult { return CUDA_SUCCESS; };
  api.cuEventRecord = [](CUevent event, CUstream stream) -> CUresult { return played_engine().record(event, stream); };
  api.cuEventQuery = [](CUevent event) -> CUresult { return played_engine().look(event); };
  api.cuMemcpyHtoDAsync = [](CUdeviceptr to, const void* from, size_t bytes, CUstream stream) -> CUresult {
    return played_engine().copy(stream, to, reinterpret_cast<CUdeviceptr>(from), bytes);
  };
  api.cuMemcpyDtoHAsync = [](void* to, CUdeviceptr from, size_t bytes, CUstream stream) -> CUresult {
    return played_engine().copy(stream, reinterpret_cast<CUdeviceptr>(to), from, bytes);
  };
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

PlayedEngine& played_engine() {
  static PlayedEngine engine;
  return engine;
}

void PlayedEngine::reset(bool has_batches) {
  std::lock_guard lock(mutex_);
  sides_[0] = sides_[1] = Side{};
  calls_ = 0;
  at_begin_ = at_event_ = CUDA_SUCCESS;
  played_api().cuMemcpyBatchAsync = has_batches ? batch : nullptr;
}

void PlayedEngine::hold(Way way, uint32_t but) {
  std::lock_guard lock(mutex_);
  side(way).may = but;
}

void PlayedEngine::fail(CUresult at_begin, CUresult at_event) {
  std::lock_guard lock(mutex_);
  at_begin_ = at_begin;
  at_event_ = at_event;
}

uint32_t PlayedEngine::batches(Way way) const {
  std::lock_guard lock(mutex_);
  return side(way).begun;
}

uint32_t PlayedEngine::largest(Way way) const {
  std::lock_guard lock(mutex_);
  return side(way).largest;
}

uint32_t PlayedEngine::calls() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

void PlayedEngine::count_call() {
  std::lock_guard lock(mutex_);
  calls_++;
}

void PlayedEngine::got(CUdeviceptr place, size_t bytes) {
  std::lock_guard lock(mutex_);
  memory_[place] = bytes;
}

void PlayedEngine::gave_back(CUdeviceptr place) {
  std::lock_guard lock(mutex_);
  memory_.erase(place);
}

bool PlayedEngine::is_of_gpu(CUdeviceptr place) const {
  auto behind = memory_.upper_bound(place);
  return behind != memory_.begin() && place - std::prev(behind)->first < std::prev(behind)->second;
}

CUresult PlayedEngine::copy(CUstream stream, CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  std::lock_guard lock(mutex_);
  if (at_begin_ != CUDA_SUCCESS) return at_begin_;
  CHECK(bytes > 0 && is_of_gpu(to) != is_of_gpu(from));
  without_event_[stream].push_back({to, from, bytes});
  return CUDA_SUCCESS;
}

CUresult PlayedEngine::record(CUevent event, CUstream stream) {
  std::lock_guard lock(mutex_);
  CHECK(!looks_.contains(event));  // the one before is complete
  std::vector<Piece>& pieces = without_event_[stream];
  Side& which = side(is_of_gpu(pieces.front().to) ? Way::TO_GPU : Way::FROM_GPU);
  which.begun++;
  which.largest = std::max(which.largest, uint32_t(pieces.size()));
  begun_[stream].push_back({event, std::move(pieces)});
  pieces.clear();
  looks_[event] = 0;
  streams_[event] = stream;
  return CUDA_SUCCESS;
}

bool PlayedEngine::make_first(CUstream stream, bool in_any_case) {
  std::deque<Batch>& batches = begun_[stream];
  if (batches.empty()) return false;
  const Batch& first = batches.front();
  Side& which = side(is_of_gpu(first.pieces.front().to) ? Way::TO_GPU : Way::FROM_GPU);
  if (!in_any_case && which.may == 0) return false;
  if (!in_any_case) which.may--;
  for (size_t i = first.pieces.size(); i-- > 0;) {
    std::memcpy(reinterpret_cast<void*>(first.pieces[i].to), reinterpret_cast<const void*>(first.pieces[i].from), first.pieces[i].bytes);
  }
  looks_.erase(first.event);
  batches.pop_front();
  return true;
}

CUresult PlayedEngine::look(CUevent event) {
  std::lock_guard lock(mutex_);
  if (at_event_ != CUDA_SUCCESS) return at_event_;
  const auto found = looks_.find(event);
  if (found == looks_.end()) return CUDA_SUCCESS;
  if (++found->second < LOOKS) return CUDA_ERROR_NOT_READY;
  while (looks_.contains(event) && make_first(streams_[event], false)) {
  }
  return looks_.contains(event) ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
}

CUresult PlayedEngine::settle(CUstream stream) {
  std::lock_guard lock(mutex_);
  without_event_[stream].clear();
  while (make_first(stream, true)) {
  }
  return CUDA_SUCCESS;
}

}  // namespace warpfs::cuda
