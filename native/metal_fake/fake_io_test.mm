// The fake Metal reads files as the real one is said to, and refuses what the documentation forbids.
#include "../host/cpu/test_check.h"
#include "fake_io.h"
#include "fake_tests.h"

#include <unistd.h>

#include <atomic>
#include <cstring>

using namespace warpfs::metal_fake;
using Violations = std::vector<std::string>;

namespace {

constexpr NSUInteger BYTES = 64 * 1024;

char byte_at(NSUInteger offset) { return char(offset * 7 + offset / 256); }

NSString* string_of(const std::string& text) { return [NSString stringWithUTF8String:text.c_str()]; }

/// A device, a queue, a file, and a buffer as large, for one test.
struct Rig {
  std::string path = "/tmp/warpfs-fake-io-XXXXXX";
  id<MTLDevice> device = MTLCreateSystemDefaultDevice();
  id<MTLIOCommandQueue> queue = nil;
  id<MTLIOFileHandle> file = nil;
  id<MTLBuffer> buffer = [device newBufferWithLength:BYTES options:MTLResourceStorageModeShared];
  std::string bytes;

  explicit Rig(MTLIOCommandQueueType type = MTLIOCommandQueueTypeConcurrent, NSUInteger most = 0) {
    for (NSUInteger i = 0; i < BYTES; i++) bytes += byte_at(i);
    const int fd = mkstemp(path.data());
    CHECK(write(fd, bytes.data(), BYTES) == ssize_t(BYTES));
    close(fd);
    @autoreleasepool {
      MTLIOCommandQueueDescriptor* descriptor = [MTLIOCommandQueueDescriptor new];
      descriptor.type = type;
      descriptor.maxCommandBufferCount = most;
      queue = [device newIOCommandQueueWithDescriptor:descriptor error:nullptr];
      [descriptor release];
      file = [device newIOFileHandleWithURL:[NSURL fileURLWithPath:string_of(path)] error:nullptr];
    }
    CHECK(queue != nil && file != nil);
  }
  ~Rig() {
    [buffer release];
    [file release];
    [queue release];
    [device release];
    unlink(path.c_str());
  }
  const char* at(NSUInteger offset) const { return static_cast<const char*>([buffer contents]) + offset; }
};

void test_files_are_read_into_buffers_and_anywhere_else() {
  Rig rig;
  @autoreleasepool {
    char elsewhere[4096];
    std::atomic<int> completed{0};
    std::atomic<int>* count = &completed;
    id<MTLIOCommandBuffer> commands = [rig.queue commandBuffer];
    [commands loadBuffer:rig.buffer offset:8192 size:BYTES - 8192 sourceHandle:rig.file sourceHandleOffset:0];
    [commands loadBytes:elsewhere size:sizeof elsewhere sourceHandle:rig.file sourceHandleOffset:100];
    [commands addCompletedHandler:^(id<MTLIOCommandBuffer> ended) { *count += ended.status == MTLIOStatusComplete; }];
    CHECK(commands.status == MTLIOStatusPending);
    [commands commit];
    [commands waitUntilCompleted];
    CHECK(commands.status == MTLIOStatusComplete && commands.error == nil && completed == 1);
    CHECK(memcmp(rig.at(8192), rig.bytes.data(), BYTES - 8192) == 0 && memcmp(elsewhere, rig.bytes.data() + 100, sizeof elsewhere) == 0);
    CHECK(rig.at(0)[0] == 0);
  }
  CHECK(take_violations().empty());
}

void test_what_is_not_there_is_an_error() {
  Rig rig;
  @autoreleasepool {
    id<MTLIOCommandBuffer> commands = [rig.queue commandBuffer];
    [commands loadBuffer:rig.buffer offset:0 size:4096 sourceHandle:rig.file sourceHandleOffset:BYTES - 100];
    [commands commit];
    [commands waitUntilCompleted];
    CHECK(commands.status == MTLIOStatusError && commands.error.code == MTLIOErrorInternal);
    NSError* error = nil;
    CHECK([rig.device newIOFileHandleWithURL:[NSURL fileURLWithPath:string_of("/tmp/no such file")] error:&error] == nil && error.code == MTLIOErrorURLInvalid);
  }
  CHECK(take_violations().empty());
}

void test_an_order_is_kept_where_it_was_promised() {
  for (const auto type : {MTLIOCommandQueueTypeSerial, MTLIOCommandQueueTypeConcurrent}) {
    for (const bool barrier : {false, true}) {
      Rig rig(type);
      @autoreleasepool {
        id<MTLIOCommandBuffer> commands = [rig.queue commandBuffer];
        [commands loadBuffer:rig.buffer offset:0 size:64 sourceHandle:rig.file sourceHandleOffset:0];
        if (barrier) [commands addBarrier];
        [commands loadBuffer:rig.buffer offset:0 size:64 sourceHandle:rig.file sourceHandleOffset:512];
        [commands commit];
        [commands waitUntilCompleted];
        const bool in_order = barrier || type == MTLIOCommandQueueTypeSerial;
        CHECK(memcmp(rig.at(0), rig.bytes.data() + (in_order ? 512 : 0), 64) == 0);
      }
    }
  }
  CHECK(take_violations().empty());
}

void test_broken_rules_are_heard_of() {
  Rig rig(MTLIOCommandQueueTypeSerial, 2);
  @autoreleasepool {
    id<MTLIOCommandBuffer> commands = [rig.queue commandBuffer];
    [commands waitUntilCompleted];
    [commands loadBuffer:rig.buffer offset:BYTES - 10 size:11 sourceHandle:rig.file sourceHandleOffset:0];
    [commands loadBuffer:rig.buffer offset:0 size:0 sourceHandle:rig.file sourceHandleOffset:0];
    [commands loadBuffer:rig.buffer offset:0 size:1 sourceHandle:nil sourceHandleOffset:0];
    [commands loadBytes:nullptr size:1 sourceHandle:rig.file sourceHandleOffset:0];
    [commands commit];
    [commands commit];
    [commands loadBuffer:rig.buffer offset:0 size:1 sourceHandle:rig.file sourceHandleOffset:0];
    [commands waitUntilCompleted];
    (void)[rig.queue commandBuffer];
    CHECK([rig.queue commandBuffer] == nil);
  }
  CHECK((take_violations() == Violations{"waiting for an io command buffer that was never committed", "a load of 11 bytes at offset 65526 of a buffer that has no room there",
                                         "a load of no bytes", "a load from no file", "a load to nowhere", "commit of an io command buffer that is committed",
                                         "loadBuffer of an io command buffer that is committed", "more than 2 command buffers of one io queue"}));
}

void test_what_is_released_is_gone_behind_the_loads() {
  {
    Rig rig;
    @autoreleasepool {
      inject_io({.count = 1, .delay = std::chrono::milliseconds(20)});
      id<MTLIOCommandBuffer> commands = [rig.queue commandBuffer];
      [commands loadBuffer:rig.buffer offset:0 size:64 sourceHandle:rig.file sourceHandleOffset:0];
      [commands commit];
      [rig.file release];
      [rig.buffer release];
      [rig.queue release];
      [commands waitUntilCompleted];
      CHECK(commands.status == MTLIOStatusComplete);
      rig.file = nil;
      rig.buffer = nil;
      rig.queue = nil;
    }
  }
  check_left_behind();
  CHECK(take_violations().empty());
}

void test_errors_come_when_they_are_asked_for() {
  Rig rig;
  @autoreleasepool {
    inject_io({.status = MTLIOStatusError, .after = 1, .count = 1});
    for (const auto wanted : {MTLIOStatusComplete, MTLIOStatusError, MTLIOStatusComplete}) {
      id<MTLIOCommandBuffer> commands = [rig.queue commandBuffer];
      [commands loadBuffer:rig.buffer offset:0 size:64 sourceHandle:rig.file sourceHandleOffset:0];
      [commands commit];
      [commands waitUntilCompleted];
      CHECK(commands.status == wanted);
    }
    inject_io({.count = 1, .delay = std::chrono::milliseconds(20)});
    id<MTLIOCommandBuffer> commands = [rig.queue commandBuffer];
    [commands commit];
    [commands tryCancel];
    [commands waitUntilCompleted];
    CHECK(commands.status == MTLIOStatusCancelled);
  }
  CHECK(take_violations().empty());
}

void test_compressed_files_are_read_by_their_method_alone() {
  Rig rig;
  @autoreleasepool {
    for (NSInteger method = MTLIOCompressionMethodZlib; method <= MTLIOCompressionMethodLZBitmap; method++) {
      const std::string path = rig.path + ".packed";
      const MTLIOCompressionContext context = MTLIOCreateCompressionContext(path.c_str(), MTLIOCompressionMethod(method), MTLIOCompressionContextDefaultChunkSize());
      MTLIOCompressionContextAppendData(context, rig.bytes.data(), 1000);
      MTLIOCompressionContextAppendData(context, rig.bytes.data() + 1000, BYTES - 1000);
      CHECK(MTLIOFlushAndDestroyCompressionContext(context) == MTLIOCompressionStatusComplete);
      NSURL* url = [NSURL fileURLWithPath:string_of(path)];
      CHECK([rig.device newIOFileHandleWithURL:url compressionMethod:MTLIOCompressionMethod((method + 1) % 5) error:nullptr] == nil);
      id<MTLIOFileHandle> packed = [rig.device newIOFileHandleWithURL:url compressionMethod:MTLIOCompressionMethod(method) error:nullptr];
      id<MTLIOCommandBuffer> commands = [rig.queue commandBuffer];
      [commands loadBuffer:rig.buffer offset:0 size:5000 sourceHandle:packed sourceHandleOffset:3000];
      [commands commit];
      [commands waitUntilCompleted];
      [packed release];
      unlink(path.c_str());
      CHECK(memcmp(rig.at(0), rig.bytes.data() + 3000, 5000) == 0);
    }
  }
  CHECK(take_violations().empty());
}

}  // namespace

int main() {
  RUN_TEST(test_files_are_read_into_buffers_and_anywhere_else);
  RUN_TEST(test_what_is_not_there_is_an_error);
  RUN_TEST(test_an_order_is_kept_where_it_was_promised);
  RUN_TEST(test_broken_rules_are_heard_of);
  RUN_TEST(test_what_is_released_is_gone_behind_the_loads);
  RUN_TEST(test_errors_come_when_they_are_asked_for);
  RUN_TEST(test_compressed_files_are_read_by_their_method_alone);
  return 0;
}
