// Forward progress: who is fair, which graphs end, the litmus programs, and what the waiting of the protocol needs.
// With the path of progress-litmus.json it also compares all published verdicts; with --protocol it prints the table of the protocol alone,
// or those of its cases whose names contain what follows.
#include "progress_litmus.h"
#include "progress_test.h"

#include "../host/cpu/test_check.h"
#include "../host/host_error.h"

#include <chrono>
#include <fstream>
#include <iterator>
#include <string_view>

namespace warpfs {
namespace {

void test_every_model_has_a_name() {
  for (uint8_t model = 0; model <= uint8_t(Progress::APPLE); model++) {
    CHECK(progress_named(progress_name(Progress(model))) == Progress(model));
  }
  CHECK(!progress_named("") && !progress_named("OBE") && !progress_named("fairer"));
}

void test_who_is_fair() {
  const uint64_t alive = 0b110110, has_run = 0b011001;
  CHECK(fair_set(Progress::OBE, alive, has_run) == 0b010000);
  CHECK(fair_set(Progress::HSA, alive, has_run) == 0b000010);
  CHECK(fair_set(Progress::HSA_OBE, alive, has_run) == 0b010010);
  CHECK(fair_set(Progress::LOBE, alive, has_run) == 0b010110);
  CHECK(fair_set(Progress::LOBE, alive, 0b001001) == 0b000110);  // the highest that has run need not be alive
  for (const Progress model : {Progress::FAIR, Progress::WEAK_FAIR, Progress::STRONG_FAIR, Progress::LOCKSTEP}) {
    CHECK(fair_set(model, alive, has_run) == alive);
  }
  for (size_t weak = 0; weak < 5; weak++) {
    CHECK(!progress_is_strong(PROGRESS_MODELS[weak]) && progress_is_strong(PROGRESS_MODELS[weak + 5]));
    CHECK(fair_set(PROGRESS_MODELS[weak], alive, has_run) == fair_set(PROGRESS_MODELS[weak + 5], alive, has_run));
  }
  for (const Progress model : PROGRESS_MODELS) CHECK(fair_set(model, 0, has_run) == 0);
  CHECK(fair_set(Progress::APPLE, alive, has_run) == 0);
  CHECK(fair_set(Progress::OBE, alive, 0) == 0 && fair_set(Progress::LOBE, alive, 0) == 0 && fair_set(Progress::HSA, alive, 0) == 0b10);
  CHECK(may_starve(Progress::OBE, alive, has_run, 1) && !may_starve(Progress::OBE, alive, has_run, 4));
}

void test_who_is_fair_among_more_than_64() {
  const uint64_t alive[3] = {0, 0xf0, ~0ull}, has_run[3] = {1, 0x90, 0};
  uint64_t fair[3];
  fair_set(Progress::LOBE, alive, has_run, fair);
  CHECK(fair[0] == 0 && fair[1] == 0xf0 && fair[2] == 0);
  fair_set(Progress::HSA_OBE, alive, has_run, fair);
  CHECK(fair[0] == 0 && fair[1] == 0x90 && fair[2] == 0);
  fair_set(Progress::HSA, alive, has_run, fair);
  CHECK(fair[0] == 0 && fair[1] == 0x10 && fair[2] == 0);
}

/// Actor 0 goes round between states 0 and 1; from each there is a way out, by actor 1 from state 0 and by `rescuer` from both.
ProgressGraph loop(uint64_t always, uint32_t rescuer) {
  ProgressGraph graph;
  graph.add_state(0b11, 0b11, always, std::vector<ProgressEdge>{{0, 1}, {1, 2}, {rescuer, 2}});
  graph.add_state(0b11, 0b11, always, std::vector<ProgressEdge>{{0, 0}, {rescuer, 2}});
  graph.add_state(0, 0b11, 0, {});
  graph.finish();
  return graph;
}

void test_loops_and_ways_out() {
  // Thread 0 alone: it can go on for ever if thread 1 may be left alone.
  const ProgressGraph graph = loop(0, 1);
  CHECK(!graph.ends_unaided() && !graph.ends(Progress::HSA) && graph.ends(Progress::OBE) && graph.ends(Progress::STRONG_FAIR));
  CHECK((graph.unaided_loops() == std::vector<std::vector<uint32_t>>{{0, 1}}));
  CHECK((graph.way_to(2) == std::vector<uint32_t>{1}));
  // The host is never left alone.
  CHECK(loop(1 << 8, 8).ends_unaided());
  // A way out that is there only every other time: thread 1 is never wronged, unless it has a right to what it can do again and again.
  ProgressGraph now_and_then;
  now_and_then.add_state(0b11, 0b11, 0, std::vector<ProgressEdge>{{0, 1}, {1, 2}});
  now_and_then.add_state(0b11, 0b11, 0, std::vector<ProgressEdge>{{0, 0}, {1, 1}});
  now_and_then.add_state(0, 0b11, 0, {});
  now_and_then.finish();
  CHECK(!now_and_then.ends(Progress::WEAK_FAIR) && now_and_then.ends(Progress::OBE_STRONG) && !now_and_then.ends(Progress::HSA_STRONG));
}

void test_deadlock_ends_under_no_model() {
  ProgressGraph graph;
  graph.add_state(1, 1, 0, {});
  graph.finish();
  CHECK(!graph.ends_unaided());
  for (const Progress model : PROGRESS_MODELS) CHECK(!graph.ends(model));
}

void refused(const std::string& instruction) {
  try {
    progress_verdicts({{"atomic_store(0,1)"}, {"atomic_chk_branch(0,0,END)", instruction}});
  } catch (const HostError& error) {
    CHECK(error.code == "EINVAL");
    CHECK(std::string_view(error.what()).find("thread 1 instruction 1 '" + instruction + "'") != std::string_view::npos);
    return;
  }
  std::printf("accepted %s\n", instruction.c_str());
  CHECK(false);
}

void test_bad_instructions_are_named() {
  for (const char* text : {"", "atomic_store", "atomic_store(0)", "atomic_store(0,1,2)", "atomic_store(0,END)", "atomic_store(8,0)",
                           "atomic_store(0,256)", "atomic_load(0,1)", "atomic_chk_branch(0,0,2)", "atomic_chk_branch(0,0,-1)",
                           "atomic_exch_branch(0,0,1)", "atomic_store(0,1) "}) {
    refused(text);
  }
  bool refuses_none = false;
  try {
    progress_verdicts({});
  } catch (const HostError&) {
    refuses_none = true;
  }
  CHECK(refuses_none);
  CHECK(progress_verdicts({{"atomic_store(0, 1)"}, {}}).at("OBE"));
}

using Verdicts = std::map<std::string, bool>;

struct Litmus {
  std::vector<std::vector<std::string>> threads;
  Verdicts expected;
};

/// Reads only what lies in the file: "models", then programs with "threads" and "expect" (a P or F for each model), without a blank.
class LitmusFile {
 public:
  explicit LitmusFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    text_.assign(std::istreambuf_iterator<char>(file), {});
    CHECK(!text_.empty());
    go_behind("\"models\":");
    models_ = strings();
  }

  bool next(Litmus& litmus) {
    if (text_.find("\"threads\":[", at_) == std::string::npos) return false;
    go_behind("\"threads\":[");
    litmus = {};
    while (text_[at_] == '[') {
      litmus.threads.push_back(strings());
      at_++;  // a comma, or the end of the list
    }
    go_behind("\"expect\":");
    const std::string letters = string();
    CHECK(letters.size() == models_.size());
    for (size_t i = 0; i < models_.size(); i++) litmus.expected[models_[i]] = letters[i] == 'P';
    return true;
  }

 private:
  void go_behind(const std::string& what) {
    const size_t found = text_.find(what, at_);
    CHECK(found != std::string::npos);
    at_ = found + what.size();
  }
  std::string string() {
    CHECK(text_[at_] == '"');
    const size_t end = text_.find('"', at_ + 1);
    const std::string value = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return value;
  }
  std::vector<std::string> strings() {
    std::vector<std::string> values;
    CHECK(text_[at_] == '[');
    do {
      at_++;
      values.push_back(string());
    } while (text_[at_] == ',');
    CHECK(text_[at_] == ']');
    at_++;
    return values;
  }

  std::string text_;
  size_t at_ = 0;
  std::vector<std::string> models_;
};

void test_published_verdicts(const std::string& path) {
  LitmusFile file(path);
  std::vector<Litmus> programs;
  for (Litmus litmus; file.next(litmus);) programs.push_back(litmus);
  const auto begin = std::chrono::steady_clock::now();
  size_t verdicts = 0, wrong = 0;
  for (const Litmus& litmus : programs) {
    const Verdicts found = progress_verdicts(litmus.threads);
    for (const auto& [model, ends] : litmus.expected) {
      verdicts++;
      if (found.at(model) != ends) wrong++;
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%zu programs, %zu verdicts, %zu of them otherwise than published, %.3f s\n", programs.size(), verdicts, wrong, seconds);
  CHECK(programs.size() == 483);
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace warpfs

int main(int argc, char** argv) {
  using namespace warpfs;
  if (argc > 1 && argv[1] == std::string_view("--protocol")) {
    print_protocol_table(argc > 2 ? argv[2] : "");
    return 0;
  }
  RUN_TEST(test_every_model_has_a_name);
  RUN_TEST(test_who_is_fair);
  RUN_TEST(test_who_is_fair_among_more_than_64);
  RUN_TEST(test_loops_and_ways_out);
  RUN_TEST(test_deadlock_ends_under_no_model);
  RUN_TEST(test_bad_instructions_are_named);
  RUN_TEST(test_what_the_protocol_needs);
  if (argc > 1) test_published_verdicts(argv[1]);
}
