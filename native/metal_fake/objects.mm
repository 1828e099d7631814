#include "objects.h"

#include <objc/runtime.h>

#include <cstring>
#include <map>
#include <mutex>
#include <utility>

namespace warpfs::metal_fake {

namespace {

struct Books {
  std::mutex mutex;
  std::vector<std::string> violations;
  std::map<std::string, size_t> live;
};
Books& books() {
  static Books* const books = new Books;  // objects may outlive every static
  return *books;
}

void count_object(const char* name, bool made) {
  const std::lock_guard lock(books().mutex);
  if (made) {
    books().live[name]++;
  } else if (--books().live[name] == 0) {
    books().live.erase(name);
  }
}

thread_local std::vector<id> autoreleased;
thread_local size_t pools = 0;

}  // namespace

void violate(const std::string& what) {
  const std::lock_guard lock(books().mutex);
  books().violations.push_back(what);
}

std::vector<std::string> take_violations() {
  const std::lock_guard lock(books().mutex);
  return std::exchange(books().violations, {});
}

std::string live_objects() {
  const std::lock_guard lock(books().mutex);
  std::string text;
  for (const auto& [name, count] : books().live) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + name;
  return text;
}

}  // namespace warpfs::metal_fake

using namespace warpfs::metal_fake;

// Freed objects keep their memory, and the count 0: a message to one of them is found here or does no harm.
@implementation NSObject
+ (instancetype)alloc {
  NSObject* object = class_createInstance(static_cast<Class>(self), 0);
  object->references_ = 1;
  count_object(class_getName(static_cast<Class>(self)), true);
  return object;
}
+ (instancetype)new {
  return [[self alloc] init];
}
- (instancetype)init {
  return self;
}
- (BOOL)isEqual:(id)object {
  return self == object;
}
- (instancetype)retain {
  if (__atomic_fetch_add(&references_, 1, __ATOMIC_ACQ_REL) == 0) violate(std::string("retain of a freed ") + object_getClassName(self));
  return self;
}
- (oneway void)release {
  NSUInteger references = __atomic_load_n(&references_, __ATOMIC_ACQUIRE);
  do {
    if (references == 0) return violate(std::string("release of a freed ") + object_getClassName(self));
  } while (!__atomic_compare_exchange_n(&references_, &references, references - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
  if (references == 1) [self dealloc];
}
- (instancetype)autorelease {
  if (pools == 0) violate(std::string("autorelease of a ") + object_getClassName(self) + " outside of every pool");
  else autoreleased.push_back(self);
  return self;
}
- (NSUInteger)retainCount {
  return __atomic_load_n(&references_, __ATOMIC_ACQUIRE);
}
- (void)dealloc {
  count_object(object_getClassName(self), false);
}
@end

@implementation NSAutoreleasePool
- (instancetype)init {
  begin_ = autoreleased.size();
  pools++;
  return self;
}
- (void)drain {
  [self release];
}
- (void)dealloc {
  while (autoreleased.size() > begin_) {
    const id object = autoreleased.back();
    autoreleased.pop_back();
    [object release];
  }
  pools--;
  [super dealloc];
}
@end

@implementation NSString
+ (instancetype)stringWithUTF8String:(const char*)text {
  return [[[self alloc] initWithUTF8String:text] autorelease];
}
- (instancetype)initWithUTF8String:(const char*)text {
  text_ = strdup(text);
  return self;
}
- (const char*)UTF8String {
  return text_;
}
- (NSUInteger)length {
  return strlen(text_);
}
- (BOOL)isEqual:(id)object {
  return strcmp(text_, [static_cast<NSString*>(object) UTF8String]) == 0;
}
- (void)dealloc {
  free(text_);
  [super dealloc];
}
@end

@implementation NSError
- (NSString*)domain {
  return domain_;
}
- (NSInteger)code {
  return code_;
}
- (NSString*)localizedDescription {
  return description_;
}
- (void)dealloc {
  [domain_ release];
  [description_ release];
  [super dealloc];
}
@end

@implementation NSError (Fake)
+ (NSError*)errorWithText:(const char*)text code:(NSInteger)code domain:(const char*)domain {
  NSError* error = [[self alloc] init];
  error->domain_ = [[NSString alloc] initWithUTF8String:domain];
  error->description_ = [[NSString alloc] initWithUTF8String:text];
  error->code_ = code;
  return [error autorelease];
}
@end

@implementation NSArray
+ (instancetype)arrayWithObject:(id)object {
  NSArray* array = [[self alloc] init];
  array->objects_ = new id[1]{[object retain]};
  array->count_ = 1;
  return [array autorelease];
}
- (NSUInteger)count {
  return count_;
}
- (id)objectAtIndex:(NSUInteger)index {
  return index < count_ ? objects_[index] : (violate("an index behind the end of an array"), nil);
}
- (void)dealloc {
  for (NSUInteger i = 0; i < count_; i++) [objects_[i] release];
  delete[] objects_;
  [super dealloc];
}
@end

@implementation NSURL
+ (NSURL*)fileURLWithPath:(NSString*)path {
  NSURL* url = [[self alloc] init];
  url->path_ = [path retain];
  return [url autorelease];
}
- (NSString*)path {
  return path_;
}
- (void)dealloc {
  [path_ release];
  [super dealloc];
}
@end
