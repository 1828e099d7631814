// How long it takes from the host to the GPU and back by an event, and from a commit to its end.
#include "probes.h"

#include <thread>

namespace warpfs::metal {

namespace {

constexpr double TRIP_EXPECTED_US = 1000;
constexpr auto SETTLE = std::chrono::microseconds(500);  // until the GPU has come to where it waits
constexpr uint64_t TRIP_TIME_MS = 1000;
constexpr auto HELD_BACK = std::chrono::milliseconds(20);

using Clock = std::chrono::steady_clock;

/// Odd values are the host's, even ones the GPU's.
double trip(Probing& gpu, id<MTLSharedEvent> event, uint64_t trip_index, bool blocks) {
  const Pool pool;
  const uint64_t from_host = 2 * trip_index + 1, from_gpu = from_host + 1;
  id<MTLCommandBuffer> commands = gpu.commands();
  [commands encodeWaitForEvent:event value:from_host];
  [commands encodeSignalEvent:event value:from_gpu];
  const Committed committed = gpu.commit(commands);
  std::this_thread::sleep_for(SETTLE);
  const auto begin = Clock::now();
  event.signaledValue = from_host;
  bool back = false;
  if (blocks) {
    back = [event waitUntilSignaledValue:from_gpu timeoutMS:TRIP_TIME_MS];
  } else {
    while (!(back = event.signaledValue >= from_gpu) && Clock::now() < begin + std::chrono::milliseconds(TRIP_TIME_MS)) std::this_thread::yield();
  }
  const double nanoseconds = double(std::chrono::nanoseconds(Clock::now() - begin).count());
  gpu.wait(committed);
  if (!back) throw NoAnswer("the GPU did not signal an event within " + std::to_string(TRIP_TIME_MS) + " ms");
  return nanoseconds;
}

double empty(Probing& gpu) {
  const Pool pool;
  const auto begin = Clock::now();
  gpu.wait(gpu.commit(gpu.commands()));
  return double(std::chrono::nanoseconds(Clock::now() - begin).count());
}

/// What the GPU's clock says of a command buffer that does nothing but wait.
double milliseconds_of_wait(Probing& gpu) {
  const Pool pool;
  Gate gate(gpu);
  id<MTLCommandBuffer> commands = gpu.commands();
  gate.encode_wait(commands);
  const Committed waiting = gpu.commit(commands);
  std::this_thread::sleep_for(HELD_BACK);
  gate.open();
  return gpu.wait(waiting) * 1000;
}

void make(Probing& gpu, ProbeResult& result) {
  const Held<id<MTLSharedEvent>> event([gpu.context().device() newSharedEvent]);
  const uint32_t trips = gpu.options().trips;
  result.numbers.push_back({"trips", double(trips)});
  uint64_t made = 0;
  double worst = 0;
  for (const bool blocks : {false, true}) {
    std::vector<double> times;
    for (uint32_t i = 0; i < trips; i++) times.push_back(trip(gpu, event.get(), made++, blocks));
    worst = std::max(worst, add_times(result, blocks ? "trip_blocking" : "trip_polling", std::move(times)));
  }
  std::vector<double> times;
  for (uint32_t i = 0; i < trips; i++) times.push_back(empty(gpu));
  const double of_empty = add_times(result, "empty_command_buffer", std::move(times));
  const double counted = milliseconds_of_wait(gpu);
  result.numbers.push_back({"gpu_ms_of_20_ms_of_waiting", counted});
  conclude(result, worst < TRIP_EXPECTED_US,
           "host to GPU and back takes " + short_number(worst) + " us at the most (median), an empty command buffer " + short_number(of_empty) +
               " us from its commit to its handler; 20 ms of waiting for an event count as " + short_number(counted) + " ms of the GPU");
}

}  // namespace

std::vector<Probe> probes_of_events() {
  return {{"events", "How long is the way from the host to the GPU and back?",
           "A command buffer waits for an event and signals it; measured from the host's signal until the host sees the GPU's, by looking at the value and by waiting for it. And from the "
           "commit of an empty command buffer until its handler is called; and how much of 20 ms of waiting GPUStartTime and GPUEndTime count. Expected: medians of both trips below 1 ms, or rounds of replay are slow.",
           make}};
}

}  // namespace warpfs::metal
