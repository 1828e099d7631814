// The controller and its drive as a warp of the kernel, for check mode: there everything that runs has to be in the schedule. What it does is what
// native/host/peer/nvme_controller.cpp does; the file is memory.
#pragma once
#include "bus.h"
#include "drive_end.h"
#include "nvme_queue.h"

namespace warpfs {

struct NvmeDrive {
  WARPFS_DEVICE uchar* queues;
  WARPFS_DEVICE uchar* data;   // that the addresses of commands are about
  WARPFS_DEVICE uchar* disk;
  uint disk_bytes;
  uint queue_count;            // NVME_DRIVE_QUEUES_MAX at most
  uint depth;
  WARPFS_DEVICE uint* kept;    // from dispatch to dispatch, for each queue NVME_DRIVE_WORDS; zeros at first
};

enum : uint { NVME_DRIVE_QUEUES_MAX = 4u, NVME_DRIVE_WORDS = 3u };

WARPFS_FN WARPFS_DEVICE uint* nvme_word(WARPFS_DEVICE uchar* queues, ulong at) { return (WARPFS_DEVICE uint*)(queues + at); }

// All lanes: the bytes of one command are moved; gives its status.
WARPFS_FN uint nvme_drive_move(WARPFS_THREAD const Lane& lane, WARPFS_THREAD const NvmeDrive& drive, WARPFS_THREAD const uint* command) {
  const uint opcode = command[NVME_HEAD] & 0xffu;
  if (opcode == NvmeOpcode::FLUSH) return NvmeStatus::SUCCESS;
  if (opcode != NvmeOpcode::READ && opcode != NvmeOpcode::WRITE) return NvmeStatus::INVALID_OPCODE;
  const uint bytes = ((command[NVME_BLOCKS] & 0xffffu) + 1u) * NVME_BLOCK_BYTES;
  const ulong offset = ((ulong)command[NVME_LBA] | (ulong)command[NVME_LBA + 1u] << 32) * NVME_BLOCK_BYTES;
  if (offset >= drive.disk_bytes || bytes > drive.disk_bytes - offset) return NvmeStatus::LBA_OUT_OF_RANGE;
  WARPFS_DEVICE uchar* memory = drive.data + ((ulong)command[NVME_ADDRESS] | (ulong)command[NVME_ADDRESS + 1u] << 32);
  if (opcode == NvmeOpcode::READ) copy_to_line(lane, memory, drive.disk + offset, bytes);
  else copy_from_line(lane, drive.disk + offset, memory, bytes);
  return NvmeStatus::SUCCESS;
}

// All lanes. Serves until all items have ended and nothing is left: 0, or that somebody waited too long.
WARPFS_FN int nvme_drive(WARPFS_THREAD Fs& fs, WARPFS_THREAD const NvmeDrive& drive, WARPFS_DEVICE const uint* ended_items, uint all_items) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  uint heads[NVME_DRIVE_QUEUES_MAX], tails[NVME_DRIVE_QUEUES_MAX], phases[NVME_DRIVE_QUEUES_MAX];
  for (uint queue = 0; queue < NVME_DRIVE_QUEUES_MAX; queue++) {
    if (queue >= drive.queue_count) break;
    heads[queue] = drive.kept[queue * NVME_DRIVE_WORDS];
    tails[queue] = drive.kept[queue * NVME_DRIVE_WORDS + 1u];
    phases[queue] = 1u ^ drive.kept[queue * NVME_DRIVE_WORDS + 2u];
  }
  DriveEnd end;
  drive_begin(fs, end);
  do {
    drive_look(fs, end, ended_items, all_items);
    for (uint queue = 0; queue < drive.queue_count; queue++) {
      const ulong pair = queue * nvme_pair_bytes(drive.depth);
      const uint bell = warp_broadcast(lane, is_leader(fs) ? peer_load(nvme_word(drive.queues, nvme_sq_doorbell(pair))) : 0u, 0u) % drive.depth;
      while (heads[queue] != bell) {
        uint command[16];
        peer_fence();
        for (uint word = 0; word < 16u; word++) {
          const uint own = is_leader(fs) ? data_load4(nvme_word(drive.queues, nvme_command(pair, heads[queue])) + word) : 0u;
          command[word] = warp_broadcast(lane, own, 0u);
        }
        heads[queue] = (heads[queue] + 1u) % drive.depth;
        const uint status = nvme_drive_move(lane, drive, command);
        warp_sync(lane);
        const uint next = (tails[queue] + 1u) % drive.depth;
        while (warp_broadcast(lane, is_leader(fs) ? peer_load(nvme_word(drive.queues, nvme_cq_doorbell(pair))) : 0u, 0u) % drive.depth == next) {
          if (!warp_wait_again(fs, end.bound)) return wait_outcome();
        }
        if (is_leader(fs)) {
          WARPFS_DEVICE uint* entry = nvme_word(drive.queues, nvme_completion(pair, drive.depth, tails[queue]));
          peer_fence();  // also behind the doorbell: the entry was read before it was given back
          peer_store(entry + NVME_SQ, heads[queue] | queue << 16);
          peer_fence();
          peer_store(entry + NVME_DONE, command[NVME_HEAD] >> 16 | phases[queue] << 16 | status << 17);
        }
        tails[queue] = next;
        if (next == 0u) phases[queue] ^= 1u;
        end.served++;
      }
    }
  } while (drive_goes_on(fs, end));
  if (end.outcome != 0) return end.outcome;
  for (uint queue = 0; is_leader(fs) && queue < drive.queue_count; queue++) {
    drive.kept[queue * NVME_DRIVE_WORDS] = heads[queue];
    drive.kept[queue * NVME_DRIVE_WORDS + 1u] = tails[queue];
    drive.kept[queue * NVME_DRIVE_WORDS + 2u] = 1u ^ phases[queue];
  }
  return 0;
}

}  // namespace warpfs
