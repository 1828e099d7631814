#include "archive.h"

#include <cstdio>
#include <filesystem>
#include <unistd.h>

namespace warpfs::metal {

namespace {

NSURL* url_of(const std::string& path) { return [NSURL fileURLWithPath:string_of(path.c_str())]; }

id<MTLBinaryArchive> new_archive(id<MTLDevice> device, NSURL* url) {
  const Held<MTLBinaryArchiveDescriptor*> descriptor([MTLBinaryArchiveDescriptor new]);
  descriptor.get().url = url;
  return [device newBinaryArchiveWithDescriptor:descriptor.get() error:nullptr];
}

}  // namespace

Archive::Archive(Context& context, const std::string& text) : context_(context), path_(text + ".archive") {
  const Pool pool;
  std::error_code ignored;
  if (std::filesystem::exists(path_, ignored)) archive_ = Held<id<MTLBinaryArchive>>(new_archive(context.device(), url_of(path_)));
  if (!archive_) archive_ = Held<id<MTLBinaryArchive>>(new_archive(context.device(), nil));
}

id<MTLComputePipelineState> Archive::new_pipeline(id<MTLFunction> function, NSError** error) {
  const Held<MTLComputePipelineDescriptor*> descriptor([MTLComputePipelineDescriptor new]);
  descriptor.get().computeFunction = function;
  if (archive_) {
    descriptor.get().binaryArchives = [NSArray arrayWithObject:archive_.get()];
    id<MTLComputePipelineState> found = [context_.device() newComputePipelineStateWithDescriptor:descriptor.get()
                                                                                        options:MTLPipelineOptionFailOnBinaryArchiveMiss
                                                                                     reflection:nullptr
                                                                                          error:nullptr];
    if (found != nil) return found;
  }
  id<MTLComputePipelineState> made = [context_.device() newComputePipelineStateWithDescriptor:descriptor.get() options:MTLPipelineOptionNone reflection:nullptr error:error];
  if (made != nil && archive_) keep(descriptor.get());
  return made;
}

/// Whole or not at all: another process may be reading it, or keeping its own.
void Archive::keep(MTLComputePipelineDescriptor* descriptor) {
  if (![archive_.get() addComputePipelineFunctionsWithDescriptor:descriptor error:nullptr]) return;
  const std::string written = path_ + "." + std::to_string(getpid());
  if ([archive_.get() serializeToURL:url_of(written) error:nullptr]) std::rename(written.c_str(), path_.c_str());
  else std::remove(written.c_str());
}

}  // namespace warpfs::metal
