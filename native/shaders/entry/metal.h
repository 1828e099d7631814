// Entry points of Apple GPUs: one SIMD-group of a threadgroup is one warp. Metal gives threadgroups no promise to go on beside each other, so an item is
// launched once for each run, and nothing stays resident.
#pragma once
#include "metal_launch.h"

namespace warpfs {

WARPFS_FN Fs fs_of(WARPFS_CONSTANT MetalTables& tables, Lane lane, uint item, uint slot) {
  Fs fs;
  fs.lane = lane;
  fs.item = item;
  fs.slot = slot;
  fs.geometry = tables.geometry;
  fs.ring_tails = tables.ring_tails;
  fs.ring_heads = tables.ring_heads;
  fs.requests = tables.requests;
  fs.words = tables.words;
  fs.tags = tables.tags;
  fs.auxes = tables.auxes;
  fs.dones = tables.dones;
  fs.sets = tables.sets;
  fs.lines = tables.lines;
  fs.files = tables.files;
  fs.mailboxes = tables.mailboxes;
  fs.outboxes = tables.outboxes;
  fs.record = tables.records + slot;
  fs.stats = tables.stats;
  fs.fault = tables.fault;
  fs.log = tables.logs + (ulong)slot * REPLAY_LOG_CALLS;
  fs.loaded = tables.loads + (ulong)slot * REPLAY_LOG_WORDS * WARP_LANES;
  fs.gates = tables.gates;
  fs.dirty = tables.dirty;
  fs.masks = tables.masks;
  return fs;
}

}  // namespace warpfs

#if defined(WARPFS_SPIN)
#define WARPFS_LANE_GIVES_UP(lane, tables) lane.give_up = &tables.fault->give_up
#else
#define WARPFS_LANE_GIVES_UP(lane, tables)
#endif

// `call` is an expression that sees `fs` and `own`, the kernel's own buffers, and gives the item's status.
#define WARPFS_KERNEL_ENTRY_AS(name, call)                                                                                                       \
  kernel void name(constant ::warpfs::MetalTables& tables [[buffer(0)]], constant ::warpfs::MetalLaunch& launch [[buffer(1)]],                    \
                   threadgroup uchar* group [[threadgroup(0)]], uint group_index [[threadgroup_position_in_grid]],                               \
                   uint warp [[simdgroup_index_in_threadgroup]], uint lane_index [[thread_index_in_simdgroup]]) {                                \
    using namespace ::warpfs;                                                                                                                    \
    const uint place = group_index * launch.group_warps + warp;                                                                                  \
    if (place >= launch.items) return;                                                                                                           \
    Lane lane;                                                                                                                                   \
    lane.index = lane_index;                                                                                                                     \
    lane.count = WARP_LANES;                                                                                                                     \
    lane.group = group;                                                                                                                          \
    WARPFS_LANE_GIVES_UP(lane, tables);                                                                                                          \
    const uint slot = launch.replays != 0u ? launch.slots[launch.first + place] : place;                                                         \
    const uint item = launch.replays != 0u ? launch.slot_items[slot] : launch.first + place;                                                     \
    Fs fs = fs_of(tables, lane, item, slot);                                                                                                     \
    item_begin(fs);                                                                                                                              \
    device uchar* constant* own = launch.own;                                                                                                    \
    (void)own;                                                                                                                                   \
    const int status = (call);                                                                                                                   \
    item_end(fs, status);                                                                                                                        \
  }

#define WARPFS_KERNEL_ENTRY(call) WARPFS_KERNEL_ENTRY_AS(warpfs_kernel, call)
