// loads_device: the payload by loads from coherent(device).
#include <metal_stdlib>
#include "metal_self_test/words.h"
#include "metal_self_test/public_access.h"
#define SELF_TEST_SHARED coherent(device) device
#include "metal_self_test/look.h"
