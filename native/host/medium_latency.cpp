#include "medium_latency.h"

#include <cmath>

namespace warpfs {

namespace {

constexpr double NORMAL_P99 = 2.3263478740408408;  // of a normal distribution, in deviations

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

/// By bisection: this is done once for each profile, and has to be right, not fast.
double normal_quantile(double probability) {
  double low = -10, high = 10;
  for (int step = 0; step < 60; step++) {
    const double middle = (low + high) / 2;
    (normal_cdf(middle) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

LatencyDraw::LatencyDraw(const MediumLatency& latency) : quantiles_(size_t(1) << QUANTILES_SHIFT) {
  const double sigma = std::log(latency.p99 / latency.median) / NORMAL_P99;
  const double count = double(quantiles_.size());
  for (size_t i = 0; i < quantiles_.size(); i++) {
    quantiles_[i] = float(latency.median * std::exp(sigma * normal_quantile((double(i) + 0.5) / count)));
    mean_ += double(quantiles_[i]) / count;
  }
}

}  // namespace warpfs
