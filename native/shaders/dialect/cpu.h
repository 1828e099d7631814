// The dialect of the cpu device: a warp is up to 32 fibers of one host thread, so a collective is a fiber switch and not a lock.
//
// This header has no state of its own besides one small thread-local and calls nothing by name: what it needs from the host is
// reached through CpuRuntime, a table of function pointers. A kernel may therefore live in a shared object that is not linked
// to the host and is loaded with RTLD_LOCAL. Such a module
//   1. writes WARPFS_CPU_MODULE once, at namespace scope, which exports  extern "C" bool warpfs_attach(const warpfs::CpuRuntime*);
//      it says false, and the host refuses the module, where this header is not the one that the host was built with;
//   2. exports its bodies, `void body(warpfs::Lane&, const warpfs::WarpId&, void* argument)`, called once per lane;
// and the host passes the address of warpfs_attach to CpuExecutor::launch. Every worker calls it before it runs a body of that launch,
// because the thread-local of cpu_warp.h exists once per module and per thread. Kernels linked into the host need no attach.
//
// Any other scheduler (the one of check mode) can run the same code: it fills a CpuRuntime of its own and derives from CpuWarp. It may
// do its switches inside of those functions and return a CpuSwitch of nulls.
#pragma once
#include "cpu_warp.h"

#include <time.h>

#ifndef WARPFS_FN
#define WARPFS_FN static inline
#define WARPFS_METHOD
#endif
// Functions that may be compiled once and linked (calls.h): WARPFS_CALLS_HERE in the one place, WARPFS_CALLS_LINKED in the kernels.
// In the one place a hot one takes in all that it calls: with calls of its own it would be half as fast.
#if defined(WARPFS_CALLS_HERE)
#define WARPFS_CALL __attribute__((visibility("hidden")))
#define WARPFS_HOT_CALL __attribute__((visibility("hidden"), flatten))
#elif defined(WARPFS_CALLS_LINKED)
#define WARPFS_CALL __attribute__((visibility("hidden")))
#define WARPFS_HOT_CALL WARPFS_CALL
#else
#define WARPFS_CALL WARPFS_FN
#if defined(WARPFS_CPU_CHECKED)
#define WARPFS_HOT_CALL WARPFS_FN __attribute__((always_inline))  // what goes wrong in it is shown where the kernel calls it
#else
#define WARPFS_HOT_CALL WARPFS_FN
#endif
#endif
#define WARPFS_DEVICE
#define WARPFS_THREAD
#define WARPFS_GROUP
#define WARPFS_CONSTANT
#if defined(WARPFS_CPU_CHECKED)
#define WARPFS_COUNTS(lane) ((lane).warp->counts != 0u)
#endif
#ifndef WARPFS_OFFSETOF
#define WARPFS_OFFSETOF(type, field) offsetof(type, field)
#endif

#if defined(WARPFS_CPU_CHECKED)
#define WARPFS_CPU_METHOD
#else
#define WARPFS_CPU_METHOD __attribute__((always_inline))
#endif
// The defaults of these two are evaluated where the user calls, so they name the call site.
#define WARPFS_CPU_SITE const char *file = __builtin_FILE(), uint line = __builtin_LINE()

namespace warpfs {

enum CpuCollective : uint {
  CPU_BARRIER,  // of the group: has no site, any two group_barrier calls meet
  CPU_BALLOT, CPU_ANY, CPU_ALL, CPU_BROADCAST, CPU_SHUFFLE, CPU_SUM, CPU_SUM_FLOAT, CPU_PICK, CPU_VOTES, CPU_UNIFORM, CPU_SYNC, CPU_TELL
};

struct Lane;
WARPFS_CPU_FN uint warp_ballot(const Lane& lane, bool vote, WARPFS_CPU_SITE);
WARPFS_CPU_FN bool warp_any(const Lane& lane, bool vote, WARPFS_CPU_SITE);
WARPFS_CPU_FN bool warp_all(const Lane& lane, bool vote, WARPFS_CPU_SITE);
WARPFS_CPU_FN ulong warp_broadcast64(const Lane& lane, ulong value, uint source_lane, WARPFS_CPU_SITE);
WARPFS_CPU_FN uint warp_broadcast(const Lane& lane, uint value, uint source_lane, WARPFS_CPU_SITE);
WARPFS_CPU_FN uint warp_shuffle(const Lane& lane, uint value, uint source_lane, WARPFS_CPU_SITE);
WARPFS_CPU_FN uint warp_sum(const Lane& lane, uint value, WARPFS_CPU_SITE);
WARPFS_CPU_FN float warp_sum_float(const Lane& lane, float value, WARPFS_CPU_SITE);

WARPFS_CPU_FN uint cpu_float_bits(float value) { return __builtin_bit_cast(uint, value); }
WARPFS_CPU_FN float cpu_bits_float(uint bits) { return __builtin_bit_cast(float, bits); }

/// One lane of a warp; it lives in the warp and outlives the body that is given it.
struct Lane {
  uint index;
  uint count;
  CpuWarp* warp;

  WARPFS_CPU_METHOD uint sum(uint v, WARPFS_CPU_SITE) const { return warp_sum(*this, v, file, line); }
  WARPFS_CPU_METHOD int sum(int v, WARPFS_CPU_SITE) const { return int(warp_sum(*this, uint(v), file, line)); }
  WARPFS_CPU_METHOD float sum(float v, WARPFS_CPU_SITE) const { return warp_sum_float(*this, v, file, line); }
  WARPFS_CPU_METHOD bool any(bool vote, WARPFS_CPU_SITE) const { return warp_any(*this, vote, file, line); }
  WARPFS_CPU_METHOD bool all(bool vote, WARPFS_CPU_SITE) const { return warp_all(*this, vote, file, line); }
  WARPFS_CPU_METHOD uint ballot(bool vote, WARPFS_CPU_SITE) const { return warp_ballot(*this, vote, file, line); }
  WARPFS_CPU_METHOD uint broadcast(uint v, uint source, WARPFS_CPU_SITE) const { return warp_broadcast(*this, v, source, file, line); }
  WARPFS_CPU_METHOD int broadcast(int v, uint source, WARPFS_CPU_SITE) const {
    return int(warp_broadcast(*this, uint(v), source, file, line));
  }
  WARPFS_CPU_METHOD ulong broadcast(ulong v, uint source, WARPFS_CPU_SITE) const { return warp_broadcast64(*this, v, source, file, line); }
  WARPFS_CPU_METHOD float broadcast(float v, uint source, WARPFS_CPU_SITE) const {
    return cpu_bits_float(warp_broadcast(*this, cpu_float_bits(v), source, file, line));
  }
  WARPFS_CPU_METHOD uint shuffle(uint v, uint source, WARPFS_CPU_SITE) const { return warp_shuffle(*this, v, source, file, line); }
  WARPFS_CPU_METHOD int shuffle(int v, uint source, WARPFS_CPU_SITE) const { return int(warp_shuffle(*this, uint(v), source, file, line)); }
  WARPFS_CPU_METHOD float shuffle(float v, uint source, WARPFS_CPU_SITE) const {
    return cpu_bits_float(warp_shuffle(*this, cpu_float_bits(v), source, file, line));
  }
};

// ---- Atomics. Those that a lane can spin on take from the budget.

// The thread sanitizer does not know fences: for it each atomic carries an order that is at least as strong. It so looks at what the host
// does and at plain accesses; whether each fence is where it must be, check mode finds.
#if defined(WARPFS_TSAN)
constexpr int CPU_LOAD = __ATOMIC_ACQUIRE, CPU_STORE = __ATOMIC_RELEASE, CPU_CHANGE = __ATOMIC_ACQ_REL;
#else
constexpr int CPU_LOAD = __ATOMIC_RELAXED, CPU_STORE = __ATOMIC_RELAXED, CPU_CHANGE = __ATOMIC_RELAXED;
#endif

WARPFS_FN uint atomic_load(const WARPFS_DEVICE uint* p) {
  cpu_spend();
  return __atomic_load_n(p, CPU_LOAD);
}
WARPFS_FN void atomic_store(WARPFS_DEVICE uint* p, uint v) { __atomic_store_n(p, v, CPU_STORE); }
WARPFS_FN uint atomic_add(WARPFS_DEVICE uint* p, uint v) {
  cpu_spend();
  return __atomic_fetch_add(p, v, CPU_CHANGE);
}
WARPFS_FN uint atomic_sub(WARPFS_DEVICE uint* p, uint v) {
  cpu_spend();
  return __atomic_fetch_sub(p, v, CPU_CHANGE);
}
WARPFS_FN uint atomic_or(WARPFS_DEVICE uint* p, uint v) {
  cpu_spend();
  return __atomic_fetch_or(p, v, CPU_CHANGE);
}
WARPFS_FN uint atomic_and(WARPFS_DEVICE uint* p, uint v) {
  cpu_spend();
  return __atomic_fetch_and(p, v, CPU_CHANGE);
}
WARPFS_FN uint atomic_exchange(WARPFS_DEVICE uint* p, uint v) {
  cpu_spend();
  return __atomic_exchange_n(p, v, CPU_CHANGE);
}
WARPFS_FN bool atomic_cas(WARPFS_DEVICE uint* p, WARPFS_THREAD uint& expected, uint desired) {
  cpu_spend();
  return __atomic_compare_exchange_n(p, &expected, desired, true, CPU_CHANGE, CPU_LOAD);
}

WARPFS_FN uint host_load(const WARPFS_DEVICE uint* p) {
  cpu_spend();
  return __atomic_load_n(p, CPU_LOAD);
}
WARPFS_FN void host_store(WARPFS_DEVICE uint* p, uint v) { __atomic_store_n(p, v, CPU_STORE); }

WARPFS_FN void fence_acquire() { __atomic_thread_fence(__ATOMIC_ACQUIRE); }
WARPFS_FN void fence_release() { __atomic_thread_fence(__ATOMIC_RELEASE); }
WARPFS_FN void fence_seq() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
WARPFS_FN void host_fence_acquire() { __atomic_thread_fence(__ATOMIC_ACQUIRE); }
WARPFS_FN void host_fence_release() { __atomic_thread_fence(__ATOMIC_RELEASE); }

/// A request was published. Either the host sees it before it falls asleep, or its sleep is seen here: both look behind such a fence.
WARPFS_CPU_FN void host_doorbell(WARPFS_THREAD const Lane& lane) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  lane.warp->runtime->doorbell();
}

// ---- Line data. Plain accesses: whoever may race with a writer checks a version afterwards and throws the bytes away. Check mode and
// ---- the thread sanitizer get relaxed atomics, so that such a race, which is meant, is not reported among those that are not.

typedef uint __attribute__((may_alias)) CpuDataWord;
#if defined(WARPFS_CPU_CHECKED) || defined(WARPFS_TSAN)
WARPFS_FN uint data_load4(const WARPFS_DEVICE uint* p) { return __atomic_load_n((const CpuDataWord*)p, __ATOMIC_RELAXED); }
WARPFS_FN void data_store4(WARPFS_DEVICE uint* p, uint v) { __atomic_store_n((CpuDataWord*)p, v, __ATOMIC_RELAXED); }
WARPFS_FN uchar data_load1(const WARPFS_DEVICE uchar* p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
WARPFS_FN void data_store1(WARPFS_DEVICE uchar* p, uchar v) { __atomic_store_n(p, v, __ATOMIC_RELAXED); }
WARPFS_FN Vec16 data_load16(const WARPFS_DEVICE Vec16* p) {
  return {{data_load4(&p->words[0]), data_load4(&p->words[1]), data_load4(&p->words[2]), data_load4(&p->words[3])}};
}
WARPFS_FN void data_store16(WARPFS_DEVICE Vec16* p, Vec16 v) {
  for (int word = 0; word < 4; word++) data_store4(&p->words[word], v.words[word]);
}
#else
WARPFS_FN uint data_load4(const WARPFS_DEVICE uint* p) { return *(const CpuDataWord*)p; }
WARPFS_FN void data_store4(WARPFS_DEVICE uint* p, uint v) { *(CpuDataWord*)p = v; }
WARPFS_FN uchar data_load1(const WARPFS_DEVICE uchar* p) { return *p; }
WARPFS_FN void data_store1(WARPFS_DEVICE uchar* p, uchar v) { *p = v; }
WARPFS_FN Vec16 data_load16(const WARPFS_DEVICE Vec16* p) { return *p; }
WARPFS_FN void data_store16(WARPFS_DEVICE Vec16* p, Vec16 v) { *p = v; }
#endif

// ---- Collectives. The lanes that reach the same line of the source take part; the others count as inactive. Two calls of one kind on
// ---- one line are one site, so the two arms of a conditional expression meet.

/// A lane that makes a call for its whole warp (cpu_calls.h) has nobody to wait for.
WARPFS_CPU_FN bool cpu_alone(const Lane& lane) {
#if defined(WARPFS_CPU_CHECKED)
  (void)lane;
  return false;  // there a warp of one lane is one of several sizes, and each collective a place where others may run
#else
  return lane.count == 1;
#endif
}
/// Waits for the other lanes of the collective.
WARPFS_CPU_FN void cpu_meet(const Lane& lane, CpuCollective kind, const char* file, uint line) {
  CpuWarp* warp = lane.warp;
  cpu_attachment.budget = CPU_SPIN_BUDGET;  // a lane that comes to a collective is not one that spins
  cpu_stop(warp->runtime, warp->runtime->rendezvous(warp, lane.index, file, line << 8 | kind));
}
/// Gives the value of every active lane; those of inactive lanes are left over from before.
WARPFS_CPU_FN const ulong* cpu_exchange(const Lane& lane, ulong value, CpuCollective kind, const char* file, uint line) {
  CpuWarp* warp = lane.warp;
  warp->values[warp->parity][lane.index] = value;
  cpu_meet(lane, kind, file, line);
  return warp->values[warp->parity ^ 1];
}
/// True for the first lane that comes out of a collective: it folds the values once for all of them.
WARPFS_CPU_FN bool cpu_must_combine(CpuWarp* warp) {
  const bool first = warp->uncombined != 0;
  warp->uncombined = 0;
  return first;
}
WARPFS_CPU_FN uint cpu_collect_bit(const ulong* values, uint bit, uint active) {
  uint mask = 0;
  for (uint lane = 0; lane < 32; lane++) mask |= uint(values[lane] >> bit & 1) << lane;
  return mask & active;
}
WARPFS_CPU_FN uint cpu_votes(const Lane& lane, bool vote, CpuCollective kind, const char* file, uint line) {
  if (cpu_alone(lane)) return vote ? 1 : 0;
  const ulong* values = cpu_exchange(lane, vote, kind, file, line);
  CpuWarp* warp = lane.warp;
  if (cpu_must_combine(warp)) warp->results[0] = cpu_collect_bit(values, 0, warp->active);
  return uint(warp->results[0]);
}
/// A source that takes no part gives the caller its own value.
WARPFS_CPU_FN ulong cpu_value_of(const Lane& lane, const ulong* values, uint source_lane) {
  const uint source = source_lane & 31;
  return values[(lane.warp->active >> source & 1) != 0 ? source : lane.index];
}

WARPFS_CPU_FN uint warp_ballot(const Lane& lane, bool vote, const char* file, uint line) {
  return cpu_votes(lane, vote, CPU_BALLOT, file, line);
}
WARPFS_CPU_FN bool warp_any(const Lane& lane, bool vote, const char* file, uint line) {
  return cpu_votes(lane, vote, CPU_ANY, file, line) != 0;
}
WARPFS_CPU_FN bool warp_all(const Lane& lane, bool vote, const char* file, uint line) {
  return cpu_votes(lane, vote, CPU_ALL, file, line) == (cpu_alone(lane) ? 1u : lane.warp->active);
}
WARPFS_CPU_FN ulong warp_broadcast64(const Lane& lane, ulong value, uint source_lane, const char* file, uint line) {
  return cpu_alone(lane) ? value : cpu_value_of(lane, cpu_exchange(lane, value, CPU_BROADCAST, file, line), source_lane);
}
WARPFS_CPU_FN uint warp_broadcast(const Lane& lane, uint value, uint source_lane, const char* file, uint line) {
  return uint(warp_broadcast64(lane, value, source_lane, file, line));
}
WARPFS_CPU_FN uint warp_shuffle(const Lane& lane, uint value, uint source_lane, const char* file, uint line) {
  return cpu_alone(lane) ? value : uint(cpu_value_of(lane, cpu_exchange(lane, value, CPU_SHUFFLE, file, line), source_lane));
}
WARPFS_CPU_FN uint warp_sum(const Lane& lane, uint value, const char* file, uint line) {
  if (cpu_alone(lane)) return value;
  const ulong* values = cpu_exchange(lane, value, CPU_SUM, file, line);
  CpuWarp* warp = lane.warp;
  if (cpu_must_combine(warp)) {
    uint sum = 0;
    for (uint rest = warp->active; rest != 0; rest &= rest - 1) sum += uint(values[__builtin_ctz(rest)]);
    warp->results[0] = sum;
  }
  return uint(warp->results[0]);
}
/// Adds in the order of the lanes, so that the result does not depend on who ran first.
WARPFS_CPU_FN float warp_sum_float(const Lane& lane, float value, const char* file, uint line) {
  if (cpu_alone(lane)) return value;
  const ulong* values = cpu_exchange(lane, cpu_float_bits(value), CPU_SUM_FLOAT, file, line);
  CpuWarp* warp = lane.warp;
  if (cpu_must_combine(warp)) {
    float sum = 0;
    for (uint rest = warp->active; rest != 0; rest &= rest - 1) sum += cpu_bits_float(uint(values[__builtin_ctz(rest)]));
    warp->results[0] = cpu_float_bits(sum);
  }
  return cpu_bits_float(uint(warp->results[0]));
}
/// Leaves picked alone where no lane has a value.
WARPFS_CPU_FN uint warp_pick(const Lane& lane, bool has, uint value, WARPFS_THREAD uint& picked, WARPFS_CPU_SITE) {
  if (cpu_alone(lane)) {
    if (has) picked = value;
    return has ? 1 : 0;
  }
  const ulong* values = cpu_exchange(lane, ulong(value) << 1 | ulong(has), CPU_PICK, file, line);
  CpuWarp* warp = lane.warp;
  if (cpu_must_combine(warp)) warp->results[0] = cpu_collect_bit(values, 0, warp->active);
  const uint having = uint(warp->results[0]);
  if (having != 0) picked = uint(values[__builtin_ctz(having)] >> 1);
  return having;
}
WARPFS_CPU_FN void warp_votes(const Lane& lane, uint bits, WARPFS_THREAD uint (&masks)[4], WARPFS_CPU_SITE) {
  if (cpu_alone(lane)) {
    for (uint k = 0; k < 4; k++) masks[k] = bits >> k & 1;
    return;
  }
  const ulong* values = cpu_exchange(lane, bits, CPU_VOTES, file, line);
  CpuWarp* warp = lane.warp;
  if (cpu_must_combine(warp)) {
    for (uint pair = 0; pair < 2; pair++) {
      const ulong low = cpu_collect_bit(values, 2 * pair, warp->active), high = cpu_collect_bit(values, 2 * pair + 1, warp->active);
      warp->results[pair] = high << 32 | low;
    }
  }
  for (uint k = 0; k < 4; k++) masks[k] = uint(warp->results[k >> 1] >> 32 * (k & 1));
}
/// When lanes are missing there is no second value to show: a lane then gets its own and ~0.
WARPFS_CPU_FN bool warp_uniform(const Lane& lane, ulong value, WARPFS_THREAD ulong& first, WARPFS_THREAD ulong& other,
                                WARPFS_THREAD ulong& of_leader, WARPFS_CPU_SITE) {
  if (cpu_alone(lane)) {
    first = other = value;
    return true;
  }
  CpuWarp* warp = lane.warp;
  if (lane.index == 0) warp->offered[warp->parity] = of_leader;
  const ulong* values = cpu_exchange(lane, value, CPU_UNIFORM, file, line);
  of_leader = warp->offered[warp->parity ^ 1];
  if (warp->active != warp->full) {
    first = value;
    other = ~ulong(0);
    return false;
  }
  if (cpu_must_combine(warp)) {
    uint differing = 0;
    for (uint index = 1; index < lane.count && differing == 0; index++) differing = values[index] != values[0] ? index : 0;
    warp->results[0] = differing == 0;
    warp->results[1] = values[0];
    warp->results[2] = values[differing];
  }
  first = warp->results[1];
  other = warp->results[2];
  return warp->results[0] != 0;
}
/// The lanes of a warp run on one thread, so what they wrote is visible by itself; only the compiler must not move it.
WARPFS_CPU_FN void warp_sync(const Lane& lane, WARPFS_CPU_SITE) {
  if (!cpu_alone(lane)) cpu_meet(lane, CPU_SYNC, file, line);
}
/// All warps of a group run on one thread as well.
WARPFS_CPU_FN void group_barrier(const Lane& lane) { cpu_meet(lane, CPU_BARRIER, nullptr, 0); }
WARPFS_CPU_FN WARPFS_GROUP uchar* group_memory(const Lane& lane) { return lane.warp->group_memory; }

WARPFS_FN uint lowest_bit(uint mask) { return uint(__builtin_ctz(mask)); }
WARPFS_FN uint bit_count(uint mask) { return uint(__builtin_popcount(mask)); }

// ---- Sharing work out.

/// Which of `pieces` equal pieces a lane moves when a warp moves them together. Here the lanes run one after another on one core, so each
/// takes neighbours: the warp then walks through memory in order.
struct PieceRange {
  uint at, end, step;
};
WARPFS_FN PieceRange lane_pieces(WARPFS_THREAD const Lane& lane, uint pieces) {
  if (cpu_alone(lane)) return {0, pieces, 1};
  // A full warp is the rule, and a division costs as much as the rest of a small copy.
  const uint share = lane.count == 32 ? (pieces + 31) >> 5 : (pieces + lane.count - 1) / lane.count;
  const uint begin = lane.index * share < pieces ? lane.index * share : pieces;
  return {begin, begin + share < pieces ? begin + share : pieces, 1};
}

// ---- Waiting.

#if defined(WARPFS_CPU_CHECKED)
WARPFS_FN ulong clock_ns() { return cpu_attachment.runtime->now(); }
#else
WARPFS_FN ulong clock_ns() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return ulong(now.tv_sec) * 1000000000u + ulong(now.tv_nsec);
}
#endif

struct WaitBound {
  ulong ns;        // 0: only polls counts
  ulong deadline;  // 0: the clock has not been read yet
  uint polls;
  uint pauses;
};

WARPFS_FN void wait_begin(WARPFS_THREAD WaitBound& bound, uint polls, ulong ns) { bound = {ns, 0, polls, 0}; }

/// False once the wait exceeded its bound. The clock is read every 64 pauses: it costs more than a pause does.
WARPFS_FN bool wait_pause(WARPFS_THREAD const Lane& lane, WARPFS_THREAD WaitBound& bound) {
  cpu_attachment.budget = CPU_SPIN_BUDGET;  // a lane that waits politely is not one that spins
  cpu_stop(lane.warp->runtime, lane.warp->runtime->pause(lane.warp, lane.index));
  const uint pauses = bound.pauses;
#if defined(WARPFS_CPU_CHECKED)
  if (WARPFS_COUNTS(lane)) bound.pauses++;
  const bool expired = lane.warp->expired != 0;
  lane.warp->expired = 0;
  if (pauses >= bound.polls) lane.warp->waits_exceeded++;
  return !expired && pauses < bound.polls;
#else
  bound.pauses++;
  if (bound.ns == 0) return pauses < bound.polls;
  if ((pauses & 63) != 0) return true;
  const ulong now = clock_ns();
  if (bound.deadline == 0) bound.deadline = now + bound.ns < now ? ~ulong(0) : now + bound.ns;
  return now < bound.deadline;
#endif
}

}  // namespace warpfs
