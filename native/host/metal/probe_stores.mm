// What of a payload the host sees while the kernel that stored it goes on, once it has seen a word that the kernel stored behind it.
#include "probes.h"

#include <algorithm>
#include <thread>

namespace warpfs::metal {

namespace {

constexpr uint32_t PAYLOAD_WORDS = 1u << 18;  // 1 MiB
constexpr double GOES_ON_SECONDS = 0.08;
constexpr auto LOOK_TIME = std::chrono::milliseconds(500);
constexpr auto LATER = std::chrono::milliseconds(2);

struct Seen {
  double rounds = 0, words = 0, words_later = 0, stale_rounds = 0, stale = 0, stale_worst = 0, stale_later = 0, stale_at_end = 0;
};

/// While the kernel goes on. What was counted when it had ended meanwhile does not count.
void look_at(const Committed& running, const Buffer& payload, uint32_t value, Seen& seen) {
  const uint32_t stale = count_stale(payload, PAYLOAD_WORDS, value);
  if (!still_runs(running)) return;
  seen.words++;
  seen.stale += stale;
  seen.stale_rounds += stale != 0;
  seen.stale_worst = std::max(seen.stale_worst, double(stale));
  std::this_thread::sleep_for(LATER);
  const uint32_t later = count_stale(payload, PAYLOAD_WORDS, value);
  if (!still_runs(running)) return;
  seen.words_later++;
  seen.stale_later += later;
}

Seen probe(Probing& gpu, const char* text) {
  const Buffer payload = gpu.buffer(PAYLOAD_WORDS * sizeof(uint32_t));
  Shot shot = gpu.shot(gpu.kernel(text, "publish"), payload, PAYLOAD_WORDS);
  shot.launch.polls = gpu.polls_for(GOES_ON_SECONDS, shot);
  Seen seen;
  for (uint32_t round = 1; round <= gpu.options().rounds; round++, seen.rounds++) {
    const Pool pool;
    gpu.clear_words();
    shot.launch.value = value_of(round);
    const Committed running = gpu.start(shot);
    if (becomes_so_while_running(running, LOOK_TIME, [&] { return gpu.word(Word::PUBLISHED) == shot.launch.value; })) look_at(running, payload, shot.launch.value, seen);
    gpu.set_word(Word::STOP, 1);
    gpu.wait(running);
    seen.stale_at_end += count_stale(payload, PAYLOAD_WORDS, shot.launch.value);
  }
  return seen;
}

/// `alive`: what it is stored with has to be seen while the kernel runs.
void report(const Seen& seen, bool alive, ProbeResult& result) {
  result.numbers = {{"rounds", seen.rounds}, {"rounds_word_seen", seen.words}, {"rounds_with_stale_words", seen.stale_rounds}, {"payload_words", PAYLOAD_WORDS},
                    {"stale_words", seen.stale}, {"stale_words_worst_round", seen.stale_worst}, {"rounds_looked_later", seen.words_later},
                    {"stale_words_later", seen.stale_later}, {"stale_words_at_end", seen.stale_at_end}};
  const std::string while_running = seen.words == 0 ? "the word was never seen while the kernel ran"
                                                    : "the word was seen in " + short_number(seen.words) + " of " + short_number(seen.rounds) + " kernels while they ran, and " +
                                                          short_number(seen.stale) + " words of the payload were stale then";
  const bool at_end = seen.stale_at_end == 0;
  conclude(result, at_end && (!alive || (seen.words > 0 && seen.stale == 0)), while_running + "; at the end " + (at_end ? "none" : short_number(seen.stale_at_end)) + " were");
}

constexpr const char* METHOD_DOCUMENTED =
    "A kernel stores 1 MiB and then a word, and goes on; the host waits for the word and counts old words, at once and 2 ms later, while the kernel runs. Expected: whatever "
    "comes out while it runs, since nothing rests on that; none is stale when the command buffer has ended, which replay rests on.";

}  // namespace

std::vector<Probe> probes_of_stores() {
  return {
      {"stores_plain", "What does the host see of plain stores while the kernel runs?", METHOD_DOCUMENTED,
       [](Probing& gpu, ProbeResult& result) { report(probe(gpu, "stores_plain"), false, result); }},
      {"stores_device", "What does the host see of stores to coherent(device) while the kernel runs?", METHOD_DOCUMENTED,
       [](Probing& gpu, ProbeResult& result) { report(probe(gpu, "stores_device"), false, result); }},
      {"stores_system", "Does the host see private coherent(system) stores while the kernel runs?",
       "As stores_plain, with fences of the system. Expected: the word is seen while the kernel runs, and nothing is stale then: wait 'spin' rests on it.",
       [](Probing& gpu, ProbeResult& result) { report(probe(gpu, "stores_system"), true, result); }},
  };
}

}  // namespace warpfs::metal
