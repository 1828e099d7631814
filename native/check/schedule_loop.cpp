#include "schedule_loop.h"

#include "explorer.h"
#include "state_search.h"

#include <algorithm>
#include <functional>
#include <memory>

namespace warpfs {

namespace {

using Clock = std::chrono::steady_clock;
constexpr uint64_t LEARNING_SCHEDULES = 8;

Decisions without(const Decisions& decisions, size_t from, size_t count) {
  Decisions fewer(decisions.begin(), decisions.begin() + std::ptrdiff_t(from));
  fewer.insert(fewer.end(), decisions.begin() + std::ptrdiff_t(std::min(from + count, decisions.size())), decisions.end());
  return fewer;
}

/// Halves first, then smaller pieces, then one decision after the other until none can be missed.
void leave_out(Decisions& decisions, size_t piece, const std::function<bool(const Decisions&)>& fails) {
  for (; piece > 0; piece /= 2) {
    bool removed = true;
    while (removed) {
      removed = false;
      for (size_t from = 0; from < decisions.size();) {
        Decisions fewer = without(decisions, from, piece);
        if (fails(fewer)) {
          decisions = std::move(fewer);
          removed = true;
        } else {
          from += piece;
        }
      }
      if (piece > 1) break;
    }
  }
}

}  // namespace

void ScheduleLoop::look(bool record, Attempt& made) {
  Engine& engine = scheduled_.engine();
  engine.end_speculation();
  made.trace_hash = engine.trace_hash();
  made.steps = engine.steps();
  if (engine.stopped()) {
    made.pruned = engine.was_pruned();
    made.finding = engine.finding();
  }
  if (record) made.decisions = engine.decisions();
}

ScheduleLoop::Attempt ScheduleLoop::attempt(const ScheduleOptions& options, const Decisions* replayed, bool record, Search* search) {
  Attempt made;
  scheduled_.attempt(options, replayed, record, false, search);
  look(record, made);
  scheduled_.take_back();
  return made;
}

ScheduleOptions ScheduleLoop::options_of(uint64_t schedule) const {
  ScheduleOptions options = options_;
  SeededRandom mix(options.seed * 0x9e3779b97f4a7c15u + schedule);
  options.seed = mix.next();
  return options;
}

/// Runs the usual schedule, for its length; and, under relaxed memory, a few others, for the values that loads may guess.
void ScheduleLoop::estimate_length() {
  const Decisions none;
  Engine& engine = scheduled_.engine();
  engine.set_learning(options_.relaxed);
  length_ = std::max<uint64_t>(attempt(options_, &none, false, nullptr).steps, 1);
  engine.set_length_estimate(length_);
  for (uint64_t at = 0; at < LEARNING_SCHEDULES && options_.relaxed; at++) attempt(options_of(~at), nullptr, false, nullptr);
  engine.set_learning(false);
}

void ScheduleLoop::run(const LoopLimits& limits, LoopResult& result) {
  const auto begin = Clock::now();
  const bool exhaustive = options_.scheduler == SchedulerKind::EXHAUSTIVE && !limits.has_decisions;
  std::unique_ptr<Search> made_search;
  if (exhaustive && scheduled_.engine().compares_states()) made_search = std::make_unique<StateSearch>(options_.preemptions);
  else if (exhaustive) made_search = std::make_unique<Explorer>(options_.preemptions);
  Search* const search = made_search.get();
  const Decisions* const given = limits.has_decisions ? &limits.decisions : nullptr;
  if (length_ == 0 && !exhaustive) estimate_length();
  for (uint64_t at = 0; at < limits.schedules; at++) {
    if (limits.time.count() != 0 && (at & 15) == 0 && Clock::now() - begin > limits.time) break;
    const uint64_t schedule = limits.first + at;
    const ScheduleOptions options = exhaustive ? options_ : options_of(schedule);
    Attempt made;
    const bool record = limits.has_decisions || limits.schedules == 1;
    scheduled_.attempt(options, given, record, limits.trace, search);
    look(record, made);
    result.schedules++;
    result.steps += made.steps;
    result.trace_hash = made.trace_hash;
    if (limits.trace) result.trace = scheduled_.engine().trace();
    if (made.finding.kind.empty()) {
      (made.pruned ? result.blocked : result.complete)++;
      if (!made.pruned) scheduled_.came_out(schedule);
    }
    scheduled_.take_back();
    if (limits.twice && made.finding.kind.empty() && !exhaustive) {
      const Attempt again = attempt(options, given, false, nullptr);
      if (again.trace_hash != made.trace_hash) made.finding = {"nondeterminism", "the same schedule gave two traces", {}};
    }
    if (!made.finding.kind.empty()) {
      result.finding_schedule = schedule;
      found(options, limits, search, std::move(made), result);
      break;
    }
    if (exhaustive && !search->next_execution()) {
      result.finished = true;
      break;
    }
    if (exhaustive) result.states = search->states();
  }
  result.nanoseconds = uint64_t(std::chrono::nanoseconds(Clock::now() - begin).count());
}

void ScheduleLoop::found(const ScheduleOptions& options, const LoopLimits& limits, Search* search, Attempt made, LoopResult& result) {
  result.finding = made.finding;
  result.decisions = std::move(made.decisions);
  if (!limits.has_decisions) {
    // Once more, so that it is known what was decided.
    Attempt recorded = attempt(options, nullptr, true, search);
    if (!recorded.finding.kind.empty()) result.finding = std::move(recorded.finding);
    result.decisions = std::move(recorded.decisions);
  }
  if (limits.shrink) shrink(options, result);
}

void ScheduleLoop::shrink(const ScheduleOptions& options, LoopResult& result) {
  Attempt last = attempt(options, &result.decisions, false, nullptr);
  if (last.finding.kind != result.finding.kind) return;
  bool any_kind = false;
  const auto fails = [&](const Decisions& candidate) {
    Attempt made = attempt(options, &candidate, false, nullptr);
    const bool same = any_kind ? !made.finding.kind.empty() : made.finding.kind == result.finding.kind;
    if (same) last = std::move(made);
    return same;
  };
  leave_out(result.decisions, (result.decisions.size() + 1) / 2, fails);
  // What is left fails in the same way with none of them missing. It is minimal only where it does not fail in another way either.
  any_kind = true;
  leave_out(result.decisions, 1, fails);
  // Where accesses were made is only known of a run that is recorded.
  Attempt recorded = attempt(options, &result.decisions, true, nullptr);
  if (recorded.finding.kind == last.finding.kind) last = std::move(recorded);
  result.finding = std::move(last.finding);
  result.trace_hash = last.trace_hash;
}

}  // namespace warpfs
