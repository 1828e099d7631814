#include "check_mount.h"

#include "../host/host_error.h"

#include <cstring>

namespace warpfs {

namespace {

const CheckOptions& of_one_schedule(const CheckOptions& check) {
  if (check.schedule.scheduler != SchedulerKind::EXHAUSTIVE) return check;
  throw HostError(-Errno::einval, "option check.scheduler: 'exhaustive' runs a program again and again, and a mount runs it once: use warpfs check --suite, or another scheduler");
}

}  // namespace

CheckMount::CheckMount(const MountOptions& mount, const CheckOptions& check) : world_(mount, of_one_schedule(check)) {}

void CheckMount::begin(bool quiet) {
  if (!broken_.empty()) throw HostError(-Errno::eio, "this mount has shown a finding (" + broken_ + ") and runs nothing more: unmount it with discard");
  ScheduleOptions options = world_.options().schedule;
  SeededRandom mix(options.seed * 0x9e3779b97f4a7c15u + dispatches_);
  options.seed = mix.next();
  if (quiet) options.scheduler = SchedulerKind::RANDOM;
  if (!world_.host().dead()) world_.host().restart();
  world_.begin_schedule(options, nullptr, true, false, nullptr);
}

void CheckMount::end() {
  world_.end_schedule();
  world_.watch().keep();
  world_.engine().keep();
  world_.drop_buffers();
}

CheckedDispatch CheckMount::run(const Dispatch& dispatch) {
  CheckedDispatch done;
  begin(false);
  Dispatch placed = dispatch;
  for (size_t at = 0; at < dispatch.buffers.size(); at++) {
    placed.buffers[at] = world_.place_buffer(dispatch.buffer_bytes[at], false);
    std::memcpy(placed.buffers[at], dispatch.buffers[at], dispatch.buffer_bytes[at]);
  }
  try {
    done.result = world_.run(placed, false);
  } catch (...) {
    end();
    throw;
  }
  if (world_.drain()) world_.check_rest();
  Engine& engine = world_.engine();
  done.finding = engine.finding();
  done.schedule = dispatches_++;
  done.decisions = engine.decisions();
  done.trace_hash = engine.trace_hash();
  broken_ = done.finding.kind;
  for (size_t at = 0; at < dispatch.buffers.size(); at++) std::memcpy(dispatch.buffers[at], placed.buffers[at], dispatch.buffer_bytes[at]);
  end();
  fold_stats();
  return done;
}

int32_t CheckMount::sync() {
  if (!broken_.empty()) return -Errno::eio;
  begin(true);
  const int32_t synced = world_.sync();
  const Finding finding = world_.engine().finding();
  end();
  fold_stats();
  if (!finding.kind.empty()) throw HostError(-Errno::eio, finding.kind + ": " + finding.message);
  return synced;
}

void CheckMount::fold_stats() {
  const Geometry& geometry = world_.memory().geometry();
  WarpStats* stats = world_.memory().at<WarpStats>(Binding::STATS);
  for (uint32_t record = 0; record < geometry.stats_count; record++) {
    for (uint32_t counter = 0; counter < COUNTER_COUNT; counter++) {
      totals_[counter] += stats[record].low[counter] + (uint64_t(stats[record].high[counter]) << 32);
    }
    stats[record] = WarpStats{};
  }
}

}  // namespace warpfs
