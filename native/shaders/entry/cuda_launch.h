// What a launch on an NVIDIA GPU is given: the host fills these in, and kernels get them by value.
#pragma once

namespace warpfs {

// What all kernels of a mount know; in constant memory.
struct KernelConstants {
  void* tables[Binding::OWN];  // in the order of Binding, all of them in the memory of the gpu
  Geometry geometry;
  uint32_t line_shift, set_count, set_ways_base, set_ways_rest;  // as Fs has them
};

enum : uint32_t { WARP_WORDS = 32 };  // of shared memory, for each warp of a block, before what the kernel itself asks for

enum : uint32_t { OWN_MAX = 64 };  // buffers of one kernel

// Of a kernel that runs work items. By value: parameters lie in constant memory, and take no registers between their uses.
struct KernelLaunch {
  void* own[OWN_MAX];           // the kernel's own buffers
  uint64_t scalars[OWN_MAX];    // of each input the first bytes, which are all of a scalar
  uint32_t items;
  uint32_t group_warps;
  uint32_t* next_group;         // groups that were begun
  const uint32_t* slots;        // replay: the slot of each launched item; null: the slot of the resident warp
  const uint32_t* slot_items;   // replay: the item in each slot
};

// Of the courier. Tables of the gpu are in its memory, everything else is pinned memory of the host.
struct CourierLaunch {
  const CourierMessage* messages;  // channel after channel
  uint32_t* delivered;             // messages of each channel that were delivered, COURIER_WORDS_APART apart; written by the gpu alone
  uint32_t* channel_positions;     // the same in the memory of the gpu, kept from launch to launch
  const uint8_t* stages;           // the bytes of lines that are being filled
  const FileEntry* files;
  Request* requests;               // the rings of the host
  const RingHead* ring_heads;
  uint8_t* outboxes;
  uint8_t* parcels;                // what a WRITE_BACK brings along: for each slot of each ring the line, then its mask; null: the host fetches that
  const uint32_t* stop;            // written by the host alone: 1 when all is delivered and nothing will come
  uint32_t* running;               // written by the gpu alone: 1 for each part that runs, COURIER_WORDS_APART apart
  uint32_t channels;
  uint32_t channel_slots;          // a power of two
  uint32_t ring_count;
  uint32_t ring_slots;             // of the gpu
  uint32_t host_ring_slots;
  uint32_t line_shift;
};

enum : uint32_t {
  COURIER_WORDS_APART = 32,  // words that the other side polls have 128 bytes of their own
  COURIER_THREADS = 256,     // of a part; each part serves one channel or one ring
  COURIER_PARTS = 4,         // of a block: with 64 registers a thread they fill one multiprocessor, and leave the others to everybody else
};

}  // namespace warpfs
