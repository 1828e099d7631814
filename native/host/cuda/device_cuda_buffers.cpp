// The inputs and outputs of a dispatch, what it leaves, and memory that lasts. Each call that copies costs as much as many bytes do, so what is
// small goes together, by way of pinned memory, and nothing is waited for but the end.
#include "device_cuda.h"

#include <algorithm>
#include <cstring>

namespace warpfs::cuda {

namespace {

constexpr uint64_t ALIGNMENT = 256;
constexpr uint64_t SMALL_BYTES = 32 << 10;  // of a buffer
static_assert(SMALL_BYTES % ALIGNMENT == 0);

constexpr uint64_t align_up(uint64_t bytes) { return (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1); }

/// Pinned memory: where each part begins.
constexpr uint64_t FAULT_AT = OWN_MAX * SMALL_BYTES;  // behind the small buffers
constexpr uint64_t STATS_AT = FAULT_AT + align_up(sizeof(FaultRecord));

}  // namespace

class CudaDevice::OwnBuffers {
 public:
  explicit OwnBuffers(const Dispatch& dispatch) : dispatch_(dispatch), places_(count()) {
    inputs_end_ = place(0, [&](size_t i) { return i < dispatch.inputs && is_small(i); });
    small_end_ = place(inputs_end_, [&](size_t i) { return i >= dispatch.inputs && is_small(i); });
    end_ = place(small_end_, [&](size_t i) { return !is_small(i); });
  }
  size_t count() const { return dispatch_.buffers.size(); }
  bool lasts(size_t i) const { return i < dispatch_.lasts.size() && dispatch_.lasts[i] != 0; }
  bool is_own(size_t i) const { return dispatch_.buffer_bytes[i] != 0 && !lasts(i); }
  bool is_small(size_t i) const { return dispatch_.buffer_bytes[i] <= SMALL_BYTES; }
  uint64_t place_of(size_t i) const { return places_[i]; }
  /// Small inputs come first, small outputs behind them.
  uint64_t inputs_end() const { return inputs_end_; }
  uint64_t small_end() const { return small_end_; }
  uint64_t end() const { return end_; }

 private:
  template <typename Which>
  uint64_t place(uint64_t at, const Which& which) {
    for (size_t i = 0; i < count(); i++) {
      if (!is_own(i) || !which(i)) continue;
      places_[i] = at;
      at += align_up(dispatch_.buffer_bytes[i]);
    }
    return at;
  }

  const Dispatch& dispatch_;
  std::vector<uint64_t> places_;
  uint64_t inputs_end_ = 0, small_end_ = 0, end_ = 0;
};

uint64_t CudaDevice::small_bytes(const Geometry& geometry) { return STATS_AT + geometry.stats_count * sizeof(WarpStats); }

/// In the order of the kernels: what is launched later finds them.
void CudaDevice::give_buffers(const Dispatch& dispatch) {
  if (dispatch.buffers.size() > OWN_MAX) {
    throw HostError(-Errno::einval, "a kernel has " + std::to_string(dispatch.buffers.size()) + " inputs and outputs; " + std::to_string(OWN_MAX) + " are possible");
  }
  const OwnBuffers own(dispatch);
  if (own.end() > own_.bytes()) {
    own_ = DeviceMemory();
    own_ = DeviceMemory(memory_.context(), own.end(), "the inputs and outputs of a kernel");
  }
  const std::string what = "giving a kernel its inputs";
  for (size_t i = 0; i < own.count(); i++) {
    const uint64_t address = own.lasts(i) ? memories_.address_of(dispatch.buffers[i]) : own_.address() + own.place_of(i);
    launch_.own[i] = reinterpret_cast<void*>(address);
    if (!own.is_own(i)) continue;
    const uint64_t bytes = dispatch.buffer_bytes[i];
    if (i < dispatch.inputs) std::memcpy(&launch_.scalars[i], dispatch.buffers[i], std::min(bytes, uint64_t(sizeof launch_.scalars[i])));
    if (own.is_small(i)) {
      std::memcpy(small_.bytes() + own.place_of(i), dispatch.buffers[i], bytes);
    } else if (i >= dispatch.inputs && dispatch.outputs_are_zero) {
      check(driver().cuMemsetD8Async(address, 0, bytes, kernels_.get()), what);
    } else {
      check(driver().cuMemcpyHtoDAsync(address, dispatch.buffers[i], bytes, kernels_.get()), what);
    }
  }
  if (own.small_end() != 0) check(driver().cuMemcpyHtoDAsync(own_.address(), small_.bytes(), own.small_end(), kernels_.get()), what);
}

/// The outputs, the faults and the counters of a dispatch that has ended.
void CudaDevice::take_what_is_left(const Dispatch& dispatch, DispatchResult& result) {
  const OwnBuffers own(dispatch);
  const CUstream stream = kernels_.get();
  const std::string what = "taking the outputs of a kernel";
  if (own.small_end() != own.inputs_end()) {
    check(driver().cuMemcpyDtoHAsync(small_.bytes() + own.inputs_end(), own_.address() + own.inputs_end(), own.small_end() - own.inputs_end(), stream), what);
  }
  auto* fault = small_.at<FaultRecord>(FAULT_AT);
  auto* records = small_.at<WarpStats>(STATS_AT);
  const uint32_t record_count = memory_.geometry().stats_count;
  const uint64_t record_bytes = record_count * sizeof(WarpStats);
  check(driver().cuMemcpyDtoHAsync(fault, memory_.table(Binding::FAULT), sizeof *fault, stream), "reading the faults");
  check(driver().cuMemcpyDtoHAsync(records, memory_.table(Binding::STATS), record_bytes, stream), "reading the counters");
  check(driver().cuMemsetD8Async(memory_.table(Binding::STATS), 0, record_bytes, stream), "clearing the counters");
  wait_for(stream, what.c_str());
  for (size_t i = dispatch.inputs; i < own.count(); i++) {
    if (!own.is_own(i)) continue;
    const uint64_t bytes = dispatch.buffer_bytes[i];
    if (own.is_small(i)) std::memcpy(dispatch.buffers[i], small_.bytes() + own.place_of(i), bytes);
    else check(driver().cuMemcpyDtoH(dispatch.buffers[i], own_.address() + own.place_of(i), bytes), what);
  }
  fold_counters(records, record_count, counted_);
  const bool has_faults = fault->count != 0;
  collect_faults(*fault, result);
  if (has_faults) copy_to_gpu(memory_.table(Binding::FAULT), fault, sizeof *fault, "clearing the faults");
}

void CudaDevice::copy_memory(const MemoryCopy& copy) {
  if (memory_.context().given_up()) throw HostError(-Errno::eio, "this mount has lost its GPU");
  memory_.context().enter();
  memories_.copy(copy);
}

}  // namespace warpfs::cuda
