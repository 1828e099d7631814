// Whether a word of 64 bits that one side writes is ever seen half written by the other one.
#include "probes.h"

namespace warpfs::metal {

namespace {

constexpr uint32_t THREADS = 32, WORDS_APART = 32;  // of 64 bits: two of them share no line of a cache
constexpr double SECONDS = 0.08;

uint64_t* word_of(const Buffer& payload, uint32_t index) { return reinterpret_cast<uint64_t*>(payload.bytes()) + index * WORDS_APART; }

Shot tear_shot(Probing& gpu, const char* text, const char* name, const Buffer& payload) {
  Shot shot = gpu.shot(gpu.kernel(text, name), payload, 0);
  shot.launch.threads = shot.group_threads = THREADS;
  shot.launch.polls = gpu.polls_for(SECONDS, shot);
  gpu.clear_words();
  return shot;
}

void report(Probing& gpu, const char* text, ProbeResult& result) {
  const Buffer payload = gpu.buffer(THREADS * WORDS_APART * sizeof(uint64_t));
  const auto then = [&] { return std::chrono::steady_clock::now() + gpu.options().patience; };
  const Pool pool;
  const Shot read = tear_shot(gpu, text, "tear_read", payload);
  const Committed reading = gpu.start(read);
  const auto until_read = then();
  for (uint64_t turn = 0; still_runs(reading) && std::chrono::steady_clock::now() < until_read; turn++) {
    for (uint32_t i = 0; i < THREADS; i++) __atomic_store_n(word_of(payload, i), turn % 2 == 0 ? ~uint64_t(0) : 0, __ATOMIC_RELAXED);
  }
  gpu.wait(reading);
  const double gpu_torn = gpu.word(Word::TORN), gpu_changes = gpu.word(Word::CHANGES);
  result.numbers = {{"gpu_reads", double(gpu.word(Word::READS))}, {"gpu_saw_changes", gpu_changes}, {"gpu_saw_torn", gpu_torn}};

  const Shot write = tear_shot(gpu, text, "tear_write", payload);
  uint64_t before[THREADS] = {};
  for (uint32_t i = 0; i < THREADS; i++) __atomic_store_n(word_of(payload, i), 0, __ATOMIC_RELAXED);
  const Committed writing = gpu.start(write);
  const auto until_written = then();
  double reads = 0, changes = 0, torn = 0;
  while (still_runs(writing) && std::chrono::steady_clock::now() < until_written) {
    for (uint32_t i = 0; i < THREADS; i++, reads++) {
      const uint64_t now = __atomic_load_n(word_of(payload, i), __ATOMIC_RELAXED);
      torn += now != 0 && now != ~uint64_t(0);
      changes += now != before[i];
      before[i] = now;
    }
  }
  gpu.wait(writing);
  for (const auto& number : {ProbeResult::Number{"host_reads", reads}, {"host_saw_changes", changes}, {"host_saw_torn", torn}}) result.numbers.push_back(number);
  conclude(result, gpu_torn == 0 && torn == 0,
           "the gpu saw " + short_number(gpu_changes) + " changes, " + short_number(gpu_torn) + " torn; the host saw " + short_number(changes) + " changes, " + short_number(torn) + " torn" +
               (gpu_changes == 0 || changes == 0 ? "; who sees no change while a kernel runs has seen nothing that could be torn" : ""));
}

constexpr const char* METHOD =
    "One side writes 32 aligned words of 64 bits, all zeros and all ones in turn, while the other reads them. Expected: none is ever of two halves. Replay does not rest on it.";

}  // namespace

std::vector<Probe> probes_of_tearing() {
  return {
      {"tearing_plain", "Are words of 64 bits whole, by volatile loads and stores?", METHOD, [](Probing& gpu, ProbeResult& result) { report(gpu, "tearing_plain", result); }},
      {"tearing_system", "Are words of 64 bits whole, by private coherent(system) loads and stores?", METHOD,
       [](Probing& gpu, ProbeResult& result) { report(gpu, "tearing_system", result); }},
  };
}

}  // namespace warpfs::metal
