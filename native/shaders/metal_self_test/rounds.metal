// rounds: one word, which says that a kernel has run, and what it was given.
#include <metal_stdlib>
#include "metal_self_test/words.h"
#include "metal_self_test/public_access.h"

kernel void give_back(device uint* words [[buffer(0)]], const device uint* payload [[buffer(1)]], constant self_test::Launch& launch [[buffer(2)]],
                      uint index [[thread_position_in_grid]]) {
  if (index == 0u) word_store(words + launch.result, payload[0]);
}
