// Pipelines that the fake Metal keeps in files: the names of their functions and what their texts are, one in a line.
#include "fake.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

using namespace warpfs::metal_fake;

namespace {

std::atomic<uint32_t> compiled{0};
constexpr const char* ARCHIVE_ERRORS = "MTLBinaryArchiveDomain";
constexpr const char* FIRST_LINE = "archive of the fake Metal";

std::string line_of(MTLComputePipelineDescriptor* descriptor) {
  const FakeFunction* function = static_cast<FakeFunction*>(descriptor.computeFunction);
  return std::string(function->name_.UTF8String) + " " + (*function->module_)->key();
}

}  // namespace

namespace warpfs::metal_fake {
std::atomic<uint32_t>& pipelines_compiled() { return compiled; }
}  // namespace warpfs::metal_fake

@interface FakeArchive : NSObject <MTLBinaryArchive> {
 @public
  std::vector<std::string>* lines_;
}
@end

@implementation FakeArchive
- (BOOL)addComputePipelineFunctionsWithDescriptor:(MTLComputePipelineDescriptor*)descriptor error:(NSError**)error {
  (void)error;
  lines_->push_back(line_of(descriptor));
  return YES;
}
- (BOOL)serializeToURL:(NSURL*)url error:(NSError**)error {
  std::ofstream file(url.path.UTF8String);
  file << FIRST_LINE << "\n";
  for (const std::string& line : *lines_) file << line << "\n";
  file.close();
  if (lines_->empty()) violate("an archive of nothing is written");
  if (file && !lines_->empty()) return YES;
  if (error != nullptr) *error = [NSError errorWithText:"the archive cannot be written" code:1 domain:ARCHIVE_ERRORS];
  return NO;
}
- (void)dealloc {
  delete lines_;
  [super dealloc];
}
@end

@implementation MTLBinaryArchiveDescriptor
@synthesize url = url_;
- (void)dealloc {
  [url_ release];
  [super dealloc];
}
@end

@implementation MTLComputePipelineDescriptor
@synthesize computeFunction = computeFunction_, binaryArchives = binaryArchives_;
- (void)dealloc {
  [computeFunction_ release];
  [binaryArchives_ release];
  [super dealloc];
}
@end

namespace warpfs::metal_fake {

id<MTLBinaryArchive> new_archive(MTLBinaryArchiveDescriptor* descriptor, NSError** error) {
  FakeArchive* archive = [FakeArchive new];
  archive->lines_ = new std::vector<std::string>;
  if (descriptor.url == nil) return archive;
  std::ifstream file(descriptor.url.path.UTF8String);
  std::string line;
  if (!std::getline(file, line) || line != FIRST_LINE) {
    [archive release];
    if (error != nullptr) *error = [NSError errorWithText:"this is no archive of this GPU" code:1 domain:ARCHIVE_ERRORS];
    return nil;
  }
  while (std::getline(file, line)) archive->lines_->push_back(line);
  return archive;
}

bool may_make_pipeline(MTLComputePipelineDescriptor* descriptor, MTLPipelineOption options, NSError** error) {
  for (NSUInteger i = 0; i < descriptor.binaryArchives.count; i++) {
    const std::vector<std::string>& lines = *static_cast<FakeArchive*>([descriptor.binaryArchives objectAtIndex:i])->lines_;
    if (std::find(lines.begin(), lines.end(), line_of(descriptor)) != lines.end()) return true;
  }
  if ((options & MTLPipelineOptionFailOnBinaryArchiveMiss) == 0) return ++compiled, true;
  if (error != nullptr) *error = [NSError errorWithText:"no archive has it" code:2 domain:ARCHIVE_ERRORS];
  return false;
}

}  // namespace warpfs::metal_fake
