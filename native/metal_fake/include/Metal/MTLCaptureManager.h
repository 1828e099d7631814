// Captures for Xcode, by Apple's documentation.
#pragma once
#import <Foundation/Foundation.h>

typedef enum MTLCaptureDestination : NSInteger { MTLCaptureDestinationDeveloperTools = 1, MTLCaptureDestinationGPUTraceDocument = 2 } MTLCaptureDestination;

@interface MTLCaptureDescriptor : NSObject {
  id captureObject_;
  MTLCaptureDestination destination_;
  NSURL* outputURL_;
}
@property(retain) id captureObject;
@property MTLCaptureDestination destination;
@property(retain) NSURL* outputURL;
@end

@interface MTLCaptureManager : NSObject {
  NSURL* running_;
}
+ (MTLCaptureManager*)sharedCaptureManager;
- (BOOL)supportsDestination:(MTLCaptureDestination)destination;
- (BOOL)startCaptureWithDescriptor:(MTLCaptureDescriptor*)descriptor error:(NSError**)error;
- (void)stopCapture;
@end
