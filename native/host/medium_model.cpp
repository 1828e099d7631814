#include "medium_model.h"

#include "assert.h"

#include <algorithm>
#include <cmath>

namespace warpfs {

namespace {

constexpr double NS = 1e9;
constexpr double SMALL_BYTES = 512, USUAL_BYTES = 4096;  // what iops are said for

double mean_of(const MediumLatency& latency) { return LatencyDraw(latency).mean(); }

}  // namespace

void EarliestMoment::replace(double moment) {
  size_t place = 0;
  for (size_t child = 1; child < heap_.size(); child = 2 * place + 1) {
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) child++;
    if (moment <= heap_[child]) break;
    heap_[place] = heap_[child];
    place = child;
  }
  heap_[place] = moment;
}

/// As many as have to work at once to reach the iops. Two at least: with one, a request alone would wait for the rest of the one before.
size_t MediumModel::units_for(const MediumProfile& profile) {
  double needed = 2;
  for (const MediumDirection& direction : {profile.read, profile.write}) {
    needed = std::max(needed, std::max(direction.iops, direction.small_iops) / NS * mean_of(direction.latency));
  }
  return size_t(std::ceil(needed));
}

/// All units busy must give the iops: so a unit is kept for units / iops on average, which is never less than the latency.
MediumModel::Direction::Direction(const MediumDirection& published, size_t units)
    : latency(published.latency),
      per_byte(NS / published.bytes_per_second),
      small_unit(double(units) * NS / published.small_iops / latency.mean()),
      usual_unit(double(units) * NS / published.iops / latency.mean()) {}

double MediumModel::Direction::unit_ns_per_ns(double bytes) const {
  const double part = std::clamp((bytes - SMALL_BYTES) / (USUAL_BYTES - SMALL_BYTES), 0.0, 1.0);
  return small_unit + (usual_unit - small_unit) * part;
}

MediumModel::MediumModel(const MediumProfile& profile)
    : profile_(profile),
      places_(profile.queue_depth),
      units_(units_for(profile)),
      directions_{Direction(profile.read, units_.count()), Direction(profile.write, units_.count())},
      sync_(profile.sync),
      random_(profile.seed * 0x9e3779b97f4a7c15u + 1) {
  WARPFS_ASSERT(profile.queue_depth > 0);
}

/// Of these bytes, when the pipe gets to them at `start`.
double MediumModel::pipe_time(double start, bool write, double bytes) {
  const double full_rate = directions_[write].per_byte;
  if (!write || profile_.burst_bytes <= 0) return bytes * full_rate;
  const double idle = std::max(0.0, start - pipe_free_[1]);
  burst_used_ = std::max(0.0, burst_used_ - idle * profile_.sustained_bytes_per_second / NS);
  const double burst = std::min(bytes, profile_.burst_bytes - burst_used_);
  burst_used_ += burst;
  return burst * full_rate + (bytes - burst) * NS / profile_.sustained_bytes_per_second;
}

double MediumModel::transfer(double now, bool write, double bytes) {
  const Direction& direction = directions_[write];
  const double start = std::max({now, places_.get(), units_.get()});
  const double latency = direction.latency.at(random());
  units_.replace(start + latency * direction.unit_ns_per_ns(bytes));
  const double piped = pipe_time(start, write, bytes);
  double& free = pipe_free_[write];
  if (!profile_.duplex) free = std::max(free, pipe_free_[!write]);
  free = std::max(free, start) + piped;
  // What is larger than the latency was said for takes longer, also alone.
  const double alone = start + latency + std::max(0.0, bytes - USUAL_BYTES) * direction.per_byte;
  const double end = std::max(alone, free);
  places_.replace(end);
  if (write) {
    writes_end_ = std::max(writes_end_, end);
    dirty_ = true;
  }
  return end;
}

double MediumModel::sync(double now) {
  dirty_ = false;
  return std::max(now, writes_end_) + sync_.at(random());
}

/// splitmix64.
uint32_t MediumModel::random() {
  uint64_t z = random_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return uint32_t((z ^ (z >> 31)) >> 32);
}

}  // namespace warpfs
