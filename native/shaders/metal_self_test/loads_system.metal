// loads_system: the payload by private coherent(system) loads, behind fences of the system. A compiler may refuse it.
#include <metal_stdlib>
#include "metal_self_test/words.h"
#include "metal_self_test/system_access.h"
#define SELF_TEST_SHARED SELF_TEST_SYSTEM
#include "metal_self_test/look.h"
