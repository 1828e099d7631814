// The toy line protocol: right under every scheduler, and a race as soon as the publishing store releases nothing. On it, that a schedule is
// data: replayed it gives the same run, and made small none of its decisions can be missed.
#include "engine_test.h"

namespace warpfs::test {

namespace {

CheckedKernel line_protocol(WarpBody body) {
  CheckedKernel kernel;
  kernel.body = body;
  kernel.warps = 3;
  kernel.memory = {toys::LINE_START, 1, 0};
  kernel.is_right = [](const uint32_t* memory) { return memory[toys::LINE_WRONG] == 0; };
  return kernel;
}

constexpr SchedulerKind SAMPLERS[] = {SchedulerKind::RANDOM, SchedulerKind::PCT, SchedulerKind::POS, SchedulerKind::PORTFOLIO};

}  // namespace

static void test_line_protocol_is_right_under_every_sampler() {
  KernelExplorer explorer(line_protocol(toys::line_protocol<true>));
  for (SchedulerKind scheduler : SAMPLERS) {
    for (bool relaxed : {false, true}) {
      ScheduleOptions options = scheduled(scheduler);
      options.relaxed = relaxed;
      const LoopResult result = explorer.explore(options, up_to(20000));
      check_clean(name_of(scheduler), result);
      CHECK(result.complete + result.blocked == 20000 && (options.relaxed || result.blocked == 0) && result.steps > 3 * 20000);
    }
  }
}

/// 83 is what an enumeration of all interleavings gives, those counted once that order the accesses to the word alike.
static void test_line_protocol_has_83_executions() {
  KernelExplorer explorer(line_protocol(toys::line_protocol<true>));
  const LoopResult result = explorer.explore(scheduled(SchedulerKind::EXHAUSTIVE), up_to(100000));
  check_clean("exhaustive", result);
  CHECK(result.finished && result.complete == 83);
}

static void test_relaxed_publish_is_a_race_within_a_few_schedules() {
  KernelExplorer explorer(line_protocol(toys::line_protocol<false>));
  for (SchedulerKind scheduler : {SchedulerKind::RANDOM, SchedulerKind::PCT, SchedulerKind::POS, SchedulerKind::PORTFOLIO, SchedulerKind::EXHAUSTIVE}) {
    for (uint64_t seed = 1; seed <= 20; seed++) {
      const LoopResult result = explorer.explore(scheduled(scheduler, seed), up_to(200));
      check_found(name_of(scheduler), result, "race");
      CHECK(result.finding.actors.size() == 2);
      const FindingActor &one = result.finding.actors[0], &other = result.finding.actors[1];
      CHECK(one.warp != other.warp && one.pcs.size() == 1 && other.pcs.size() == 1 && one.pcs[0] != other.pcs[0]);
      CHECK(result.finding.message.find("memory[1]") != std::string::npos);
    }
  }
}

static void test_same_seed_gives_the_same_run() {
  for (SchedulerKind scheduler : SAMPLERS) {
    uint64_t hashes[2] = {}, other = 0;
    for (uint64_t& hash : hashes) {
      KernelExplorer explorer(line_protocol(toys::line_protocol<true>));
      for (uint64_t schedule = 0; schedule < 500; schedule++) {
        LoopLimits limits = up_to(1);
        limits.first = schedule;
        limits.twice = true;
        const LoopResult result = explorer.explore(scheduled(scheduler, 7), limits);
        check_clean(name_of(scheduler), result);
        hash = hash * 31 + result.trace_hash;
        other = other * 31 + explorer.explore(scheduled(scheduler, 8), limits).trace_hash;
      }
    }
    CHECK(hashes[0] == hashes[1] && hashes[0] != other);
  }
}

static void test_shrunk_schedules_are_minimal_and_replay() {
  KernelExplorer explorer(line_protocol(toys::line_protocol<false>));
  size_t decisions = 0;
  for (uint64_t seed = 1; seed <= 50; seed++) {
    const ScheduleOptions options = scheduled(SchedulerKind::PORTFOLIO, seed);
    const LoopResult found = explorer.explore(options, up_to(1000));
    check_found("portfolio", found, "race");
    for (int again = 0; again < 2; again++) {
      const LoopResult replayed = explorer.replay(options, found.decisions);
      check_found("replay", replayed, "race");
      CHECK(replayed.trace_hash == found.trace_hash && replayed.finding.message == found.finding.message && replayed.decisions == found.decisions);
    }
    for (size_t missing = 0; missing < found.decisions.size(); missing++) {
      Decisions fewer = found.decisions;
      fewer.erase(fewer.begin() + std::ptrdiff_t(missing));
      check_clean("without one decision", explorer.replay(options, fewer));
    }
    decisions += found.decisions.size();
  }
  std::printf("   %.2f decisions are left on average\n", double(decisions) / 50);
}

static void test_found_schedules_replay_as_they_were() {
  KernelExplorer explorer(line_protocol(toys::line_protocol<false>));
  for (SchedulerKind scheduler : SAMPLERS) {
    for (bool relaxed : {false, true}) {
      ScheduleOptions options = scheduled(scheduler, 3);
      options.relaxed = relaxed;
      LoopLimits limits = up_to(1000);
      limits.shrink = false;
      const LoopResult found = explorer.explore(options, limits);
      check_found(name_of(scheduler), found, "race");
      const LoopResult replayed = explorer.replay(options, found.decisions);
      check_found("replay", replayed, "race");
      CHECK(replayed.trace_hash == found.trace_hash && replayed.decisions == found.decisions);
    }
  }
}

void run_line_protocol_tests() {
  RUN_TEST(test_line_protocol_is_right_under_every_sampler);
  RUN_TEST(test_line_protocol_has_83_executions);
  RUN_TEST(test_relaxed_publish_is_a_race_within_a_few_schedules);
  RUN_TEST(test_same_seed_gives_the_same_run);
  RUN_TEST(test_shrunk_schedules_are_minimal_and_replay);
  RUN_TEST(test_found_schedules_replay_as_they_were);
}

}  // namespace warpfs::test
