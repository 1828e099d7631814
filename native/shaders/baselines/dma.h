// The last part of the way that a drive moves bytes by itself. A processor cannot store into the memory of a GPU, so where that is memory of its
// own a warp takes this part: from or to a stage in pinned memory, or the file as it lies in the memory of the host. The same for all baselines,
// and the same as the fills of WarpFS itself (pull and map). On the cpu device the host moves bytes to their place, and nothing is left to do.
#pragma once
#include "bus.h"

namespace warpfs {

namespace DmaWay {
enum : uint { DIRECT = 0u, STAGED = 1u, MAPPED = 2u };
}

struct Dma {
  uint way;                        // of what is read
  uint way_back;                   // of what is written
  WARPFS_DEVICE uchar* memory;     // that lines are in
  WARPFS_DEVICE uchar* stages;
  WARPFS_DEVICE uchar* file;       // the whole of it
};

// What the controller is told: where in its memory the bytes are to be.
WARPFS_FN ulong dma_address(uint way, ulong in_memory, ulong in_stages) { return way == DmaWay::DIRECT ? in_memory : in_stages; }

// All lanes; `bytes` a multiple of 16, as all places are. `place`: of the bytes on the host's side.
WARPFS_FN void dma_copy_in(WARPFS_THREAD const Lane& lane, WARPFS_DEVICE uchar* line, const WARPFS_DEVICE uchar* place, uint bytes) {
  constexpr uint AT_ONCE = 8u;
  const uint pieces = bytes / 16u;
  for (uint base = lane.index; base < pieces; base += AT_ONCE * lane.count) {
    Vec16 part[AT_ONCE];
    for (uint i = 0; i < AT_ONCE; i++) {
      if (base + i * lane.count < pieces) part[i] = peer_load16((const WARPFS_DEVICE Vec16*)place + base + i * lane.count);
    }
    for (uint i = 0; i < AT_ONCE; i++) {
      if (base + i * lane.count < pieces) data_store16((WARPFS_DEVICE Vec16*)line + base + i * lane.count, part[i]);
    }
  }
}
WARPFS_FN void dma_copy_out(WARPFS_THREAD const Lane& lane, WARPFS_DEVICE uchar* place, const WARPFS_DEVICE uchar* line, uint bytes) {
  for (uint at = lane.index; at < bytes / 16u; at += lane.count) {
    peer_store16((WARPFS_DEVICE Vec16*)place + at, data_load16((const WARPFS_DEVICE Vec16*)line + at));
  }
  peer_fence();
  warp_sync(lane);
}

// All lanes, when the completion of a read was seen and its fence made. Afterwards the line has the bytes, for whoever acquires from this warp.
WARPFS_FN void dma_land(WARPFS_THREAD const Lane& lane, WARPFS_THREAD const Dma& dma, ulong in_memory, ulong in_stages, ulong in_file, uint bytes) {
  if (dma.way == DmaWay::DIRECT) return;
  dma_copy_in(lane, dma.memory + in_memory, dma.way == DmaWay::STAGED ? dma.stages + in_stages : dma.file + in_file, bytes);
  warp_sync(lane);
}
// All lanes, before a write is submitted.
WARPFS_FN void dma_leave(WARPFS_THREAD const Lane& lane, WARPFS_THREAD const Dma& dma, ulong in_memory, ulong in_stages, ulong in_file, uint bytes) {
  if (dma.way_back == DmaWay::DIRECT) return;
  dma_copy_out(lane, dma.way_back == DmaWay::STAGED ? dma.stages + in_stages : dma.file + in_file, dma.memory + in_memory, bytes);
}

}  // namespace warpfs
