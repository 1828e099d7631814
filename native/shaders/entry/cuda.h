// Entry points of NVIDIA GPUs: a launch in, one call per thread out. A block is one group; the blocks that are resident take one group after
// another, so a warp keeps its slot for as long as it is resident.
#pragma once
#include "cuda_launch.h"

namespace warpfs {

WARPFS_FN Fs fs_from_launch(const KernelLaunch& launch, uint item, uint slot) {
  Fs fs;
  fs.lane.index = threadIdx.x & (WARP_LANES - 1u);
  fs.lane.count = WARP_LANES;
  fs.item = item;
  fs.slot = slot;
  fs.geometry = static_cast<const Geometry*>(launch.tables[Binding::GEOMETRY]);
  fs.ring_tails = static_cast<RingTail*>(launch.tables[Binding::RING_TAILS]);
  fs.ring_heads = static_cast<const RingHead*>(launch.tables[Binding::RING_HEADS]);
  fs.requests = static_cast<Request*>(launch.tables[Binding::REQUESTS]);
  fs.words = static_cast<uint*>(launch.tables[Binding::WORDS]);
  fs.tags = static_cast<LineTag*>(launch.tables[Binding::TAGS]);
  fs.auxes = static_cast<LineAux*>(launch.tables[Binding::AUXES]);
  fs.dones = static_cast<const LineDone*>(launch.tables[Binding::DONES]);
  fs.sets = static_cast<SetState*>(launch.tables[Binding::SETS]);
  fs.lines = static_cast<uchar*>(launch.tables[Binding::LINES]);
  fs.files = static_cast<const FileEntry*>(launch.tables[Binding::FILES]);
  fs.mailboxes = static_cast<const Mailbox*>(launch.tables[Binding::MAILBOXES]);
  fs.outboxes = static_cast<uchar*>(launch.tables[Binding::OUTBOXES]);
  fs.record = static_cast<ItemRecord*>(launch.tables[Binding::RECORDS]) + slot;
  fs.stats = static_cast<WarpStats*>(launch.tables[Binding::STATS]);
  fs.fault = static_cast<FaultRecord*>(launch.tables[Binding::FAULT]);
  fs.log = static_cast<LogEntry*>(launch.tables[Binding::LOGS]) + (ulong)slot * REPLAY_LOG_CALLS;
  fs.loaded = static_cast<uint*>(launch.tables[Binding::LOADS]) + (ulong)slot * REPLAY_LOG_WORDS * WARP_LANES;
  fs.gates = static_cast<uint*>(launch.tables[Binding::GATES]);
  fs.dirty = static_cast<DirtyState*>(launch.tables[Binding::DIRTY]);
  fs.masks = static_cast<uint*>(launch.tables[Binding::MASKS]);
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

// `call` is an expression that sees `fs` and `own`, the kernel's own buffers, and gives the item's status.
#define WARPFS_KERNEL_ENTRY_AS(name, call)                                                                             \
  extern "C" __global__ void name(const ::warpfs::KernelLaunch launch) {                                                      \
    using namespace ::warpfs;                                                                                         \
    void* const* own = launch.own;                                                                                    \
    (void)own;                                                                                                        \
    uint next = 0;                                                                                                    \
    while (group_take(launch, next)) {                                                                                \
      const uint slot = launch.slots != 0 ? launch.slots[next] : blockIdx.x * launch.group_warps + threadIdx.x / WARP_LANES; \
      const uint item_of_slot = launch.slots != 0 ? launch.slot_items[slot] : next;                                   \
      Fs fs = fs_from_launch(launch, item_of_slot, slot);                                                             \
      item_begin(fs);                                                                                                 \
      const int status = (call);                                                                                      \
      item_end(fs, status);                                                                                           \
    }                                                                                                                 \
  }

#define WARPFS_KERNEL_ENTRY(call) WARPFS_KERNEL_ENTRY_AS(warpfs_kernel, call)
