// gread and gwrite of GPUfs: a call of all warps of a group, for one buffer. Where the warps of a group want different bytes, it makes one call
// after the other. The first warp finds the page, and fills it; all of them copy.
#pragma once
#include "gpufs_calls.h"

namespace warpfs {

struct GpufsGroup {
  WARPFS_GROUP uint* words;      // the outcome of the call, its frame, the outcome of the end; from GROUP_WISHES on four of each warp: offset, bytes, 1
  uint warp;
  uint warps;
  WARPFS_DEVICE uchar* buffers;  // of the first warp; those of the others lie behind it
  uint buffer_bytes;
};

enum : uint { GROUP_OUTCOME = 0u, GROUP_FRAME = 1u, GROUP_END = 2u, GROUP_WISHES = 4u };

// All lanes of all warps, before the first call: the last group of a launch may lack some of its warps.
WARPFS_FN void gpufs_group_begin(WARPFS_THREAD const Lane& lane, WARPFS_THREAD const GpufsGroup& group) {
  if (group.warp == 0u && lane.index == 0u) {
    for (uint warp = 0; warp < group.warps; warp++) group.words[GROUP_WISHES + warp * 4u + 3u] = 0u;
  }
  group_barrier(lane);
}

// All lanes of all warps: the part of this warp.
WARPFS_FN void gpufs_group_copy(WARPFS_THREAD const Lane& lane, WARPFS_THREAD const GpufsGroup& group, uint warps, WARPFS_DEVICE uchar* page, WARPFS_DEVICE uchar* buffer, uint bytes, bool to_page) {
  const uint share = ((bytes + warps - 1u) / warps + 15u) & ~15u;
  const uint begin = group.warp * share < bytes ? group.warp * share : bytes;
  const uint mine = begin + share < bytes ? share : bytes - begin;
  if (mine == 0u) return;
  if (to_page) copy_to_line(lane, page + begin, buffer + begin, mine);
  else copy_from_line(lane, buffer + begin, page + begin, mine);
}

// All lanes of all warps: what each warp wants moved between the file and its buffer; 0 bytes: nothing.
WARPFS_FN int gpufs_group_move(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Gpufs& g, WARPFS_THREAD const GpufsGroup& group, ulong offset, uint bytes, bool to_page) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  WARPFS_GROUP uint* own = group.words + GROUP_WISHES + group.warp * 4u;
  if (is_leader(fs)) {
    own[0] = (uint)offset;
    own[1] = (uint)(offset >> 32);
    own[2] = bytes;
    own[3] = 1u;
  }
  group_barrier(lane);
  if (group.warp == 0u && is_leader(fs)) group.words[GROUP_END] = 0u;
  const uint page_bytes = 1u << g.page_shift;
  uint warps = 0u;
  for (uint warp = 0; warp < group.warps; warp++) warps += group.words[GROUP_WISHES + warp * 4u + 3u];
  for (uint warp = 0; warp < warps; warp++) {
    const WARPFS_GROUP uint* wish = group.words + GROUP_WISHES + warp * 4u;
    const ulong from = (ulong)wish[0] | (ulong)wish[1] << 32;
    for (uint done = 0u; done < wish[2];) {
      const uint in_page = (uint)(from + done) & (page_bytes - 1u);
      const uint part = page_bytes - in_page < wish[2] - done ? page_bytes - in_page : wish[2] - done;
      if (group.warp == 0u) {
        uint frame = 0u;
        const int outcome = gpufs_map(fs, g, from + done, frame);
        if (is_leader(fs)) {
          group.words[GROUP_OUTCOME] = (uint)outcome;
          group.words[GROUP_FRAME] = frame;
        }
      }
      group_barrier(lane);
      const int outcome = (int)group.words[GROUP_OUTCOME];
      const uint frame = group.words[GROUP_FRAME];
      if (outcome != 0) return outcome;
      gpufs_group_copy(lane, group, warps, g.dma.memory + gpufs_place(g, frame) + in_page, group.buffers + (ulong)warp * group.buffer_bytes + done, part, to_page);
      group_barrier(lane);
      if (group.warp == 0u) {
        const int ended = gpufs_unmap(fs, g, frame, to_page);
        if (ended != 0 && is_leader(fs)) group.words[GROUP_END] = (uint)ended;
      }
      done += part;
    }
  }
  // Also before a wish is changed: everybody has seen all of them.
  group_barrier(lane);
  return (int)group.words[GROUP_END];
}

}  // namespace warpfs
