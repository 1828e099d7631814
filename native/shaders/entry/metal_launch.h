// What a dispatch on an Apple GPU is given. The host knows tables and own buffers by their addresses (gpuAddress), so it fills these in as 64-bit
// words; all of them are resident while the kernel runs.
#pragma once

namespace warpfs {

// In the order of Binding.
struct MetalTables {
  WARPFS_DEVICE const Geometry* geometry;
  WARPFS_DEVICE RingTail* ring_tails;
  WARPFS_DEVICE const RingHead* ring_heads;
  WARPFS_DEVICE Request* requests;
  WARPFS_DEVICE uint* words;
  WARPFS_DEVICE LineTag* tags;
  WARPFS_DEVICE LineAux* auxes;
  WARPFS_DEVICE const LineDone* dones;
  WARPFS_DEVICE SetState* sets;
  WARPFS_DEVICE uchar* lines;
  WARPFS_DEVICE const FileEntry* files;
  WARPFS_DEVICE const Mailbox* mailboxes;
  WARPFS_DEVICE uchar* outboxes;
  WARPFS_DEVICE ItemRecord* records;
  WARPFS_DEVICE WarpStats* stats;
  WARPFS_DEVICE FaultRecord* fault;
  WARPFS_DEVICE LogEntry* logs;
  WARPFS_DEVICE uint* loads;
  WARPFS_DEVICE uint* gates;
  WARPFS_DEVICE DirtyState* dirty;
  WARPFS_DEVICE uint* masks;
  WARPFS_DEVICE Hint* hints;
};
static_assert(WARPFS_OFFSETOF(MetalTables, requests) == 8u * Binding::REQUESTS && WARPFS_OFFSETOF(MetalTables, lines) == 8u * Binding::LINES &&
              WARPFS_OFFSETOF(MetalTables, records) == 8u * Binding::RECORDS && WARPFS_OFFSETOF(MetalTables, loads) == 8u * Binding::LOADS &&
              WARPFS_OFFSETOF(MetalTables, hints) == 8u * Binding::HINTS && sizeof(MetalTables) == 8u * Binding::OWN, "one address for each binding");

enum : uint32_t { METAL_OWN_MAX = 64 };  // buffers of one kernel

// Of one dispatch: a part of a kernel's items, so that no dispatch takes long.
struct MetalLaunch {
  WARPFS_DEVICE uchar* own[METAL_OWN_MAX];  // the kernel's own buffers
  WARPFS_DEVICE const uint* slots;          // replay: the slot of each launched item
  WARPFS_DEVICE const uint* slot_items;     // replay: the item in each slot
  uint first;                               // of the launched items, or of all items: the first of this dispatch
  uint items;                               // of this dispatch
  uint group_warps;
  uint replays;                             // 0: the items have slots in turn
};

}  // namespace warpfs
