// The fake Metal runs what it is given, and refuses what the documentation forbids. `fake_metal_test SHADERS`.
#include "../host/cpu/test_check.h"
#include "fake_tests.h"

#include <atomic>
#include <cstring>
#include <thread>

using namespace warpfs::metal_fake;
using Violations = std::vector<std::string>;

namespace {

constexpr const char* ADD = R"(#include <metal_stdlib>
struct Table { device uint* words; };
kernel void add(device uint* out [[buffer(0)]], constant uint& more [[buffer(1)]], uint i [[thread_position_in_grid]]) { out[i] += more; }
kernel void add_by_address(constant Table& table [[buffer(0)]], uint i [[thread_position_in_grid]]) { table.words[i] += 1u; }
)";

/// A device, a queue and the kernels above, for one test.
struct Rig {
  id<MTLDevice> device = MTLCreateSystemDefaultDevice();
  id<MTLCommandQueue> queue = [device newCommandQueue];
  id<MTLLibrary> library = nil;
  id<MTLComputePipelineState> add = nil, by_address = nil;

  Rig() {
    @autoreleasepool {
      MTLCompileOptions* options = [MTLCompileOptions new];
      options.languageVersion = MTLLanguageVersion3_2;
      library = [device newLibraryWithSource:[NSString stringWithUTF8String:ADD] options:options error:nullptr];
      [options release];
      add = pipeline("add");
      by_address = pipeline("add_by_address");
    }
  }
  ~Rig() {
    [add release];
    [by_address release];
    [library release];
    [queue release];
    [device release];
  }
  id<MTLComputePipelineState> pipeline(const char* name) {
    id<MTLFunction> function = [library newFunctionWithName:[NSString stringWithUTF8String:name]];
    CHECK(function != nil);
    id<MTLComputePipelineState> state = [device newComputePipelineStateWithFunction:function error:nullptr];
    [function release];
    return state;
  }
  id<MTLBuffer> buffer(uint32_t words) { return [device newBufferWithLength:words * 4 options:MTLResourceStorageModeShared]; }
  /// Adds `more` to 64 words.
  id<MTLCommandBuffer> adding(id<MTLBuffer> words, uint32_t more) {
    id<MTLCommandBuffer> commands = [queue commandBuffer];
    id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
    [encoder setComputePipelineState:add];
    [encoder setBuffer:words offset:0 atIndex:0];
    [encoder setBytes:&more length:4 atIndex:1];
    [encoder dispatchThreadgroups:MTLSizeMake(2, 1, 1) threadsPerThreadgroup:MTLSizeMake(32, 1, 1)];
    [encoder endEncoding];
    return commands;
  }
};

bool all_are(id<MTLBuffer> words, uint32_t value) {
  const auto* word = static_cast<const uint32_t*>([words contents]);
  for (uint32_t i = 0; i < 64; i++) {
    if (word[i] != value) return false;
  }
  return true;
}

void test_kernels_run_in_the_order_of_their_queue() {
  Rig rig;
  @autoreleasepool {
    id<MTLBuffer> words = rig.buffer(64);
    std::atomic<int> completed{0};
    std::atomic<int>* count = &completed;
    for (uint32_t more : {1u, 10u, 100u}) {
      id<MTLCommandBuffer> commands = rig.adding(words, more);
      [commands addCompletedHandler:^(id<MTLCommandBuffer> ended) { *count += ended.status == MTLCommandBufferStatusCompleted; }];
      [commands commit];
      if (more == 100u) [commands waitUntilCompleted];
    }
    CHECK(all_are(words, 111) && completed == 3);
    [words release];
  }
  CHECK(take_violations().empty());
}

void test_memory_without_a_copy_is_whole_pages() {
  Rig rig;
  @autoreleasepool {
    void* pages = aligned_alloc(PAGE_BYTES, 2 * PAGE_BYTES);
    __block NSUInteger freed = 0;
    id<MTLBuffer> buffer = [rig.device newBufferWithBytesNoCopy:pages length:2 * PAGE_BYTES options:MTLResourceStorageModeShared
                                                    deallocator:^(void*, NSUInteger length) { freed = length; }];
    CHECK([buffer contents] == pages && buffer.length == 2 * PAGE_BYTES);
    [buffer release];
    CHECK(freed == 2 * PAGE_BYTES && take_violations().empty());
    CHECK([rig.device newBufferWithBytesNoCopy:static_cast<char*>(pages) + 4096 length:PAGE_BYTES options:MTLResourceStorageModeShared deallocator:nil] == nil);
    CHECK([rig.device newBufferWithBytesNoCopy:pages length:5000 options:MTLResourceStorageModeShared deallocator:nil] == nil);
    CHECK((take_violations() == Violations{"memory without a copy that does not begin with a page", "memory without a copy of 5000 bytes, which are no whole pages"}));
    free(pages);
  }
}

void test_encoders_and_command_buffers_keep_their_order() {
  Rig rig;
  @autoreleasepool {
    id<MTLBuffer> words = rig.buffer(64);
    id<MTLCommandBuffer> commands = [rig.queue commandBuffer];
    [commands waitUntilCompleted];
    id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
    [encoder dispatchThreadgroups:MTLSizeMake(1, 1, 1) threadsPerThreadgroup:MTLSizeMake(32, 1, 1)];
    CHECK([commands computeCommandEncoder] == nil);
    [commands commit];
    [encoder endEncoding];
    [encoder setBuffer:words offset:0 atIndex:0];
    [commands commit];
    [commands commit];
    [commands waitUntilCompleted];
    [words release];
  }
  CHECK((take_violations() == Violations{"waiting for a command buffer that was never committed", "a dispatch without a pipeline", "computeCommandEncoder beside an encoder that has not ended",
                                         "commit beside an encoder that has not ended", "setBuffer of an encoder that has ended", "commit of a command buffer that is committed"}));
}

void test_limits_of_arguments_are_kept() {
  Rig rig;
  @autoreleasepool {
    id<MTLBuffer> words = rig.buffer(64);
    id<MTLCommandBuffer> commands = [rig.queue commandBuffer];
    id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
    const std::vector<char> many(5000);
    [encoder setComputePipelineState:rig.add];
    [encoder setBytes:many.data() length:many.size() atIndex:1];
    [encoder setBuffer:words offset:256 atIndex:0];
    [encoder setBuffer:words offset:0 atIndex:31];
    [encoder setThreadgroupMemoryLength:40000 atIndex:0];
    [encoder dispatchThreadgroups:MTLSizeMake(1, 1, 1) threadsPerThreadgroup:MTLSizeMake(2048, 1, 1)];
    [encoder endEncoding];
    [words release];
  }
  CHECK((take_violations() == Violations{"setBytes of 5000 bytes: above 4 KB a buffer is needed", "an offset behind the end of a buffer", "buffer index 31",
                                         "threadgroup memory 0 of 40000 bytes", "threadgroups of 2048 threads"}));
}

void test_memory_known_by_its_address_has_to_be_resident() {
  Rig rig;
  @autoreleasepool {
    id<MTLBuffer> words = rig.buffer(64);
    const uint64_t table = words.gpuAddress;
    const auto run = [&] {
      id<MTLCommandBuffer> commands = [rig.queue commandBuffer];
      id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
      [encoder setComputePipelineState:rig.by_address];
      [encoder setBytes:&table length:8 atIndex:0];
      [encoder dispatchThreadgroups:MTLSizeMake(2, 1, 1) threadsPerThreadgroup:MTLSizeMake(32, 1, 1)];
      [encoder endEncoding];
      [commands commit];
      [commands waitUntilCompleted];
    };
    run();
    CHECK(all_are(words, 0) && take_violations() == Violations{"a kernel is given the address of a buffer that is not resident"});
    MTLResidencySetDescriptor* descriptor = [MTLResidencySetDescriptor new];
    id<MTLResidencySet> set = [rig.device newResidencySetWithDescriptor:descriptor error:nullptr];
    [set addAllocation:words];
    [rig.queue addResidencySet:set];
    run();  // what was added counts from the commit of the set
    CHECK(all_are(words, 0) && take_violations().size() == 1);
    [set commit];
    run();
    CHECK(all_are(words, 1) && take_violations().empty());
    [set release];
    [descriptor release];
    [words release];
  }
}

void test_events_hold_command_buffers_back() {
  Rig rig;
  @autoreleasepool {
    id<MTLBuffer> words = rig.buffer(64);
    id<MTLSharedEvent> event = [rig.device newSharedEvent];
    id<MTLCommandBuffer> held = [rig.queue commandBuffer];
    [held encodeWaitForEvent:event value:2];
    [held commit];
    id<MTLCommandBuffer> behind = rig.adding(words, 5);
    [behind encodeSignalEvent:event value:3];
    [behind commit];
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(all_are(words, 0) && held.status == MTLCommandBufferStatusCommitted);
    event.signaledValue = 2;
    [behind waitUntilCompleted];
    CHECK(all_are(words, 5) && event.signaledValue == 3);
    [event release];
    [words release];
  }
  CHECK(take_violations().empty());
}

void test_a_host_waits_for_an_event_no_longer_than_it_says() {
  Rig rig;
  @autoreleasepool {
    id<MTLSharedEvent> event = [rig.device newSharedEvent];
    id<MTLCommandBuffer> commands = [rig.queue commandBuffer];
    [commands encodeWaitForEvent:event value:1];
    [commands encodeSignalEvent:event value:2];
    [commands commit];
    CHECK(![event waitUntilSignaledValue:2 timeoutMS:20] && event.signaledValue == 0);
    event.signaledValue = 1;
    CHECK([event waitUntilSignaledValue:2 timeoutMS:10000] && [event waitUntilSignaledValue:1 timeoutMS:0]);
    [commands waitUntilCompleted];
    [event release];
  }
  CHECK(take_violations().empty());
}

void test_errors_come_when_they_are_asked_for() {
  Rig rig;
  @autoreleasepool {
    id<MTLBuffer> words = rig.buffer(64);
    inject({MTLCommandBufferErrorTimeout, 0, 1, 1, std::chrono::milliseconds(5)});
    std::vector<NSInteger> codes;
    for (int i = 0; i < 3; i++) {
      id<MTLCommandBuffer> commands = rig.adding(words, 1);
      [commands commit];
      [commands waitUntilCompleted];
      codes.push_back(commands.error == nil ? 0 : commands.error.code);
      CHECK((commands.status == MTLCommandBufferStatusError) == (i == 1));
      if (i == 1) CHECK(commands.GPUEndTime - commands.GPUStartTime >= 0.005);
    }
    CHECK((codes == std::vector<NSInteger>{0, MTLCommandBufferErrorTimeout, 0}) && all_are(words, 2));
    [words release];
  }
  CHECK(take_violations().empty());
}

void test_texts_that_do_not_compile_give_an_error() {
  Rig rig;
  @autoreleasepool {
    NSError* error = nil;
    MTLCompileOptions* options = [[MTLCompileOptions new] autorelease];
    CHECK([rig.device newLibraryWithSource:[NSString stringWithUTF8String:"#include <metal_stdlib>\nkernel void k() { missing(); }"] options:options error:&error] == nil);
    const char* told = error.localizedDescription.UTF8String;
    CHECK(strstr(told, "program_source:2:") != nullptr && strstr(told, "error: use of undeclared identifier 'missing'") != nullptr);
    CHECK([rig.library newFunctionWithName:[NSString stringWithUTF8String:"elsewhere"]] == nil);
  }
  CHECK(take_violations() == Violations{"a text that is compiled without a version of its language"});
}

void test_what_is_left_behind_is_seen() {
  Rig* rig = new Rig;
  id<MTLBuffer> words = rig->buffer(64);
  delete rig;
  CHECK(live_objects() == "1 FakeBuffer");
  [words release];
  CHECK(live_objects().empty());
}

}  // namespace

int main(int count, char** words) {
  CHECK(count == 2);
  const CompilesForTests compiles(words[1]);
  for (void (*test)() : {+[] { RUN_TEST(test_kernels_run_in_the_order_of_their_queue); }, +[] { RUN_TEST(test_memory_without_a_copy_is_whole_pages); },
                         +[] { RUN_TEST(test_encoders_and_command_buffers_keep_their_order); }, +[] { RUN_TEST(test_limits_of_arguments_are_kept); },
                         +[] { RUN_TEST(test_memory_known_by_its_address_has_to_be_resident); }, +[] { RUN_TEST(test_events_hold_command_buffers_back); },
                         +[] { RUN_TEST(test_a_host_waits_for_an_event_no_longer_than_it_says); }, +[] { RUN_TEST(test_errors_come_when_they_are_asked_for); }, +[] { RUN_TEST(test_texts_that_do_not_compile_give_an_error); },
                         +[] { RUN_TEST(test_what_is_left_behind_is_seen); }}) {
    test();
    check_left_behind();
  }
  return 0;
}
