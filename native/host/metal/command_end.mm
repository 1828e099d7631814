#include "command_end.h"

namespace warpfs::metal {

namespace {

constexpr NSInteger IMPACTING_INTERACTIVITY = 14;  // undocumented, and seen where a GPU draws the screen

struct Meaning {
  NSInteger code;
  const char* text;
  bool took_too_long, for_good;
};

constexpr Meaning MEANINGS[] = {
    {MTLCommandBufferErrorTimeout, "it took longer than the system allows (Timeout)", true, false},
    {IMPACTING_INTERACTIVITY, "it kept the GPU from drawing the screen (ImpactingInteractivity)", true, false},
    {MTLCommandBufferErrorPageFault, "a kernel touched memory that is not its own (PageFault)", false, false},
    {MTLCommandBufferErrorAccessRevoked, "the system has revoked this process's access to the GPU after earlier errors (AccessRevoked, SubmissionsIgnored): start a new process", false, true},
    {MTLCommandBufferErrorNotPermitted, "this process may not use the GPU, as one in the background may not (NotPermitted)", false, false},
    {MTLCommandBufferErrorOutOfMemory, "the GPU has no memory left for it (OutOfMemory)", false, false},
    {MTLCommandBufferErrorInvalidResource, "memory that it needs is gone (InvalidResource)", false, false},
    {MTLCommandBufferErrorDeviceRemoved, "the GPU was removed (DeviceRemoved)", false, true},
    {MTLCommandBufferErrorStackOverflow, "a kernel ran out of its stack (StackOverflow)", false, false},
};

}  // namespace

CommandEnd end_of(id<MTLCommandBuffer> commands) {
  CommandEnd end;
  end.seconds = commands.GPUEndTime - commands.GPUStartTime;
  if (commands.status != MTLCommandBufferStatusError) return end;
  end.ended_well = false;
  NSError* const error = commands.error;
  const NSInteger code = error == nil ? 0 : error.code;
  end.text = "Metal ended a command buffer";
  for (const Meaning& meaning : MEANINGS) {
    if (meaning.code != code) continue;
    end.text += std::string(": ") + meaning.text;
    end.took_too_long = meaning.took_too_long;
    end.for_good = meaning.for_good;
  }
  end.text += ": " + text_of(error) + " (code " + std::to_string(code) + ")";
  return end;
}

}  // namespace warpfs::metal
