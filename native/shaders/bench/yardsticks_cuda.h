// The yardsticks of the benchmarks on NVIDIA GPUs: what plain kernels reach that know nothing of files. Each compares every word that it has
// read with the one that its place asks for. It includes no header of CUDA; a text of its own for NVRTC, with no mount behind it.
#pragma once

namespace warpfs {

// As in dialect/cuda.h: NVRTC has no <stdint.h>, nvcc has it always.
typedef unsigned int uint32_t;
#if defined(__LP64__)
typedef unsigned long uint64_t;
#else
typedef unsigned long long uint64_t;
#endif
static_assert(sizeof(uint64_t) == 8 && sizeof(uint32_t) == 4, "the layout counts on these sizes");

}  // namespace warpfs
#include "yardstick_launch.h"
namespace warpfs {

// A bound of 1024 threads keeps a kernel at 64 registers, so that 32 warps fit on a multiprocessor.
#define WARPFS_YARDSTICK(name) extern "C" __global__ void __launch_bounds__(1024) name(const YardstickLaunch launch)

constexpr uint32_t ALL = 0xffffffffu;

struct alignas(16) Four {
  uint32_t words[4];
};

struct Place {
  uint32_t lane, warp, warps;
};
__device__ inline Place place_of_thread() {
  const uint32_t warps_of_block = blockDim.x / 32u;
  return {threadIdx.x & 31u, blockIdx.x * warps_of_block + threadIdx.x / 32u, gridDim.x * warps_of_block};
}

// Each number below mask + 1 once, in an order without a pattern: every step can be undone.
__device__ inline uint32_t piece_at(const YardstickLaunch& launch, uint64_t k) {
  uint32_t piece = ((uint32_t)k * YARDSTICK_FACTOR + launch.start) & launch.mask;
  piece ^= piece >> launch.half_bits;
  piece = (piece * 2246822519u) & launch.mask;
  return piece ^ (piece >> launch.half_bits);
}

__device__ inline uint64_t global_address(const void* p) { return __cvta_generic_to_global(p); }

// Plain loads: nothing orders them but their use. Volatile, so that none is left out; the compiler keeps their order, the hardware need not.
__device__ inline Four load16(const uint32_t* p) {
  Four v;
  asm volatile("ld.global.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(v.words[0]), "=r"(v.words[1]), "=r"(v.words[2]), "=r"(v.words[3]) : "l"(global_address(p)) : "memory");
  return v;
}
__device__ inline void load8(const uint32_t* p, uint32_t (&words)[2]) {
  asm volatile("ld.global.v2.u32 {%0, %1}, [%2];" : "=r"(words[0]), "=r"(words[1]) : "l"(global_address(p)) : "memory");
}
__device__ inline uint32_t load4(const uint32_t* p) {
  uint32_t word;
  asm volatile("ld.global.u32 %0, [%1];" : "=r"(word) : "l"(global_address(p)) : "memory");
  return word;
}
__device__ inline void store16(uint32_t* p, const Four& v) {
  asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(global_address(p)), "r"(v.words[0]), "r"(v.words[1]), "r"(v.words[2]), "r"(v.words[3]) : "memory");
}

__device__ inline uint32_t expected_at(uint64_t word, uint32_t seed) { return (uint32_t)word * YARDSTICK_FACTOR + seed; }

// 1 where one of the words is wrong, else 0: to count them as well would cost registers. `expected`: what the first of them has to be.
// `zero` is 0, which only the host knows: so the first comparison waits for all loads, which are on their way at once.
template <uint32_t LOADS>
__device__ inline uint32_t wrong_words(const Four (&got)[LOADS], uint32_t expected, uint32_t zero) {
  uint32_t bad = 0;
  uint32_t late = 0;
#pragma unroll
  for (uint32_t i = 0; i < LOADS; i++) late |= got[i].words[3];
  expected += late & zero;
#pragma unroll
  for (uint32_t i = 0; i < LOADS; i++) {
#pragma unroll
    for (uint32_t j = 0; j < 4u; j++) bad |= got[i].words[j] ^ (expected + (i * 128u + j) * YARDSTICK_FACTOR);
  }
  return bad != 0u ? 1u : 0u;
}

// All lanes of a warp, once at the end.
__device__ inline void tell(const YardstickLaunch& launch, uint32_t lane, uint32_t wrong, uint64_t pieces) {
  const uint64_t wrong_of_warp = [&] {
    uint32_t sum = wrong;
    for (int distance = 16; distance > 0; distance >>= 1) sum += __shfl_xor_sync(ALL, sum, distance);
    return (uint64_t)sum;
  }();
  if (lane != 0u) return;
  asm volatile("red.relaxed.gpu.global.add.u64 [%0], %1;" ::"l"(global_address(&launch.tally->pieces)), "l"(pieces) : "memory");
  if (wrong_of_warp != 0u) {
    asm volatile("red.relaxed.gpu.global.add.u64 [%0], %1;" ::"l"(global_address(&launch.tally->wrong_words)), "l"(wrong_of_warp) : "memory");
  }
}

// What a cache does at least: one addition to the word of a line before its bytes are read, which has to be back by then, and one after.
__device__ inline uint32_t pin(const YardstickLaunch& launch, uint32_t lane, uint32_t piece) {
  uint32_t before = 0;
  if (lane == 0u) {
    asm volatile("atom.relaxed.gpu.global.add.u32 %0, [%1], 1;" : "=r"(before) : "l"(global_address(launch.pins + piece)) : "memory");
  }
  return __shfl_sync(ALL, before, 0);
}
__device__ inline void unpin(const YardstickLaunch& launch, uint32_t lane, uint32_t piece) {
  __syncwarp(ALL);
  if (lane == 0u) asm volatile("red.relaxed.gpu.global.add.u32 [%0], %1;" ::"l"(global_address(launch.pins + piece)), "r"(ALL) : "memory");
}

// A warp reads one piece after the other, all loads of a piece in flight before the first is looked at.
template <uint32_t LOADS, bool PINS>
__device__ inline void read_pieces(const YardstickLaunch& launch) {
  const Place me = place_of_thread();
  uint32_t wrong = 0;
  uint64_t pieces = 0;
  for (uint64_t k = me.warp; k < launch.count; k += me.warps) {
    const uint32_t piece = piece_at(launch, k);
    // A count that reached the last bit would be a wrong place: the loads wait for the pin.
    const uint64_t held = PINS ? pin(launch, me.lane, piece) >> 31 : 0u;
    const uint64_t first = ((uint64_t)piece + held) * (LOADS * 128u) + me.lane * 4u;
    Four got[LOADS];
#pragma unroll
    for (uint32_t i = 0; i < LOADS; i++) got[i] = load16(launch.source + first + i * 128u);
    wrong += wrong_words(got, expected_at(first, launch.seed), launch.zero);
    if (PINS) unpin(launch, me.lane, piece);
    pieces++;
  }
  tell(launch, me.lane, wrong, pieces);
}

WARPFS_YARDSTICK(read_4096) { read_pieces<8, false>(launch); }
WARPFS_YARDSTICK(read_4096_pinned) { read_pieces<8, true>(launch); }
WARPFS_YARDSTICK(read_512) { read_pieces<1, false>(launch); }

// 8 bytes a lane, BATCH pieces at once.
template <uint32_t BATCH, bool PINS>
__device__ inline void read_256_bytes(const YardstickLaunch& launch) {
  const Place me = place_of_thread();
  uint32_t wrong = 0;
  uint64_t pieces = 0;
  for (uint64_t k = me.warp; k < launch.count; k += (uint64_t)me.warps * BATCH) {
    uint64_t first[BATCH];
    uint32_t piece[BATCH];
    uint32_t got[BATCH][2] = {};
#pragma unroll
    for (uint32_t b = 0; b < BATCH; b++) {
      const bool there = k + (uint64_t)b * me.warps < launch.count;
      piece[b] = piece_at(launch, there ? k + (uint64_t)b * me.warps : k);
      const uint64_t held = PINS ? pin(launch, me.lane, piece[b]) >> 31 : 0u;
      first[b] = ((uint64_t)piece[b] + held) * 64u + me.lane * 2u;
      load8(launch.source + first[b], got[b]);
      pieces += there ? 1u : 0u;
    }
#pragma unroll
    for (uint32_t b = 0; b < BATCH; b++) {
      const uint32_t expected = expected_at(first[b], launch.seed);
      wrong += (got[b][0] != expected ? 1u : 0u) + (got[b][1] != expected + YARDSTICK_FACTOR ? 1u : 0u);
      if (PINS) unpin(launch, me.lane, piece[b]);
    }
  }
  tell(launch, me.lane, wrong, pieces);
}

WARPFS_YARDSTICK(read_256) { read_256_bytes<4, false>(launch); }
WARPFS_YARDSTICK(read_256_pinned) { read_256_bytes<1, true>(launch); }

// A word at a place of its own for each lane, four of them in flight. Pieces are words; the count is a multiple of 128 for each warp.
WARPFS_YARDSTICK(random_4) {
  const Place me = place_of_thread();
  uint32_t wrong = 0;
  uint64_t words = 0;
  for (uint64_t k = (uint64_t)me.warp * 128u; k < launch.count; k += (uint64_t)me.warps * 128u) {
    uint32_t word[4], got[4];
#pragma unroll
    for (uint32_t b = 0; b < 4u; b++) word[b] = piece_at(launch, k + b * 32u + me.lane);
#pragma unroll
    for (uint32_t b = 0; b < 4u; b++) got[b] = load4(launch.source + word[b]);
#pragma unroll
    for (uint32_t b = 0; b < 4u; b++) wrong += got[b] != expected_at(word[b], launch.seed) ? 1u : 0u;
    words += 128u;
  }
  tell(launch, me.lane, wrong, words);
}

// To a page of each warp, as a read into a buffer; what has arrived there is compared.
WARPFS_YARDSTICK(copy_4096) {
  const Place me = place_of_thread();
  uint32_t* const mine = launch.target + (uint64_t)me.warp * 1024u + me.lane * 4u;
  uint32_t wrong = 0;
  uint64_t pieces = 0;
  for (uint64_t k = me.warp; k < launch.count; k += me.warps) {
    const uint64_t first = (uint64_t)piece_at(launch, k) * 1024u + me.lane * 4u;
    Four got[8];
#pragma unroll
    for (uint32_t i = 0; i < 8u; i++) got[i] = load16(launch.source + first + i * 128u);
#pragma unroll
    for (uint32_t i = 0; i < 8u; i++) store16(mine + i * 128u, got[i]);
    __syncwarp(ALL);
#pragma unroll
    for (uint32_t i = 0; i < 8u; i++) got[i] = load16(mine + i * 128u);
    wrong += wrong_words(got, expected_at(first, launch.seed), launch.zero);
    __syncwarp(ALL);
    pieces++;
  }
  tell(launch, me.lane, wrong, pieces);
}

// Each piece of the target gets the words of its place; the host compares them.
WARPFS_YARDSTICK(write_4096) {
  const Place me = place_of_thread();
  uint64_t pieces = 0;
  for (uint64_t k = me.warp; k < launch.count; k += me.warps) {
    const uint64_t first = (uint64_t)piece_at(launch, k) * 1024u + me.lane * 4u;
    const uint32_t expected = expected_at(first, launch.seed);
#pragma unroll
    for (uint32_t i = 0; i < 8u; i++) {
      Four made;
#pragma unroll
      for (uint32_t j = 0; j < 4u; j++) made.words[j] = expected + (i * 128u + j) * YARDSTICK_FACTOR;
      store16(launch.target + first + i * 128u, made);
    }
    pieces++;
  }
  tell(launch, me.lane, 0u, pieces);
}

__device__ inline uint64_t nanoseconds_now() {
  uint64_t now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now)::"memory");
  return now;
}
__device__ inline uint64_t ticks_now() {
  uint64_t now;
  asm volatile("mov.u64 %0, %%clock64;" : "=l"(now)::"memory");
  return now;
}

// One warp: a word to the host, and back, again and again. What the host does not answer in time is told as wrong, and ends it.
WARPFS_YARDSTICK(ring) {
  const uint32_t lane = threadIdx.x & 31u;
  const uint64_t begin = nanoseconds_now();
  const uint64_t begin_ticks = ticks_now();
  uint32_t unanswered = 0;
  uint64_t trips = 0;
  for (uint32_t i = 1; i <= (uint32_t)launch.count && unanswered == 0u; i++) {
    __syncwarp(ALL);
    if (lane == 0u) {
      const uint64_t sent = ticks_now();
      asm volatile("st.release.sys.global.u32 [%0], %1;" ::"l"(global_address(launch.post)), "r"(i) : "memory");
      uint32_t seen = 0;
      uint32_t polls = 0;
      const uint64_t sent_ns = nanoseconds_now();
      while (seen != i && unanswered == 0u) {
        asm volatile("ld.acquire.sys.global.u32 %0, [%1];" : "=r"(seen) : "l"(global_address(launch.answer)) : "memory");
        if ((++polls & 1023u) == 0u && nanoseconds_now() - sent_ns > (uint64_t)YARDSTICK_WAIT_S * 1000000000u) unanswered = 1u;
      }
      launch.ticks[i - 1u] = (uint32_t)(ticks_now() - sent);
    }
    unanswered = __shfl_sync(ALL, unanswered, 0);
    trips++;
  }
  if (lane == 0u) {
    launch.tally->nanoseconds = nanoseconds_now() - begin;
    launch.tally->ticks = ticks_now() - begin_ticks;
  }
  tell(launch, lane, lane == 0u ? unanswered : 0u, trips);
}

}  // namespace warpfs
