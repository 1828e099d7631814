// Loads, stores, atomics and fences of NVIDIA GPUs. Only cuda.h includes it.
#pragma once

namespace warpfs {

// ---- Atomics of the gpu side: relaxed, device scope.

// Everything behind WARPFS_DEVICE lies in global memory. Saying so spares the generic path.
WARPFS_FN ulong global_address(const void* p) { return __cvta_generic_to_global(p); }

WARPFS_FN uint atomic_load(const WARPFS_DEVICE uint* p) {
  uint value;
  asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(global_address(p)) : "memory");
  return value;
}
// Four words at once, as one access: all of them are of one moment.
WARPFS_FN Vec16 atomic_load16(const WARPFS_DEVICE uint* p) {
  Vec16 v;
  asm volatile(
      "{ .reg .b128 whole; .reg .b64 low, high; ld.relaxed.gpu.global.b128 whole, [%4]; mov.b128 {low, high}, whole;"
      " mov.b64 {%0, %1}, low; mov.b64 {%2, %3}, high; }"
      : "=r"(v.words[0]), "=r"(v.words[1]), "=r"(v.words[2]), "=r"(v.words[3])
      : "l"(global_address(p))
      : "memory");
  return v;
}
WARPFS_FN void atomic_store16(WARPFS_DEVICE uint* p, Vec16 v) {
  asm volatile(
      "{ .reg .b128 whole; .reg .b64 low, high; mov.b64 low, {%1, %2}; mov.b64 high, {%3, %4}; mov.b128 whole, {low, high};"
      " st.relaxed.gpu.global.b128 [%0], whole; }" ::"l"(global_address(p)),
      "r"(v.words[0]), "r"(v.words[1]), "r"(v.words[2]), "r"(v.words[3])
      : "memory");
}
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
#define WARPFS_SWAPS_16 1
WARPFS_FN Vec16 atomic_swap16(WARPFS_DEVICE uint* p, Vec16 seen, Vec16 wanted) {
  Vec16 old;
  asm volatile(
      "{ .reg .b128 from, to, whole; .reg .b64 low, high; mov.b64 low, {%5, %6}; mov.b64 high, {%7, %8}; mov.b128 from, {low, high};"
      " mov.b64 low, {%9, %10}; mov.b64 high, {%11, %12}; mov.b128 to, {low, high}; atom.relaxed.gpu.global.cas.b128 whole, [%4], from, to;"
      " mov.b128 {low, high}, whole; mov.b64 {%0, %1}, low; mov.b64 {%2, %3}, high; }"
      : "=r"(old.words[0]), "=r"(old.words[1]), "=r"(old.words[2]), "=r"(old.words[3])
      : "l"(global_address(p)), "r"(seen.words[0]), "r"(seen.words[1]), "r"(seen.words[2]), "r"(seen.words[3]), "r"(wanted.words[0]), "r"(wanted.words[1]),
        "r"(wanted.words[2]), "r"(wanted.words[3])
      : "memory");
  return old;
}
#endif
// Two words as one access.
struct alignas(8) Word2 {
  uint words[2];
};
WARPFS_FN Word2 atomic_load8(const WARPFS_DEVICE uint* p) {
  Word2 v;
  asm volatile("{ .reg .b64 whole; ld.relaxed.gpu.global.b64 whole, [%2]; mov.b64 {%0, %1}, whole; }"
               : "=r"(v.words[0]), "=r"(v.words[1])
               : "l"(global_address(p))
               : "memory");
  return v;
}
WARPFS_FN Word2 atomic_load8_acquire(const WARPFS_DEVICE uint* p) {
  Word2 v;
  asm volatile("{ .reg .b64 whole; ld.acquire.gpu.global.b64 whole, [%2]; mov.b64 {%0, %1}, whole; }"
               : "=r"(v.words[0]), "=r"(v.words[1])
               : "l"(global_address(p))
               : "memory");
  return v;
}
WARPFS_FN void atomic_store(WARPFS_DEVICE uint* p, uint v) {
  asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(global_address(p)), "r"(v) : "memory");
}
WARPFS_FN uint atomic_add(WARPFS_DEVICE uint* p, uint v) {
  uint old;
  asm volatile("atom.relaxed.gpu.global.add.u32 %0, [%1], %2;" : "=r"(old) : "l"(global_address(p)), "r"(v) : "memory");
  return old;
}
WARPFS_FN uint atomic_sub(WARPFS_DEVICE uint* p, uint v) { return atomic_add(p, 0u - v); }
WARPFS_FN uint atomic_or(WARPFS_DEVICE uint* p, uint v) {
  uint old;
  asm volatile("atom.relaxed.gpu.global.or.b32 %0, [%1], %2;" : "=r"(old) : "l"(global_address(p)), "r"(v) : "memory");
  return old;
}
WARPFS_FN uint atomic_and(WARPFS_DEVICE uint* p, uint v) {
  uint old;
  asm volatile("atom.relaxed.gpu.global.and.b32 %0, [%1], %2;" : "=r"(old) : "l"(global_address(p)), "r"(v) : "memory");
  return old;
}
WARPFS_FN uint atomic_exchange(WARPFS_DEVICE uint* p, uint v) {
  uint old;
  asm volatile("atom.relaxed.gpu.global.exch.b32 %0, [%1], %2;" : "=r"(old) : "l"(global_address(p)), "r"(v) : "memory");
  return old;
}
// This one never fails spuriously; callers may not count on that.
WARPFS_FN bool atomic_cas(WARPFS_DEVICE uint* p, WARPFS_THREAD uint& expected, uint desired) {
  const uint wanted = expected;
  uint old;
  asm volatile("atom.relaxed.gpu.global.cas.b32 %0, [%1], %2, %3;"
               : "=r"(old)
               : "l"(global_address(p)), "r"(wanted), "r"(desired)
               : "memory");
  expected = old;
  return old == wanted;
}

#define WARPFS_ATOMICS_UNASKED 1
WARPFS_FN void atomic_add_unasked(WARPFS_DEVICE uint* p, uint v) {
  asm volatile("red.relaxed.gpu.global.add.u32 [%0], %1;" ::"l"(global_address(p)), "r"(v) : "memory");
}
WARPFS_FN void atomic_and_unasked(WARPFS_DEVICE uint* p, uint v) {
  asm volatile("red.relaxed.gpu.global.and.b32 [%0], %1;" ::"l"(global_address(p)), "r"(v) : "memory");
}
WARPFS_FN void atomic_or_unasked(WARPFS_DEVICE uint* p, uint v) {
  asm volatile("red.relaxed.gpu.global.or.b32 [%0], %1;" ::"l"(global_address(p)), "r"(v) : "memory");
}

#define WARPFS_ATOMICS_ACQUIRE 1
WARPFS_FN uint atomic_add_acquire(WARPFS_DEVICE uint* p, uint v) {
  uint old;
  asm volatile("atom.acquire.gpu.global.add.u32 %0, [%1], %2;" : "=r"(old) : "l"(global_address(p)), "r"(v) : "memory");
  return old;
}
WARPFS_FN bool atomic_cas_acquire(WARPFS_DEVICE uint* p, WARPFS_THREAD uint& expected, uint desired) {
  const uint wanted = expected;
  uint old;
  asm volatile("atom.acquire.gpu.global.cas.b32 %0, [%1], %2, %3;"
               : "=r"(old)
               : "l"(global_address(p)), "r"(wanted), "r"(desired)
               : "memory");
  expected = old;
  return old == wanted;
}

// ---- Words that the host writes or reads: they are the courier's, on the gpu as all others. One side writes each of them.

WARPFS_FN uint host_load(const WARPFS_DEVICE uint* p) { return atomic_load(p); }
WARPFS_FN void host_store(WARPFS_DEVICE uint* p, uint v) { atomic_store(p, v); }

// ---- Fences. One-sided ones need PTX 8.6: an acquire is then no trip to L2 (300 cycles), and a release leaves L1 alone. Toolkits before that
// ---- have one for both directions.

#define WARPFS_FENCES_ONE_SIDED (__CUDACC_VER_MAJOR__ > 12 || (__CUDACC_VER_MAJOR__ == 12 && __CUDACC_VER_MINOR__ >= 8))
#if WARPFS_FENCES_ONE_SIDED
WARPFS_FN void fence_acquire() { asm volatile("fence.acquire.gpu;" ::: "memory"); }
WARPFS_FN void fence_release() { asm volatile("fence.release.gpu;" ::: "memory"); }
#else
WARPFS_FN void fence_acquire() { asm volatile("fence.acq_rel.gpu;" ::: "memory"); }
WARPFS_FN void fence_release() { asm volatile("fence.acq_rel.gpu;" ::: "memory"); }
#endif
WARPFS_FN void fence_seq() { asm volatile("fence.sc.gpu;" ::: "memory"); }
WARPFS_FN void host_fence_acquire() { fence_acquire(); }
WARPFS_FN void host_fence_release() { fence_release(); }

// A request was published. Nothing can be called from here: the courier polls.
WARPFS_FN void host_doorbell(WARPFS_THREAD const Lane&) {}

// ---- Line data. A line is filled again and again by others, so a plain load could be answered from a copy that L1 kept of its former
// ---- content, and two warps may touch it at once. Relaxed accesses of gpu scope are served by L2, where all warps meet; a vector of
// ---- four is modelled as four of them, in any order.

WARPFS_FN Vec16 data_load16(const WARPFS_DEVICE Vec16* p) {
  Vec16 v;
  asm volatile("ld.relaxed.gpu.global.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.words[0]), "=r"(v.words[1]), "=r"(v.words[2]), "=r"(v.words[3])
               : "l"(global_address(p))
               : "memory");
  return v;
}
WARPFS_FN void data_store16(WARPFS_DEVICE Vec16* p, Vec16 v) {
  asm volatile("st.relaxed.gpu.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(global_address(p)), "r"(v.words[0]), "r"(v.words[1]),
               "r"(v.words[2]), "r"(v.words[3])
               : "memory");
}
// The same of the memory of the host, over the bus.
WARPFS_FN Vec16 bus_load16(const WARPFS_DEVICE Vec16* p) {
  Vec16 v;
  asm volatile("ld.relaxed.sys.global.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.words[0]), "=r"(v.words[1]), "=r"(v.words[2]), "=r"(v.words[3])
               : "l"(global_address(p))
               : "memory");
  return v;
}
WARPFS_FN void bus_store16(WARPFS_DEVICE Vec16* p, Vec16 v) {
  asm volatile("st.relaxed.sys.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(global_address(p)), "r"(v.words[0]), "r"(v.words[1]),
               "r"(v.words[2]), "r"(v.words[3])
               : "memory");
}
WARPFS_FN void bus_store1(WARPFS_DEVICE uchar* p, uchar v) {
  asm volatile("st.relaxed.sys.global.u8 [%0], %1;" ::"l"(global_address(p)), "r"((uint)v) : "memory");
}
// What this lane has stored there, or has seen of others, is visible to the host before what it stores from now on. 1 to 2 us, and the whole GPU makes
// them one after another.
WARPFS_FN void bus_fence() { asm volatile("fence.acq_rel.sys;" ::: "memory"); }
WARPFS_FN uint data_load4(const WARPFS_DEVICE uint* p) { return atomic_load(p); }
WARPFS_FN void data_store4(WARPFS_DEVICE uint* p, uint v) { atomic_store(p, v); }
#define WARPFS_DATA_LOAD_8 1
WARPFS_FN void data_load8(const WARPFS_DEVICE uint* p, WARPFS_THREAD uint* words) {
  const Word2 v = atomic_load8(p);
  words[0] = v.words[0];
  words[1] = v.words[1];
}
WARPFS_FN uchar data_load1(const WARPFS_DEVICE uchar* p) {
  uint value;
  asm volatile("ld.relaxed.gpu.global.u8 %0, [%1];" : "=r"(value) : "l"(global_address(p)) : "memory");
  return (uchar)value;
}
WARPFS_FN void data_store1(WARPFS_DEVICE uchar* p, uchar v) {
  asm volatile("st.relaxed.gpu.global.u8 [%0], %1;" ::"l"(global_address(p)), "r"((uint)v) : "memory");
}

// Read without a pin: whoever does looks afterwards whether it was what it took it for. Check mode tells these apart, and bytes of a file from
// bytes that a kernel writes.
WARPFS_FN uint data_guess4(const WARPFS_DEVICE uint* p) { return data_load4(p); }
WARPFS_FN uchar data_guess1(const WARPFS_DEVICE uchar* p) { return data_load1(p); }
WARPFS_FN Vec16 data_guess16(const WARPFS_DEVICE Vec16* p) { return data_load16(p); }
WARPFS_FN uint data_guess4_acquire(const WARPFS_DEVICE uint* p) {
  uint value;
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(global_address(p)) : "memory");
  return value;
}
WARPFS_FN Word2 data_guess8_acquire(const WARPFS_DEVICE uint* p) { return atomic_load8_acquire(p); }
WARPFS_FN void data_fill16(WARPFS_DEVICE Vec16* p, Vec16 v) { data_store16(p, v); }

}  // namespace warpfs
