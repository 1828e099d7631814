// The exhaustive search: how many executions small kernels have, and that it says when it has seen them all.
#include "engine_test.h"

namespace warpfs::test {

namespace {

LoopResult searched(WarpBody body, uint32_t warps, uint32_t lanes, std::vector<uint32_t> memory, uint32_t preemptions = NO_BOUND) {
  CheckedKernel kernel;
  kernel.body = body;
  kernel.warps = warps;
  kernel.lane_count = lanes;
  kernel.memory = std::move(memory);
  ScheduleOptions options = scheduled(SchedulerKind::EXHAUSTIVE);
  options.preemptions = preemptions;
  return KernelExplorer(kernel).explore(options, up_to(100000));
}

}  // namespace

static void test_accesses_of_one_word_have_as_many_executions_as_orders() {
  uint64_t orders = 1;
  for (uint32_t warps = 1; warps <= 6; warps++) {
    orders *= warps;
    const LoopResult result = searched(toys::increment, warps, 1, {0});
    check_clean("increment", result);
    CHECK(result.finished && result.complete == orders);
  }
}

static void test_lanes_that_share_nothing_have_one_execution() {
  const LoopResult result = searched(toys::hands_over<true>, 1, 8, std::vector<uint32_t>(16, 0));
  check_clean("hands over", result);
  CHECK(result.finished && result.complete == 1 && result.blocked == 0);
}

static void test_bound_on_preemptions_leaves_executions_out() {
  uint64_t before = 0;
  for (uint32_t preemptions : {0u, 1u, 2u}) {
    const LoopResult result = searched(toys::line_protocol<true>, 3, 1, {toys::LINE_START, 1, 0}, preemptions);
    check_clean("line protocol", result);
    CHECK(result.finished && result.complete > before);
    before = result.complete;
  }
  // One warp after the other is enough for the race.
  check_found("line protocol", searched(toys::line_protocol<false>, 3, 1, {toys::LINE_START, 1, 0}, 0), "race");
  // The evictor has to come between the look and the pin, and the reader in the middle of the evictor.
  check_clean("check, then pin", searched(toys::bug_check_then_pin, 2, 1, {toys::LINE_START, 1, 0}, 1));
  check_found("check, then pin", searched(toys::bug_check_then_pin, 2, 1, {toys::LINE_START, 1, 0}, 2), "race");
}

static void test_waits_end_or_are_found() {
  for (WarpBody body : {toys::waits_for_last_warp, toys::waits_for_first_warp}) {
    const LoopResult result = searched(body, 3, 1, {0, 0});
    check_clean("waits for a warp", result);
    CHECK(result.finished);
  }
  const LoopResult told = searched(toys::heir_is_told, 3, 1, {0, 0, 0, 0, 0});
  check_clean("told", told);
  CHECK(told.finished);
  check_found("waits for ever", searched(toys::waits_for_ever, 2, 1, {0}), "deadlock");
  const LoopResult spins = searched(toys::spins_on_sibling, 1, 2, {0});
  check_clean("spins on its sibling", spins);
  CHECK(spins.finished);
}

void run_exhaustive_tests() {
  RUN_TEST(test_accesses_of_one_word_have_as_many_executions_as_orders);
  RUN_TEST(test_lanes_that_share_nothing_have_one_execution);
  RUN_TEST(test_bound_on_preemptions_leaves_executions_out);
  RUN_TEST(test_waits_end_or_are_found);
}

}  // namespace warpfs::test
