// When a warp that plays the host's side, for check mode, has nothing to do any more.
#pragma once

namespace warpfs {

struct DriveEnd {
  WaitBound bound;
  bool last;    // all items had ended before the look that is under way
  uint served;  // in it
  int outcome;  // of it all: 0, or that somebody waited too long
};

WARPFS_FN void drive_begin(WARPFS_THREAD Fs& fs, WARPFS_THREAD DriveEnd& end) {
  wait_start(fs, end.bound);
  end.outcome = 0;
}

// All lanes, before a look at what was asked for: whoever has ended by now has asked before, and the fence makes that visible.
WARPFS_FN void drive_look(WARPFS_THREAD Fs& fs, WARPFS_THREAD DriveEnd& end, WARPFS_DEVICE const uint* ended_items, uint all_items) {
  uint ended = 0u;
  if (is_leader(fs)) {
    ended = atomic_load(ended_items);
    fence_acquire();
  }
  end.last = warp_broadcast(fs.lane, ended, 0u) == all_items;
  end.served = 0u;
}

// All lanes, behind it; `served` is the same in all of them. False: it is over.
WARPFS_FN bool drive_goes_on(WARPFS_THREAD Fs& fs, WARPFS_THREAD DriveEnd& end) {
  if (end.served != 0u) {
    wait_start(fs, end.bound);
    return true;
  }
  if (end.last) return false;
  if (warp_wait_again(fs, end.bound)) return true;
  end.outcome = wait_outcome();
  return false;
}

}  // namespace warpfs
