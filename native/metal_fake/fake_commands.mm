// Command buffers of the fake Metal: what is encoded, and how a queue runs it, one buffer after another on a thread of its own.
#include "fake.h"

#include <Block.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>

using namespace warpfs::metal_fake;

namespace {

std::mutex injection_mutex;
Injection injection;

/// For the next command buffer.
Injection take_injection() {
  const std::lock_guard lock(injection_mutex);
  return next_of(injection);
}

/// What a kernel is given at an index: a buffer, or bytes of its own.
struct Bound {
  FakeBuffer* buffer = nil;
  NSUInteger offset = 0;
  std::shared_ptr<std::vector<uint64_t>> bytes;

  void* at() const { return bytes != nullptr ? static_cast<void*>(bytes->data()) : buffer == nil ? nullptr : static_cast<char*>(buffer->at_) + offset; }
};

struct Step {
  FakePipeline* pipeline = nil;
  Bound groups;  // where their number is; else it is known already
  std::vector<Bound> bound;
  MslDispatch dispatch;
  FakeEvent* event = nil;  // instead of a dispatch
  uint64_t value = 0;
  bool waits = false;
};

double seconds_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

namespace warpfs::metal_fake {
void inject(const Injection& next) {
  const std::lock_guard lock(injection_mutex);
  injection = next;
}
uint32_t injections_left() {
  const std::lock_guard lock(injection_mutex);
  return injection.count;
}
}  // namespace warpfs::metal_fake

@class FakeCommandBuffer;

@interface FakeEncoder : NSObject <MTLComputeCommandEncoder> {
 @public
  FakeCommandBuffer* commands_;  // which keeps the encoder, as long as it is open
  FakePipeline* pipeline_;
  std::vector<Bound>* bound_;
  NSUInteger group_memory_;
  bool ended_;
}
@end

@interface FakeQueue (Work)
- (bool)hasResident:(FakeBuffer*)buffer;
- (void)run:(std::function<void()>)work;
@end

@interface FakeCommandBuffer : NSObject <MTLCommandBuffer> {
 @public
  FakeQueue* queue_;
  FakeEncoder* encoder_;
  std::vector<Step>* steps_;
  std::vector<MTLCommandBufferHandler>* handlers_;
  std::mutex* mutex_;
  std::condition_variable* ended_;
  MTLCommandBufferStatus status_;
  NSError* error_;
  double begin_, end_;
}
@end

@implementation FakeEncoder
- (bool)isOpen:(const char*)what {
  if (ended_) violate(std::string(what) + " of an encoder that has ended");
  return !ended_;
}
- (void)setComputePipelineState:(id<MTLComputePipelineState>)state {
  if (![self isOpen:"setComputePipelineState"]) return;
  [static_cast<FakePipeline*>(state) retain];
  [pipeline_ release];
  pipeline_ = static_cast<FakePipeline*>(state);
}
- (Bound*)boundAt:(NSUInteger)index {
  if (index >= BUFFER_INDICES) return violate("buffer index " + std::to_string(index)), nullptr;
  Bound& bound = (*bound_)[index];
  [bound.buffer release];
  bound = Bound{};
  return &bound;
}
- (void)setBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)offset atIndex:(NSUInteger)index {
  if (![self isOpen:"setBuffer"]) return;
  if (buffer != nil && offset >= buffer.length) return violate("an offset behind the end of a buffer");
  Bound* bound = [self boundAt:index];
  if (bound == nullptr) return;
  bound->buffer = [static_cast<FakeBuffer*>(buffer) retain];
  bound->offset = offset;
}
- (void)setBytes:(const void*)bytes length:(NSUInteger)length atIndex:(NSUInteger)index {
  if (![self isOpen:"setBytes"]) return;
  if (length > BYTES_MAX) return violate("setBytes of " + std::to_string(length) + " bytes: above 4 KB a buffer is needed");
  Bound* bound = [self boundAt:index];
  if (bound == nullptr) return;
  bound->bytes = std::make_shared<std::vector<uint64_t>>((length + 7) / 8);
  memcpy(bound->bytes->data(), bytes, length);
}
- (void)setThreadgroupMemoryLength:(NSUInteger)length atIndex:(NSUInteger)index {
  if (![self isOpen:"setThreadgroupMemoryLength"]) return;
  if (index != 0 || length % 16 != 0 || length > GROUP_MEMORY_MAX) return violate("threadgroup memory " + std::to_string(index) + " of " + std::to_string(length) + " bytes");
  group_memory_ = length;
}
- (void)dispatch:(uint32_t)threadgroups indirect:(const Bound&)groups threads:(MTLSize)threads {
  if (pipeline_ == nil) return violate("a dispatch without a pipeline");
  const NSUInteger all = threads.width * threads.height * threads.depth;
  if (all == 0 || all > THREADS_MAX || all % 32 != 0) return violate("threadgroups of " + std::to_string(all) + " threads");
  Step step;
  step.pipeline = [pipeline_ retain];
  step.bound = *bound_;
  for (const Bound& bound : step.bound) [bound.buffer retain];
  step.groups = groups;
  [step.groups.buffer retain];
  step.dispatch.threadgroups = threadgroups;
  step.dispatch.simdgroups = uint32_t(all / 32);
  step.dispatch.group_memory_bytes = uint32_t(group_memory_);
  commands_->steps_->push_back(std::move(step));
}
- (void)dispatchThreadgroups:(MTLSize)threadgroups threadsPerThreadgroup:(MTLSize)threads {
  if (![self isOpen:"dispatchThreadgroups"]) return;
  if (threadgroups.height != 1 || threadgroups.depth != 1) return violate("a grid of more than one dimension, which this fake has not");
  if (threadgroups.width == 0) return violate("a dispatch of no threadgroups");
  [self dispatch:uint32_t(threadgroups.width) indirect:Bound{} threads:threads];
}
- (void)dispatchThreadgroupsWithIndirectBuffer:(id<MTLBuffer>)buffer indirectBufferOffset:(NSUInteger)offset threadsPerThreadgroup:(MTLSize)threads {
  if (![self isOpen:"dispatchThreadgroupsWithIndirectBuffer"]) return;
  if (buffer == nil || offset % 4 != 0 || offset + 12 > buffer.length) return violate("the number of threadgroups is to lie at offset " + std::to_string(offset) + " of a buffer that has no room there");
  [self dispatch:0 indirect:Bound{static_cast<FakeBuffer*>(buffer), offset, nullptr} threads:threads];
}
- (void)endEncoding {
  if (![self isOpen:"endEncoding"]) return;
  ended_ = true;
  commands_->encoder_ = nil;
  [self autorelease];
}
- (void)dealloc {
  if (!ended_) violate("an encoder that was never ended");
  for (const Bound& bound : *bound_) [bound.buffer release];
  delete bound_;
  [pipeline_ release];
  [super dealloc];
}
@end

@implementation FakeCommandBuffer
- (bool)isOpen:(const char*)what {
  if (status_ != MTLCommandBufferStatusNotEnqueued) violate(std::string(what) + " of a command buffer that is committed");
  else if (encoder_ != nil) violate(std::string(what) + " beside an encoder that has not ended");
  else return true;
  return false;
}
- (id<MTLComputeCommandEncoder>)computeCommandEncoder {
  if (![self isOpen:"computeCommandEncoder"]) return nil;
  encoder_ = [FakeEncoder new];
  encoder_->commands_ = self;
  encoder_->bound_ = new std::vector<Bound>(BUFFER_INDICES);
  return encoder_;
}
- (void)encode:(id<MTLSharedEvent>)event value:(uint64_t)value waits:(bool)waits {
  if (![self isOpen:"an event"]) return;
  Step step;
  step.event = [static_cast<FakeEvent*>(event) retain];
  step.value = value;
  step.waits = waits;
  steps_->push_back(std::move(step));
}
- (void)encodeSignalEvent:(id<MTLSharedEvent>)event value:(uint64_t)value {
  [self encode:event value:value waits:false];
}
- (void)encodeWaitForEvent:(id<MTLSharedEvent>)event value:(uint64_t)value {
  [self encode:event value:value waits:true];
}
- (void)addCompletedHandler:(MTLCommandBufferHandler)block {
  if ([self isOpen:"addCompletedHandler"]) handlers_->push_back(Block_copy(block));
}
/// What the first words of arguments name has to be resident: a GPU that knows memory by its address alone finds nothing else.
- (bool)allIsResidentFor:(const Step&)step {
  const auto is_bound = [&](FakeBuffer* buffer) { return std::any_of(step.bound.begin(), step.bound.end(), [&](const Bound& bound) { return bound.buffer == buffer; }); };
  for (const Bound& bound : step.bound) {
    const auto* words = static_cast<const uint64_t*>(bound.at());
    const size_t bytes = bound.bytes != nullptr ? bound.bytes->size() * 8 : bound.buffer == nil ? 0 : bound.buffer->length_ - bound.offset;
    for (size_t word = 0; word < std::min<size_t>(bytes, BYTES_MAX) / 8; word++) {
      FakeBuffer* buffer = buffer_at(words[word]);
      if (buffer == nil || is_bound(buffer) || [queue_ hasResident:buffer]) continue;
      violate("a kernel is given the address of a buffer that is not resident");
      return false;
    }
  }
  return true;
}
- (void)runStep:(const Step&)step for:(int64_t)steps {
  if (step.event != nil) {
    if (step.waits) [step.event waitFor:step.value];
    else step.event.signaledValue = step.value;
    return;
  }
  if (![self allIsResidentFor:step]) return;
  MslDispatch dispatch = step.dispatch;
  dispatch.steps = steps;
  for (const Bound& bound : step.bound) dispatch.buffers.push_back(bound.at());
  if (step.groups.buffer != nil) {
    const auto* groups = static_cast<const uint32_t*>(step.groups.at());
    if (groups[1] != 1 || groups[2] != 1) return violate("a grid of more than one dimension, which this fake has not");
    dispatch.threadgroups = groups[0];
    if (dispatch.threadgroups == 0) return;
  }
  const FakeFunction* function = step.pipeline->function_;
  (*function->module_)->run(*queue_->device_->executor_, function->entry_, dispatch);
}
- (void)runAll {
  const Injection wrong = take_injection();
  @autoreleasepool {
    begin_ = seconds_now();
    const bool is_stopped = wrong.error != MTLCommandBufferErrorNone;
    for (const Step& step : *steps_) {
      if (!is_stopped || step.event != nil || wrong.steps > 0) [self runStep:step for:is_stopped ? wrong.steps : -1];
    }
    std::this_thread::sleep_for(wrong.delay);
    end_ = seconds_now();
    {
      const std::lock_guard lock(*mutex_);
      if (wrong.error != MTLCommandBufferErrorNone) error_ = [[NSError errorWithText:"injected" code:NSInteger(wrong.error) domain:"MTLCommandBufferErrorDomain"] retain];
      status_ = error_ == nil ? MTLCommandBufferStatusCompleted : MTLCommandBufferStatusError;
    }
    for (MTLCommandBufferHandler handler : *handlers_) handler(self);
    ended_->notify_all();
  }
}
- (void)commit {
  if (![self isOpen:"commit"]) return;
  status_ = MTLCommandBufferStatusCommitted;
  [self retain];
  [queue_ run:[self] {
    [self runAll];
    [self release];
  }];
}
- (void)waitUntilCompleted {
  std::unique_lock lock(*mutex_);
  if (status_ == MTLCommandBufferStatusNotEnqueued) return violate("waiting for a command buffer that was never committed");
  ended_->wait(lock, [&] { return status_ >= MTLCommandBufferStatusCompleted; });
}
- (MTLCommandBufferStatus)status {
  const std::lock_guard lock(*mutex_);
  return status_;
}
- (NSError*)error {
  const std::lock_guard lock(*mutex_);
  return error_;
}
- (double)GPUStartTime {
  return begin_;
}
- (double)GPUEndTime {
  return end_;
}
- (void)dealloc {
  for (const Step& step : *steps_) {
    for (const Bound& bound : step.bound) [bound.buffer release];
    [step.groups.buffer release];
    [step.pipeline release];
    [step.event release];
  }
  for (MTLCommandBufferHandler handler : *handlers_) Block_release(handler);
  [encoder_ release];
  [error_ release];
  delete steps_;
  delete handlers_;
  delete mutex_;
  delete ended_;
  [queue_ release];
  [super dealloc];
}
@end

@implementation FakeQueue
- (instancetype)initWithDevice:(FakeDevice*)device {
  device_ = [device retain];
  sets_ = new std::vector<FakeResidencySet*>;
  thread_ = new WorkThreads(1);
  return self;
}
- (id<MTLCommandBuffer>)commandBuffer {
  FakeCommandBuffer* commands = [FakeCommandBuffer new];
  commands->queue_ = [self retain];
  commands->steps_ = new std::vector<Step>;
  commands->handlers_ = new std::vector<MTLCommandBufferHandler>;
  commands->mutex_ = new std::mutex;
  commands->ended_ = new std::condition_variable;
  return [commands autorelease];
}
- (void)addResidencySet:(id<MTLResidencySet>)set {
  if (sets_->size() == RESIDENCY_SETS_MAX) return violate("more than 32 residency sets of one queue");
  sets_->push_back([static_cast<FakeResidencySet*>(set) retain]);
}
- (bool)hasResident:(FakeBuffer*)buffer {
  return std::any_of(sets_->begin(), sets_->end(), [&](FakeResidencySet* set) { return std::find(set->resident_->begin(), set->resident_->end(), buffer) != set->resident_->end(); });
}
- (void)run:(std::function<void()>)work {
  thread_->run(std::move(work));
}
- (void)dealloc {
  delete thread_;
  for (FakeResidencySet* set : *sets_) [set release];
  delete sets_;
  [device_ release];
  [super dealloc];
}
@end
