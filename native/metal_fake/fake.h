// A Metal on the cpu device, for tests of the Metal device. It does what the documentation says, and refuses what it forbids: that is a violation (objects.h),
// and nothing is done.
#pragma once
#include "msl_module.h"
#include "objects.h"
#include "work_threads.h"

#import <Metal/Metal.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace warpfs::metal_fake {

enum : NSUInteger {
  PAGE_BYTES = 16384,         // of Apple's machines: memory that a buffer takes over begins and ends with one
  BUFFER_INDICES = 31,        // of one kernel
  BYTES_MAX = 4096,           // that setBytes takes
  THREADS_MAX = 1024,         // of one threadgroup
  GROUP_MEMORY_MAX = 32768,   // bytes of one threadgroup
  RESIDENCY_SETS_MAX = 32,    // of one queue
};

/// What is to go wrong, to the command buffers that are committed from now on.
struct Injection {
  MTLCommandBufferError error = MTLCommandBufferErrorNone;  // they end with it; what they were to run is not run, but for the first
  int64_t steps = 0;                                        // so many steps of all their threads together
  uint32_t after = 0;                                       // so many are left alone before
  uint32_t count = 0;                                       // so many, then it is over
  std::chrono::microseconds delay{0};                       // each completes so much later, with or without an error
};
void inject(const Injection& injection);
/// What of it the next command buffer is given.
template <typename Kind>
Kind next_of(Kind& injection) {
  if (injection.after > 0) return injection.after--, Kind{};
  if (injection.count == 0) return Kind{};
  injection.count--;
  return injection;
}
/// Of those, how many have not come yet.
uint32_t injections_left();

/// The machine that is played: what is asked of it before anything is made there.
struct Machine {
  bool has_device = true;
  NSInteger macos = 15;
  const char* name = "fake Metal on the cpu device";
  bool unified = true;
  bool metal3 = true;
  bool reads_files = true;  // makes queues for that
  uint64_t memory_bytes = uint64_t(64) << 30;
};
void play(const Machine& machine);
const Machine& machine();

/// Pipelines that were compiled because no archive had them.
std::atomic<uint32_t>& pipelines_compiled();
id<MTLBinaryArchive> new_archive(MTLBinaryArchiveDescriptor* descriptor, NSError** error);
/// False: no archive has it, and it is not to be compiled.
bool may_make_pipeline(MTLComputePipelineDescriptor* descriptor, MTLPipelineOption options, NSError** error);

/// For the device that is made next: where the shader headers are, and where texts are compiled.
void use_compiler(const MslOptions& options);

}  // namespace warpfs::metal_fake

@interface FakeBuffer : NSObject <MTLBuffer> {
 @public
  void* at_;
  NSUInteger length_;
  bool owns_;
  void (^deallocator_)(void*, NSUInteger);
}
/// From now on its memory is known by its address.
- (void)enter;
@end

namespace warpfs::metal_fake {
/// Whose memory it is; nil: nobody's.
FakeBuffer* buffer_at(uint64_t address);
}  // namespace warpfs::metal_fake

@interface FakeResidencySet : NSObject <MTLResidencySet> {
 @public
  std::vector<FakeBuffer*>*added_, *resident_;  // resident: as of the last commit
}
@end

struct EventParts;
@interface FakeEvent : NSObject <MTLSharedEvent> {
  EventParts* parts_;
}
- (void)waitFor:(uint64_t)value;
@end

@interface FakeFunction : NSObject <MTLFunction> {
 @public
  std::shared_ptr<warpfs::metal_fake::MslModule>* module_;
  msl::Entry entry_;
  NSString* name_;
}
@end

@interface FakePipeline : NSObject <MTLComputePipelineState> {
 @public
  FakeFunction* function_;
}
@end

@interface FakeDevice : NSObject <MTLDevice> {
 @public
  warpfs::CpuExecutor* executor_;
  warpfs::metal_fake::MslOptions* options_;
}
@end

@interface FakeQueue : NSObject <MTLCommandQueue> {
 @public
  FakeDevice* device_;
  std::vector<FakeResidencySet*>* sets_;
  warpfs::metal_fake::WorkThreads* thread_;
}
- (instancetype)initWithDevice:(FakeDevice*)device;
@end
