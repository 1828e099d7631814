// The model of a medium, in virtual time.
#include "daemon_test.h"
#include "medium_load.h"
#include "medium_model.h"
#include "medium_record.h"

#include <cmath>

namespace warpfs::test {

namespace {

MediumDirection direction(double median, double p99, double iops, double bytes_per_second) { return {{median, p99}, iops, iops, bytes_per_second}; }

/// Numbers like those of a fast flash drive.
MediumProfile flash() {
  MediumProfile profile;
  profile.queue_depth = 1024;
  profile.read = direction(45000, 90000, 1400000, 7.45e9);
  profile.write = direction(12500, 20000, 1550000, 6.9e9);
  profile.burst_bytes = 1e9;
  profile.sustained_bytes_per_second = 1.4e9;
  profile.sync = {1e6, 3e6};
  return profile;
}

/// Every request takes as long as the one before, so that each end can be said.
MediumProfile constant(uint32_t queue_depth) {
  MediumProfile profile;
  profile.queue_depth = queue_depth;
  profile.read = profile.write = direction(1000, 1000, 4e6, 1e12);  // four units
  profile.sync = {5000, 5000};
  return profile;
}

void check_near(double actual, double wanted, double part) {
  if (std::abs(actual - wanted) > wanted * part) {
    std::printf("FAILED %g is not within %g %% of %g\n", actual, part * 100, wanted);
    std::fflush(stdout);
    std::_Exit(1);
  }
}

void alone() {
  for (const bool write : {false, true}) {
    const MediumLoadResult result = run_medium_load(flash(), {.write = write});
    const MediumDirection published = write ? flash().write : flash().read;
    check_near(result.median_ns, published.latency.median, 0.02);
    check_near(result.p99_ns, published.latency.p99, 0.02);
  }
}

void many_at_once() {
  check_near(run_medium_load(flash(), {.depth = 1024, .requests = 400000}).per_second, 1.4e6, 0.02);
  check_near(run_medium_load(flash(), {.write = true, .depth = 1024, .requests = 200000}).per_second, 1.55e6, 0.02);
  // With fewer the latency is the limit, and nobody waits for a unit.
  const MediumLoadResult few = run_medium_load(flash(), {.depth = 4});
  check_near(few.per_second, 4e9 / LatencyDraw(flash().read.latency).mean(), 0.02);
  check_near(few.median_ns, 45000, 0.02);
}

void small_ones() {
  MediumProfile profile = flash();
  profile.read.small_iops = 5e6;
  check_near(run_medium_load(profile, {.bytes = 512, .depth = 1024, .requests = 400000}).per_second, 5e6, 0.02);
  check_near(run_medium_load(profile, {.depth = 1024, .requests = 400000}).per_second, 1.4e6, 0.02);
  const double between = run_medium_load(profile, {.bytes = 2304, .depth = 1024, .requests = 400000}).per_second;
  check_near(between, 1 / ((1 / 5e6 + 1 / 1.4e6) / 2), 0.02);
}

void bandwidth() {
  check_near(run_medium_load(flash(), {.bytes = 131072, .depth = 64}).bytes_per_second, 7.45e9, 0.02);
  check_near(run_medium_load(flash(), {.write = true, .bytes = 32768, .depth = 64, .requests = 20000}).bytes_per_second, 6.9e9, 0.02);
  MediumModel alone(flash());
  const double small = alone.transfer(0, false, 4096);
  CHECK(small >= 10000);
  CHECK(alone.transfer(1e9, false, 1 << 20) - 1e9 >= double(1 << 20) / 7.45e9 * 1e9);
}

/// Reads do not wait for writes in the pipe, or do.
void sharing() {
  for (const bool duplex : {false, true}) {
    MediumProfile profile = flash();
    profile.duplex = duplex;
    MediumModel model(profile);
    const double written = model.transfer(0, true, 100e6);
    const double read = model.transfer(0, false, 4096);
    CHECK(duplex ? read < written / 10 : read > written * 0.99);
  }
}

void queue_depth() {
  MediumModel model(constant(2));
  CHECK_EQUAL(model.units(), 4);
  CHECK_EQUAL(model.transfer(0, false, 4096), 1000);
  CHECK_EQUAL(model.transfer(0, false, 4096), 1000);
  // Units are free, but no place in the queue.
  CHECK_EQUAL(model.transfer(0, false, 4096), 2000);
  CHECK_EQUAL(model.transfer(500, false, 4096), 2000);
  CHECK_EQUAL(model.transfer(10000, false, 4096), 11000);
  MediumModel wide(constant(100));
  for (int i = 0; i < 4; i++) CHECK_EQUAL(wide.transfer(0, false, 4096), 1000);
  CHECK_EQUAL(wide.transfer(0, false, 4096), 2000);  // now the units are the limit
}

void burst() {
  MediumProfile profile = constant(64);
  profile.write.bytes_per_second = 1e9;
  profile.burst_bytes = 1e6;
  profile.sustained_bytes_per_second = 1e8;
  MediumModel model(profile);
  double end = 0;
  for (int i = 0; i < 10; i++) end = model.transfer(0, true, 100000);
  CHECK_EQUAL(std::lround(model.burst_bytes_used()), 1000000);
  check_near(end, 1e6, 0.001);  // a million bytes at the full rate
  const double full = model.transfer(0, true, 100000);
  check_near(full - end, 1e6, 0.001);  // a tenth of it at a tenth of the rate
  // Half of one fits after some idle time: half of it at the full rate, half at the other.
  const double later = full + 500000;  // 0.5 ms: 50,000 bytes are gone from the cache
  check_near(model.transfer(later, true, 100000) - later, 50000 + 500000, 0.01);
  // And after enough of it all is as in the beginning.
  const double rested = later + 1e9;
  for (int i = 0; i < 10; i++) end = model.transfer(rested, true, 100000);
  check_near(end - rested, 1e6, 0.001);
  // Reads do not care.
  MediumModel other(profile);
  other.transfer(0, false, 1e8);
  CHECK_EQUAL(other.burst_bytes_used(), 0);
}

void syncs() {
  MediumModel model(constant(64));
  CHECK(!model.is_dirty());
  CHECK_EQUAL(model.sync(0), 5000);
  CHECK_EQUAL(model.transfer(0, true, 4096), 1000);
  CHECK(model.is_dirty());
  CHECK_EQUAL(model.sync(200), 6000);  // behind the write before it
  CHECK(!model.is_dirty());
  model.transfer(10000, false, 4096);
  CHECK(!model.is_dirty());
  CHECK_EQUAL(model.sync(10000), 15000);
  const MediumLoadResult spread = run_medium_load(flash(), {.write = true, .sync = true});
  check_near(spread.median_ns, 1e6, 0.02);
  check_near(spread.p99_ns, 3e6, 0.02);
}

void seeds() {
  const auto ends = [](uint64_t seed) {
    MediumProfile profile = flash();
    profile.seed = seed;
    MediumModel model(profile);
    std::vector<double> all;
    for (int i = 0; i < 100; i++) all.push_back(model.transfer(i * 1e6, false, 4096));
    return all;
  };
  CHECK(ends(7) == ends(7));
  CHECK(ends(7) != ends(8));
}

void earliest() {
  EarliestMoment moments(5);
  std::vector<double> plain(5, 0);
  std::mt19937 random(3);
  for (int i = 0; i < 2000; i++) {
    const double moment = random() % 1000;
    CHECK_EQUAL(moments.get(), *std::min_element(plain.begin(), plain.end()));
    moments.replace(moment);
    *std::min_element(plain.begin(), plain.end()) = moment;
  }
}

void histogram() {
  TimeHistogram times;
  CHECK_EQUAL(times.quantile(0.5), 0);
  for (uint64_t ns = 1; ns <= 100000; ns++) times.record(ns);
  check_near(times.quantile(0.5), 50000, 0.02);
  check_near(times.quantile(0.99), 99000, 0.02);
  CHECK_EQUAL(times.max(), 100000);
  CHECK_EQUAL(times.count(), 100000);
  times.record(~uint64_t(0));  // longer than anything: in the last bucket
  CHECK_EQUAL(times.count(), 100001);
  TimeHistogram small, sum;
  for (int i = 0; i < 9; i++) small.record(3);
  CHECK_EQUAL(small.quantile(0.5), 3);
  sum.add(small);
  sum.add(small);
  CHECK_EQUAL(sum.count(), 18);
  MediumRecord record;
  record.add_answer(MediumKind::READ, {1000, 2000}, 2050);  // 5 % late: not too late
  CHECK_EQUAL(record.late_answers.load(), 0);
  record.add_answer(MediumKind::READ, {1000, 2000}, 2060);
  CHECK_EQUAL(record.late_answers.load(), 1);
  CHECK_EQUAL(record.late.max(), 60);
  CHECK_EQUAL(record.given[size_t(MediumKind::READ)].count(), 2);
}

}  // namespace

}  // namespace warpfs::test

int main() {
  using namespace warpfs::test;
  test("alone: median and 99th percentile as published", alone);
  test("many at once: the iops as published", many_at_once);
  test("small ones have iops of their own", small_ones);
  test("large ones: the bandwidth as published", bandwidth);
  test("reads and writes share the pipe, or do not", sharing);
  test("beyond the queue depth requests wait for a place", queue_depth);
  test("the burst cache is used up, and recovers", burst);
  test("a sync is behind the writes before it", syncs);
  test("a run is a function of its seed", seeds);
  test("the earliest of many moments", earliest);
  test("times in buckets", histogram);
  return 0;
}
