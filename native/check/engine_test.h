// What the parts of engine_test share.
#pragma once
#include "kernel_explorer.h"
#include "toy_kernels.h"

#include "../host/cpu/test_check.h"

namespace warpfs::test {

void run_litmus_tests();
void run_line_protocol_tests();
void run_classic_bug_tests();
void run_finding_tests();
void run_exhaustive_tests();

inline ScheduleOptions scheduled(SchedulerKind scheduler, uint64_t seed = 1) {
  ScheduleOptions options;
  options.scheduler = scheduler;
  options.seed = seed;
  return options;
}

inline LoopLimits up_to(uint64_t schedules) {
  LoopLimits limits;
  limits.schedules = schedules;
  return limits;
}

inline const char* name_of(SchedulerKind kind) {
  static constexpr const char* NAMES[] = {"random", "pct", "pos", "portfolio", "exhaustive", "replay"};
  return NAMES[size_t(kind)];
}

/// One finding of that kind, or the program ends.
inline void check_found(const char* what, const LoopResult& result, const std::string& kind) {
  if (result.finding.kind == kind) return;
  std::fprintf(stderr, "%s: expected a finding of kind '%s' and got '%s' (%s) after %llu schedules\n", what, kind.c_str(), result.finding.kind.c_str(),
               result.finding.message.c_str(), static_cast<unsigned long long>(result.schedules));
  CHECK(false);
}

inline void check_clean(const char* what, const LoopResult& result) { check_found(what, result, ""); }

}  // namespace warpfs::test
