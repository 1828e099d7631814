// What warps of GPUfs ask the host with: slots in memory that both see. Each belongs to one worker of the host, which serves all that it finds
// pending as one batch. The layout alone, for warps and for the threads that are the workers (native/host/peer/gpufs_workers.h).
//
// A batch is read into one of two staging areas of its worker. Beside each area lies a count of the slots that are still to take their part of
// it: the host sets it, the warps count it down, and at zero the area is the host's again.
#pragma once

namespace warpfs {

namespace GpufsStatus {
enum : uint32_t { EMPTY = 0u, PENDING = 1u, IN_PROCESS = 2u, READY = 3u };
}
namespace GpufsType {
enum : uint32_t { READ = 0u, WRITE = 1u, DIFF = 2u };
}

enum : uint32_t { GPUFS_SLOT_BYTES = 128u, GPUFS_AREAS = 2u };

// Words of a slot. Offsets are two, the low one first.
enum : uint32_t {
  GPUFS_STATUS = 0u,
  GPUFS_TYPE = 1u,
  GPUFS_BYTES = 2u,
  GPUFS_STAGED = 3u,  // 1: a read goes to the area, and a write comes from the stage of its slot; 0: both are at PLACE
  GPUFS_PLACE = 4u,   // in the memory that the host moves bytes to
  GPUFS_OFFSET = 6u,  // in the file
  GPUFS_RESULT = 8u,  // 0, or -errno
  GPUFS_AREA = 9u,    // of a read: which of the two
  GPUFS_AT = 10u,     // and which page of it
};

// Slots in a row, those of a worker side by side; then the counts of the areas.
WARPFS_FN uint64_t gpufs_slot(uint32_t slot) { return (uint64_t)slot * GPUFS_SLOT_BYTES; }
WARPFS_FN uint64_t gpufs_area(uint32_t slots, uint32_t worker, uint32_t area) { return gpufs_slot(slots + worker * GPUFS_AREAS + area); }
WARPFS_FN uint64_t gpufs_shared_bytes(uint32_t workers, uint32_t slots) { return gpufs_slot(slots + workers * GPUFS_AREAS); }

// Stages: the pages of all areas, then one page for each slot, that a write is made from.
WARPFS_FN uint64_t gpufs_area_stage(uint32_t slots_of_worker, uint32_t worker, uint32_t area, uint32_t at, uint32_t page_bytes) {
  return ((uint64_t)(worker * GPUFS_AREAS + area) * slots_of_worker + at) * page_bytes;
}
WARPFS_FN uint64_t gpufs_write_stage(uint32_t slots, uint32_t slot, uint32_t page_bytes) { return ((uint64_t)slots * GPUFS_AREAS + slot) * page_bytes; }

}  // namespace warpfs
