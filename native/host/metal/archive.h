// What the GPU's own compiler has made of a text, kept in a file beside it: the next process does not compile it again. Nothing rests on it: where the file is
// not there, or of another GPU or system, pipelines are compiled, and kept anew.
#pragma once
#include "context.h"

#include <string>

namespace warpfs::metal {

class Archive {
 public:
  /// `text`: path of the text.
  Archive(Context& context, const std::string& text);
  /// Found there, or compiled and kept. Null: `error` says why there is none.
  id<MTLComputePipelineState> new_pipeline(id<MTLFunction> function, NSError** error);

 private:
  void keep(MTLComputePipelineDescriptor* descriptor);

  Context& context_;
  const std::string path_;
  Held<id<MTLBinaryArchive>> archive_;  // null: nothing is kept
};

}  // namespace warpfs::metal
