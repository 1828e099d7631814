// Command buffers of the fake Metal that read files. Those of a concurrent queue run beside each other, and load what lies between two barriers backwards: who
// relies on an order that nobody promised is found out.
#include "fake_io.h"

#include <Block.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

using namespace warpfs::metal_fake;

namespace {

std::mutex books_mutex;
IoInjection injection;
IoCounts counts;

/// For the next command buffer.
IoInjection take_injection() {
  const std::lock_guard lock(books_mutex);
  return next_of(injection);
}

/// One load; a barrier is one from no file.
struct Load {
  FakeIoFile* file = nil;
  FakeBuffer* buffer = nil;
  void* to = nullptr;
  NSUInteger size = 0, offset = 0;
};

}  // namespace

namespace warpfs::metal_fake {
void inject_io(const IoInjection& next) {
  const std::lock_guard lock(books_mutex);
  injection = next;
}
IoCounts take_io_counts() {
  const std::lock_guard lock(books_mutex);
  return std::exchange(counts, IoCounts{});
}
void count_io(uint32_t IoCounts::*what) {
  const std::lock_guard lock(books_mutex);
  counts.*what += 1;
}
}  // namespace warpfs::metal_fake

@interface FakeIoCommandBuffer : NSObject <MTLIOCommandBuffer> {
 @public
  FakeIoQueue* queue_;
  std::vector<Load>* loads_;
  std::vector<MTLIOCommandBufferHandler>* handlers_;
  std::mutex* mutex_;
  std::condition_variable* ended_;
  MTLIOStatus status_;
  NSError* error_;
  bool committed_, cancelled_;
}
@end

@implementation FakeIoCommandBuffer
- (bool)isOpen:(const char*)what {
  if (committed_) violate(std::string(what) + " of an io command buffer that is committed");
  return !committed_;
}
- (void)load:(Load)load from:(id<MTLIOFileHandle>)handle {
  if (handle == nil) return violate("a load from no file");
  if (load.size == 0) return violate("a load of no bytes");
  load.file = [static_cast<FakeIoFile*>(handle) retain];
  [load.buffer retain];
  loads_->push_back(load);
  count_io(load.buffer == nil ? &IoCounts::into_bytes : &IoCounts::into_buffers);
}
- (void)loadBytes:(void*)pointer size:(NSUInteger)size sourceHandle:(id<MTLIOFileHandle>)handle sourceHandleOffset:(NSUInteger)offset {
  if (![self isOpen:"loadBytes"]) return;
  if (pointer == nullptr) return violate("a load to nowhere");
  [self load:Load{nil, nil, pointer, size, offset} from:handle];
}
- (void)loadBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)at size:(NSUInteger)size sourceHandle:(id<MTLIOFileHandle>)handle sourceHandleOffset:(NSUInteger)offset {
  if (![self isOpen:"loadBuffer"]) return;
  if (buffer == nil || at > buffer.length || size > buffer.length - at) return violate("a load of " + std::to_string(size) + " bytes at offset " + std::to_string(at) + " of a buffer that has no room there");
  FakeBuffer* const into = static_cast<FakeBuffer*>(buffer);
  [self load:Load{nil, into, static_cast<char*>(into->at_) + at, size, offset} from:handle];
}
- (void)addBarrier {
  if ([self isOpen:"addBarrier"]) loads_->push_back(Load{});
}
- (void)addCompletedHandler:(MTLIOCommandBufferHandler)block {
  if ([self isOpen:"addCompletedHandler"]) handlers_->push_back(Block_copy(block));
}
- (bool)loadAll {
  auto begin = loads_->begin();
  while (begin != loads_->end()) {
    const auto end = std::find_if(begin, loads_->end(), [](const Load& load) { return load.file == nil; });
    if (!queue_.isSerial) std::reverse(begin, end);
    for (; begin != end; begin++) {
      if (![begin->file read:begin->to size:begin->size offset:begin->offset]) return false;
    }
    if (begin != loads_->end()) begin++;
  }
  return true;
}
- (void)endWith:(MTLIOStatus)status text:(const char*)text {
  {
    const std::lock_guard lock(*mutex_);
    if (status == MTLIOStatusError) error_ = [[NSError errorWithText:text code:MTLIOErrorInternal domain:"MTLIOErrorDomain"] retain];
    status_ = status;
  }
  for (MTLIOCommandBufferHandler handler : *handlers_) handler(self);
  ended_->notify_all();
}
- (void)runAll {
  const IoInjection wrong = take_injection();
  std::this_thread::sleep_for(wrong.delay);
  bool cancelled = false;
  {
    const std::lock_guard lock(*mutex_);
    cancelled = cancelled_;
  }
  if (cancelled) return [self endWith:MTLIOStatusCancelled text:""];
  if (wrong.status != MTLIOStatusComplete) {
    for (Load& load : *loads_) {
      if (load.file != nil) [load.file read:load.to size:load.size / 2 offset:load.offset];
    }
    return [self endWith:wrong.status text:"injected"];
  }
  // What Metal does with a load past the end of a file is not documented.
  const bool loaded = [self loadAll];
  std::this_thread::sleep_for(wrong.late);
  if (loaded) [self endWith:MTLIOStatusComplete text:""];
  else [self endWith:MTLIOStatusError text:"a file has no such bytes"];
}
- (void)commit {
  if (![self isOpen:"commit"]) return;
  committed_ = true;
  [self retain];
  count_io(&IoCounts::command_buffers);
  [queue_ run:[self] {
    [self runAll];
    [self release];
  }];
}
- (void)waitUntilCompleted {
  if (!committed_) return violate("waiting for an io command buffer that was never committed");
  std::unique_lock lock(*mutex_);
  ended_->wait(lock, [&] { return status_ != MTLIOStatusPending; });
}
- (void)tryCancel {
  const std::lock_guard lock(*mutex_);
  cancelled_ = true;
}
- (MTLIOStatus)status {
  const std::lock_guard lock(*mutex_);
  return status_;
}
- (NSError*)error {
  const std::lock_guard lock(*mutex_);
  return error_;
}
- (void)dealloc {
  for (const Load& load : *loads_) {
    [load.file release];
    [load.buffer release];
  }
  for (MTLIOCommandBufferHandler handler : *handlers_) Block_release(handler);
  [error_ release];
  delete loads_;
  delete handlers_;
  delete mutex_;
  delete ended_;
  [queue_ oneLess];
  [queue_ release];
  [super dealloc];
}
@end

namespace warpfs::metal_fake {
id<MTLIOCommandBuffer> new_io_command_buffer(FakeIoQueue* queue) {
  FakeIoCommandBuffer* commands = [FakeIoCommandBuffer new];
  commands->queue_ = [queue retain];
  commands->loads_ = new std::vector<Load>;
  commands->handlers_ = new std::vector<MTLIOCommandBufferHandler>;
  commands->mutex_ = new std::mutex;
  commands->ended_ = new std::condition_variable;
  return commands;
}
}  // namespace warpfs::metal_fake
