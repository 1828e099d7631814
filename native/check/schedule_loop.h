// Many schedules of one thing from the same start, up to the first finding, whose schedule is then made small.
#pragma once
#include "engine.h"

#include <chrono>

namespace warpfs {

struct LoopLimits {
  uint64_t schedules = 1;
  std::chrono::milliseconds time{0};  // 0: no limit
  uint64_t first = 0;
  bool twice = false;
  bool has_decisions = false;  // replay exactly this schedule
  Decisions decisions;
  bool trace = false;
  bool shrink = true;
};

struct LoopResult {
  uint64_t schedules = 0, complete = 0, blocked = 0, states = 0, steps = 0, nanoseconds = 0, trace_hash = 0;
  bool finished = false;
  Finding finding;
  uint64_t finding_schedule = 0;
  Decisions decisions;  // of the finding
  std::vector<TraceEvent> trace;
};

/// What is run under one schedule after the other.
class Scheduled {
 public:
  virtual ~Scheduled() = default;
  virtual Engine& engine() = 0;
  /// Runs from the start to the end or to the first finding, and leaves everything as it is then.
  virtual void attempt(const ScheduleOptions& options, const Decisions* replayed, bool record, bool trace, Search* search) = 0;
  /// An attempt was complete and found nothing: what came out of it?
  virtual void came_out(uint64_t schedule) = 0;
  /// Behind each attempt: all is as it was at the start.
  virtual void take_back() = 0;
};

class ScheduleLoop {
 public:
  /// The seed of each schedule comes from that of the options and the schedule's index.
  ScheduleLoop(Scheduled& scheduled, const ScheduleOptions& options) : scheduled_(scheduled), options_(options) {}
  void run(const LoopLimits& limits, LoopResult& result);

 private:
  struct Attempt {
    Finding finding;
    uint64_t trace_hash = 0, steps = 0;
    Decisions decisions;
    bool pruned = false;
  };
  void look(bool record, Attempt& made);
  Attempt attempt(const ScheduleOptions& options, const Decisions* replayed, bool record, Search* search);
  ScheduleOptions options_of(uint64_t schedule) const;
  void estimate_length();
  void found(const ScheduleOptions& options, const LoopLimits& limits, Search* search, Attempt made, LoopResult& result);
  void shrink(const ScheduleOptions& options, LoopResult& result);

  Scheduled& scheduled_;
  const ScheduleOptions options_;
  uint64_t length_ = 0;  // steps of the usual schedule
};

}  // namespace warpfs
