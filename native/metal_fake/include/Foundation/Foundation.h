// Those parts of Foundation that the Metal device uses, by Apple's documentation: names and signatures alone. For tests on machines that are no Mac; on a Mac
// the real one is found.
#pragma once
#include <objc/objc.h>

#include <stddef.h>
#include <stdint.h>

typedef unsigned long NSUInteger;
typedef long NSInteger;

@class NSString;

@protocol NSObject
- (BOOL)isEqual:(id)object;
- (instancetype)retain;
- (oneway void)release;
- (instancetype)autorelease;
- (NSUInteger)retainCount;
@end

__attribute__((objc_root_class)) @interface NSObject <NSObject> {
  Class isa;
  NSUInteger references_;
}
+ (instancetype)alloc;
+ (instancetype)new;
- (instancetype)init;
- (void)dealloc;
@end

// Behind @autoreleasepool.
@interface NSAutoreleasePool : NSObject {
  size_t begin_;
}
- (void)drain;
@end

@interface NSString : NSObject {
  char* text_;
}
+ (instancetype)stringWithUTF8String:(const char*)text;
- (instancetype)initWithUTF8String:(const char*)text;
@property(readonly) const char* UTF8String;
@property(readonly) NSUInteger length;
@end

@interface NSError : NSObject {
  NSString *domain_, *description_;
  NSInteger code_;
}
@property(readonly) NSString* domain;
@property(readonly) NSInteger code;
@property(readonly) NSString* localizedDescription;
@end

typedef struct {
  NSInteger majorVersion, minorVersion, patchVersion;
} NSOperatingSystemVersion;

@interface NSProcessInfo : NSObject
+ (NSProcessInfo*)processInfo;
@property(readonly) NSOperatingSystemVersion operatingSystemVersion;
@end

@interface NSArray : NSObject {
  id* objects_;
  NSUInteger count_;
}
+ (instancetype)arrayWithObject:(id)object;
@property(readonly) NSUInteger count;
- (id)objectAtIndex:(NSUInteger)index;
@end

@interface NSURL : NSObject {
  NSString* path_;
}
+ (NSURL*)fileURLWithPath:(NSString*)path;
@property(readonly) NSString* path;
@end
