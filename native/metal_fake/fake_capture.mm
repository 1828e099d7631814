// Captures of the fake Metal: a file that says that there was one.
#include "fake.h"

#include <objc/runtime.h>

#include <cstdlib>
#include <fstream>

using namespace warpfs::metal_fake;

@implementation MTLCaptureDescriptor
@synthesize captureObject = captureObject_, destination = destination_, outputURL = outputURL_;
- (void)dealloc {
  [captureObject_ release];
  [outputURL_ release];
  [super dealloc];
}
@end

@implementation MTLCaptureManager
+ (MTLCaptureManager*)sharedCaptureManager {
  static MTLCaptureManager* const manager = class_createInstance(self, 0);  // as long as the process; not counted among the objects
  return manager;
}
- (BOOL)supportsDestination:(MTLCaptureDestination)destination {
  return destination == MTLCaptureDestinationGPUTraceDocument && getenv("METAL_CAPTURE_ENABLED") != nullptr;
}
- (BOOL)startCaptureWithDescriptor:(MTLCaptureDescriptor*)descriptor error:(NSError**)error {
  if (running_ != nil) return violate("a capture beside another one"), NO;
  if (descriptor.captureObject == nil) return violate("a capture of nothing"), NO;
  std::ofstream file(descriptor.outputURL.path.UTF8String);
  file << "capture of the fake Metal\n";
  file.close();
  if (!file) {
    if (error != nullptr) *error = [NSError errorWithText:"the file cannot be written" code:1 domain:"MTLCaptureErrorDomain"];
    return NO;
  }
  running_ = [descriptor.outputURL retain];
  return YES;
}
- (void)stopCapture {
  if (running_ == nil) return violate("the end of a capture that never began");
  std::ofstream(running_.path.UTF8String, std::ios::app) << "ended\n";
  [running_ release];
  running_ = nil;
}
@end
