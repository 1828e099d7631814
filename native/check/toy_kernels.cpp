// Compiled with -fsanitize=thread, like all kernels of check mode.
#include "toy_kernels.h"

namespace warpfs::toys {

namespace {

constexpr uint READY = 1, BUSY = 2;
constexpr uint PADDING = 20;

uint* words_of(void* memory) { return static_cast<uint*>(memory); }

/// Accesses that nobody else can see.
void pad() {
  [[maybe_unused]] volatile uint own[PADDING];
  for (uint index = 0; index < PADDING; index++) own[index] = index;
}

uint tag_of(uint word) { return word >> 16; }
uint state_of(uint word) { return word >> 8 & 255; }

/// Takes the line where it still is as it was at the start, and nobody has it pinned.
void evict(uint* words, bool with_release) {
  uint word = LINE_START;
  const uint tag = tag_of(word) + 1;
  if (!atomic_cas(&words[LINE_WORD], word, tag << 16 | BUSY << 8)) return;
  fence_acquire();
  words[LINE_DATA] = tag;
  if (with_release) fence_release();
  atomic_store(&words[LINE_WORD], tag << 16 | READY << 8);
}

void unpin(uint* words) {
  fence_release();
  atomic_sub(&words[LINE_WORD], 1);
}

uint pop(uint* words) {
  uint head = atomic_load(&words[0]);
  while (head != 0) {
    const uint next = atomic_load(&words[head]);
    pad();
    if (atomic_cas(&words[0], head, next)) {
      atomic_add(&words[STACK_TAKEN + head], 1);
      return head;
    }
  }
  return 0;
}

void push(uint* words, uint node) {
  atomic_sub(&words[STACK_TAKEN + node], 1);
  uint head = atomic_load(&words[0]);
  do {
    atomic_store(&words[node], head);
  } while (!atomic_cas(&words[0], head, node));
}

void wait_for(Lane& lane, uint* word) {
  WaitBound bound;
  wait_begin(bound, ~0u, 0);
  while (atomic_load(word) == 0) wait_pause(lane, bound);
}

}  // namespace

// ---- The toy line protocol.

template <bool RELEASES>
void line_protocol(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  if (id.item == 1) return evict(words, RELEASES);
  uint word = atomic_load(&words[LINE_WORD]);
  fence_acquire();
  if (state_of(word) != READY) return;
  if (!atomic_cas(&words[LINE_WORD], word, word + 1)) return;
  fence_acquire();
  const uint data = words[LINE_DATA];
  unpin(words);
  if (data != tag_of(word)) atomic_add(&words[LINE_WRONG], 1);
}
template void line_protocol<false>(Lane&, const WarpId&, void*);
template void line_protocol<true>(Lane&, const WarpId&, void*);

// ---- The four classic bugs.

template <bool FAR>
void bug_ordering(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  if (id.item == 0) {
    if (!FAR) pad();
    return atomic_store(&words[0], 1);
  }
  pad();
  for (uint index = 0; FAR && index < PADDING; index++) atomic_add(&words[2], 1);
  if (atomic_load(&words[0]) == 0) atomic_store(&words[1], 1);
}
template void bug_ordering<false>(Lane&, const WarpId&, void*);
template void bug_ordering<true>(Lane&, const WarpId&, void*);

void bug_check_then_pin(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  if (id.item == 1) {
    pad();
    return evict(words, true);
  }
  pad();
  const uint word = atomic_load(&words[LINE_WORD]);
  fence_acquire();
  if (state_of(word) != READY) return;
  pad();
  atomic_add(&words[LINE_WORD], 1);
  fence_acquire();
  const uint data = words[LINE_DATA];
  unpin(words);
  if (data != tag_of(word)) atomic_add(&words[LINE_WRONG], 1);
}

void bug_stack_aba(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  pad();
  if (id.item == 0) {
    pop(words);
    return;
  }
  const uint first = pop(words);
  pop(words);
  if (first != 0) push(words, first);
}

void bug_lost_dirty(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  pad();
  if (id.item == 0) {
    atomic_store(&words[DIRTY_DATA], 2);
    fence_release();
    atomic_or(&words[DIRTY_BIT], 1);
    return;
  }
  const uint data = atomic_load(&words[DIRTY_DATA]);
  pad();
  words[DIRTY_DISK] = data;
  pad();
  atomic_and(&words[DIRTY_BIT], 0);
}

// ---- Many threads.

void increment(Lane&, const WarpId&, void* memory) { atomic_add(words_of(memory), 1); }

template <bool ALL_BARRIERS>
void group_reduce(Lane& lane, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  uint* shared = reinterpret_cast<uint*>(group_memory(lane));
  shared[lane.index] = words[REDUCE_INPUT + id.item * lane.count + lane.index];
  group_barrier(lane);
  for (uint stride = lane.count >> 1; stride != 0; stride >>= 1) {
    if (lane.index < stride) shared[lane.index] += shared[lane.index + stride];
    if (ALL_BARRIERS || stride != 2) group_barrier(lane);
  }
  if (lane.index == 0) words[id.item] = shared[0];
}
template void group_reduce<false>(Lane&, const WarpId&, void*);
template void group_reduce<true>(Lane&, const WarpId&, void*);

void group_exchange(Lane& lane, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  uint* shared = reinterpret_cast<uint*>(group_memory(lane));
  const uint own = id.item % 2 * lane.count + lane.index;
  shared[own] = own + 1;
  group_barrier(lane);
  words[id.item * lane.count + lane.index] = shared[2 * lane.count - 1 - own];
}

// ---- Things that must be found.

void waits_for_ever(Lane& lane, const WarpId&, void* memory) { wait_for(lane, words_of(memory)); }

void spins_on_sibling(Lane& lane, const WarpId&, void* memory) {
  uint* words = words_of(memory);
  if (lane.index == 0) {
    while (atomic_load(words) == 0) {}
  }
  if (lane.index == lane.count - 1) atomic_store(words, 1);
}

void waits_for_last_warp(Lane& lane, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  atomic_add(&words[1], 1);
  if (id.item == 0) wait_for(lane, words);
  else atomic_store(words, 1);
}

void waits_for_first_warp(Lane& lane, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  atomic_add(&words[1], 1);
  if (id.item != 0) wait_for(lane, words);
  else atomic_store(words, 1);
}

void reads_beyond(Lane&, const WarpId&, void* memory) {
  uint* words = words_of(memory);
  const uint count = words[0];
  words[0] = words[count];
}

void disagrees(Lane& lane, const WarpId&, void*) {
  ulong first, other, of_leader = 0;
  warp_uniform(lane, lane.index == lane.count - 1 ? 7 : 5, first, other, of_leader);
}

void heir_reads(Lane&, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  if (id.item == 1) {
    words[0] = 1;
    fence_release();
    atomic_store(&words[1], 1);
    for (uint index = 0; index < PADDING; index++) atomic_add(&words[2], 1);
  } else if (id.item == 0) {
    atomic_load(&words[1]);
    fence_acquire();
  } else {
    words[3] = words[0];
  }
}

void heir_is_told(Lane& lane, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  if (id.item == 0) {
    words[0] = 1;
    fence_release();
    atomic_store(&words[1], 1);
  } else if (id.item == 1) {
    wait_for(lane, &words[1]);
    wait_for(lane, &words[2]);
    fence_acquire();
    fence_release();
    atomic_store(&words[3], 1);
  } else {
    fence_release();
    atomic_store(&words[2], 1);
    wait_for(lane, &words[3]);
    fence_acquire();
    words[4] = words[0];
  }
}

template <bool ATOMIC>
void writes_what_all_read(Lane& lane, const WarpId& id, void* memory) {
  uint* words = words_of(memory);
  const uint own = 1 + id.item * lane.count + lane.index;
  if (id.item != 0) words[own] = words[0];
  else if (ATOMIC) atomic_store(&words[0], 1);
  else if (lane.index == 0) words[0] = 1;
}
template void writes_what_all_read<false>(Lane&, const WarpId&, void*);
template void writes_what_all_read<true>(Lane&, const WarpId&, void*);

template <bool SYNCS>
void hands_over(Lane& lane, const WarpId&, void* memory) {
  uint* words = words_of(memory);
  words[lane.index] = lane.index;
  if (SYNCS) warp_sync(lane);
  else lane.any(true);
  words[lane.count + lane.index] = words[lane.count - 1 - lane.index];
}
template void hands_over<false>(Lane&, const WarpId&, void*);
template void hands_over<true>(Lane&, const WarpId&, void*);

}  // namespace warpfs::toys
