// One GPU as one mount uses it: a context of its own, so that what goes wrong in it ends with it, and the memory that it has there. Calls of the
// driver are about the context that is current in the calling thread: enter() comes first.
#pragma once
#include "driver_api.h"

#include <atomic>
#include <memory>
#include <string>

namespace warpfs::cuda {

class Context {
 public:
  /// Throws HostError with code ERR_WARPFS_DEVICE: no driver, no such device, a GPU that is too old.
  explicit Context(int device_index);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  void enter() const { check(driver().cuCtxSetCurrent(context_), "entering the context of the GPU"); }
  /// For whoever gives something of it back: false where that is not to be done any more. Never throws.
  bool enter_to_free() const { return !given_up_ && driver().cuCtxSetCurrent(context_) == CUDA_SUCCESS; }
  int attribute(int which) const;
  uint32_t multiprocessors() const { return multiprocessors_; }
  const std::string& name() const { return name_; }
  /// After an error that leaves a context useless, or with a kernel that never ends: its memory is not given back call by call. Where a kernel
  /// still runs nothing is given back at all, and no call of the driver may be about this context any more: each of them could wait for the
  /// end of the kernel, and let nobody else in meanwhile. So context and memory stay as they are until the process ends, and it ends without
  /// the driver, which would wait as well. The end of any other context of the process would wait, too: later mounts use those again.
  void give_up(bool kernel_runs);
  bool given_up() const { return given_up_; }
  /// Whatever it may read or write has to stay where it is.
  bool kernel_runs() const { return kernel_runs_; }

 private:
  CUdevice device_ = 0;
  CUcontext context_ = nullptr;
  std::string name_;
  uint32_t multiprocessors_ = 0;
  std::atomic<bool> given_up_{false};
  bool kernel_runs_ = false;
};

/// The bytes are there when it returns: cuMemcpyHtoD may return while bytes from memory that is not pinned are still on their way, and no stream of
/// kernels waits for them.
inline void copy_to_gpu(CUdeviceptr to, const void* from, uint64_t bytes, const std::string& what) {
  check(driver().cuMemcpyHtoD(to, from, bytes), what);
  check(driver().cuStreamSynchronize(nullptr), what);
}

/// For tests, which play several processes in one.
void forget_spare_contexts();

/// Zeroed memory of the GPU.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(Context& context, uint64_t bytes, const std::string& what);
  ~DeviceMemory() { reset(); }
  DeviceMemory(DeviceMemory&& other) noexcept { swap(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    swap(other);
    return *this;
  }
  CUdeviceptr address() const { return address_; }
  uint64_t bytes() const { return bytes_; }

 private:
  void reset();
  void swap(DeviceMemory& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
  }
  Context* context_ = nullptr;
  CUdeviceptr address_ = 0;
  uint64_t bytes_ = 0;
};

/// Zeroed memory of the host that the GPU reads and writes over the bus, at the same address.
class PinnedMemory {
 public:
  PinnedMemory(Context& context, uint64_t bytes, const std::string& what);
  ~PinnedMemory();
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;
  uint8_t* bytes() const { return place_; }
  template <typename T>
  T* at(uint64_t offset = 0) const { return reinterpret_cast<T*>(place_ + offset); }

 private:
  Context& context_;
  uint8_t* place_ = nullptr;
};

/// A queue of its own, which waits for no other.
class Stream {
 public:
  explicit Stream(Context& context);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  CUstream get() const { return stream_; }

 private:
  Context& context_;
  CUstream stream_ = nullptr;
};

}  // namespace warpfs::cuda
