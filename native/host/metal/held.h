// One object of Objective-C that is ours to release: memory of objects is counted by hand, so that the same source runs where there is no other way.
#pragma once
#import <Foundation/Foundation.h>

#include <utility>

namespace warpfs::metal {

template <typename Object>
class Held {
 public:
  Held() = default;
  /// From a method whose name begins with new, alloc or copy: it was retained for us.
  explicit Held(Object owned) : object_(owned) {}
  /// Any other.
  static Held retained(Object object) { return Held([object retain]); }
  Held(Held&& other) noexcept : object_(std::exchange(other.object_, nil)) {}
  Held& operator=(Held&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Held() { [object_ release]; }

  /// It stays as it is until the process ends.
  void leave() { object_ = nil; }

  Object get() const { return object_; }
  explicit operator bool() const { return object_ != nil; }

 private:
  Object object_ = nil;
};

/// What methods give that do not make it ours is released at its end; an exception passes it, as it does not pass @autoreleasepool.
class Pool {
 public:
  Pool() : pool_([[NSAutoreleasePool alloc] init]) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() { [pool_ drain]; }

 private:
  NSAutoreleasePool* const pool_;
};

inline NSString* string_of(const char* text) { return [NSString stringWithUTF8String:text]; }

}  // namespace warpfs::metal
