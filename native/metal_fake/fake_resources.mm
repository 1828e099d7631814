// Buffers, residency sets and shared events of the fake Metal.
#include "fake.h"

#include <Block.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

using namespace warpfs::metal_fake;

namespace {

std::mutex map_mutex;
std::map<uint64_t, FakeBuffer*> map_of_memory;  // by the end of each

}  // namespace

namespace warpfs::metal_fake {
FakeBuffer* buffer_at(uint64_t address) {
  const std::lock_guard lock(map_mutex);
  const auto found = map_of_memory.upper_bound(address);
  return found != map_of_memory.end() && [found->second gpuAddress] <= address ? found->second : nil;
}
}  // namespace warpfs::metal_fake

@implementation FakeBuffer
- (void)enter {
  const std::lock_guard lock(map_mutex);
  map_of_memory[self.gpuAddress + length_] = self;
}
- (NSUInteger)length {
  return length_;
}
- (NSUInteger)allocatedSize {
  return (length_ + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}
- (uint64_t)gpuAddress {
  return reinterpret_cast<uint64_t>(at_);
}
- (void*)contents {
  return at_;
}
- (void)dealloc {
  {
    const std::lock_guard lock(map_mutex);
    map_of_memory.erase(self.gpuAddress + length_);
  }
  if (owns_) free(at_);
  if (deallocator_ != nullptr) {
    deallocator_(at_, length_);
    Block_release(deallocator_);
  }
  [super dealloc];
}
@end

@implementation FakeResidencySet
- (instancetype)init {
  added_ = new std::vector<FakeBuffer*>;
  resident_ = new std::vector<FakeBuffer*>;
  return self;
}
- (void)addAllocation:(id<MTLAllocation>)allocation {
  added_->push_back([static_cast<FakeBuffer*>(allocation) retain]);
}
- (void)removeAllocation:(id<MTLAllocation>)allocation {
  const auto found = std::find(added_->begin(), added_->end(), static_cast<FakeBuffer*>(allocation));
  if (found == added_->end()) return violate("removeAllocation of what is not in the set");
  [*found release];
  added_->erase(found);
}
- (void)commit {
  for (FakeBuffer* buffer : *added_) [buffer retain];
  for (FakeBuffer* buffer : *resident_) [buffer release];
  *resident_ = *added_;
}
- (void)requestResidency {
}
- (void)endResidency {
}
- (void)dealloc {
  for (FakeBuffer* buffer : *added_) [buffer release];
  for (FakeBuffer* buffer : *resident_) [buffer release];
  delete added_;
  delete resident_;
  [super dealloc];
}
@end

struct EventParts {
  std::mutex mutex;
  std::condition_variable signaled;
  uint64_t value = 0;
};

@implementation FakeEvent
- (instancetype)init {
  parts_ = new EventParts;
  return self;
}
- (uint64_t)signaledValue {
  const std::lock_guard lock(parts_->mutex);
  return parts_->value;
}
- (void)setSignaledValue:(uint64_t)value {
  {
    const std::lock_guard lock(parts_->mutex);
    if (value < parts_->value) violate("the value of a shared event goes back");
    parts_->value = value;
  }
  parts_->signaled.notify_all();
}
- (void)waitFor:(uint64_t)value {
  std::unique_lock lock(parts_->mutex);
  parts_->signaled.wait(lock, [&] { return parts_->value >= value; });
}
- (BOOL)waitUntilSignaledValue:(uint64_t)value timeoutMS:(uint64_t)milliseconds {
  std::unique_lock lock(parts_->mutex);
  return parts_->signaled.wait_for(lock, std::chrono::milliseconds(milliseconds), [&] { return parts_->value >= value; });
}
- (void)dealloc {
  delete parts_;
  [super dealloc];
}
@end

@implementation MTLResidencySetDescriptor
@synthesize initialCapacity = initialCapacity_;
@end
