// The workers of GPUfs and their file as one warp of the kernel, for check mode: there everything that runs has to be in the schedule. What it
// does is what native/host/peer/gpufs_workers.cpp does; the file is memory.
#pragma once
#include "bus.h"
#include "drive_end.h"
#include "gpufs_slots.h"

namespace warpfs {

struct GpufsDrive {
  WARPFS_DEVICE uchar* slots;
  WARPFS_DEVICE uchar* data;  // that places are in; nothing is staged here
  WARPFS_DEVICE uchar* disk;
  uint disk_bytes;
  uint workers;
  uint slots_of_worker;       // GPUFS_DRIVE_SLOTS_MAX at most
};

enum : uint { GPUFS_DRIVE_SLOTS_MAX = 8u };

WARPFS_FN uint gpufs_drive_word(WARPFS_THREAD const Lane& lane, WARPFS_DEVICE const uint* word) {
  return warp_broadcast(lane, lane.index == 0u ? peer_load(word) : 0u, 0u);
}

// All lanes: moves what one slot asks for; gives its result.
WARPFS_FN uint gpufs_drive_move(WARPFS_THREAD const Lane& lane, WARPFS_THREAD const GpufsDrive& drive, WARPFS_DEVICE uint* slot) {
  const uint type = gpufs_drive_word(lane, slot + GPUFS_TYPE), bytes = gpufs_drive_word(lane, slot + GPUFS_BYTES);
  const uint place = gpufs_drive_word(lane, slot + GPUFS_PLACE), offset = gpufs_drive_word(lane, slot + GPUFS_OFFSET);
  if (type != GpufsType::READ && type != GpufsType::WRITE) return (uint)-Errno::einval;
  if (offset >= drive.disk_bytes || bytes > drive.disk_bytes - offset) return (uint)-Errno::eio;
  if (type == GpufsType::READ) copy_to_line(lane, drive.data + place, drive.disk + offset, bytes);
  else copy_from_line(lane, drive.disk + offset, drive.data + place, bytes);
  return 0u;
}

// All lanes: what one worker finds pending, as one batch. Gives how much that was.
WARPFS_FN uint gpufs_drive_serve(WARPFS_THREAD const Lane& lane, WARPFS_THREAD const GpufsDrive& drive, uint worker) {
  const uint slots = drive.workers * drive.slots_of_worker;
  uint area = GPUFS_AREAS;
  for (uint i = 0; i < GPUFS_AREAS && area == GPUFS_AREAS; i++) {
    if (gpufs_drive_word(lane, (WARPFS_DEVICE uint*)(drive.slots + gpufs_area(slots, worker, i))) == 0u) area = i;
  }
  uint results[GPUFS_DRIVE_SLOTS_MAX];
  uint taken = 0u, reads = 0u, count = 0u;
  for (uint i = 0; i < drive.slots_of_worker; i++) {
    WARPFS_DEVICE uint* slot = (WARPFS_DEVICE uint*)(drive.slots + gpufs_slot(worker * drive.slots_of_worker + i));
    if (gpufs_drive_word(lane, slot + GPUFS_STATUS) != GpufsStatus::PENDING) continue;
    if (lane.index == 0u) peer_fence();
    const bool is_read = gpufs_drive_word(lane, slot + GPUFS_TYPE) == GpufsType::READ;
    if (is_read && area == GPUFS_AREAS) continue;  // until one of them is the host's again
    if (lane.index == 0u) peer_store(slot + GPUFS_STATUS, GpufsStatus::IN_PROCESS);
    results[i] = gpufs_drive_move(lane, drive, slot);
    if (lane.index == 0u && is_read) {
      peer_store(slot + GPUFS_AREA, area);
      peer_store(slot + GPUFS_AT, reads);
    }
    reads += is_read ? 1u : 0u;
    taken |= 1u << i;
    count++;
  }
  warp_sync(lane);
  if (lane.index == 0u && reads != 0u) peer_store((WARPFS_DEVICE uint*)(drive.slots + gpufs_area(slots, worker, area)), reads);
  for (uint i = 0; lane.index == 0u && i < drive.slots_of_worker; i++) {
    if ((taken >> i & 1u) == 0u) continue;
    WARPFS_DEVICE uint* slot = (WARPFS_DEVICE uint*)(drive.slots + gpufs_slot(worker * drive.slots_of_worker + i));
    peer_store(slot + GPUFS_RESULT, results[i]);
    peer_fence();
    peer_store(slot + GPUFS_STATUS, GpufsStatus::READY);
  }
  return count;
}

// All lanes. Serves until all items have ended and nothing is left: 0, or that somebody waited too long.
WARPFS_FN int gpufs_drive(WARPFS_THREAD Fs& fs, WARPFS_THREAD const GpufsDrive& drive, WARPFS_DEVICE const uint* ended_items, uint all_items) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  DriveEnd end;
  drive_begin(fs, end);
  do {
    drive_look(fs, end, ended_items, all_items);
    for (uint worker = 0; worker < drive.workers; worker++) end.served += gpufs_drive_serve(lane, drive, worker);
  } while (drive_goes_on(fs, end));
  return end.outcome;
}

}  // namespace warpfs
