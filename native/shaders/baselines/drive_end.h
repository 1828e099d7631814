// When a warp that plays the host's side, for check mode, has nothing to do any more.
#pragma once

namespace warpfs {

struct DriveEnd {
  WaitBound bound;
  bool last;  // all items had ended before the look that is under way
};

WARPFS_FN void drive_begin(WARPFS_THREAD Fs& fs, WARPFS_THREAD DriveEnd& end) {
  wait_start(fs, end.bound);
  end.last = false;
}

// All lanes, before a look at what was asked for: whoever has ended by now has asked before, and the fence makes that visible.
WARPFS_FN void drive_look(WARPFS_THREAD Fs& fs, WARPFS_THREAD DriveEnd& end, WARPFS_DEVICE const uint* ended_items, uint all_items) {
  uint ended = 0u;
  if (is_leader(fs)) {
    ended = atomic_load(ended_items);
    fence_acquire();
  }
  end.last = warp_broadcast(fs.lane, ended, 0u) == all_items;
}

// All lanes, behind it; it has served so much. False: it is over, and `outcome` is 0, or that somebody waited too long.
WARPFS_FN bool drive_goes_on(WARPFS_THREAD Fs& fs, WARPFS_THREAD DriveEnd& end, uint served, WARPFS_THREAD int& outcome) {
  outcome = 0;
  if (served != 0u) {
    wait_start(fs, end.bound);
    return true;
  }
  if (end.last) return false;
  if (warp_wait_again(fs, end.bound)) return true;
  outcome = wait_outcome();
  return false;
}

}  // namespace warpfs
