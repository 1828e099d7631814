// The dialect of NVIDIA GPUs, sm_70 and newer. It includes nothing: every access that needs an order or a scope is one
// line of inline PTX, so that NVRTC compiles a kernel in milliseconds and needs no CUDA headers. ORDERING.md says what each fence rests on.
//
// Two scopes occur. All words and all line data are in the memory of the gpu and use .gpu: what the host writes and reads is carried over by
// the courier (entry/cuda_courier.h), the only one that speaks to the host. What the lanes of one warp tell each other is ordered by bar.warp.sync. Every asm statement clobbers memory: the compiler may not move a plain access of a kernel
// over it, in either direction.
#pragma once

#define WARPFS_FN __device__ inline
#define WARPFS_METHOD __device__
// Large, and the same wherever they are called: inlining them makes a kernel compile for ten seconds. They may be compiled once and linked
// (calls.h): WARPFS_CALLS_HERE in the one place, WARPFS_CALLS_LINKED in the kernels.
#if defined(WARPFS_CALLS_HERE) || defined(WARPFS_CALLS_LINKED)
#define WARPFS_CALL __device__ __noinline__
#else
#define WARPFS_CALL static __device__ __noinline__
#endif
#define WARPFS_HOT_CALL WARPFS_CALL
#define WARPFS_DEVICE
#define WARPFS_THREAD
#define WARPFS_GROUP
#define WARPFS_CONSTANT const
#define WARPFS_WINDOWS 1
#define WARPFS_LOADS_16 1
#define WARPFS_WARP_WORDS 1
#if defined(__CUDACC_RTC__)
// NVRTC has no offsetof of any name; this operator of its front end is what makes the address a constant.
#define WARPFS_OFFSETOF(type, field) ((unsigned long long)__INTADDR__(&((type*)0)->field))
// A kernel uses a few of many functions; NVRTC, unlike nvcc, lists the others in every log.
#pragma nv_diag_suppress 177
#else
#define WARPFS_OFFSETOF(type, field) __builtin_offsetof(type, field)
#endif

namespace warpfs {

// NVRTC has no <stdint.h> and nvcc has it always. Names of our own in our own namespace do for both; where a global name exists too,
// it is the same type, so code that says `using namespace warpfs` stays unambiguous.
typedef unsigned char uint8_t;
typedef int int32_t;
typedef unsigned int uint32_t;
#if defined(__LP64__)
typedef unsigned long uint64_t;
#else
typedef unsigned long long uint64_t;
#endif
typedef uint8_t uchar;
typedef uint32_t uint;
typedef uint64_t ulong;
static_assert(sizeof(ulong) == 8 && sizeof(uint) == 4, "the layout counts on these sizes");

// 16 bytes of line data: what one lane moves in one access.
struct alignas(16) Vec16 {
  uint words[4];
};
static_assert(sizeof(Vec16) == 16 && alignof(Vec16) == 16, "one lane moves 16 bytes");

struct Lane;

// ---- Where the tables are: in constant memory, the same for all kernels of a mount. A pointer in Fs would lie in the stack of each lane, and
// ---- every fence would send the lane to L2 for it.

}  // namespace warpfs
#include "../../abi/abi.h"
#include "../entry/cuda_launch.h"
namespace warpfs {

// Of the kernel that has the calls; the host fills it in when it has loaded one.
#if defined(WARPFS_CALLS_LINKED)
extern "C" __constant__ KernelConstants warpfs_constants;
#else
extern "C" {
__constant__ KernelConstants warpfs_constants;
}
#endif

template <typename T, uint BINDING>
struct TablePointer {
  __device__ T* get() const { return static_cast<T*>(warpfs_constants.tables[BINDING]); }
  __device__ operator T*() const { return get(); }
  __device__ T* operator->() const { return get(); }
};
template <>
struct TablePointer<const Geometry, Binding::GEOMETRY> {
  __device__ const Geometry* operator->() const { return &warpfs_constants.geometry; }
};
#define WARPFS_TABLE(type, name, binding) TablePointer<type, Binding::binding> name

#define WARPFS_SHAPE(name)                                                   \
  struct {                                                                   \
    __device__ operator uint() const { return warpfs_constants.name; }     \
  } name

}  // namespace warpfs
#include "cuda_memory.h"
namespace warpfs {

// ---- Bits.

WARPFS_FN uint lowest_bit(uint mask) { return (uint)__ffs((int)mask) - 1u; }
WARPFS_FN uint bit_count(uint mask) { return (uint)__popc(mask); }

// ---- Collectives. The mask always names all 32 lanes: the hardware then waits for lanes that are late, which __activemask() would
// ---- silently leave out of a sum or a vote. So every lane of the warp that still runs has to come to each of them.

constexpr uint ALL_LANES = 0xffffffffu;

WARPFS_FN uint ballot_all(bool vote) { return __ballot_sync(ALL_LANES, vote); }
WARPFS_FN uint shuffle_word(uint v, uint source_lane) { return __shfl_sync(ALL_LANES, v, (int)(source_lane & 31u)); }
WARPFS_FN float shuffle_float(float v, uint source_lane) { return __shfl_sync(ALL_LANES, v, (int)(source_lane & 31u)); }
WARPFS_FN ulong shuffle64(ulong v, uint source_lane) {
  return (ulong)shuffle_word((uint)(v >> 32), source_lane) << 32 | shuffle_word((uint)v, source_lane);
}
// Sums of integers are the same in any order, signed ones too: both are modulo 2^32.
WARPFS_FN uint sum_word(uint v) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  return __reduce_add_sync(ALL_LANES, v);
#else
  for (int distance = 16; distance > 0; distance >>= 1) v += __shfl_xor_sync(ALL_LANES, v, distance);
  return v;
#endif
}
// A butterfly: every lane adds the same pairs, so all lanes get the same bits, run after run.
WARPFS_FN float sum_float(float v) {
  for (int distance = 16; distance > 0; distance >>= 1) v += __shfl_xor_sync(ALL_LANES, v, distance);
  return v;
}

// One lane of a warp. Its methods are for kernels; they exchange values and, unlike warp_broadcast, order no memory.
struct Lane {
  // No words in memory, for the same reason as TablePointer.
  struct {
    __device__ operator uint() const { return threadIdx.x & 31u; }
  } index;
  struct {
    __device__ operator uint() const { return 32u; }
  } count;

  __device__ uint sum(uint v) const { return sum_word(v); }
  __device__ int sum(int v) const { return (int)sum_word((uint)v); }
  __device__ float sum(float v) const { return sum_float(v); }
  __device__ bool any(bool vote) const { return __any_sync(ALL_LANES, vote) != 0; }
  __device__ bool all(bool vote) const { return __all_sync(ALL_LANES, vote) != 0; }
  __device__ uint ballot(bool vote) const { return ballot_all(vote); }
  __device__ uint broadcast(uint v, uint source) const { return shuffle_word(v, source); }
  __device__ int broadcast(int v, uint source) const { return (int)shuffle_word((uint)v, source); }
  __device__ ulong broadcast(ulong v, uint source) const { return shuffle64(v, source); }
  __device__ float broadcast(float v, uint source) const { return shuffle_float(v, source); }
  __device__ uint shuffle(uint v, uint source) const { return shuffle_word(v, source); }
  __device__ int shuffle(int v, uint source) const { return (int)shuffle_word((uint)v, source); }
  __device__ float shuffle(float v, uint source) const { return shuffle_float(v, source); }
};

WARPFS_FN uint warp_ballot(WARPFS_THREAD const Lane&, bool vote) { return ballot_all(vote); }
#define WARPFS_COUNTS(lane) ((lane).index == 0u)
// Whether all lanes are here with the same value. Lanes that left are not told from lanes that differ.
WARPFS_FN bool warp_all_equal(WARPFS_THREAD const Lane&, uint v) {
  int same = 0;
  __match_all_sync(ALL_LANES, v, &same);
  return same != 0;
}
WARPFS_FN ulong cycle_count() {
  ulong cycles;
  asm volatile("mov.u64 %0, %%clock64;" : "=l"(cycles));
  return cycles;
}
WARPFS_FN bool warp_any(WARPFS_THREAD const Lane& lane, bool vote) { return lane.any(vote); }
WARPFS_FN bool warp_all(WARPFS_THREAD const Lane& lane, bool vote) { return lane.all(vote); }
WARPFS_FN uint warp_shuffle(WARPFS_THREAD const Lane&, uint v, uint source_lane) { return shuffle_word(v, source_lane); }
WARPFS_FN uint warp_sum(WARPFS_THREAD const Lane&, uint v) { return sum_word(v); }
WARPFS_FN float warp_sum_float(WARPFS_THREAD const Lane&, float v) { return sum_float(v); }

// All lanes arrive; what they wrote before is visible to all of them after. Votes and shuffles alone order no memory, so the collectives
// by which a leader tells its warp what it has seen begin with this.
WARPFS_FN void warp_sync(WARPFS_THREAD const Lane&) { __syncwarp(ALL_LANES); }

WARPFS_FN uint warp_broadcast(WARPFS_THREAD const Lane& lane, uint v, uint source_lane) {
  warp_sync(lane);
  return shuffle_word(v, source_lane);
}
WARPFS_FN ulong warp_broadcast64(WARPFS_THREAD const Lane& lane, ulong v, uint source_lane) {
  warp_sync(lane);
  return shuffle64(v, source_lane);
}
// Leaves picked alone where no lane has a value.
WARPFS_FN uint warp_pick(WARPFS_THREAD const Lane& lane, bool has, uint value, WARPFS_THREAD uint& picked) {
  warp_sync(lane);
  const uint having = ballot_all(has);
  if (having != 0u) picked = shuffle_word(value, lowest_bit(having));
  return having;
}
WARPFS_FN void warp_votes(WARPFS_THREAD const Lane& lane, uint bits, WARPFS_THREAD uint (&masks)[4]) {
  warp_sync(lane);
  for (uint k = 0; k < 4u; k++) masks[k] = ballot_all(((bits >> k) & 1u) != 0u);
}
// True when all 32 lanes are here with the same value; else `first` and `other` are two values that differ. Lanes that have left the kernel are
// missed: there is then no second value to show, and a lane gets its own and ~0. Lanes that went to another collective instead are waited
// for in vain, here as in every collective: no instruction of CUDA can tell them from lanes that are late.
WARPFS_FN bool warp_uniform(WARPFS_THREAD const Lane& lane, ulong v, WARPFS_THREAD ulong& first, WARPFS_THREAD ulong& other,
                            WARPFS_THREAD ulong& of_leader) {
  of_leader = warp_broadcast64(lane, of_leader, 0u);
  int same = 0;
  __match_all_sync(ALL_LANES, (unsigned long long)v, &same);
  if (ballot_all(true) != ALL_LANES) {
    first = v;
    other = ~(ulong)0;
    return false;
  }
  first = v;
  other = v;
  if (same != 0) return true;
  first = shuffle64(v, 0u);
  other = shuffle64(v, lowest_bit(ballot_all(v != first)));
  return false;
}

// All lanes of all warps of the group.
WARPFS_FN void group_barrier(WARPFS_THREAD const Lane&) { __syncthreads(); }
// Of the dynamic shared memory of the launch, each warp of the block has the first words for itself. What lies in the stack of a lane is fetched
// from L2 behind every fence; shared memory is not.
WARPFS_FN uint* warp_words() {
  extern __shared__ Vec16 warpfs_shared_memory[];
  return (uint*)warpfs_shared_memory + threadIdx.x / 32u * (uint)WARP_WORDS;
}
// By the leader, whoever calls it; nobody waits for the sum.
WARPFS_FN void warp_words_count(uint index, uint amount) {
  const uint place = (uint)__cvta_generic_to_shared(warp_words() + index);
  asm volatile("{ .reg .pred leads; setp.eq.u32 leads, %0, 0; @leads red.relaxed.cta.shared::cta.add.u32 [%1], %2; }" ::"r"(threadIdx.x & 31u), "r"(place), "r"(amount));
}
// The others belong to all warps of the block.
WARPFS_FN WARPFS_GROUP uchar* group_memory(WARPFS_THREAD const Lane&) {
  extern __shared__ Vec16 warpfs_shared_memory[];
  return (uchar*)((uint*)warpfs_shared_memory + blockDim.x / 32u * (uint)WARP_WORDS);
}

// ---- Sharing work out.

// Which of `pieces` equal pieces a lane moves when a warp moves them together: neighbouring lanes take neighbours, so that one access of
// the warp is one run of bytes.
struct PieceRange {
  uint at, end, step;
};
WARPFS_FN PieceRange lane_pieces(WARPFS_THREAD const Lane& lane, uint pieces) {
  PieceRange range;
  range.at = lane.index;
  range.end = pieces;
  range.step = lane.count;
  return range;
}

// ---- Waiting.

WARPFS_FN ulong clock_ns() {
  ulong now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now)::"memory");
  return now;
}

struct WaitBound {
  ulong ns;     // 0: only polls counts
  ulong start;  // 0: the clock has not been read yet, since most waits end before they begin
  uint polls;
  uint pauses;
};

WARPFS_FN void wait_begin(WARPFS_THREAD WaitBound& bound, uint polls, ulong ns) {
  bound.ns = ns;
  bound.start = 0;
  bound.polls = polls;
  bound.pauses = 0;
}

// Sleeps 32 ns the first time, twice as long each time after, up to about 1 us: a hundred warps that poll host memory at full speed
// slow each other and the host. False once the wait has exceeded its bound.
WARPFS_FN bool wait_pause(WARPFS_THREAD const Lane&, WARPFS_THREAD WaitBound& bound) {
  const uint pauses = bound.pauses++;
  __nanosleep(32u << (pauses < 5u ? pauses : 5u));
  if (bound.ns == 0) return pauses < bound.polls;
  const ulong now = clock_ns();
  if (bound.start == 0) bound.start = now;
  return now - bound.start < bound.ns;
}

}  // namespace warpfs
