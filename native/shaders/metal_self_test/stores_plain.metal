// stores_plain: the payload by plain stores.
#include <metal_stdlib>
#include "metal_self_test/words.h"
#include "metal_self_test/public_access.h"
#define SELF_TEST_SHARED device
#include "metal_self_test/publish.h"
