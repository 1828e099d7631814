// A load on the model of a medium, in virtual time: so many requests are always under way, each followed by another when it ends.
#pragma once
#include "medium_profile.h"

namespace warpfs {

struct MediumLoad {
  bool write = false;
  uint32_t bytes = 4096;  // of each
  uint32_t depth = 1;     // under way at once
  uint32_t requests = 100000;
  bool sync = false;      // each is followed by a sync, and it is the syncs that are measured; with a depth of 1
};

struct MediumLoadResult {
  double median_ns = 0, p99_ns = 0;
  double per_second = 0;        // of requests, in the second half, when the queue is as full as it gets
  double bytes_per_second = 0;
};

MediumLoadResult run_medium_load(const MediumProfile& profile, const MediumLoad& load);

}  // namespace warpfs
