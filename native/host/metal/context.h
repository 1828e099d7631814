// The GPU as one mount uses it: its queue, and what is resident there.
#pragma once
#include "held.h"

#import <Metal/Metal.h>

#include <cstdint>
#include <string>

namespace warpfs::metal {

/// Nobody but us says which command buffer comes before which: what gpu and host share is in all of them.
constexpr MTLResourceOptions SHARED = MTLResourceOptions(MTLResourceStorageModeShared | MTLResourceHazardTrackingModeUntracked);

class Context {
 public:
  /// Throws HostError with code ERR_WARPFS_DEVICE.
  Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  id<MTLDevice> device() const { return device_.get(); }
  id<MTLCommandQueue> queue() const { return queue_.get(); }

  /// Zeroed memory that kernels know by its address. Throws HostError: ENOMEM.
  Held<id<MTLBuffer>> buffer(uint64_t bytes, const char* what);
  /// Memory of the host, whole pages, as it is; it has to stay until after forget().
  Held<id<MTLBuffer>> buffer_at(void* memory, uint64_t bytes, const char* what);
  /// Before such a buffer is released.
  void forget(id<MTLBuffer> buffer);

  /// A queue whose loads of files go side by side, for at most so many command buffers. Null: `error` says why there is none.
  Held<id<MTLIOCommandQueue>> new_io_queue(uint32_t command_buffers, NSError** error) const;

  /// A kernel runs that does not end: whatever it may be at stays where it is until the process ends.
  void give_up() { given_up_ = true; }
  bool given_up() const { return given_up_; }

 private:
  Held<id<MTLBuffer>> resident(id<MTLBuffer> buffer, uint64_t bytes, const char* what);
  void check_size(uint64_t bytes, const char* what) const;

  Held<id<MTLDevice>> device_;
  Held<id<MTLCommandQueue>> queue_;
  Held<id<MTLResidencySet>> residency_;
  bool given_up_ = false;
};

/// A buffer that is forgotten before it is gone.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Context& context, Held<id<MTLBuffer>> buffer) : context_(&context), buffer_(std::move(buffer)) {}
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() {
    if (!buffer_) return;
    if (context_->given_up()) buffer_.leave();
    else context_->forget(buffer_.get());
  }

  id<MTLBuffer> get() const { return buffer_.get(); }
  uint64_t address() const { return [buffer_.get() gpuAddress]; }
  uint8_t* bytes() const { return static_cast<uint8_t*>([buffer_.get() contents]); }
  uint64_t size() const { return buffer_ ? [buffer_.get() length] : 0; }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(buffer_, other.buffer_);
  }

  Context* context_ = nullptr;
  Held<id<MTLBuffer>> buffer_;
};

/// A text of NSError, or what stands for none.
std::string text_of(NSError* error);

}  // namespace warpfs::metal
