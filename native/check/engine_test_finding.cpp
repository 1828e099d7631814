// Each kind of thing that the engine itself can find, and that it does not find it where it is not.
#include "engine_test.h"

#include <algorithm>

namespace warpfs::test {

namespace {

constexpr uint32_t LANES = 4;

CheckedKernel kernel_of(WarpBody body, uint32_t warps, uint32_t lanes, uint32_t words) {
  CheckedKernel kernel;
  kernel.body = body;
  kernel.warps = warps;
  kernel.lane_count = lanes;
  kernel.memory.assign(words, 0);
  return kernel;
}

LoopResult explored(const CheckedKernel& kernel, uint64_t schedules, const ScheduleOptions& options = scheduled(SchedulerKind::PORTFOLIO)) {
  KernelExplorer explorer(kernel);
  return explorer.explore(options, up_to(schedules));
}

ScheduleOptions under(Progress progress) {
  ScheduleOptions options = scheduled(SchedulerKind::RANDOM);
  options.progress = progress;
  return options;
}

CheckedKernel reduce(WarpBody body, uint32_t warps, uint32_t lanes, uint32_t resident) {
  CheckedKernel kernel = kernel_of(body, warps, lanes, 0);
  kernel.memory.assign(toys::REDUCE_INPUT + warps * lanes, 1);
  kernel.group_memory_bytes = lanes * 4;
  kernel.resident_warps = resident;
  kernel.is_right = [=](const uint32_t* memory) { return std::all_of(memory, memory + warps, [=](uint32_t sum) { return sum == lanes; }); };
  return kernel;
}

}  // namespace

static void test_wait_that_nobody_ends_is_a_deadlock() {
  const LoopResult result = explored(kernel_of(toys::waits_for_ever, 2, 1, 1), 1);
  check_found("waits for ever", result, "deadlock");
  CHECK(result.finding.message.find("memory[0]") != std::string::npos && result.finding.actors.size() == 2 && result.decisions.empty());
}

static void test_sibling_that_spins_is_a_livelock_under_lockstep_only() {
  const CheckedKernel kernel = kernel_of(toys::spins_on_sibling, 1, LANES, 1);
  check_found("lockstep", explored(kernel, 1, under(Progress::LOCKSTEP)), "livelock");
  check_clean("fair", explored(kernel, 200, under(Progress::FAIR)));
  check_clean("portfolio", explored(kernel, 200));
}

static void test_warp_that_waits_for_a_starved_one_is_a_livelock() {
  for (Progress progress : {Progress::HSA, Progress::OBE, Progress::LOBE, Progress::HSA_OBE}) {
    check_found("last warp", explored(kernel_of(toys::waits_for_last_warp, 3, 1, 2), 200, under(progress)), "livelock");
  }
  check_clean("fair", explored(kernel_of(toys::waits_for_last_warp, 3, 1, 2), 200, under(Progress::FAIR)));
  check_clean("weakly fair", explored(kernel_of(toys::waits_for_last_warp, 3, 1, 2), 200, under(Progress::WEAK_FAIR)));
  // Whoever has the lowest id gets its turn where the others only wait for it.
  for (Progress progress : {Progress::HSA, Progress::LOBE, Progress::HSA_OBE}) {
    check_clean("first warp", explored(kernel_of(toys::waits_for_first_warp, 3, 1, 2), 200, under(progress)));
  }
  check_found("first warp", explored(kernel_of(toys::waits_for_first_warp, 3, 1, 2), 200, under(Progress::OBE)), "livelock");
}

static void test_livelock_replays_without_its_progress_model() {
  KernelExplorer explorer(kernel_of(toys::waits_for_last_warp, 3, 1, 2));
  const ScheduleOptions options = under(Progress::HSA);
  const LoopResult found = explorer.explore(options, up_to(200));
  check_found("last warp", found, "livelock");
  const LoopResult replayed = explorer.replay(options, found.decisions);
  check_found("replayed", replayed, "livelock");
  CHECK(replayed.trace_hash == found.trace_hash);
}

static void test_step_limit_ends_a_schedule() {
  ScheduleOptions options = scheduled(SchedulerKind::RANDOM);
  options.step_limit = 100;
  CheckedKernel kernel = kernel_of(toys::increment, 8, 32, 1);
  check_found("256 steps", explored(kernel, 1, options), "livelock");
  options.step_limit = 256;
  check_clean("256 steps", explored(kernel, 1, options));
}

static void test_access_beyond_an_allocation_is_found() {
  for (uint32_t words : {1u, 3u, 64u}) {
    CheckedKernel kernel = kernel_of(toys::reads_beyond, 1, 1, words);
    kernel.memory[0] = words;
    const LoopResult result = explored(kernel, 1);
    check_found("one word beyond", result, "out_of_allocation");
    CHECK(result.finding.actors.size() == 1 && result.finding.actors[0].pcs.size() == 1);
    kernel.memory[0] = words - 1;
    check_clean("the last word", explored(kernel, 1));
  }
}

static void test_arguments_that_differ_between_lanes_are_found() {
  const LoopResult result = explored(kernel_of(toys::disagrees, 1, LANES, 1), 1);
  check_found("differ", result, "non_uniform");
  CHECK(result.finding.actors.size() == 2 && result.finding.actors[0].lane == 0 && result.finding.actors[1].lane == LANES - 1);
}

static void test_missing_barrier_is_a_race() {
  for (uint32_t warps : {1u, 4u}) {
    for (uint32_t resident : {1u, warps}) {
      check_clean("all barriers", explored(reduce(toys::group_reduce<true>, warps, 32, resident), 100));
      const LoopResult result = explored(reduce(toys::group_reduce<false>, warps, 32, resident), 1);
      check_found("one is missing", result, "race");
      CHECK(result.finding.message.find("group_memory[") != std::string::npos);
    }
  }
}

static void test_barrier_orders_all_warps_of_a_group() {
  CheckedKernel kernel = kernel_of(toys::group_exchange, 6, LANES, 6 * LANES);
  kernel.group_warps = 2;
  kernel.group_memory_bytes = 2 * LANES * 4;
  kernel.is_right = [](const uint32_t* memory) {
    for (uint32_t index = 0; index < 6 * LANES; index++) {
      if (memory[index] != 2 * LANES - index % (2 * LANES)) return false;
    }
    return true;
  };
  for (uint32_t resident : {2u, 4u, 6u}) {
    kernel.resident_warps = resident;
    check_clean("exchange", explored(kernel, 300));
  }
}

static void test_only_collectives_that_order_memory_order_it() {
  check_clean("sync", explored(kernel_of(toys::hands_over<true>, 1, LANES, 2 * LANES), 100));
  check_found("any", explored(kernel_of(toys::hands_over<false>, 1, LANES, 2 * LANES), 1), "race");
}

static void test_races_name_both_accesses() {
  for (WarpBody body : {toys::writes_what_all_read<false>, toys::writes_what_all_read<true>}) {
    const CheckedKernel kernel = kernel_of(body, 3, LANES, 1 + 3 * LANES);
    for (uint64_t seed = 1; seed <= 20; seed++) {
      const LoopResult result = explored(kernel, 1, scheduled(SchedulerKind::RANDOM, seed));
      check_found("many readers", result, "race");
      CHECK(result.finding.actors.size() == 2);
      const FindingActor &one = result.finding.actors[0], &other = result.finding.actors[1];
      CHECK((one.warp == 0) != (other.warp == 0) && one.pcs.size() == 1 && other.pcs.size() == 1 && one.pcs[0] != other.pcs[0]);
    }
  }
}

/// A warp that gets the place of another knows nothing of what that one knew.
static void test_heir_of_a_place_inherits_no_knowledge() {
  CheckedKernel kernel = kernel_of(toys::heir_reads, 3, 1, 4);
  kernel.resident_warps = 2;
  for (uint64_t seed = 1; seed <= 20; seed++) check_found("heir", explored(kernel, 1, scheduled(SchedulerKind::RANDOM, seed)), "race");
}

static void test_heir_of_a_place_may_be_told_what_its_former_actor_did() {
  CheckedKernel kernel = kernel_of(toys::heir_is_told, 3, 1, 5);
  kernel.resident_warps = 2;
  check_clean("heir", explored(kernel, 200));
}

static void test_places_are_given_on_and_each_warp_runs_once() {
  CheckedKernel kernel = kernel_of(toys::increment, 100, LANES, 1);
  kernel.is_right = [](const uint32_t* memory) { return memory[0] == 100 * LANES; };
  for (uint32_t resident : {1u, 3u, 100u}) {
    kernel.resident_warps = resident;
    LoopLimits limits = up_to(100);
    limits.twice = true;
    check_clean("increment", KernelExplorer(kernel).explore(scheduled(SchedulerKind::PORTFOLIO), limits));
  }
}

static void test_wrong_results_are_found() {
  CheckedKernel kernel = kernel_of(toys::increment, 2, 2, 1);
  kernel.is_right = [](const uint32_t* memory) { return memory[0] != 4; };
  const LoopResult result = explored(kernel, 1);
  check_found("increment", result, "wrong_result");
  CHECK(result.decisions.empty());  // it needs none
}

void run_finding_tests() {
  RUN_TEST(test_wait_that_nobody_ends_is_a_deadlock);
  RUN_TEST(test_sibling_that_spins_is_a_livelock_under_lockstep_only);
  RUN_TEST(test_warp_that_waits_for_a_starved_one_is_a_livelock);
  RUN_TEST(test_livelock_replays_without_its_progress_model);
  RUN_TEST(test_step_limit_ends_a_schedule);
  RUN_TEST(test_access_beyond_an_allocation_is_found);
  RUN_TEST(test_arguments_that_differ_between_lanes_are_found);
  RUN_TEST(test_missing_barrier_is_a_race);
  RUN_TEST(test_barrier_orders_all_warps_of_a_group);
  RUN_TEST(test_only_collectives_that_order_memory_order_it);
  RUN_TEST(test_races_name_both_accesses);
  RUN_TEST(test_heir_of_a_place_inherits_no_knowledge);
  RUN_TEST(test_heir_of_a_place_may_be_told_what_its_former_actor_did);
  RUN_TEST(test_places_are_given_on_and_each_warp_runs_once);
  RUN_TEST(test_wrong_results_are_found);
}

}  // namespace warpfs::test
