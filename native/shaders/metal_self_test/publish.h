// From the gpu to the host: stores a payload and then a word, in the middle of a kernel that goes on. One threadgroup. SELF_TEST_SHARED is what the payload is
// stored through.
#pragma once

kernel void publish(device uint* words [[buffer(0)]], device uint* payload [[buffer(1)]], constant self_test::Launch& launch [[buffer(2)]],
                    uint index [[thread_index_in_threadgroup]]) {
  for (uint i = index; i < launch.payload_words; i += launch.threads) *(SELF_TEST_SHARED uint*)(payload + i) = launch.value + i;
  word_fence();
  metal::threadgroup_barrier(metal::mem_flags::mem_device);
  if (index != 0u) return;
  word_fence();
  word_store(words + self_test::Word::PUBLISHED, launch.value);
  for (uint poll = 0u; poll < launch.polls; poll++) {
    word_fence();
    if (word_load(words + self_test::Word::STOP) != 0u) return;
  }
}
