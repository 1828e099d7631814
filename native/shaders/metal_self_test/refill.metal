// refill: `look` reads a payload and waits, `compare` counts what is stale in it, of whatever command buffer it is. All of it by plain loads.
#include <metal_stdlib>
#include "metal_self_test/words.h"
#include "metal_self_test/public_access.h"
#define SELF_TEST_SHARED device
#include "metal_self_test/look.h"

kernel void compare(device uint* words [[buffer(0)]], const device uint* payload [[buffer(1)]], constant self_test::Launch& launch [[buffer(2)]],
                    uint index [[thread_position_in_grid]]) {
  uint stale = 0u;
  for (uint i = index; i < launch.payload_words; i += launch.threads) stale += payload[i] != launch.value + i ? 1u : 0u;
  word_add(words + launch.result, stale);
}
