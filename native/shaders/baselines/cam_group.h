// CAM as a group of warps sees it: batches of what all of its warps want in their next turns, one under way while the last one is worked on.
// Reads are prefetched, changes are written back in batches as well, and nothing is kept. All lanes of all warps of the group come to every call.
#pragma once
#include "cam_batch.h"
#include "dma.h"

#ifndef CAM_FLAWS
#define CAM_FLAWS 0u
#endif

namespace warpfs {

namespace CamFlaw {
enum : uint { STATUS_IGNORED = 1u };
}

struct Cam {
  WARPFS_DEVICE uchar* shared;
  WARPFS_GROUP uint* words;    // of the group
  WARPFS_DEVICE uint* posts;   // of the group, so far; from dispatch to dispatch
  Dma dma;
  ulong group;                 // where it begins in `shared`
  ulong places;                // where the buffers of this warp begin
  uint warp;                   // of the group
  uint warps;
  uint turns;                  // of a batch
  uint buffers;                // 2, or 3 where something is written: one fills, one is worked on, one is written back
  uint place_bytes;
  uint base;                   // batches before this round of turns
  bool writes;
};

// Words of the group. Those before CAM_OUTCOME are of the leader of its first warp.
enum : uint { CAM_NUMBER = 0u, CAM_ENTRIES = 1u, CAM_FAILED = 2u, CAM_AWAITED = 4u /* by kind and buffer; 0: nothing */, CAM_OUTCOME = 12u /* two, in turn */, CAM_WARPS = 16u /* of each */ };

WARPFS_FN bool cam_leads(WARPFS_THREAD const Fs& fs, WARPFS_THREAD const Cam& cam) { return cam.warp == 0u && is_leader(fs); }
WARPFS_FN uint cam_entries(WARPFS_THREAD const Cam& cam) { return cam.warps * cam.turns; }
WARPFS_FN uint cam_buffer(WARPFS_THREAD const Cam& cam, uint turn) { return (cam.base + turn / cam.turns) % cam.buffers; }
// In the memory that bytes are moved to, or in the stages, which are laid out alike.
WARPFS_FN ulong cam_place(WARPFS_THREAD const Cam& cam, uint turn) {
  return cam.places + (ulong)(cam_buffer(cam, turn) * cam.turns + turn % cam.turns) * cam.place_bytes;
}
WARPFS_FN WARPFS_DEVICE uint* cam_word(WARPFS_THREAD const Cam& cam, ulong at) { return (WARPFS_DEVICE uint*)(cam.shared + at); }

WARPFS_FN void cam_begin(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Cam& cam) {
  if (cam_leads(fs, cam)) {
    for (uint word = 0; word < CAM_WARPS + cam.warps; word++) cam.words[word] = 0u;
    cam.words[CAM_NUMBER] = *cam.posts;
  }
  group_barrier(fs.lane);
  if (is_leader(fs)) cam.words[CAM_WARPS + cam.warp] = 1u;
  group_barrier(fs.lane);
  // The last group of a launch may have fewer warps.
  if (cam_leads(fs, cam)) {
    for (uint warp = 0; warp < cam.warps; warp++) cam.words[CAM_ENTRIES] += cam.words[CAM_WARPS + warp] * cam.turns;
  }
  group_barrier(fs.lane);
}

// Leader of the group: all entries of the batch are there.
WARPFS_FN void cam_post(WARPFS_THREAD const Cam& cam, uint kind, uint buffer) {
  const uint number = cam.words[CAM_NUMBER] + 1u;
  cam.words[CAM_NUMBER] = number;
  cam.words[CAM_AWAITED + kind * CAM_BUFFERS + buffer] = number;
  *cam.posts = number;
  peer_store(cam_word(cam, cam_post_at(cam.group, number)), kind | buffer << 1 | cam.words[CAM_ENTRIES] << 8);
  peer_fence();
  peer_store(cam_word(cam, cam.group + CAM_BELL), number);
}

// Leader of the group: 0, or what went wrong with the batch.
WARPFS_FN int cam_wait(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Cam& cam, uint kind, uint buffer) {
  WARPFS_GROUP uint* awaited = cam.words + CAM_AWAITED + kind * CAM_BUFFERS + buffer;
  const uint number = *awaited;
  if (number == 0u) return 0;
  WARPFS_DEVICE uint* done = cam_word(cam, cam_done_at(cam.group, kind, buffer));
  WaitBound bound;
  wait_start(fs, bound);
  while (peer_load(done) != number) {
    if (!wait_again(fs, bound)) return wait_outcome();
  }
  peer_fence();
  *awaited = 0u;
  return peer_load(done + 1) == 0u || (CAM_FLAWS & CamFlaw::STATUS_IGNORED) != 0u ? 0 : -Errno::eio;
}
WARPFS_FN int cam_wait_writes(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Cam& cam) {
  int outcome = 0;
  for (uint buffer = 0; buffer < cam.buffers && outcome == 0; buffer++) outcome = cam_wait(fs, cam, CamKind::WRITE, buffer);
  return outcome;
}

// Leader of a warp: what it wants in a turn; no bytes: nothing. Behind the last turn of a round the rest of its batch is empty.
WARPFS_FN void cam_put(WARPFS_THREAD const Cam& cam, uint kind, uint turn, uint count, ulong offset, uint bytes) {
  const uint index = turn % cam.turns;
  const uint blocks = bytes == 0u ? 0u : (uint)((offset % CAM_BLOCK_BYTES + bytes + CAM_BLOCK_BYTES - 1u) / CAM_BLOCK_BYTES);
  for (uint i = index; i < (turn + 1u == count ? cam.turns : index + 1u); i++) {
    WARPFS_DEVICE uint* entry = cam_word(cam, cam_entry_at(cam.group, cam_entries(cam), kind, cam_buffer(cam, turn), cam.warp * cam.turns + i));
    peer_store(entry + CAM_BLOCKS, i == index ? blocks : 0u);
    if (i != index || blocks == 0u) continue;
    const ulong place = cam_place(cam, turn);
    peer_store(entry + CAM_BLOCK, (uint)(offset / CAM_BLOCK_BYTES));
    peer_store(entry + CAM_PLACE, (uint)place);
    peer_store(entry + CAM_PLACE + 1u, (uint)(place >> 32));
  }
}
WARPFS_FN bool cam_ends(WARPFS_THREAD const Cam& cam, uint turn, uint count) { return turn % cam.turns == cam.turns - 1u || turn + 1u == count; }

// Whether the bytes of an access are stored as whole blocks, so that nobody has to read them.
WARPFS_FN bool cam_whole(ulong offset, uint bytes) { return (offset | bytes) % CAM_BLOCK_BYTES == 0u; }

// prefetch: of a turn to come. The last one of a batch rings.
WARPFS_FN void cam_prefetch(WARPFS_THREAD Fs& fs, WARPFS_THREAD Cam& cam, uint turn, uint count, ulong offset, uint bytes) {
  if (is_leader(fs)) cam_put(cam, CamKind::READ, turn, count, offset, bytes);
  if (!cam_ends(cam, turn, count)) return;
  group_barrier(fs.lane);
  if (cam_leads(fs, cam) && cam.words[CAM_FAILED] == 0u) {
    // What its buffer had must be in the file; and a new round may read whatever the last one wrote.
    const int outcome = turn < cam.turns ? cam_wait_writes(fs, cam) : cam_wait(fs, cam, CamKind::WRITE, cam_buffer(cam, turn));
    cam.words[CAM_FAILED] = (uint)outcome;
    if (outcome == 0) cam_post(cam, CamKind::READ, cam_buffer(cam, turn));
  }
}

// prefetch_synchronize: in the first turn of each batch.
WARPFS_FN int cam_synchronize(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Cam& cam, uint turn) {
  if (turn % cam.turns != 0u) return 0;
  WARPFS_GROUP uint* outcome = cam.words + CAM_OUTCOME + (cam.base + turn / cam.turns) % 2u;
  if (cam_leads(fs, cam)) {
    const int failed = (int)cam.words[CAM_FAILED];
    *outcome = (uint)(failed != 0 ? failed : cam_wait(fs, cam, CamKind::READ, cam_buffer(cam, turn)));
  }
  group_barrier(fs.lane);
  return (int)*outcome;
}

// The bytes of a turn that was waited for; they stay where they are until the turn is over.
WARPFS_FN WARPFS_DEVICE uchar* cam_land(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Cam& cam, uint turn, ulong offset, uint bytes) {
  const ulong place = cam_place(cam, turn);
  const uint skipped = (uint)(offset % CAM_BLOCK_BYTES);
  if (bytes != 0u) dma_land(fs.lane, cam.dma, place, place, offset - skipped, (skipped + bytes + CAM_BLOCK_BYTES - 1u) / CAM_BLOCK_BYTES * CAM_BLOCK_BYTES);
  return cam.dma.memory + place + skipped;
}

// writeback: the turn is over; no bytes: nothing changed. The last turn of a batch rings, if anything did.
WARPFS_FN void cam_write_back(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Cam& cam, uint turn, uint count, ulong offset, uint bytes) {
  if (!cam.writes) return;
  const uint skipped = (uint)(offset % CAM_BLOCK_BYTES);
  const ulong place = cam_place(cam, turn);
  warp_sync(fs.lane);
  if (bytes != 0u) dma_leave(fs.lane, cam.dma, place, place, offset - skipped, (skipped + bytes + CAM_BLOCK_BYTES - 1u) / CAM_BLOCK_BYTES * CAM_BLOCK_BYTES);
  if (is_leader(fs)) {
    cam_put(cam, CamKind::WRITE, turn, count, offset, bytes);
    WARPFS_GROUP uint* changed = cam.words + CAM_WARPS + cam.warp;
    *changed = (turn % cam.turns == 0u ? 0u : *changed) | (bytes != 0u ? 1u : 0u);
  }
  if (!cam_ends(cam, turn, count)) return;
  group_barrier(fs.lane);
  if (cam_leads(fs, cam)) {
    uint changed = 0u;
    for (uint warp = 0; warp < cam.words[CAM_ENTRIES] / cam.turns; warp++) changed |= cam.words[CAM_WARPS + warp];
    if (changed != 0u) cam_post(cam, CamKind::WRITE, cam_buffer(cam, turn));
  }
}

// writeback_synchronize: at the end.
WARPFS_FN int cam_end(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Cam& cam) {
  group_barrier(fs.lane);
  if (cam_leads(fs, cam)) cam.words[CAM_OUTCOME] = (uint)cam_wait_writes(fs, cam);
  group_barrier(fs.lane);
  return (int)cam.words[CAM_OUTCOME];
}

}  // namespace warpfs
