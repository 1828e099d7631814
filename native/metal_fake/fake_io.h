// The part of the fake Metal that reads files: queues, command buffers and handles. As strict as the rest of it (fake.h).
#pragma once
#include "fake.h"

#include <functional>

namespace warpfs::metal_fake {

/// What is to go wrong, to the command buffers that begin from now on.
struct IoInjection {
  MTLIOStatus status = MTLIOStatusComplete;  // another one: they end with it, and half of what they were to load is there
  uint32_t after = 0;                        // so many are left alone before
  uint32_t count = 0;                        // so many, then it is over
  std::chrono::microseconds delay{0};        // each begins to load so much later, with or without an error
  std::chrono::microseconds late{0};         // and says so much later that it has
};
void inject_io(const IoInjection& injection);
/// Called with the path right before a handle is opened: then the world may change. Null: no more.
void before_open(std::function<void(const std::string& path)> call);

/// Since the last call.
struct IoCounts {
  uint32_t files = 0;            // handles that were opened
  uint32_t command_buffers = 0;  // that were committed
  uint32_t into_buffers = 0;     // loads there
  uint32_t into_bytes = 0;       // and elsewhere
};
IoCounts take_io_counts();
void count_io(uint32_t IoCounts::*what);

id<MTLIOCommandQueue> new_io_queue(MTLIOCommandQueueDescriptor* descriptor, NSError** error);
id<MTLIOFileHandle> open_plain_file(NSURL* url, NSError** error);
id<MTLIOFileHandle> open_compressed_file(NSURL* url, MTLIOCompressionMethod method, NSError** error);

}  // namespace warpfs::metal_fake

@interface FakeIoFile : NSObject <MTLIOFileHandle> {
 @public
  int fd_;
  std::vector<char>* plain_;  // of a compressed file: its bytes; else null
}
/// False: they are not there.
- (bool)read:(void*)to size:(NSUInteger)size offset:(NSUInteger)offset;
@end

@interface FakeIoQueue : NSObject <MTLIOCommandQueue> {
  warpfs::metal_fake::WorkThreads* threads_;
  std::mutex* mutex_;
  NSUInteger alive_, most_;  // command buffers
  bool serial_;
}
- (instancetype)initWithDescriptor:(MTLIOCommandQueueDescriptor*)descriptor;
- (void)run:(std::function<void()>)work;
- (bool)isSerial;
/// A command buffer is gone.
- (void)oneLess;
@end

namespace warpfs::metal_fake {
id<MTLIOCommandBuffer> new_io_command_buffer(FakeIoQueue* queue);
}  // namespace warpfs::metal_fake
