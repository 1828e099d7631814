// How long things took, without keeping each of them: buckets of 1.6 % of their value.
#pragma once
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace warpfs {

class TimeHistogram {
 public:
  /// One thread alone records; any may read.
  void record(uint64_t ns) {
    std::atomic<uint64_t>& bucket = buckets_[bucket_of(ns)];
    bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (ns > max_.load(std::memory_order_relaxed)) max_.store(ns, std::memory_order_relaxed);
  }
  void add(const TimeHistogram& other);
  uint64_t count() const;
  uint64_t max() const { return max_.load(std::memory_order_relaxed); }
  /// The middle of the bucket in which this part of all ends; 0 where there is none.
  double quantile(double part) const;

 private:
  static constexpr uint32_t SUB_SHIFT = 6;  // buckets for each power of two
  static constexpr uint32_t SUBS = 1u << SUB_SHIFT;
  static constexpr uint32_t POWERS = 36;  // up to a minute; what takes longer goes to the last bucket
  static constexpr size_t BUCKETS = size_t(POWERS - SUB_SHIFT + 1) * SUBS;

  static size_t bucket_of(uint64_t ns) {
    if (ns < SUBS) return size_t(ns);
    const uint32_t shift = uint32_t(std::bit_width(ns)) - 1 - SUB_SHIFT;
    const size_t bucket = size_t(shift) * SUBS + size_t(ns >> shift);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
  }
  static double middle_of(size_t bucket);

  std::atomic<uint64_t> buckets_[BUCKETS] = {};
  std::atomic<uint64_t> max_{0};
};

}  // namespace warpfs
