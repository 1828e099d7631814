// Entry points of NVIDIA GPUs: a launch in, one call per thread out. A block is one group; the blocks that are resident take one group after
// another, so a warp keeps its slot for as long as it is resident.
#pragma once
#include "cuda_launch.h"

namespace warpfs {

WARPFS_FN Fs fs_of(uint item, uint slot) {
  Fs fs;
  fs.item = item;
  fs.slot = slot;
  fs.record = static_cast<ItemRecord*>(warpfs_constants.tables[Binding::RECORDS]) + slot;
  fs.log = static_cast<LogEntry*>(warpfs_constants.tables[Binding::LOGS]) + (ulong)slot * REPLAY_LOG_CALLS;
  fs.loaded = static_cast<uint*>(warpfs_constants.tables[Binding::LOADS]) + (ulong)slot * REPLAY_LOG_WORDS * WARP_LANES;
  return fs;
}

// All warps of the block: the next group that nobody has begun. False: this warp has nothing more to do.
WARPFS_FN bool group_take(const KernelLaunch& launch, uint& item) {
  const uint warp = threadIdx.x / WARP_LANES;
  uint group = 0;
  if (launch.group_warps == 1u) {
    if (threadIdx.x == 0u) group = atomic_add(launch.next_group, 1u);
    group = shuffle_word(group, 0u);
  } else {
    __shared__ uint taken;
    // Another barrier than that of group_barrier: the warps that a last, partial group lacks have left, and are waited for by neither.
    asm volatile("barrier.sync 1;" ::: "memory");
    if (threadIdx.x == 0u) taken = atomic_add(launch.next_group, 1u);
    asm volatile("barrier.sync 1;" ::: "memory");
    group = taken;
  }
  item = group * launch.group_warps + warp;
  return group < (launch.items + launch.group_warps - 1u) / launch.group_warps && item < launch.items;
}

}  // namespace warpfs

// `call` is an expression that sees `fs`, `own`, the kernel's own buffers, and `scalars`, the values of those that are one; it gives the item's status.
#define WARPFS_KERNEL_ENTRY_AS(name, call)                                                                             \
  extern "C" __global__ void name(const __grid_constant__ ::warpfs::KernelLaunch launch) {                                                      \
    using namespace ::warpfs;                                                                                         \
    void* const* own = launch.own;                                                                                    \
    const ulong* scalars = launch.scalars;                                                                            \
    (void)own;                                                                                                        \
    (void)scalars;                                                                                                    \
    uint next = 0;                                                                                                    \
    while (group_take(launch, next)) {                                                                                \
      const uint slot = launch.slots != 0 ? launch.slots[next] : blockIdx.x * launch.group_warps + threadIdx.x / WARP_LANES; \
      const uint item_of_slot = launch.slots != 0 ? launch.slot_items[slot] : next;                                   \
      Fs fs = fs_of(item_of_slot, slot);                                                             \
      item_begin(fs);                                                                                                 \
      const int status = (call);                                                                                      \
      item_end(fs, status);                                                                                           \
    }                                                                                                                 \
  }

#define WARPFS_KERNEL_ENTRY(call) WARPFS_KERNEL_ENTRY_AS(warpfs_kernel, call)
