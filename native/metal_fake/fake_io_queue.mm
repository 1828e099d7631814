// Queues of the fake Metal that read files: one thread for a serial one, some for a concurrent one.
#include "fake_io.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

using namespace warpfs::metal_fake;

namespace {

constexpr unsigned CONCURRENT_THREADS = 4;
constexpr NSUInteger COMMAND_BUFFERS = 64;  // of a queue that is not told how many

}  // namespace

struct IoQueueParts {
  std::deque<std::function<void()>> work;
  std::mutex mutex;
  std::condition_variable more;
  std::vector<std::thread> threads;
  NSUInteger alive = 0, most = 0;  // command buffers
  bool closing = false, serial = false;

  void run() {
    for (;;) {
      std::unique_lock lock(mutex);
      more.wait(lock, [this] { return closing || !work.empty(); });
      if (work.empty()) return;
      const std::function<void()> next = std::move(work.front());
      work.pop_front();
      lock.unlock();
      @autoreleasepool {
        next();
      }
    }
  }
};

@implementation FakeIoQueue
- (instancetype)initWithDescriptor:(MTLIOCommandQueueDescriptor*)descriptor {
  parts_ = new std::shared_ptr<IoQueueParts>(new IoQueueParts);
  IoQueueParts& parts = **parts_;
  parts.serial = descriptor.type == MTLIOCommandQueueTypeSerial;
  parts.most = descriptor.maxCommandBufferCount == 0 ? COMMAND_BUFFERS : descriptor.maxCommandBufferCount;
  for (unsigned i = 0; i < (parts.serial ? 1 : CONCURRENT_THREADS); i++) parts.threads.emplace_back([kept = *parts_] { kept->run(); });
  return self;
}
- (id<MTLIOCommandBuffer>)commandBuffer {
  {
    const std::lock_guard lock((*parts_)->mutex);
    if ((*parts_)->alive == (*parts_)->most) return violate("more than " + std::to_string((*parts_)->most) + " command buffers of one io queue"), nil;
    (*parts_)->alive++;
  }
  return [new_io_command_buffer(self) autorelease];
}
- (void)run:(std::function<void()>)work {
  {
    const std::lock_guard lock((*parts_)->mutex);
    (*parts_)->work.push_back(std::move(work));
  }
  (*parts_)->more.notify_one();
}
- (bool)isSerial {
  return (*parts_)->serial;
}
- (void)oneLess {
  const std::lock_guard lock((*parts_)->mutex);
  (*parts_)->alive--;
}
- (void)dealloc {
  {
    const std::lock_guard lock((*parts_)->mutex);
    (*parts_)->closing = true;
  }
  (*parts_)->more.notify_all();
  // The last command buffer may have been the last that knew the queue.
  for (std::thread& thread : (*parts_)->threads) {
    if (thread.get_id() == std::this_thread::get_id()) thread.detach();
    else thread.join();
  }
  (*parts_)->threads.clear();
  delete parts_;
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
