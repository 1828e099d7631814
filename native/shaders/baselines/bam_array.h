// The file as an array: each lane says which element it wants, and lanes that want the same page find each other. One of them acquires the page for
// all, and lets it go again behind the access; so each access pays for both, and for the search for the others.
//
// A page is used as soon as it is there, and let go of before the warp waits for the others: a warp that held some of its pages while it waited for
// slots would wait for warps that do the same.
#pragma once
#include "bam_miss.h"

namespace warpfs {

// All lanes. `master`: the first lane that wants the same page; gives how many do.
WARPFS_FN uint bam_match(WARPFS_THREAD const Lane& lane, bool wants, uint page, WARPFS_THREAD uint& master) {
  uint users = 0u;
  master = lane.index;
  for (uint left = warp_ballot(lane, wants); left != 0u;) {
    const uint first = lowest_bit(left);
    const uint theirs = warp_shuffle(lane, page, first);
    const uint same = warp_ballot(lane, wants && page == theirs);
    if ((same >> lane.index & 1u) != 0u) {
      master = first;
      users = bit_count(same);
    }
    left &= ~same;
  }
  return users;
}

// One lane that leads others: it gets on, or gives up.
WARPFS_FN uint bam_lead(WARPFS_THREAD const Bam& bam, WARPFS_THREAD BamMiss& own, uint lane, bool expired, bool writes) {
  if (expired) {
    bam_give_up(bam, own);
    return BamOutcome::ENDED;
  }
  const uint outcome = bam_step(bam, own, lane);
  if (outcome == BamOutcome::ENDED && own.error == 0 && writes) bam_mark_dirty(bam, own.page, own.slot, own.state);
  return outcome;
}

// All lanes; those that want nothing come as well. Each gets 0, or why its element was not there. An element lies within a page.
template <typename T>
WARPFS_FN int bam_array_access(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Bam& bam, ulong index, bool wants, bool writes, WARPFS_THREAD T& value) {
  enum : uint { ENDED = 0u, COPIES = 1u, BUSY = 2u, CHANGED = 3u };
  WARPFS_THREAD const Lane& lane = fs.lane;
  const ulong place = index * sizeof(T);
  int error = wants && place >> bam.line_shift >= bam_page_count(bam) ? -Errno::einval : 0;
  const uint page = (uint)(place >> bam.line_shift);
  wants = wants && error == 0;
  uint master = 0u;
  const uint users = bam_match(lane, wants, page, master);
  BamMiss own;
  bam_miss_begin(own, page, users, 0u);
  bool busy = wants && master == lane.index, expired = false;
  if (busy) {
    own.state = atomic_add(bam_state(bam, page), users);
    bam_count_access(bam, users, bam_is_ready(own.state));
  }
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    const uint before = own.phase << 8 | own.command.phase;
    const uint outcome = busy ? bam_lead(bam, own, lane.index, expired, writes) : (uint)BamOutcome::WAIT;
    const bool ended = outcome == BamOutcome::ENDED, copies = outcome == BamOutcome::LEAVE || outcome == BamOutcome::LAND;
    busy = busy && !ended;
    uint masks[4];
    const bool changed = before != (own.phase << 8 | own.command.phase);
    warp_votes(lane, (uint)ended << ENDED | (uint)copies << COPIES | (uint)busy << BUSY | (uint)changed << CHANGED, masks);
    if (masks[ENDED] != 0u) {
      const uint slot = warp_shuffle(lane, own.slot, master);
      const int why = (int)warp_shuffle(lane, (uint)own.error, master);
      if (wants && (masks[ENDED] >> master & 1u) != 0u) {
        WARPFS_DEVICE uchar* at = bam_line(bam, slot) + (place & ((1u << bam.line_shift) - 1u));
        if (why != 0) error = why;
        else if (writes) data_store<T>(at, value);
        else value = data_load<T>(at);
      }
      warp_sync(lane);
      if (ended && own.error == 0) bam_let_go(bam, page, users);
    }
    for (uint left = masks[COPIES]; left != 0u; left &= left - 1u) {
      const uint source = lowest_bit(left);
      const uint moved = outcome == BamOutcome::LEAVE ? own.victim - 1u : page;
      bam_move(lane, bam, warp_shuffle(lane, outcome, source), source, warp_shuffle(lane, own.slot, source), warp_shuffle(lane, moved, source));
    }
    if (masks[BUSY] == 0u) return error;
    if ((masks[ENDED] | masks[COPIES] | masks[CHANGED]) != 0u) wait_start(fs, bound);
    else expired = !warp_wait_again(fs, bound);
  }
}

template <typename T>
WARPFS_FN int bam_array_get(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Bam& bam, ulong index, bool wants, WARPFS_THREAD T& value) {
  return bam_array_access<T>(fs, bam, index, wants, false, value);
}
template <typename T>
WARPFS_FN int bam_array_set(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Bam& bam, ulong index, bool wants, T value) {
  return bam_array_access<T>(fs, bam, index, wants, true, value);
}

}  // namespace warpfs
