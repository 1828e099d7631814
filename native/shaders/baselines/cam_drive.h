// The threads of CAM and their file as one warp of the kernel, for check mode: there everything that runs has to be in the schedule. What it does
// is what native/host/peer/cam_batches.cpp does; the file is memory.
#pragma once
#include "bus.h"
#include "cam_batch.h"
#include "drive_end.h"

namespace warpfs {

struct CamDrive {
  WARPFS_DEVICE uchar* shared;
  WARPFS_DEVICE uchar* data;   // that places are in
  WARPFS_DEVICE uchar* disk;
  uint disk_bytes;
  uint groups;
  uint entries;
  WARPFS_DEVICE uint* kept;    // posts taken of each group, from dispatch to dispatch; zeros at first
};

WARPFS_FN uint cam_drive_word(WARPFS_THREAD const Lane& lane, WARPFS_THREAD const CamDrive& drive, ulong at) {
  return warp_broadcast(lane, lane.index == 0u ? peer_load((WARPFS_DEVICE const uint*)(drive.shared + at)) : 0u, 0u);
}

// All lanes: one batch, from its first block to its word.
WARPFS_FN void cam_drive_batch(WARPFS_THREAD const Lane& lane, WARPFS_THREAD const CamDrive& drive, ulong group, uint number) {
  const uint post = cam_drive_word(lane, drive, cam_post_at(group, number));
  const uint kind = post & 1u, buffer = post >> 1 & 0x7fu;
  uint status = 0u;
  for (uint i = 0; i < post >> 8; i++) {
    const ulong entry = cam_entry_at(group, drive.entries, kind, buffer, i);
    const uint bytes = cam_drive_word(lane, drive, entry + CAM_BLOCKS * 4u) * CAM_BLOCK_BYTES;
    if (bytes == 0u) continue;
    const uint offset = cam_drive_word(lane, drive, entry + CAM_BLOCK * 4u) * CAM_BLOCK_BYTES;
    WARPFS_DEVICE uchar* place = drive.data + cam_drive_word(lane, drive, entry + CAM_PLACE * 4u);
    if (offset >= drive.disk_bytes || bytes > drive.disk_bytes - offset) status = (uint)-Errno::eio;
    else if (kind == CamKind::READ) copy_to_line(lane, place, drive.disk + offset, bytes);
    else copy_from_line(lane, drive.disk + offset, place, bytes);
  }
  warp_sync(lane);
  if (lane.index == 0u) {
    WARPFS_DEVICE uint* done = (WARPFS_DEVICE uint*)(drive.shared + cam_done_at(group, kind, buffer));
    peer_store(done + 1, status);
    peer_fence();
    peer_store(done, number);
  }
}

// All lanes. Serves until all items have ended and nothing is left: 0, or that somebody waited too long.
WARPFS_FN int cam_drive(WARPFS_THREAD Fs& fs, WARPFS_THREAD const CamDrive& drive, WARPFS_DEVICE const uint* ended_items, uint all_items) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  DriveEnd end;
  drive_begin(fs, end);
  do {
    drive_look(fs, end, ended_items, all_items);
    for (uint group = 0; group < drive.groups; group++) {
      const ulong at = group * cam_group_bytes(drive.entries);
      const uint bell = cam_drive_word(lane, drive, at + CAM_BELL);
      const uint taken = warp_broadcast(lane, is_leader(fs) ? drive.kept[group] : 0u, 0u);
      if (taken == bell) continue;
      if (is_leader(fs)) peer_fence();
      // The last one first: a drive may do what it likes of all that is under way at once.
      for (uint number = bell; number != taken; number--) {
        cam_drive_batch(lane, drive, at, number);
        end.served++;
      }
      if (is_leader(fs)) drive.kept[group] = bell;
    }
  } while (drive_goes_on(fs, end));
  return end.outcome;
}

}  // namespace warpfs
