// The probes of the Metal self-test on the fake Metal, which is as coherent as the processor. `probes_test SHADERS`.
#include "../host/cpu/test_check.h"
#include "../host/host_error.h"
#include "../host/metal/self_test.h"
#include "fake_tests.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

using namespace warpfs::metal_fake;
using namespace warpfs::metal;

namespace {

std::string texts;

SelfTestOptions few_rounds() {
  SelfTestOptions options;
  options.texts = texts;
  options.rounds = 3;
  options.trips = 5;
  options.patience = std::chrono::seconds(60);  // a processor that plays a GPU may have other things to do
  return options;
}

/// `began`: called with the name of each probe when it begins.
std::vector<ProbeResult> run(const SelfTestOptions& options, const std::function<void(const std::string&)>& began = [](const std::string&) {}) {
  std::vector<ProbeResult> results;
  std::string running;
  run_self_test(options, [&](const ProbeResult& told) {
    if (told.verdict == Verdict::RUNNING) {
      CHECK(running.empty() && !told.question.empty() && !told.method.empty());
      running = told.name;
      return began(running);
    }
    CHECK(running == told.name && !told.text.empty());
    running.clear();
    results.push_back(told);
  });
  CHECK(running.empty() && results.size() == 12);
  const std::vector<std::string> violations = take_violations();
  for (const std::string& violation : violations) std::fprintf(stderr, "violation: %s\n", violation.c_str());
  CHECK(violations.empty());
  return results;
}

const ProbeResult& named(const std::vector<ProbeResult>& results, const std::string& name) {
  const auto found = std::find_if(results.begin(), results.end(), [&](const ProbeResult& result) { return result.name == name; });
  CHECK(found != results.end());
  return *found;
}

double number(const ProbeResult& result, const std::string& name) {
  for (const ProbeResult::Number& number : result.numbers) {
    if (number.name == name) return number.value;
  }
  std::fprintf(stderr, "%s has no number %s: %s\n", result.name.c_str(), name.c_str(), result.text.c_str());
  CHECK(false);
  return 0;
}

bool begins_with(const std::string& text, const char* begin) { return text.rfind(begin, 0) == 0; }

/// A folder of texts of one's own, which ends with this.
struct Texts {
  std::string folder = (std::filesystem::temp_directory_path() / "warpfs-texts-XXXXXX").string();
  Texts() {
    CHECK(mkdtemp(folder.data()) != nullptr);
    for (const auto& file : std::filesystem::directory_iterator(texts)) std::filesystem::copy(file, folder);
  }
  ~Texts() { std::filesystem::remove_all(folder); }
};

/// A machine that has other things to do may not look while a kernel runs, which goes on for a tenth of a second.
bool looked_in_time(const std::vector<ProbeResult>& results) {
  for (const char* name : {"stores_plain", "stores_device", "stores_system"}) {
    if (number(named(results, name), "rounds_word_seen") == 0) return false;
  }
  for (const char* name : {"loads_plain", "loads_device", "loads_system"}) {
    if (number(named(results, name), "rounds_word_seen_16k") == 0 || number(named(results, name), "rounds_word_seen_1m") == 0) return false;
  }
  for (const char* name : {"tearing_plain", "tearing_system"}) {
    if (number(named(results, name), "gpu_saw_changes") == 0 || number(named(results, name), "host_saw_changes") == 0) return false;
  }
  return true;
}

void test_each_probe_has_an_answer() {
  std::vector<ProbeResult> results = run(few_rounds());
  for (int more = 0; more < 5 && !looked_in_time(results); more++) results = run(few_rounds());
  for (const ProbeResult& result : results) {
    std::printf("%s: %s\n", result.name.c_str(), result.text.c_str());
    CHECK(result.verdict != Verdict::FAILED && !result.numbers.empty() && result.seconds > 0);
  }
  // What one processor does is coherent; and kernels of the fake run beside the host.
  for (const char* name : {"stores_plain", "stores_device", "stores_system"}) {
    const ProbeResult& stores = named(results, name);
    CHECK(stores.verdict == Verdict::AS_EXPECTED && number(stores, "rounds_word_seen") > 0);
    CHECK(number(stores, "stale_words") == 0 && number(stores, "stale_words_at_end") == 0);
  }
  for (const char* name : {"loads_plain", "loads_device", "loads_system"}) {
    const ProbeResult& loads = named(results, name);
    for (const std::string size : {"_16k", "_1m"}) {
      CHECK(number(loads, "rounds_word_seen" + size) > 0 && number(loads, "stale_words" + size) == 0 && number(loads, "stale_words_at_begin" + size) == 0);
    }
    CHECK(loads.verdict == Verdict::AS_EXPECTED);
  }
  const ProbeResult& refill = named(results, "refill");
  CHECK(refill.verdict == Verdict::AS_EXPECTED && number(refill, "stale_words_running_same_command_buffer") == 0);
  for (const char* name : {"tearing_plain", "tearing_system"}) {
    const ProbeResult& tearing = named(results, name);
    CHECK(tearing.verdict == Verdict::AS_EXPECTED && number(tearing, "gpu_saw_changes") > 0 && number(tearing, "host_saw_changes") > 0);
  }
  // Times are what they are on a machine that has other things to do.
  CHECK(number(named(results, "events"), "trip_polling_median_us") > 0);
  CHECK(number(named(results, "events"), "gpu_ms_of_20_ms_of_waiting") >= 0);
  CHECK(number(named(results, "rounds"), "wrong_rounds") == 0);
  const ProbeResult& quantum = named(results, "quantum");
  CHECK(quantum.verdict == Verdict::AS_EXPECTED && number(quantum, "longest_ms_that_ended_well") < 1500 && number(quantum, "took_ms_of_500") > number(quantum, "took_ms_of_10"));
}

void test_an_error_fails_its_probe_and_skips_the_others() {
  const std::vector<ProbeResult> results = run(few_rounds(), [](const std::string& name) {
    if (name == "loads_device") inject({.error = MTLCommandBufferErrorTimeout, .after = 1, .count = 1});
  });
  CHECK(named(results, "loads_plain").verdict != Verdict::FAILED);
  CHECK(named(results, "loads_device").verdict == Verdict::FAILED);
  CHECK(begins_with(named(results, "loads_device").text, "Metal ended a command buffer: it took longer than the system allows (Timeout)"));
  const std::vector<std::string> skipped = {"loads_system", "refill", "tearing_plain", "tearing_system", "events", "rounds", "quantum"};
  for (const std::string& name : skipped) {
    CHECK(named(results, name).verdict == Verdict::FAILED && begins_with(named(results, name).text, "skipped: the GPU was lost before: Metal ended a command buffer"));
  }
}

void test_each_probe_survives_an_error_at_its_begin() {
  for (const char* probe : {"stores_plain", "refill", "tearing_plain", "events", "rounds", "quantum"}) {
    SelfTestOptions options = few_rounds();
    options.rounds = options.trips = 1;
    const std::vector<ProbeResult> results = run(options, [&](const std::string& name) {
      if (name == probe) inject({.error = MTLCommandBufferErrorPageFault, .after = 0, .count = 1});
    });
    CHECK(named(results, probe).verdict == Verdict::FAILED && named(results, probe).text.find("PageFault") != std::string::npos);
  }
}

void test_what_waits_for_an_event_is_let_go() {
  // The commands before fail while those ahead wait.
  const std::vector<ProbeResult> results = run(few_rounds(), [](const std::string& name) {
    if (name == "rounds") inject({.error = MTLCommandBufferErrorInternal, .after = 6, .count = 1});
  });
  CHECK(named(results, "rounds").verdict == Verdict::FAILED && begins_with(named(results, "quantum").text, "skipped"));
}

void test_a_gpu_that_does_not_answer_is_lost() {
  SelfTestOptions options = few_rounds();
  options.patience = std::chrono::milliseconds(100);
  const std::vector<ProbeResult> results = run(options, [](const std::string& name) {
    if (name == "stores_plain") inject({.error = MTLCommandBufferErrorNone, .after = 0, .count = 1, .delay = std::chrono::milliseconds(400)});
  });
  CHECK(named(results, "stores_plain").text == "a command buffer did not end within 100 ms; told to stop, it did");
  CHECK(begins_with(named(results, "quantum").text, "skipped: the GPU was lost before: a command buffer did not end within 100 ms"));
}

void test_the_longest_kernel_that_ended_well_is_told() {
  const std::vector<ProbeResult> results = run(few_rounds(), [](const std::string& name) {
    if (name == "quantum") inject({.error = MTLCommandBufferErrorTimeout, .after = 5, .count = 1});
  });
  const ProbeResult& quantum = named(results, "quantum");
  CHECK(quantum.verdict == Verdict::NOT_AS_EXPECTED && quantum.text.find("ms did not: Metal ended a command buffer") != std::string::npos);
  CHECK(number(quantum, "longest_ms_that_ended_well") > 0);
}

void test_a_text_that_does_not_compile_fails_alone() {
  const Texts own;
  std::ofstream(own.folder + "/stores_system.metal") << "#include <metal_stdlib>\nkernel void publish() { private_thing(); }\n";
  std::filesystem::remove(own.folder + "/rounds.metal");
  SelfTestOptions options = few_rounds();
  options.texts = own.folder;
  const std::vector<ProbeResult> results = run(options);
  const ProbeResult& stores = named(results, "stores_system");
  CHECK(stores.verdict == Verdict::FAILED && begins_with(stores.text, "Metal does not compile its text: "));
  CHECK(stores.text.find("program_source:2:") != std::string::npos && stores.text.find("private_thing") != std::string::npos);
  CHECK(begins_with(named(results, "rounds").text, "its text: cannot read"));
  for (const char* name : {"stores_device", "loads_system", "quantum"}) CHECK(named(results, name).verdict != Verdict::FAILED);
}

/// Texts that do what the probes look for.
void test_the_probes_find_what_they_look_for() {
  const Texts own;
  const auto write = [&](const char* name, const std::string& access, const std::string& kernels) {
    const std::string arguments = "(device uint* words [[buffer(0)]], device uint* payload [[buffer(1)]], constant self_test::Launch& launch [[buffer(2)]], uint index [[thread_position_in_grid]]) ";
    std::string text = kernels;
    for (size_t at; (at = text.find("()")) != std::string::npos;) text.replace(at, 2, arguments);
    std::ofstream(own.folder + "/" + name + ".metal") << "#include <metal_stdlib>\n#include \"metal_self_test/words.h\"\n#include \"metal_self_test/" << access << "_access.h\"\nusing namespace self_test;\n" << text;
  };
  const std::string goes_on = " for (uint poll = 0u; poll < launch.polls; poll++) if (word_load(words + Word::STOP) != 0u) break; ";
  // The last word of the payload comes when the kernel ends; then it does not come at all.
  for (const char* name : {"stores_plain", "stores_system"}) {
    const std::string last = name == std::string("stores_plain") ? "" : "payload[launch.payload_words - 1u] = launch.value + launch.payload_words - 1u;";
    write(name, "public", "kernel void publish() { if (index != 0u) return; for (uint i = 0u; i < launch.payload_words - 1u; i++) payload[i] = launch.value + i;"
                          " word_store(words + Word::PUBLISHED, launch.value);" + goes_on + last + "}");
  }
  const std::string looks = "kernel void look() { if (index != 0u) return; for (uint poll = 0u; poll < launch.polls; poll++) if (word_load(words + Word::TOLD) == launch.value) {"
                            " word_store(words + Word::SEEN, launch.value); word_store(words + Word::STALE, 7u); break; } }";
  write("loads_plain", "public", looks);
  write("loads_system", "public", looks);
  write("refill", "public", looks + "kernel void compare() { if (index == 0u) word_add(words + launch.result, 1u); }");
  write("tearing_plain", "public", "kernel void tear_read() { word_store(words + Word::READS, 1u); for (uint i = 0u; i < launch.polls; i++) word_add(words + Word::SEEN, 1u); }"
                                   "kernel void tear_write() { for (uint turn = 0u; turn < launch.polls; turn++) word_store(payload + index * 64u, turn & 1u); }");
  write("rounds", "public", "kernel void give_back() { word_store(words + launch.result, 0u); }");
  SelfTestOptions options = few_rounds();
  options.texts = own.folder;
  const std::vector<ProbeResult> results = run(options);
  for (const char* name : {"stores_plain", "stores_system", "loads_system", "refill", "tearing_plain", "rounds"}) {
    std::fprintf(stderr, "%s: %s\n", name, named(results, name).text.c_str());
    CHECK(named(results, name).verdict == Verdict::NOT_AS_EXPECTED);
  }
  CHECK(number(named(results, "stores_plain"), "stale_words_at_end") == 3 && number(named(results, "stores_plain"), "stale_words") > 0);
  CHECK(number(named(results, "stores_system"), "stale_words_at_end") == 0 && number(named(results, "stores_system"), "stale_words_later") > 0);
  // Nothing rests on what plain loads see.
  CHECK(named(results, "loads_plain").verdict == Verdict::AS_EXPECTED && number(named(results, "loads_plain"), "stale_words_16k") > 0);
  CHECK(number(named(results, "refill"), "stale_words_between") == 6 && number(named(results, "refill"), "stale_words_ahead") == 3);
  CHECK(number(named(results, "refill"), "stale_words_running_next_command_buffer") == 3);
  CHECK(number(named(results, "tearing_plain"), "host_saw_torn") > 0 && number(named(results, "rounds"), "wrong_rounds") == 10);
}

void test_the_machine_is_described() {
  SelfTestMachine machine = self_test_machine();
  CHECK(machine.fake && !machine.paravirtual && machine.system == "15.0.0" && machine.apple_family == 7 && machine.memory_bytes == uint64_t(64) << 30 && machine.buffer_bytes != 0);
  Machine other;
  other.name = "Apple Paravirtual device";
  play(other);
  machine = self_test_machine();
  CHECK(machine.paravirtual && !machine.fake && machine.gpu == other.name);
  play({});
}

void test_without_metal_there_is_a_reason() {
  Machine none;
  none.has_device = false;
  play(none);
  CHECK(self_test_machine().gpu.empty());
  try {
    run_self_test(few_rounds(), [](const ProbeResult&) { CHECK(false); });
    CHECK(false);
  } catch (const warpfs::HostError& error) {
    CHECK(error.code == "ERR_WARPFS_DEVICE");
  }
  play({});
}

}  // namespace

int main(int count, char** words) {
  CHECK(count == 2);
  texts = std::string(words[1]) + "/metal_self_test";
  const Texts copies;  // archives come to lie beside their texts
  texts = copies.folder;
  const CompilesForTests compiles(words[1]);
  for (void (*test)() : {+[] { RUN_TEST(test_each_probe_has_an_answer); }, +[] { RUN_TEST(test_an_error_fails_its_probe_and_skips_the_others); },
                         +[] { RUN_TEST(test_each_probe_survives_an_error_at_its_begin); }, +[] { RUN_TEST(test_what_waits_for_an_event_is_let_go); },
                         +[] { RUN_TEST(test_a_gpu_that_does_not_answer_is_lost); }, +[] { RUN_TEST(test_the_longest_kernel_that_ended_well_is_told); },
                         +[] { RUN_TEST(test_a_text_that_does_not_compile_fails_alone); },
                         +[] { RUN_TEST(test_the_probes_find_what_they_look_for); }, +[] { RUN_TEST(test_the_machine_is_described); },
                         +[] { RUN_TEST(test_without_metal_there_is_a_reason); }}) {
    test();
    check_left_behind();
  }
  return 0;
}
