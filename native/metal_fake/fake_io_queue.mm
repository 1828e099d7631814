// Queues of the fake Metal that read files: one thread for a serial one, some for a concurrent one.
#include "fake_io.h"

#include <mutex>

using namespace warpfs::metal_fake;

namespace {

constexpr unsigned CONCURRENT_THREADS = 4;
constexpr NSUInteger COMMAND_BUFFERS = 64;  // of a queue that is not told how many

}  // namespace

@implementation FakeIoQueue
- (instancetype)initWithDescriptor:(MTLIOCommandQueueDescriptor*)descriptor {
  serial_ = descriptor.type == MTLIOCommandQueueTypeSerial;
  most_ = descriptor.maxCommandBufferCount == 0 ? COMMAND_BUFFERS : descriptor.maxCommandBufferCount;
  mutex_ = new std::mutex;
  threads_ = new WorkThreads(serial_ ? 1 : CONCURRENT_THREADS);
  return self;
}
- (id<MTLIOCommandBuffer>)commandBuffer {
  {
    const std::lock_guard lock(*mutex_);
    if (alive_ == most_) return violate("more than " + std::to_string(most_) + " command buffers of one io queue"), nil;
    alive_++;
  }
  return [new_io_command_buffer(self) autorelease];
}
- (void)run:(std::function<void()>)work {
  threads_->run(std::move(work));
}
- (bool)isSerial {
  return serial_;
}
- (void)oneLess {
  const std::lock_guard lock(*mutex_);
  alive_--;
}
- (void)dealloc {
  delete threads_;
  delete mutex_;
  [super dealloc];
}
@end

@implementation MTLIOCommandQueueDescriptor
@synthesize maxCommandBufferCount = maxCommandBufferCount_, maxCommandsInFlight = maxCommandsInFlight_, priority = priority_, type = type_;
@end

namespace warpfs::metal_fake {
id<MTLIOCommandQueue> new_io_queue(MTLIOCommandQueueDescriptor* descriptor, NSError** error) {
  if (machine().reads_files) return [[FakeIoQueue alloc] initWithDescriptor:descriptor];
  if (error != nullptr) *error = [NSError errorWithText:"no queue for files" code:MTLIOErrorInternal domain:"MTLIOErrorDomain"];
  return nil;
}
}  // namespace warpfs::metal_fake
