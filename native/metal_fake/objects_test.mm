// The fake Foundation keeps the rules of ownership, and tells who breaks them.
#include "objects.h"

#include "../host/cpu/test_check.h"

#include <cstring>
#include <thread>

using namespace warpfs::metal_fake;

namespace {

void test_objects_live_until_their_last_release() {
  NSString* text = [[NSString alloc] initWithUTF8String:"a path"];
  CHECK(live_objects() == "1 NSString" && [text retainCount] == 1);
  [text retain];
  [text release];
  CHECK(live_objects() == "1 NSString" && strcmp([text UTF8String], "a path") == 0 && text.length == 6);
  [text release];
  CHECK(live_objects().empty() && take_violations().empty());
}

void test_pools_release_what_was_made_in_them() {
  @autoreleasepool {
    NSURL* kept = nil;
    @autoreleasepool {
      NSString* path = [NSString stringWithUTF8String:"/tmp/x"];
      kept = [[NSURL fileURLWithPath:path] retain];
      CHECK(live_objects() == "2 NSAutoreleasePool, 1 NSString, 1 NSURL");
    }
    CHECK(live_objects() == "1 NSAutoreleasePool, 1 NSString, 1 NSURL");  // the url has the string
    [kept autorelease];
  }
  CHECK(live_objects().empty() && take_violations().empty());
}

void test_a_release_too_many_is_told() {
  NSString* text = [[NSString alloc] initWithUTF8String:"x"];
  [text release];
  [text release];
  CHECK(take_violations() == std::vector<std::string>{"release of a freed NSString"});
  [text retain];
  CHECK(take_violations() == std::vector<std::string>{"retain of a freed NSString"});
}

void test_a_release_too_few_is_seen() {
  NSURL* url = nil;
  @autoreleasepool {
    url = [[NSURL fileURLWithPath:[NSString stringWithUTF8String:"/"]] retain];
  }
  CHECK(live_objects() == "1 NSString, 1 NSURL");
  [url release];
  CHECK(live_objects().empty());
}

void test_autorelease_without_a_pool_is_told() {
  NSString* text = [[NSString alloc] initWithUTF8String:"x"];
  [text autorelease];
  CHECK(take_violations() == std::vector<std::string>{"autorelease of a NSString outside of every pool"});
  [text release];
}

void test_each_thread_has_pools_of_its_own() {
  @autoreleasepool {
    NSString* here = [NSString stringWithUTF8String:"here"];
    std::thread([here] {
      @autoreleasepool {
        [[here retain] autorelease];
      }
      [[here retain] autorelease];
      CHECK(take_violations().size() == 1);
      [here release];
    }).join();
    CHECK([here retainCount] == 1);
  }
  CHECK(live_objects().empty());
}

void test_errors_say_what_went_wrong() {
  @autoreleasepool {
    NSError* error = [NSError errorWithText:"timed out" code:2 domain:"MTLCommandBufferErrorDomain"];
    CHECK(error.code == 2 && strcmp(error.localizedDescription.UTF8String, "timed out") == 0);
    CHECK([error.domain isEqual:[NSString stringWithUTF8String:"MTLCommandBufferErrorDomain"]]);
  }
  CHECK(live_objects().empty());
}

}  // namespace

int main() {
  RUN_TEST(test_objects_live_until_their_last_release);
  RUN_TEST(test_pools_release_what_was_made_in_them);
  RUN_TEST(test_a_release_too_many_is_told);
  RUN_TEST(test_a_release_too_few_is_seen);
  RUN_TEST(test_autorelease_without_a_pool_is_told);
  RUN_TEST(test_each_thread_has_pools_of_its_own);
  RUN_TEST(test_errors_say_what_went_wrong);
  return 0;
}
