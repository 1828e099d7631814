// Texts of Metal Shading Language, compiled when they are first asked for.
#pragma once
#include "archive.h"
#include "context.h"

#include <map>
#include <string>

namespace warpfs::metal {

class Kernels {
 public:
  explicit Kernels(Context& context) : context_(context) {}
  /// The kernel `name` of the text in the file `path`. Throws HostError: with code ERR_WARPFS_COMPILE the message is what the compiler says.
  id<MTLComputePipelineState> find(const std::string& path, const char* name);

 private:
  id<MTLLibrary> library(const std::string& path);

  Context& context_;
  std::map<std::string, Archive> archives_;  // by the path of the text, as the next
  std::map<std::string, Held<id<MTLLibrary>>> libraries_;
  std::map<std::string, Held<id<MTLComputePipelineState>>> pipelines_;
};

}  // namespace warpfs::metal
