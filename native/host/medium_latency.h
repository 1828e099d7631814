// A latency as a distribution: lognormal, given by its median and its 99th percentile, drawn from a table of its quantiles.
#pragma once
#include "medium_profile.h"

#include <vector>

namespace warpfs {

class LatencyDraw {
 public:
  explicit LatencyDraw(const MediumLatency& latency);
  /// One of the quantiles; `random` is uniform over 32 bits.
  double at(uint32_t random) const { return quantiles_[random >> (32 - QUANTILES_SHIFT)]; }
  double mean() const { return mean_; }

 private:
  static constexpr uint32_t QUANTILES_SHIFT = 12;

  std::vector<float> quantiles_;
  double mean_ = 0;
};

}  // namespace warpfs
