// Check mode with the shaders as the cuda device has them: windows, hints, the calls in registers, and accesses of 8 and 16 bytes that are one
// step. What a kernel is compiled with here is defined by tsan_hooks.cpp and belongs to the engine. Include it behind cpu.h.
#pragma once
#if !defined(WARPFS_CPU_CHECKED)
#error "only kernels of check mode can be those of the cuda device on a processor"
#endif

#define WARPFS_WINDOWS 1
#define WARPFS_LOADS_16 1

extern "C" {
// `words` words as one access, from memory in which they are written in no other way.
void warpfs_check_load_words(const uint32_t* from, uint32_t words, int order, uint32_t* to);
void warpfs_check_store_words(uint32_t* to, uint32_t words, const uint32_t* from);
// Line data that is read without a pin: whoever does looks afterwards whether it was what it took it for.
uint32_t warpfs_check_guess(const void* from, uint32_t bytes, int order);
// Line data that comes from the file.
void warpfs_check_fill(void* to, uint32_t word);
// 16 bytes of a file where it lies in the memory of the host.
void warpfs_check_bus_load(uint64_t from, uint32_t* to);
// Bytes of a file there. Behind the fence they are there for all.
void warpfs_check_bus_store(uint64_t to, const void* from, uint32_t bytes);
void warpfs_check_bus_fence(void);
}

namespace warpfs {

struct Word2 {
  uint words[2];
};

WARPFS_FN Vec16 atomic_load16(const WARPFS_DEVICE uint* p) {
  uint words[4];
  warpfs_check_load_words(p, 4, __ATOMIC_RELAXED, words);
  return {{words[0], words[1], words[2], words[3]}};
}
WARPFS_FN void atomic_store16(WARPFS_DEVICE uint* p, Vec16 v) {
  const uint words[4] = {v.words[0], v.words[1], v.words[2], v.words[3]};
  warpfs_check_store_words(p, 4, words);
}

WARPFS_FN uint data_guess4(const WARPFS_DEVICE uint* p) { return warpfs_check_guess(p, 4, __ATOMIC_RELAXED); }
WARPFS_FN uchar data_guess1(const WARPFS_DEVICE uchar* p) { return uchar(warpfs_check_guess(p, 1, __ATOMIC_RELAXED)); }
WARPFS_FN Vec16 data_guess16(const WARPFS_DEVICE Vec16* p) {
  return {{data_guess4(&p->words[0]), data_guess4(&p->words[1]), data_guess4(&p->words[2]), data_guess4(&p->words[3])}};
}
WARPFS_FN uint data_guess4_acquire(const WARPFS_DEVICE uint* p) { return warpfs_check_guess(p, 4, __ATOMIC_ACQUIRE); }
WARPFS_FN Word2 data_guess8_acquire(const WARPFS_DEVICE uint* p) { return {{data_guess4_acquire(p), data_guess4_acquire(p + 1)}}; }

WARPFS_FN void data_fill16(WARPFS_DEVICE Vec16* p, Vec16 v) {
  for (int word = 0; word < 4; word++) warpfs_check_fill(&p->words[word], v.words[word]);
}
WARPFS_FN Vec16 bus_load16(const WARPFS_DEVICE Vec16* p) {
  uint words[4];
  warpfs_check_bus_load(ulong(p), words);
  return {{words[0], words[1], words[2], words[3]}};
}
WARPFS_FN void bus_store16(WARPFS_DEVICE Vec16* p, Vec16 v) { warpfs_check_bus_store(ulong(p), &v, sizeof v); }
WARPFS_FN void bus_store1(WARPFS_DEVICE uchar* p, uchar v) { warpfs_check_bus_store(ulong(p), &v, sizeof v); }
WARPFS_FN void bus_fence() { warpfs_check_bus_fence(); }

WARPFS_CPU_FN bool warp_all_equal(const Lane& lane, uint value, WARPFS_CPU_SITE) {
  ulong first = 0;
  ulong other = 0;
  ulong nothing = 0;
  return warp_uniform(lane, value, first, other, nothing, file, line);
}
/// What is done once in a while is done now and then here too; by the step, so that a schedule says when.
WARPFS_FN ulong cycle_count() { return clock_ns() * 16; }

}  // namespace warpfs
