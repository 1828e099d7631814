// quantum: keeps each thread busy; the host says when it is enough, should it take too long.
#include <metal_stdlib>
#include "metal_self_test/words.h"
#include "metal_self_test/public_access.h"

kernel void keep_busy(device uint* words [[buffer(0)]], device uint* payload [[buffer(1)]], constant self_test::Launch& launch [[buffer(2)]],
                      uint index [[thread_position_in_grid]]) {
  uint mixed = index + launch.value;
  for (uint turn = 0u; turn < launch.polls; turn++) {
    mixed ^= mixed << 13;
    mixed ^= mixed >> 17;
    mixed ^= mixed << 5;
    if ((turn & 1023u) == 0u && word_load(words + self_test::Word::STOP) != 0u) break;
  }
  // No compiler knows what comes out, so none leaves the work out.
  if (mixed == launch.former) payload[0] = mixed;
}
