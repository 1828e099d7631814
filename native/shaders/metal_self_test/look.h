// From the host to the gpu: reads the former payload, waits for a word, and counts what is stale in the payload that the host wrote before that word. One
// threadgroup. SELF_TEST_SHARED is what the payload is loaded through.
#pragma once

kernel void look(device uint* words [[buffer(0)]], device uint* payload [[buffer(1)]], constant self_test::Launch& launch [[buffer(2)]],
                 uint index [[thread_index_in_threadgroup]]) {
  // The host may already have begun to write the next one.
  uint wrong = 0u;
  for (uint i = index; i < launch.payload_words; i += launch.threads) {
    const uint word = *(const SELF_TEST_SHARED uint*)(payload + i);
    wrong += word != launch.former + i && word != launch.value + i ? 1u : 0u;
  }
  word_add(words + self_test::Word::FORMER, wrong);
  metal::threadgroup_barrier(metal::mem_flags::mem_device);
  if (index == 0u) {
    word_store(words + self_test::Word::READY, launch.value);
    for (uint poll = 0u; poll < launch.polls; poll++) {
      word_fence();
      if (word_load(words + self_test::Word::STOP) != 0u) break;
      if (word_load(words + self_test::Word::TOLD) != launch.value) continue;
      word_fence();
      word_store(words + self_test::Word::SEEN, launch.value);
      break;
    }
    word_fence();
  }
  metal::threadgroup_barrier(metal::mem_flags::mem_device);
  word_fence();
  if (word_load(words + self_test::Word::SEEN) != launch.value) return;
  uint stale = 0u;
  for (uint i = index; i < launch.payload_words; i += launch.threads) stale += *(const SELF_TEST_SHARED uint*)(payload + i) != launch.value + i ? 1u : 0u;
  word_add(words + self_test::Word::STALE, stale);
}
