// How a command buffer ended, and what that means for the mount.
#pragma once
#include "context.h"

#include <string>

namespace warpfs::metal {

struct CommandEnd {
  bool ended_well = true;
  bool took_too_long = false;  // fewer items at once may do
  bool for_good = false;       // this process gets nothing from the GPU any more
  std::string text{};          // why
  double seconds = 0;          // on the GPU
};

/// Of one that has ended.
CommandEnd end_of(id<MTLCommandBuffer> commands);

}  // namespace warpfs::metal
