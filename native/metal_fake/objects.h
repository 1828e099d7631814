// What stands behind the objects of the fake Foundation and Metal. It is strict where the real ones are silent: who breaks a rule of ownership hears of it.
#pragma once
#import <Foundation/Foundation.h>

#include <string>
#include <vector>

namespace warpfs::metal_fake {

/// Rules that were broken, in the order in which they were; emptied by the call.
std::vector<std::string> take_violations();
/// Something that the documentation forbids was done.
void violate(const std::string& what);

/// Objects that were made and not freed yet, by class: `3 FakeBuffer, 1 NSString`; empty: none.
std::string live_objects();

}  // namespace warpfs::metal_fake

@interface NSError (Fake)
+ (NSError*)errorWithText:(const char*)text code:(NSInteger)code domain:(const char*)domain;
@end
