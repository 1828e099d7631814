// Litmus tests: which outcomes C++20 allows under `sc` and `relaxed`, and that the engine shows these and no others.
#include "engine_test.h"

#include <map>
#include <set>
#include <string>

namespace warpfs::test {

namespace {

using toys::Fences;
using Outcomes = std::set<std::string>;  // the values that were read, one digit each

constexpr uint64_t SCHEDULES = 20000;

struct Litmus {
  const char* name;
  WarpBody body;
  uint32_t threads, reads;
  Outcomes sc, relaxed;  // allowed, all of them; relaxed: besides those of sc
};

std::string outcome_of(const uint32_t* memory, uint32_t first, uint32_t count) {
  std::string outcome;
  for (uint32_t index = 0; index < count; index++) outcome += char('0' + memory[first + index]);
  return outcome;
}

Outcomes seen(const Litmus& litmus, const ScheduleOptions& options, uint64_t schedules, uint32_t first_word = toys::OUT) {
  Outcomes outcomes;
  CheckedKernel kernel;
  kernel.body = litmus.body;
  kernel.warps = litmus.threads;
  kernel.memory.assign(toys::LITMUS_WORDS, 0);
  kernel.is_right = [&](const uint32_t* memory) {
    outcomes.insert(outcome_of(memory, first_word, litmus.reads));
    return true;
  };
  KernelExplorer explorer(kernel);
  const LoopResult result = explorer.explore(options, up_to(schedules));
  check_clean(litmus.name, result);
  if (options.scheduler == SchedulerKind::EXHAUSTIVE) CHECK(result.finished);
  return outcomes;
}

std::string text(const Outcomes& outcomes) {
  std::string all;
  for (const std::string& outcome : outcomes) all += " " + outcome;
  return all;
}

void check_same(const char* what, const char* how, const Outcomes& got, const Outcomes& expected) {
  if (got == expected) return;
  std::fprintf(stderr, "%s, %s: expected%s, saw%s\n", what, how, text(expected).c_str(), text(got).c_str());
  CHECK(false);
}

Outcomes all_of(const Outcomes& a, const Outcomes& b) {
  Outcomes both = a;
  both.insert(b.begin(), b.end());
  return both;
}

/// All of `reads` digits 0 and 1 but those.
Outcomes bits_but(uint32_t reads, const Outcomes& without) {
  Outcomes outcomes;
  for (uint32_t bits = 0; bits < 1u << reads; bits++) {
    std::string outcome;
    for (uint32_t read = 0; read < reads; read++) outcome += bits >> (reads - 1 - read) & 1 ? '1' : '0';
    if (!without.contains(outcome)) outcomes.insert(outcome);
  }
  return outcomes;
}

/// Two readers of a word to which 1 and 2 are stored, in one order for all.
Outcomes coherent() {
  Outcomes outcomes;
  for (const std::string& order : {std::string("012"), std::string("021")}) {
    for (uint32_t packed = 0; packed < 81; packed++) {
      const uint32_t places[4] = {packed / 27, packed / 9 % 3, packed / 3 % 3, packed % 3};
      if (places[0] > places[1] || places[2] > places[3]) continue;
      std::string outcome;
      for (uint32_t place : places) outcome += order[place];
      outcomes.insert(outcome);
    }
  }
  return outcomes;
}

const Outcomes SB = {"01", "10", "11"}, MP = {"00", "01", "11"}, LB = {"00", "01", "10"};

std::vector<Litmus> litmus_tests() {
  const Outcomes iriw = bits_but(4, {"1010"}), wrc = bits_but(3, {"110"}), sequence = {"00", "01", "11", "21"}, handed = bits_but(3, {"010"});
  return {
      {"store buffering", toys::store_buffering<Fences::NONE>, 2, 2, SB, {"00"}},
      {"store buffering with seq fences", toys::store_buffering<Fences::SEQ>, 2, 2, SB, {}},
      {"store buffering with acquire and release fences", toys::store_buffering<Fences::BOTH>, 2, 2, SB, {"00"}},
      {"message passing", toys::message_passing<Fences::NONE>, 2, 2, MP, {"10"}},
      {"message passing with a release fence only", toys::message_passing<Fences::RELEASE>, 2, 2, MP, {"10"}},
      {"message passing with an acquire fence only", toys::message_passing<Fences::ACQUIRE>, 2, 2, MP, {"10"}},
      {"message passing with both fences", toys::message_passing<Fences::BOTH>, 2, 2, MP, {}},
      {"message passing with seq fences", toys::message_passing<Fences::SEQ>, 2, 2, MP, {}},
      {"load buffering with fences", toys::load_buffering<Fences::BOTH>, 2, 2, LB, {}},
      {"a seq fence handed on", toys::seq_handed_on, 3, 3, handed, {}},
      {"coherent reads", toys::coherent_reads, 4, 4, coherent(), {}},
      {"independent reads", toys::independent_reads<Fences::NONE>, 4, 4, iriw, {"1010"}},
      {"independent reads with acquire fences", toys::independent_reads<Fences::ACQUIRE>, 4, 4, iriw, {"1010"}},
      {"independent reads with seq fences", toys::independent_reads<Fences::SEQ>, 4, 4, iriw, {}},
      {"write to read", toys::write_to_read<Fences::NONE>, 3, 3, wrc, {"110"}},
      {"write to read with fences", toys::write_to_read<Fences::BOTH>, 3, 3, wrc, {}},
      {"a release sequence through an rmw", toys::release_sequence<true>, 3, 2, sequence, {}},
      {"a release sequence that a plain store ends", toys::release_sequence<false>, 3, 2, sequence, {"20"}},
  };
}

}  // namespace

static void test_litmus_outcomes_are_those_that_cpp20_allows() {
  for (const Litmus& litmus : litmus_tests()) {
    for (SchedulerKind scheduler : {SchedulerKind::RANDOM, SchedulerKind::PORTFOLIO}) {
      ScheduleOptions options = scheduled(scheduler);
      check_same(litmus.name, "sc", seen(litmus, options, SCHEDULES), litmus.sc);
      options.relaxed = true;
      check_same(litmus.name, "relaxed", seen(litmus, options, SCHEDULES), all_of(litmus.sc, litmus.relaxed));
    }
  }
}

static void test_exhaustive_search_sees_each_sc_outcome() {
  for (const Litmus& litmus : litmus_tests()) {
    check_same(litmus.name, "exhaustive", seen(litmus, scheduled(SchedulerKind::EXHAUSTIVE), 100000), litmus.sc);
  }
}

/// Here the engine shows less than C++20 allows: it stores in the order in which it runs, so nobody sees 11 (2+2W).
static void test_stores_are_ordered_as_they_ran() {
  const Litmus litmus = {"two writes each", toys::two_writes_each, 2, 2, {"12", "21", "22"}, {}};
  ScheduleOptions options = scheduled(SchedulerKind::RANDOM);
  check_same(litmus.name, "sc", seen(litmus, options, SCHEDULES, toys::X), litmus.sc);
  options.relaxed = true;
  check_same(litmus.name, "relaxed", seen(litmus, options, SCHEDULES, toys::X), litmus.sc);
}

static void test_load_buffering_never_shows_more_than_is_allowed() {
  const Litmus litmus = {"load buffering", toys::load_buffering<Fences::NONE>, 2, 2, LB, {"11"}};
  ScheduleOptions options = scheduled(SchedulerKind::RANDOM);
  check_same(litmus.name, "sc", seen(litmus, options, SCHEDULES), litmus.sc);
  options.relaxed = true;
  check_same(litmus.name, "relaxed", all_of(seen(litmus, options, SCHEDULES), litmus.relaxed), all_of(litmus.sc, litmus.relaxed));
}

/// A load may take the value of a store that has not run yet.
static void test_load_buffering_shows_its_weak_outcome() {
  const Litmus litmus = {"load buffering", toys::load_buffering<Fences::NONE>, 2, 2, LB, {"11"}};
  for (SchedulerKind scheduler : {SchedulerKind::RANDOM, SchedulerKind::PORTFOLIO}) {
    ScheduleOptions options = scheduled(scheduler);
    options.relaxed = true;
    check_same(litmus.name, "relaxed", seen(litmus, options, SCHEDULES), all_of(litmus.sc, litmus.relaxed));
  }
}

void run_litmus_tests() {
  RUN_TEST(test_stores_are_ordered_as_they_ran);
  RUN_TEST(test_load_buffering_never_shows_more_than_is_allowed);
  RUN_TEST(test_load_buffering_shows_its_weak_outcome);
  RUN_TEST(test_litmus_outcomes_are_those_that_cpp20_allows);
  RUN_TEST(test_exhaustive_search_sees_each_sc_outcome);
}

}  // namespace warpfs::test
