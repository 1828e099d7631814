// Those parts of Metal that read files, by Apple's documentation: names, values and signatures alone.
#pragma once
#import <Foundation/Foundation.h>

typedef enum MTLIOPriority : NSInteger { MTLIOPriorityHigh = 0, MTLIOPriorityNormal = 1, MTLIOPriorityLow = 2 } MTLIOPriority;
typedef enum MTLIOCommandQueueType : NSInteger { MTLIOCommandQueueTypeConcurrent = 0, MTLIOCommandQueueTypeSerial = 1 } MTLIOCommandQueueType;
typedef enum MTLIOStatus : NSInteger { MTLIOStatusPending = 0, MTLIOStatusCancelled = 1, MTLIOStatusError = 2, MTLIOStatusComplete = 3 } MTLIOStatus;
typedef enum MTLIOError : NSInteger { MTLIOErrorURLInvalid = 1, MTLIOErrorInternal = 2 } MTLIOError;
typedef enum MTLIOCompressionMethod : NSInteger {
  MTLIOCompressionMethodZlib = 0,
  MTLIOCompressionMethodLZFSE = 1,
  MTLIOCompressionMethodLZ4 = 2,
  MTLIOCompressionMethodLZMA = 3,
  MTLIOCompressionMethodLZBitmap = 4,
} MTLIOCompressionMethod;
typedef enum MTLIOCompressionStatus : NSInteger { MTLIOCompressionStatusComplete = 0, MTLIOCompressionStatusError = 1 } MTLIOCompressionStatus;

@protocol MTLBuffer, MTLIOCommandBuffer;

@interface MTLIOCommandQueueDescriptor : NSObject {
  NSUInteger maxCommandBufferCount_, maxCommandsInFlight_;
  MTLIOPriority priority_;
  MTLIOCommandQueueType type_;
}
@property NSUInteger maxCommandBufferCount;
@property NSUInteger maxCommandsInFlight;
@property MTLIOPriority priority;
@property MTLIOCommandQueueType type;
@end

@protocol MTLIOFileHandle <NSObject>
@end

typedef void (^MTLIOCommandBufferHandler)(id<MTLIOCommandBuffer>);

@protocol MTLIOCommandBuffer <NSObject>
@property(readonly) MTLIOStatus status;
@property(readonly) NSError* error;
- (void)loadBytes:(void*)pointer size:(NSUInteger)size sourceHandle:(id<MTLIOFileHandle>)sourceHandle sourceHandleOffset:(NSUInteger)sourceHandleOffset;
- (void)loadBuffer:(id<MTLBuffer>)buffer
                offset:(NSUInteger)offset
                  size:(NSUInteger)size
          sourceHandle:(id<MTLIOFileHandle>)sourceHandle
    sourceHandleOffset:(NSUInteger)sourceHandleOffset;
- (void)addBarrier;
- (void)addCompletedHandler:(MTLIOCommandBufferHandler)block;
- (void)commit;
- (void)waitUntilCompleted;
- (void)tryCancel;
@end

@protocol MTLIOCommandQueue <NSObject>
- (id<MTLIOCommandBuffer>)commandBuffer;
@end

typedef void* MTLIOCompressionContext;
extern "C" size_t MTLIOCompressionContextDefaultChunkSize(void);
extern "C" MTLIOCompressionContext MTLIOCreateCompressionContext(const char* path, MTLIOCompressionMethod type, size_t chunkSize);
extern "C" void MTLIOCompressionContextAppendData(MTLIOCompressionContext context, const void* data, size_t size);
extern "C" MTLIOCompressionStatus MTLIOFlushAndDestroyCompressionContext(MTLIOCompressionContext context);
