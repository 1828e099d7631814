// The inputs and outputs of a dispatch, and memory that lasts.
#include "device_cuda.h"

#include <algorithm>
#include <cstring>

namespace warpfs::cuda {

namespace {

constexpr uint64_t ALIGNMENT = 256;

bool lasts(const Dispatch& dispatch, size_t buffer) { return buffer < dispatch.lasts.size() && dispatch.lasts[buffer] != 0; }

uint64_t align_up(uint64_t bytes) { return (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1); }

}  // namespace

void CudaDevice::give_buffers(const Dispatch& dispatch) {
  if (dispatch.buffers.size() > OWN_MAX) {
    throw HostError(-Errno::einval, "a kernel has " + std::to_string(dispatch.buffers.size()) + " inputs and outputs; " + std::to_string(OWN_MAX) + " are possible");
  }
  uint64_t bytes = 0;
  own_at_.clear();
  for (size_t i = 0; i < dispatch.buffers.size(); i++) {
    own_at_.push_back(bytes);
    if (!lasts(dispatch, i)) bytes += align_up(dispatch.buffer_bytes[i]);
  }
  if (bytes > own_.bytes()) {
    own_ = DeviceMemory();
    own_ = DeviceMemory(memory_.context(), bytes, "the inputs and outputs of a kernel");
  }
  for (size_t i = 0; i < dispatch.buffers.size(); i++) {
    const uint64_t size = dispatch.buffer_bytes[i];
    const uint64_t address = lasts(dispatch, i) ? memories_.address_of(dispatch.buffers[i]) : own_.address() + own_at_[i];
    launch_.own[i] = reinterpret_cast<void*>(address);
    if (size == 0 || lasts(dispatch, i)) continue;
    if (i < dispatch.inputs) std::memcpy(&launch_.scalars[i], dispatch.buffers[i], std::min(size, uint64_t(sizeof launch_.scalars[i])));
    check(driver().cuMemcpyHtoD(address, dispatch.buffers[i], size), "giving a kernel its inputs");
  }
  wait_for_copies("giving a kernel its inputs");
}

void CudaDevice::take_buffers(const Dispatch& dispatch) {
  for (size_t i = dispatch.inputs; i < dispatch.buffers.size(); i++) {
    if (dispatch.buffer_bytes[i] == 0) continue;
    check(driver().cuMemcpyDtoH(dispatch.buffers[i], own_.address() + own_at_[i], dispatch.buffer_bytes[i]), "taking the outputs of a kernel");
  }
}

void CudaDevice::copy_memory(const MemoryCopy& copy) {
  if (memory_.context().given_up()) throw HostError(-Errno::eio, "this mount has lost its GPU");
  memory_.context().enter();
  memories_.copy(copy);
}

}  // namespace warpfs::cuda
