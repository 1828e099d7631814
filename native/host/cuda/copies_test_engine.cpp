#include "copies_test_engine.h"

#include "../cpu/test_check.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace warpfs::cuda {

namespace {

constexpr uint32_t LOOKS = 3;

CUevent next_event() {
  static std::atomic<uintptr_t> next{1};
  return reinterpret_cast<CUevent>(next.fetch_add(1));
}

CUresult batch(CUdeviceptr* to, CUdeviceptr* from, size_t* bytes, size_t count, CUmemcpyAttributes* attributes, size_t* first, size_t attribute_count, size_t*, CUstream stream) {
  CHECK(count > 0 && attribute_count == 1 && first[0] == 0 && attributes->source_order == MEMCPY_SRC_ACCESS_ORDER_STREAM);
  played_engine().count_call();
  for (size_t i = 0; i < count; i++) {
    if (const CUresult result = played_engine().copy(stream, to[i], from[i], bytes[i])) return result;
  }
  return CUDA_SUCCESS;
}

}  // namespace

void add_copies(DriverApi& api, bool has_batches) {
  api.cuMemcpyBatchAsync = has_batches ? batch : nullptr;
  api.cuStreamSynchronize = [](CUstream stream) -> CUresult { return played_engine().settle(stream); };
  api.cuEventCreate = [](CUevent* event, unsigned) -> CUresult { return *event = next_event(), CUDA_SUCCESS; };
  api.cuEventDestroy = [](CUevent) -> CUresult { return CUDA_SUCCESS; };
  api.cuEventRecord = [](CUevent event, CUstream stream) -> CUresult { return played_engine().record(event, stream); };
  api.cuEventQuery = [](CUevent event) -> CUresult { return played_engine().look(event); };
  api.cuMemcpyHtoDAsync = [](CUdeviceptr to, const void* from, size_t bytes, CUstream stream) -> CUresult {
    return played_engine().copy(stream, to, reinterpret_cast<CUdeviceptr>(from), bytes);
  };
  api.cuMemcpyDtoHAsync = [](void* to, CUdeviceptr from, size_t bytes, CUstream stream) -> CUresult {
    return played_engine().copy(stream, reinterpret_cast<CUdeviceptr>(to), from, bytes);
  };
}

PlayedEngine& played_engine() {
  static PlayedEngine engine;
  return engine;
}

void PlayedEngine::reset() {
  std::lock_guard lock(mutex_);
  sides_[0] = sides_[1] = Side{};
  begun_.clear();
  without_event_.clear();
  looks_.clear();
  streams_.clear();
  calls_ = 0;
  at_begin_ = at_event_ = CUDA_SUCCESS;
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
