// Waiting is a seam. Under spin a poll loop goes on until its bound; under replay it looks once and leaves the work item.
// Only the leader lane polls; the other lanes wait in the collective that follows.
#pragma once

namespace warpfs {

WARPFS_FN void wait_start(WARPFS_THREAD const Fs& fs, WARPFS_THREAD WaitBound& bound) {
#if WARPFS_REPLAY
  (void)fs;
  (void)bound;
#else
  wait_begin(bound, fs.geometry->wait_polls, fs.geometry->wait_ns);
#endif
}

// Lets others run. False: do not look again, return wait_outcome().
WARPFS_FN bool wait_again(WARPFS_THREAD Fs& fs, WARPFS_THREAD WaitBound& bound) {
#if WARPFS_REPLAY
  (void)fs;
  (void)bound;
  return false;
#else
  return wait_pause(fs.lane, bound);
#endif
}

WARPFS_FN int wait_outcome() {
#if WARPFS_REPLAY
  return WARPFS_PENDING;
#else
  return -Errno::etimedout;
#endif
}

// For loops that every lane of the warp goes through: the leader pauses, the others follow.
WARPFS_FN bool warp_wait_again(WARPFS_THREAD Fs& fs, WARPFS_THREAD WaitBound& bound) {
#if WARPFS_REPLAY
  (void)fs;
  (void)bound;
  return false;
#else
  uint again = 0;
  if (is_leader(fs)) again = wait_pause(fs.lane, bound) ? 1u : 0u;
  return warp_broadcast(fs.lane, again, 0u) != 0u;
#endif
}

}  // namespace warpfs
