#include "time_histogram.h"

#include <algorithm>
#include <cmath>

namespace warpfs {

void TimeHistogram::add(const TimeHistogram& other) {
  for (size_t i = 0; i < BUCKETS; i++) buckets_[i].fetch_add(other.buckets_[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
  max_.store(std::max(max(), other.max()), std::memory_order_relaxed);
}

uint64_t TimeHistogram::count() const {
  uint64_t sum = 0;
  for (const auto& bucket : buckets_) sum += bucket.load(std::memory_order_relaxed);
  return sum;
}

double TimeHistogram::quantile(double part) const {
  const uint64_t wanted = std::max(uint64_t(1), uint64_t(std::ceil(part * double(count()))));
  uint64_t seen = 0;
  for (size_t i = 0; i < BUCKETS; i++) {
    seen += buckets_[i].load(std::memory_order_relaxed);
    if (seen >= wanted) return std::min(middle_of(i), double(max()));
  }
  return 0;
}

double TimeHistogram::middle_of(size_t bucket) {
  if (bucket < SUBS) return double(bucket);
  const uint32_t shift = uint32_t(bucket / SUBS) - 1;
  const uint64_t first = uint64_t(SUBS + bucket % SUBS) << shift;
  return double(first) + (double(uint64_t(1) << shift) - 1) / 2;
}

}  // namespace warpfs
