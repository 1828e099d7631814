// The dialect of Apple GPUs: public Metal Shading Language 3.2, macOS 15. Everything of Metal is named with its namespace, so that a kernel may
// or may not say `using namespace metal`.
//
// By default a kernel never waits for the host (replay): words and lines pass between the two at the boundaries of dispatches, where Metal
// makes all memory visible, and device-scope accesses are enough within one. WARPFS_SPIN makes waiting inside a kernel possible, as an
// experiment: it takes the private coherent(system) qualifier and the private system scope, since a plain store is not seen by the
// host while the kernel runs, whatever fence follows it. ORDERING.md says what each fence rests on.
#pragma once
#include <metal_stdlib>

#if defined(WARPFS_SPIN)
#pragma METAL internals : enable
// Private: the system scope. A cast, because newer toolchains define a name for it and older ones do not.
#define WARPFS_HOST_SCOPE static_cast<metal::thread_scope>(3)
#define WARPFS_COHERENT volatile coherent(system)
#else
#define WARPFS_HOST_SCOPE metal::thread_scope_device
#define WARPFS_COHERENT coherent(device)
#endif

#define WARPFS_MAY_BE_ENDED 1
#define WARPFS_FN static inline
#define WARPFS_METHOD
#define WARPFS_CALL static inline
#define WARPFS_HOT_CALL WARPFS_CALL
#define WARPFS_DEVICE device
#define WARPFS_THREAD thread
#define WARPFS_GROUP threadgroup
#define WARPFS_CONSTANT constant
#define WARPFS_OFFSETOF(type, field) __builtin_offsetof(type, field)

namespace warpfs {

// 16 bytes of line data: what one lane moves in one access.
struct alignas(16) Vec16 {
  uint words[4];
};
static_assert(sizeof(Vec16) == 16 && alignof(Vec16) == 16, "one lane moves 16 bytes");

struct Lane;

// ---- Atomics of the gpu side: relaxed is the only order that MSL 3.2 has for them. They lie in structs as plain words, hence the casts.

WARPFS_FN uint atomic_load(const WARPFS_DEVICE uint* p) {
  return metal::atomic_load_explicit((const device metal::atomic_uint*)p, metal::memory_order_relaxed);
}
WARPFS_FN void atomic_store(WARPFS_DEVICE uint* p, uint v) {
  metal::atomic_store_explicit((device metal::atomic_uint*)p, v, metal::memory_order_relaxed);
}
WARPFS_FN uint atomic_add(WARPFS_DEVICE uint* p, uint v) {
  return metal::atomic_fetch_add_explicit((device metal::atomic_uint*)p, v, metal::memory_order_relaxed);
}
WARPFS_FN uint atomic_sub(WARPFS_DEVICE uint* p, uint v) {
  return metal::atomic_fetch_sub_explicit((device metal::atomic_uint*)p, v, metal::memory_order_relaxed);
}
WARPFS_FN uint atomic_or(WARPFS_DEVICE uint* p, uint v) {
  return metal::atomic_fetch_or_explicit((device metal::atomic_uint*)p, v, metal::memory_order_relaxed);
}
WARPFS_FN uint atomic_and(WARPFS_DEVICE uint* p, uint v) {
  return metal::atomic_fetch_and_explicit((device metal::atomic_uint*)p, v, metal::memory_order_relaxed);
}
WARPFS_FN uint atomic_exchange(WARPFS_DEVICE uint* p, uint v) {
  return metal::atomic_exchange_explicit((device metal::atomic_uint*)p, v, metal::memory_order_relaxed);
}
// Weak: it may fail although the word still holds what was expected.
WARPFS_FN bool atomic_cas(WARPFS_DEVICE uint* p, WARPFS_THREAD uint& expected, uint desired) {
  return metal::atomic_compare_exchange_weak_explicit((device metal::atomic_uint*)p, &expected, desired, metal::memory_order_relaxed,
                                                      metal::memory_order_relaxed);
}

// ---- Words shared with the host. One side writes each of them, so that no read-modify-write has to be atomic across the two.

#if defined(WARPFS_SPIN)
WARPFS_FN uint host_load(const WARPFS_DEVICE uint* p) { return *(const WARPFS_COHERENT device uint*)p; }
WARPFS_FN void host_store(WARPFS_DEVICE uint* p, uint v) { *(WARPFS_COHERENT device uint*)p = v; }
#else
WARPFS_FN uint host_load(const WARPFS_DEVICE uint* p) { return atomic_load(p); }
WARPFS_FN void host_store(WARPFS_DEVICE uint* p, uint v) { atomic_store(p, v); }
#endif

// ---- Fences. seq_cst is the only order, besides relaxed, that MSL 3.2 has for a fence; it covers all the weaker ones.

WARPFS_FN void device_fence() {
  metal::atomic_thread_fence(metal::mem_flags::mem_device, metal::memory_order_seq_cst, metal::thread_scope_device);
}
WARPFS_FN void host_fence() {
  metal::atomic_thread_fence(metal::mem_flags::mem_device, metal::memory_order_seq_cst, WARPFS_HOST_SCOPE);
}
WARPFS_FN void fence_acquire() { device_fence(); }
WARPFS_FN void fence_release() { device_fence(); }
WARPFS_FN void fence_seq() { device_fence(); }
WARPFS_FN void host_fence_acquire() { host_fence(); }
WARPFS_FN void host_fence_release() { host_fence(); }

// A request was published. Nothing can be called from here: the host polls.
WARPFS_FN void host_doorbell(WARPFS_THREAD const Lane&) {}

// ---- Line data. coherent belongs to the type that is pointed to, like volatile, so the access may take a pointer without it and add it:
// ---- neutral code keeps one pointer type. Without it a store may stay where other threadgroups do not see it, fence or not.

WARPFS_FN Vec16 data_load16(const WARPFS_DEVICE Vec16* p) {
  const metal::uint4 q = *(const WARPFS_COHERENT device metal::uint4*)p;
  Vec16 v;
  v.words[0] = q.x;
  v.words[1] = q.y;
  v.words[2] = q.z;
  v.words[3] = q.w;
  return v;
}
WARPFS_FN void data_store16(WARPFS_DEVICE Vec16* p, Vec16 v) {
  metal::uint4 q;
  q.x = v.words[0];
  q.y = v.words[1];
  q.z = v.words[2];
  q.w = v.words[3];
  *(WARPFS_COHERENT device metal::uint4*)p = q;
}
WARPFS_FN uint data_load4(const WARPFS_DEVICE uint* p) { return *(const WARPFS_COHERENT device uint*)p; }
WARPFS_FN void data_store4(WARPFS_DEVICE uint* p, uint v) { *(WARPFS_COHERENT device uint*)p = v; }
WARPFS_FN uchar data_load1(const WARPFS_DEVICE uchar* p) { return *(const WARPFS_COHERENT device uchar*)p; }
WARPFS_FN void data_store1(WARPFS_DEVICE uchar* p, uchar v) { *(WARPFS_COHERENT device uchar*)p = v; }

// ---- Bits.

WARPFS_FN uint lowest_bit(uint mask) { return metal::ctz(mask); }
WARPFS_FN uint bit_count(uint mask) { return metal::popcount(mask); }

// ---- Collectives: among the active lanes. 64-bit values travel as two words, since the guaranteed operands have at most 32 bits.

WARPFS_FN uint ballot_active(bool vote) { return (uint)(metal::simd_vote::vote_t)metal::simd_ballot(vote); }
WARPFS_FN uint shuffle_word(uint v, uint source_lane) { return metal::simd_shuffle(v, (ushort)(source_lane & 31u)); }
WARPFS_FN ulong shuffle64(ulong v, uint source_lane) {
  return (ulong)shuffle_word((uint)(v >> 32), source_lane) << 32 | shuffle_word((uint)v, source_lane);
}

// One lane of a SIMD-group. Its methods are for kernels; they exchange values and, unlike warp_broadcast, order no memory.
struct Lane {
  uint index;
  uint count;
  WARPFS_GROUP uchar* group;  // threadgroup memory is an argument of the kernel in MSL, so it travels with the lane
#if defined(WARPFS_SPIN)
  WARPFS_DEVICE uint* give_up;  // FaultRecord.give_up, where there is one
#endif

  uint sum(uint v) const { return metal::simd_sum(v); }
  int sum(int v) const { return metal::simd_sum(v); }
  float sum(float v) const { return metal::simd_sum(v); }
  bool any(bool vote) const { return metal::simd_any(vote); }
  bool all(bool vote) const { return metal::simd_all(vote); }
  uint ballot(bool vote) const { return ballot_active(vote); }
  uint broadcast(uint v, uint source) const { return shuffle_word(v, source); }
  int broadcast(int v, uint source) const { return (int)shuffle_word((uint)v, source); }
  ulong broadcast(ulong v, uint source) const { return shuffle64(v, source); }
  float broadcast(float v, uint source) const { return metal::simd_shuffle(v, (ushort)(source & 31u)); }
  uint shuffle(uint v, uint source) const { return shuffle_word(v, source); }
  int shuffle(int v, uint source) const { return (int)shuffle_word((uint)v, source); }
  float shuffle(float v, uint source) const { return metal::simd_shuffle(v, (ushort)(source & 31u)); }
};

WARPFS_FN uint warp_ballot(WARPFS_THREAD const Lane&, bool vote) { return ballot_active(vote); }
WARPFS_FN bool warp_any(WARPFS_THREAD const Lane&, bool vote) { return metal::simd_any(vote); }
WARPFS_FN bool warp_all(WARPFS_THREAD const Lane&, bool vote) { return metal::simd_all(vote); }
WARPFS_FN uint warp_shuffle(WARPFS_THREAD const Lane&, uint v, uint source_lane) { return shuffle_word(v, source_lane); }
WARPFS_FN uint warp_sum(WARPFS_THREAD const Lane&, uint v) { return metal::simd_sum(v); }
WARPFS_FN float warp_sum_float(WARPFS_THREAD const Lane&, float v) { return metal::simd_sum(v); }

// All lanes arrive; what they wrote before is visible to all of them after. The collectives by which a leader tells its SIMD-group what it
// has seen begin with this.
WARPFS_FN void warp_sync(WARPFS_THREAD const Lane&) { metal::simdgroup_barrier(metal::mem_flags::mem_device); }

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
  const uint having = ballot_active(has);
  if (having != 0u) picked = shuffle_word(value, lowest_bit(having));
  return having;
}
WARPFS_FN void warp_votes(WARPFS_THREAD const Lane& lane, uint bits, WARPFS_THREAD uint (&masks)[4]) {
  warp_sync(lane);
  for (uint k = 0; k < 4u; k++) masks[k] = ballot_active(((bits >> k) & 1u) != 0u);
}
// True when all lanes are here with the same value; else `first` and `other` are two values that differ. When lanes are missing there is no
// second value to show: a lane then gets its own and ~0.
WARPFS_FN bool warp_uniform(WARPFS_THREAD const Lane& lane, ulong v, WARPFS_THREAD ulong& first, WARPFS_THREAD ulong& other,
                            WARPFS_THREAD ulong& of_leader) {
  of_leader = warp_broadcast64(lane, of_leader, 0u);
  if (ballot_active(true) != 0xffffffffu >> (32u - lane.count)) {
    first = v;
    other = ~(ulong)0;
    return false;
  }
  first = shuffle64(v, 0u);
  other = v;
  const uint differing = ballot_active(v != first);
  if (differing == 0u) return true;
  other = shuffle64(v, lowest_bit(differing));
  return false;
}

// All lanes of all SIMD-groups of the threadgroup.
WARPFS_FN void group_barrier(WARPFS_THREAD const Lane&) {
  metal::threadgroup_barrier(metal::mem_flags::mem_device | metal::mem_flags::mem_threadgroup);
}
WARPFS_FN WARPFS_GROUP uchar* group_memory(WARPFS_THREAD const Lane& lane) { return lane.group; }

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

// ---- Waiting. There is no clock and no way to sleep: a wait is bounded by its polls. With spin, who has waited too long ends all waits of the
// ---- dispatch, and so can the host: a kernel that does not end stops the whole machine.

WARPFS_FN ulong clock_ns() { return 0; }

struct WaitBound {
  uint polls;
  uint pauses;
};

WARPFS_FN void wait_begin(WARPFS_THREAD WaitBound& bound, uint polls, ulong) {
  bound.polls = polls;
  bound.pauses = 0;
}

// False once the wait has exceeded its bound.
#if defined(WARPFS_SPIN)
WARPFS_FN bool wait_pause(WARPFS_THREAD const Lane& lane, WARPFS_THREAD WaitBound& bound) {
  // Without it the next look may be at what was seen before.
  host_fence();
  if (bound.pauses++ >= bound.polls && lane.give_up != 0) host_store(lane.give_up, 1u);
  return bound.pauses <= bound.polls && (lane.give_up == 0 || host_load(lane.give_up) == 0u);
}
#else
WARPFS_FN bool wait_pause(WARPFS_THREAD const Lane&, WARPFS_THREAD WaitBound& bound) { return bound.pauses++ < bound.polls; }
#endif

}  // namespace warpfs
