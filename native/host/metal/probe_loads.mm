// What of a payload a kernel sees that the host wrote while it ran, once it has seen a word that the host stored behind it. It had read the former payload.
#include "probes.h"

namespace warpfs::metal {

namespace {

struct Size {
  uint32_t words;
  const char* name;
};
constexpr Size SIZES[] = {{1u << 12, "16k"}, {1u << 18, "1m"}};  // what a cache beside a core has room for, and what it has not
constexpr double LOOKS_SECONDS = 0.1;
constexpr auto READY_TIME = std::chrono::milliseconds(20);  // a kernel whose word is not seen is written to all the same

struct Seen {
  double ready = 0, told = 0, stale_rounds = 0, stale = 0, stale_at_begin = 0;
};

Seen probe(Probing& gpu, id<MTLComputePipelineState> pipeline, uint32_t words) {
  const Buffer payload = gpu.buffer(words * sizeof(uint32_t));
  Shot shot = gpu.shot(pipeline, payload, words);
  shot.launch.value = value_of(1);  // which nobody tells
  shot.launch.polls = gpu.polls_for(LOOKS_SECONDS, shot);
  Seen seen;
  for (uint32_t round = 1; round <= gpu.options().rounds; round++) {
    const Pool pool;
    shot.launch.former = value_of(round - 1);
    shot.launch.value = value_of(round);
    fill(payload, words, shot.launch.former);
    gpu.clear_words();
    const Committed running = gpu.start(shot);
    seen.ready += becomes_so_while_running(running, READY_TIME, [&] { return gpu.word(Word::READY) == shot.launch.value; });
    fill(payload, words, shot.launch.value);
    gpu.set_word(Word::TOLD, shot.launch.value);
    gpu.wait(running);
    seen.stale_at_begin += gpu.word(Word::FORMER);
    if (gpu.word(Word::SEEN) != shot.launch.value) continue;
    seen.told++;
    seen.stale += gpu.word(Word::STALE);
    seen.stale_rounds += gpu.word(Word::STALE) != 0;
  }
  return seen;
}

void report(Probing& gpu, const char* text, bool alive, ProbeResult& result) {
  const auto pipeline = gpu.kernel(text, "look");
  const double rounds = gpu.options().rounds;
  result.numbers.push_back({"rounds", rounds});
  bool expected = true;
  for (const Size& size : SIZES) {
    const Seen seen = probe(gpu, pipeline, size.words);
    const auto add = [&](const char* name, double value) { result.numbers.push_back({std::string(name) + "_" + size.name, value}); };
    add("rounds_ready_seen_by_host", seen.ready);
    add("rounds_word_seen", seen.told);
    add("rounds_with_stale_words", seen.stale_rounds);
    add("stale_words", seen.stale);
    add("stale_words_at_begin", seen.stale_at_begin);
    expected = expected && seen.stale_at_begin == 0 && (!alive || (seen.told > 0 && seen.stale == 0));
    result.text += std::string(result.text.empty() ? "" : "; ") + "of " + size.name + ": " + short_number(seen.told) + " of " + short_number(rounds) +
                   " kernels saw the host's word, and then " + short_number(seen.stale) + " stale words" +
                   (seen.stale_at_begin == 0 ? "" : "; " + short_number(seen.stale_at_begin) + " were stale when they began");
  }
  conclude(result, expected, result.text);
}

constexpr const char* METHOD_DOCUMENTED =
    "A kernel reads a payload (16 KiB, and 1 MiB), looks at a word again and again, and reads it again when it has seen the word; the host meanwhile writes a new payload and then the "
    "word. Expected: whatever comes out, since nothing rests on it; what the host wrote before the command buffer is there when it begins.";

}  // namespace

std::vector<Probe> probes_of_loads() {
  return {
      {"loads_plain", "What do plain loads see that the host writes while the kernel runs?", METHOD_DOCUMENTED,
       [](Probing& gpu, ProbeResult& result) { report(gpu, "loads_plain", false, result); }},
      {"loads_device", "What do loads from coherent(device) see that the host writes while the kernel runs?", METHOD_DOCUMENTED,
       [](Probing& gpu, ProbeResult& result) { report(gpu, "loads_device", false, result); }},
      {"loads_system", "Do private coherent(system) loads see what the host writes while the kernel runs?",
       "As loads_plain, with fences of the system. Expected: the word is seen, and nothing is stale then: wait 'spin' rests on it.",
       [](Probing& gpu, ProbeResult& result) { report(gpu, "loads_system", true, result); }},
  };
}

}  // namespace warpfs::metal
