// How long a command buffer may take before the system ends it: the device aims at 50 ms, and allows half a second (quantum.h).
#include "probes.h"
#include "quantum.h"

#include <algorithm>

namespace warpfs::metal {

namespace {

constexpr int TARGETS_MS[] = {10, 20, 50, 100, 200, 500};
constexpr uint32_t GROUPS = 128;                         // enough that each core has some
constexpr auto LONGEST = std::chrono::milliseconds(900);  // then it is told to stop
constexpr double TURNS_MAX = 2e9;

/// Throws NoAnswer.
double run_bounded(Probing& gpu, const Shot& shot) {
  const Pool pool;
  gpu.clear_words();
  const auto begin = std::chrono::steady_clock::now();
  const Committed running = gpu.start(shot);
  if (!running.wait_until(begin + LONGEST)) gpu.set_word(Word::STOP, 1);
  const double took = gpu.wait(running);
  return took > 0 ? took : std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void make(Probing& gpu, ProbeResult& result) {
  const Buffer payload = gpu.buffer(4096);
  Shot shot = gpu.shot(gpu.kernel("quantum", "keep_busy"), payload, 1);
  shot.groups = GROUPS;
  shot.group_threads = WARP_LANES;
  shot.launch.former = 0x5bd1e995u;
  double turns = gpu.polls_for(TARGETS_MS[0] / 1000.0, shot);
  double longest = 0;
  for (const int target : TARGETS_MS) {
    shot.launch.polls = uint32_t(std::clamp(turns, 1.0, TURNS_MAX));
    double took = 0;
    try {
      took = run_bounded(gpu, shot);
    } catch (const NoAnswer& end) {
      result.numbers.push_back({"longest_ms_that_ended_well", longest * 1000});
      return conclude(result, false, "kernels of up to " + short_number(longest * 1000) + " ms ended well, and one of about " + std::to_string(target) + " ms did not: " + end.what());
    }
    result.numbers.push_back({"took_ms_of_" + std::to_string(target), took * 1000});
    longest = std::max(longest, took);
    // What it took says what the next may be: a GPU that was slow at first is asked for less.
    const int* const next = std::upper_bound(std::begin(TARGETS_MS), std::end(TARGETS_MS), target);
    if (next != std::end(TARGETS_MS)) turns = shot.launch.polls * std::min(*next / 1000.0 / took, 2.5);
  }
  result.numbers.push_back({"longest_ms_that_ended_well", longest * 1000});
  conclude(result, longest >= QUANTUM_SECONDS,
           "all kernels ended well, of up to " + short_number(longest * 1000) + " ms" + (longest >= QUANTUM_SECONDS ? "" : ": they were shorter than a quantum aims at"));
}

}  // namespace

std::vector<Probe> probes_of_quanta() {
  return {{"quantum", "How long may a command buffer take?",
           "Kernels that keep 4096 threads busy for about 10, 20, 50, 100, 200 and 500 ms, one after another, until one is ended by the system. Expected: all end well.", make}};
}

}  // namespace warpfs::metal
