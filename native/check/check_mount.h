// A mount whose every dispatch runs under one schedule, drawn from the seed and the number of the dispatch. Nothing is taken back.
#pragma once
#include "check_world.h"

#include <array>

namespace warpfs {

struct CheckedDispatch {
  DispatchResult result;
  Finding finding;
  uint64_t schedule = 0;
  Decisions decisions;
  uint64_t trace_hash = 0;
};

class CheckMount {
 public:
  /// Throws HostError, also for a scheduler that is about many schedules.
  CheckMount(const MountOptions& mount, const CheckOptions& check);

  /// After a finding nothing more is run: what is in memory is whatever the schedule left there.
  CheckedDispatch run(const Dispatch& dispatch);
  int32_t sync();
  /// The same: there is nothing that has to be stopped.
  int32_t unmount(bool) { return sync(); }
  std::array<uint64_t, COUNTER_COUNT> stats() const { return totals_; }
  CheckWorld& world() { return world_; }

 private:
  void begin(bool quiet);
  void end();
  void fold_stats();

  CheckWorld world_;
  uint64_t dispatches_ = 0;
  std::string broken_;
  std::array<uint64_t, COUNTER_COUNT> totals_ = {};
};

}  // namespace warpfs
