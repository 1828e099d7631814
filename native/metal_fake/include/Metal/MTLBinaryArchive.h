// Pipelines that are kept in a file, by Apple's documentation.
#pragma once
#import <Foundation/Foundation.h>

@protocol MTLFunction;

typedef enum MTLPipelineOption : NSUInteger { MTLPipelineOptionNone = 0, MTLPipelineOptionFailOnBinaryArchiveMiss = 1 << 2 } MTLPipelineOption;

@interface MTLComputePipelineDescriptor : NSObject {
  id<MTLFunction> computeFunction_;
  NSArray* binaryArchives_;
}
@property(retain) id<MTLFunction> computeFunction;
@property(retain) NSArray* binaryArchives;
@end

@interface MTLBinaryArchiveDescriptor : NSObject {
  NSURL* url_;
}
@property(retain) NSURL* url;
@end

@protocol MTLBinaryArchive <NSObject>
- (BOOL)addComputePipelineFunctionsWithDescriptor:(MTLComputePipelineDescriptor*)descriptor error:(NSError**)error;
- (BOOL)serializeToURL:(NSURL*)url error:(NSError**)error;
@end
