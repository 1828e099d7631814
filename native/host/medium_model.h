// When a medium would have ended a request. A model in virtual time: it has no clock, no threads and no bytes.
//
//   request ──▶ a place in the queue ──▶ a unit (a die, a channel) ──▶ the pipe, shared by all ──▶ end
//               queue_depth of them       busy for a drawn time         bytes, one after the other
//
// The published numbers come out: alone, a request takes a drawn latency; many at once are limited by the units, to the iops; large ones by
// the pipe, to the bandwidth. Requests must come in the order of their times; times that are a little out of order do no harm.
#pragma once
#include "medium_latency.h"

#include <cstddef>
#include <vector>

namespace warpfs {

enum class MediumKind { READ, WRITE, SYNC };
constexpr size_t MEDIUM_KINDS = 3;

/// Moments of which always the earliest is replaced by another one.
class EarliestMoment {
 public:
  explicit EarliestMoment(size_t count) : heap_(count, 0) {}
  double get() const { return heap_[0]; }
  void replace(double moment);
  size_t count() const { return heap_.size(); }

 private:
  std::vector<double> heap_;
};

class MediumModel {
 public:
  explicit MediumModel(const MediumProfile& profile);

  /// The end of a transfer that is asked for at `now`. Nanoseconds.
  double transfer(double now, bool write, double bytes);
  /// The end of a sync that is asked for at `now`: behind all writes that were asked for before.
  double sync(double now);

  /// Something was written since the last sync.
  bool is_dirty() const { return dirty_; }
  double burst_bytes_used() const { return burst_used_; }
  size_t units() const { return units_.count(); }

 private:
  struct Direction {
    Direction(const MediumDirection& published, size_t units);
    double unit_ns_per_ns(double bytes) const;  // how long it keeps a unit, for each nanosecond of its latency

    LatencyDraw latency;
    double per_byte;                // in the pipe
    double small_unit, usual_unit;  // the above for 512 bytes and 4 KiB
  };

  static size_t units_for(const MediumProfile& profile);
  double pipe_time(double start, bool write, double bytes);
  uint32_t random();

  const MediumProfile profile_;
  EarliestMoment places_;
  EarliestMoment units_;
  Direction directions_[2];  // by write
  LatencyDraw sync_;
  double pipe_free_[2] = {0, 0};
  double burst_used_ = 0;
  double writes_end_ = 0;
  bool dirty_ = false;
  uint64_t random_;
};

}  // namespace warpfs
