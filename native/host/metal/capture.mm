#include "capture.h"

#include "../abi_host.h"
#include "../host_error.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>

namespace warpfs::metal {

namespace {

constexpr const char* WANTED = "WARPFS_METAL_CAPTURE";
std::atomic<bool> was_captured{false};

[[noreturn]] void refuse(const std::string& file, const std::string& why) {
  was_captured = false;
  throw HostError(-Errno::einval, std::string(WANTED) + "=" + file + ": " + why);
}

}  // namespace

Capture::Capture(const Context& context) {
  const char* wanted = std::getenv(WANTED);
  if (wanted == nullptr || *wanted == 0 || was_captured.exchange(true)) return;
  const Pool pool;
  const std::string file = wanted;
  if (!file.ends_with(".gputrace")) refuse(file, "it does not end in .gputrace, which Xcode wants");
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) refuse(file, "it is there already");
  MTLCaptureManager* const manager = [MTLCaptureManager sharedCaptureManager];
  if (![manager supportsDestination:MTLCaptureDestinationGPUTraceDocument]) refuse(file, "this process may not capture: set METAL_CAPTURE_ENABLED=1 as well");
  const Held<MTLCaptureDescriptor*> descriptor([MTLCaptureDescriptor new]);
  descriptor.get().captureObject = context.queue();
  descriptor.get().destination = MTLCaptureDestinationGPUTraceDocument;
  descriptor.get().outputURL = [NSURL fileURLWithPath:string_of(file.c_str())];
  NSError* error = nil;
  if (![manager startCaptureWithDescriptor:descriptor.get() error:&error]) refuse(file, text_of(error));
  runs_ = true;
}

Capture::~Capture() {
  if (!runs_) return;
  const Pool pool;
  [[MTLCaptureManager sharedCaptureManager] stopCapture];
}

}  // namespace warpfs::metal
