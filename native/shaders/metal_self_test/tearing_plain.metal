// tearing_plain: words of 64 bits without a qualifier but volatile: a load that is left out tells nothing.
#include <metal_stdlib>
#include "metal_self_test/words.h"
#include "metal_self_test/public_access.h"
#define SELF_TEST_SHARED volatile device
#include "metal_self_test/tear.h"
