#include "medium_load.h"

#include "medium_model.h"

#include <algorithm>

namespace warpfs {

MediumLoadResult run_medium_load(const MediumProfile& profile, const MediumLoad& load) {
  MediumModel model(profile);
  EarliestMoment ends(std::max(load.depth, 1u));
  std::vector<double> times;
  times.reserve(load.requests);
  double now = 0, half = 0;
  for (uint32_t i = 0; i < load.requests; i++) {
    now = ends.get();
    if (i == load.requests / 2) half = now;
    const double end = model.transfer(now, load.write, load.bytes);
    const double synced = load.sync ? model.sync(end) : end;
    ends.replace(synced);
    times.push_back(load.sync ? synced - end : end - now);
  }
  MediumLoadResult result;
  if (times.empty() || now <= half) return result;
  result.per_second = double(load.requests - load.requests / 2 - 1) / (now - half) * 1e9;
  result.bytes_per_second = result.per_second * load.bytes;
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) { return times[std::min(times.size() - 1, size_t(part * double(times.size())))]; };
  result.median_ns = at(0.5);
  result.p99_ns = at(0.99);
  return result;
}

}  // namespace warpfs
