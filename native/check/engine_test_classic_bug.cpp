// The four classic bugs of concurrent code: how many schedules it takes to find them.
#include "engine_test.h"

#include <algorithm>

namespace warpfs::test {

namespace {

struct ClassicBug {
  const char* name;
  WarpBody body;
  std::vector<uint32_t> memory;
  bool (*is_right)(const uint32_t* memory);
};

/// A node is on the stack, or one warp has it.
bool stack_is_right(const uint32_t* memory) {
  uint32_t places[4] = {};
  uint32_t node = memory[0];
  for (int length = 0; node != 0 && length < 4; length++, node = memory[node]) places[node]++;
  for (uint32_t each = 1; each <= 3; each++) {
    if (places[each] + memory[toys::STACK_TAKEN + each] != 1) return false;
  }
  return true;
}

const ClassicBug BUGS[] = {
    {"ordering", toys::bug_ordering<false>, {0, 0, 0}, [](const uint32_t* memory) { return memory[1] == 0; }},
    {"ordering behind 20 shared accesses", toys::bug_ordering<true>, {0, 0, 0}, [](const uint32_t* memory) { return memory[1] == 0; }},
    {"check, then pin", toys::bug_check_then_pin, {toys::LINE_START, 1, 0}, [](const uint32_t* memory) { return memory[toys::LINE_WRONG] == 0; }},
    {"stack ABA", toys::bug_stack_aba, {1, 2, 3, 0, 0, 0, 0, 0}, stack_is_right},
    {"lost dirty bit", toys::bug_lost_dirty, {1, 1, 0}, [](const uint32_t* memory) {
       return memory[toys::DIRTY_BIT] != 0 || memory[toys::DIRTY_DISK] == memory[toys::DIRTY_DATA];
     }}};

constexpr uint64_t SCHEDULES_MAX = 1000;
constexpr uint64_t SEEDS = 20;

CheckedKernel kernel_of(const ClassicBug& bug) {
  CheckedKernel kernel;
  kernel.body = bug.body;
  kernel.warps = 2;
  kernel.memory = bug.memory;
  kernel.is_right = bug.is_right;
  return kernel;
}

}  // namespace

static void test_classic_bugs_are_found_within_1000_schedules() {
  for (const ClassicBug& bug : BUGS) {
    KernelExplorer explorer(kernel_of(bug));
    std::vector<uint64_t> schedules;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
      const LoopResult result = explorer.explore(scheduled(SchedulerKind::PORTFOLIO, seed), up_to(SCHEDULES_MAX));
      CHECK(!result.finding.kind.empty());
      schedules.push_back(result.schedules);
    }
    std::sort(schedules.begin(), schedules.end());
    std::printf("   %s: median %llu, at most %llu schedules\n", bug.name, static_cast<unsigned long long>(schedules[SEEDS / 2]),
                static_cast<unsigned long long>(schedules.back()));
  }
}

static void test_classic_bugs_are_found_by_the_exhaustive_search() {
  for (const ClassicBug& bug : BUGS) {
    KernelExplorer explorer(kernel_of(bug));
    CHECK(!explorer.explore(scheduled(SchedulerKind::EXHAUSTIVE), up_to(SCHEDULES_MAX)).finding.kind.empty());
  }
}

static void test_schedules_of_classic_bugs_shrink_to_minimal_ones() {
  for (const ClassicBug& bug : BUGS) {
    KernelExplorer explorer(kernel_of(bug));
    size_t decisions = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
      const ScheduleOptions options = scheduled(SchedulerKind::PORTFOLIO, seed);
      const LoopResult found = explorer.explore(options, up_to(SCHEDULES_MAX));
      const LoopResult replayed = explorer.replay(options, found.decisions);
      check_found(bug.name, replayed, found.finding.kind);
      CHECK(replayed.trace_hash == found.trace_hash);
      decisions = std::max(decisions, found.decisions.size());
      for (size_t missing = 0; missing < found.decisions.size(); missing++) {
        Decisions fewer = found.decisions;
        fewer.erase(fewer.begin() + std::ptrdiff_t(missing));
        check_clean(bug.name, explorer.replay(options, fewer));
      }
    }
    std::printf("   %s: at most %zu decisions are left\n", bug.name, decisions);
  }
}

void run_classic_bug_tests() {
  RUN_TEST(test_classic_bugs_are_found_within_1000_schedules);
  RUN_TEST(test_classic_bugs_are_found_by_the_exhaustive_search);
  RUN_TEST(test_schedules_of_classic_bugs_shrink_to_minimal_ones);
}

}  // namespace warpfs::test
