// Words and bytes that a thread of the host sees while a kernel runs. The only header of the baselines that knows its dialect: WarpFS itself
// talks to the host through its courier, the peers do not.
#pragma once

namespace warpfs {

#if defined(__CUDACC__)
WARPFS_FN uint peer_load(const WARPFS_DEVICE uint* p) {
  uint v;
  asm volatile("ld.relaxed.sys.global.u32 %0, [%1];" : "=r"(v) : "l"(global_address(p)) : "memory");
  return v;
}
WARPFS_FN void peer_store(WARPFS_DEVICE uint* p, uint v) {
  asm volatile("st.relaxed.sys.global.u32 [%0], %1;" ::"l"(global_address(p)), "r"(v) : "memory");
}
// Of words that the host only looks at while warps change them.
WARPFS_FN void peer_sub(WARPFS_DEVICE uint* p, uint v) {
  asm volatile("red.relaxed.sys.global.add.u32 [%0], %1;" ::"l"(global_address(p)), "r"(0u - v) : "memory");
}
WARPFS_FN void peer_fence() { bus_fence(); }
#if WARPFS_FENCES_ONE_SIDED
WARPFS_FN void peer_fence_acquire() { asm volatile("fence.acquire.sys;" ::: "memory"); }
#else
WARPFS_FN void peer_fence_acquire() { bus_fence(); }
#endif
WARPFS_FN Vec16 peer_load16(const WARPFS_DEVICE Vec16* p) { return bus_load16(p); }
WARPFS_FN void peer_store16(WARPFS_DEVICE Vec16* p, Vec16 v) { bus_store16(p, v); }
#else
WARPFS_FN uint peer_load(const WARPFS_DEVICE uint* p) { return host_load(p); }
WARPFS_FN void peer_store(WARPFS_DEVICE uint* p, uint v) { host_store(p, v); }
WARPFS_FN void peer_sub(WARPFS_DEVICE uint* p, uint v) { atomic_sub(p, v); }
// Behind a load that saw what the host has published: much cheaper than the one below.
WARPFS_FN void peer_fence_acquire() { host_fence_acquire(); }
// Before a store that publishes, and behind a load that saw one.
WARPFS_FN void peer_fence() {
  host_fence_acquire();
  host_fence_release();
}
WARPFS_FN Vec16 peer_load16(const WARPFS_DEVICE Vec16* p) { return data_load16(p); }
WARPFS_FN void peer_store16(WARPFS_DEVICE Vec16* p, Vec16 v) { data_store16(p, v); }
#endif

}  // namespace warpfs
