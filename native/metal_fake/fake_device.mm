// The device of the fake Metal: what is made by it, and what it compiles.
#include "fake_io.h"

#include <Block.h>

#include <cstdlib>
#include <cstring>

using namespace warpfs::metal_fake;

namespace {

/// Of an addon that nobody tells: processes share what they compile.
MslOptions usual_options() {
  MslOptions options;
  const char* folder = getenv("WARPFS_METAL_FAKE_FOLDER");
  options.shaders = WARPFS_SHADERS;
  options.folder = folder == nullptr ? "/tmp" : folder;
  return options;
}

MslOptions next_options = usual_options();
Machine played;
constexpr const char* LIBRARY_ERRORS = "MTLLibraryErrorDomain";
constexpr NSInteger COMPILE_FAILURE = 3;

}  // namespace

namespace warpfs::metal_fake {
void use_compiler(const MslOptions& options) { next_options = options; }
void play(const Machine& machine) { played = machine; }
const Machine& machine() { return played; }
}  // namespace warpfs::metal_fake

@implementation MTLCompileOptions
@synthesize languageVersion = languageVersion_, mathMode = mathMode_;
@end

@implementation NSProcessInfo
+ (NSProcessInfo*)processInfo {
  return [[self new] autorelease];
}
- (NSOperatingSystemVersion)operatingSystemVersion {
  return {played.macos, 0, 0};
}
@end

@implementation FakeFunction
- (NSString*)name {
  return name_;
}
- (void)dealloc {
  delete module_;
  [name_ release];
  [super dealloc];
}
@end

@implementation FakePipeline
- (NSUInteger)maxTotalThreadsPerThreadgroup {
  return THREADS_MAX;
}
- (NSUInteger)threadExecutionWidth {
  return 32;
}
- (void)dealloc {
  [function_ release];
  [super dealloc];
}
@end

@interface FakeLibrary : NSObject <MTLLibrary> {
 @public
  std::shared_ptr<MslModule>* module_;
}
@end

@implementation FakeLibrary
- (id<MTLFunction>)newFunctionWithName:(NSString*)name {
  const msl::Entry entry = (*module_)->entry(name.UTF8String);
  if (entry == nullptr) return nil;
  FakeFunction* function = [FakeFunction new];
  function->module_ = new std::shared_ptr<MslModule>(*module_);
  function->entry_ = entry;
  function->name_ = [name retain];
  return function;
}
- (void)dealloc {
  delete module_;
  [super dealloc];
}
@end

@implementation FakeDevice
- (instancetype)init {
  executor_ = new warpfs::CpuExecutor;
  options_ = new MslOptions(next_options);
  return self;
}
- (NSString*)name {
  return [NSString stringWithUTF8String:played.name];
}
- (BOOL)hasUnifiedMemory {
  return played.unified;
}
- (BOOL)supportsFamily:(MTLGPUFamily)family {
  return family == MTLGPUFamilyMetal3 ? played.metal3 : family <= MTLGPUFamilyApple7;  // of an M1
}
- (NSUInteger)maxBufferLength {
  return played.memory_bytes / 2;
}
- (uint64_t)recommendedMaxWorkingSetSize {
  return played.memory_bytes;
}
- (id<MTLCommandQueue>)newCommandQueue {
  return [[FakeQueue alloc] initWithDevice:self];
}
- (id<MTLBuffer>)newBufferWithLength:(NSUInteger)length options:(MTLResourceOptions)options {
  if (length == 0 || length > self.maxBufferLength) return violate("a buffer of " + std::to_string(length) + " bytes"), nil;
  void* at = nullptr;
  if (posix_memalign(&at, PAGE_BYTES, length) != 0) return nil;
  memset(at, 0, length);
  FakeBuffer* buffer = [FakeBuffer new];
  buffer->at_ = at;
  buffer->length_ = length;
  buffer->owns_ = true;
  (void)options;
  [buffer enter];
  return buffer;
}
- (id<MTLBuffer>)newBufferWithBytesNoCopy:(void*)pointer
                                   length:(NSUInteger)length
                                  options:(MTLResourceOptions)options
                              deallocator:(void (^)(void*, NSUInteger))deallocator {
  if (reinterpret_cast<uintptr_t>(pointer) % PAGE_BYTES != 0) return violate("memory without a copy that does not begin with a page"), nil;
  if (length == 0 || length % PAGE_BYTES != 0) return violate("memory without a copy of " + std::to_string(length) + " bytes, which are no whole pages"), nil;
  if ((options & MTLResourceStorageModePrivate) != 0) return violate("memory without a copy that is private"), nil;
  FakeBuffer* buffer = [FakeBuffer new];
  buffer->at_ = pointer;
  buffer->length_ = length;
  if (deallocator != nullptr) buffer->deallocator_ = Block_copy(deallocator);
  [buffer enter];
  return buffer;
}
- (id<MTLLibrary>)newLibraryWithSource:(NSString*)source options:(MTLCompileOptions*)options error:(NSError**)error {
  if (options.languageVersion != MTLLanguageVersion3_2) violate("a text that is compiled without a version of its language");
  std::string wrong;
  std::shared_ptr<MslModule> module = compile_or_say(source.UTF8String, *options_, wrong);
  if (module == nullptr) {
    if (error != nullptr) *error = [NSError errorWithText:wrong.c_str() code:COMPILE_FAILURE domain:LIBRARY_ERRORS];
    return nil;
  }
  FakeLibrary* library = [FakeLibrary new];
  library->module_ = new std::shared_ptr<MslModule>(std::move(module));
  return library;
}
- (id<MTLComputePipelineState>)newComputePipelineStateWithFunction:(id<MTLFunction>)function error:(NSError**)error {
  if (function == nil) return violate("a pipeline of no function"), nil;
  FakePipeline* pipeline = [FakePipeline new];
  pipeline->function_ = [static_cast<FakeFunction*>(function) retain];
  (void)error;
  return pipeline;
}
- (id<MTLBinaryArchive>)newBinaryArchiveWithDescriptor:(MTLBinaryArchiveDescriptor*)descriptor error:(NSError**)error {
  return new_archive(descriptor, error);
}
- (id<MTLComputePipelineState>)newComputePipelineStateWithDescriptor:(MTLComputePipelineDescriptor*)descriptor
                                                             options:(MTLPipelineOption)options
                                                          reflection:(MTLAutoreleasedComputePipelineReflection*)reflection
                                                               error:(NSError**)error {
  if (reflection != nullptr) *reflection = nil;
  return may_make_pipeline(descriptor, options, error) ? [self newComputePipelineStateWithFunction:descriptor.computeFunction error:error] : nil;
}
- (id<MTLResidencySet>)newResidencySetWithDescriptor:(MTLResidencySetDescriptor*)descriptor error:(NSError**)error {
  (void)descriptor, (void)error;
  return [FakeResidencySet new];
}
- (id<MTLSharedEvent>)newSharedEvent {
  return [FakeEvent new];
}
- (id<MTLIOCommandQueue>)newIOCommandQueueWithDescriptor:(MTLIOCommandQueueDescriptor*)descriptor error:(NSError**)error {
  return new_io_queue(descriptor, error);
}
- (id<MTLIOFileHandle>)newIOFileHandleWithURL:(NSURL*)url error:(NSError**)error {
  return open_plain_file(url, error);
}
- (id<MTLIOFileHandle>)newIOFileHandleWithURL:(NSURL*)url compressionMethod:(MTLIOCompressionMethod)method error:(NSError**)error {
  return open_compressed_file(url, method, error);
}
- (void)dealloc {
  delete executor_;
  delete options_;
  [super dealloc];
}
@end

extern "C" id<MTLDevice> MTLCreateSystemDefaultDevice(void) { return played.has_device ? [FakeDevice new] : nil; }
