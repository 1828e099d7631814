// Words of 64 bits that one side writes and the other reads, all of whose bytes are 0 or all 255: what is neither was torn. Each thread has a word of its own,
// far from the others. SELF_TEST_SHARED is what the words are reached through.
#pragma once

kernel void tear_read(device uint* words [[buffer(0)]], device ulong* payload [[buffer(1)]], constant self_test::Launch& launch [[buffer(2)]],
                      uint index [[thread_index_in_threadgroup]]) {
  const SELF_TEST_SHARED ulong* const own = (const SELF_TEST_SHARED ulong*)(payload + index * 32u);
  ulong before = *own;
  uint reads = 0u, changes = 0u, torn = 0u;
  while (reads < launch.polls) {
    const ulong now = *own;
    if (now != 0ul && now != ~0ul) torn++;
    if (now != before) changes++;
    before = now;
    reads++;
    if ((reads & 63u) != 0u) continue;
    word_fence();
    if (word_load(words + self_test::Word::STOP) != 0u) break;
  }
  word_add(words + self_test::Word::READS, reads);
  word_add(words + self_test::Word::CHANGES, changes);
  word_add(words + self_test::Word::TORN, torn);
}

kernel void tear_write(device uint* words [[buffer(0)]], device ulong* payload [[buffer(1)]], constant self_test::Launch& launch [[buffer(2)]],
                       uint index [[thread_index_in_threadgroup]]) {
  SELF_TEST_SHARED ulong* const own = (SELF_TEST_SHARED ulong*)(payload + index * 32u);
  for (uint turn = 0u; turn < launch.polls; turn++) {
    *own = (turn & 1u) != 0u ? ~0ul : 0ul;
    if ((turn & 63u) != 0u) continue;
    word_fence();
    if (word_load(words + self_test::Word::STOP) != 0u) break;
  }
}
