// What a medium is, as numbers: published ones, and estimates where nothing was published. Where each comes from is said in gpufs/media.
#pragma once
#include <cstdint>

namespace warpfs {

/// Of one request alone, in nanoseconds.
struct MediumLatency {
  double median = 0;
  double p99 = 0;
};

struct MediumDirection {
  MediumLatency latency;        // of 4 KiB
  double iops = 0;              // at most, of random 4 KiB
  double small_iops = 0;        // the same of 512 bytes
  double bytes_per_second = 0;  // at most, of large transfers
};

struct MediumProfile {
  uint32_t queue_depth = 0;  // requests that are under way at once; others wait for a place
  bool duplex = false;       // reads and writes do not share the bandwidth
  MediumDirection read, write;
  double burst_bytes = 0;                 // so much is written at the full rate
  double sustained_bytes_per_second = 0;  // then at this one; idle time empties the burst cache at it too
  MediumLatency sync;                     // behind the writes before it
  uint64_t seed = 1;
};

}  // namespace warpfs
