// What the cpu device costs, on one worker: threads per second of four small kernels, and nanoseconds of its two basic acts.
#include "executor.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace warpfs {
namespace {

constexpr uint32_t THREADS = 1u << 20;
constexpr int RUNS = 7;

/// Time on a core, so that what else runs on the machine counts little; the thread that launches sleeps meanwhile.
double cpu_seconds() {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

double median_seconds(const std::function<void()>& run) {
  run();  // touches the stacks
  std::vector<double> seconds;
  for (int index = 0; index < RUNS; index++) {
    const double start = cpu_seconds();
    run();
    seconds.push_back(cpu_seconds() - start);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[RUNS / 2];
}

struct Arrays {
  const float* a;
  const float* b;
  float* sum;
  uint* words;
};

void vector_add(Lane& lane, const WarpId& id, void* argument) {
  const Arrays& arrays = *static_cast<Arrays*>(argument);
  const size_t index = size_t(id.item) * 32 + lane.index;
  arrays.sum[index] = arrays.a[index] + arrays.b[index];
}

void group_reduce(Lane& lane, const WarpId& id, void* argument) {
  const Arrays& arrays = *static_cast<Arrays*>(argument);
  float* shared = reinterpret_cast<float*>(group_memory(lane));
  shared[lane.index] = arrays.a[size_t(id.item) * 32 + lane.index];
  group_barrier(lane);
  for (uint stride = 16; stride != 0; stride >>= 1) {
    if (lane.index < stride) shared[lane.index] += shared[lane.index + stride];
    group_barrier(lane);
  }
  if (lane.index == 0) arrays.sum[id.item] = shared[0];
}

void shuffle_reduce(Lane& lane, const WarpId& id, void* argument) {
  const Arrays& arrays = *static_cast<Arrays*>(argument);
  float value = arrays.a[size_t(id.item) * 32 + lane.index];
  for (uint stride = 16; stride != 0; stride >>= 1) value += lane.shuffle(value, lane.index ^ stride);
  if (lane.index == 0) arrays.sum[id.item] = value;
}

void increment(Lane&, const WarpId&, void* argument) { atomic_add(static_cast<Arrays*>(argument)->words, 1); }

constexpr uint REPEATS = 64;
void collectives_only(Lane& lane, const WarpId&, void*) {
  for (uint repeat = 0; repeat < REPEATS; repeat++) warp_sync(lane);
}

// One lane of each warp polls, the others wait for it: what waiting for the disk looks like.
void polls_only(Lane& lane, const WarpId&, void* argument) {
  if (lane.index == 0) {
    const uint polls = *static_cast<Arrays*>(argument)->words;
    WaitBound bound;
    wait_begin(bound, ~0u, 0);
    for (uint poll = 0; poll < polls; poll++) wait_pause(lane, bound);
  }
  warp_sync(lane);
}

bool report(const char* name, double seconds, double required) {
  const double rate = THREADS / seconds * 1e-6;
  std::printf("%-34s %8.1f M threads/s  (required %.0f)%s\n", name, rate, required, rate < required ? "  TOO SLOW" : "");
  return rate >= required;
}

int main_with_arrays() {
  std::vector<float> a(THREADS), b(THREADS), sum(THREADS);
  for (uint32_t index = 0; index < THREADS; index++) a[index] = float(index & 255), b[index] = 1;
  uint word = 0;
  Arrays arrays = {a.data(), b.data(), sum.data(), &word};
  CpuExecutorOptions options;
  options.workers = 1;
  CpuExecutor executor(options);
  const LaunchShape plain = {.items = THREADS / 32};
  const LaunchShape with_memory = {.items = THREADS / 32, .group_memory_bytes = 128};
  const auto timed = [&](const LaunchShape& shape, WarpBody body) {
    return median_seconds([&] { executor.launch(shape, body, &arrays); });
  };
  bool fast = true;
  fast &= report("vector add", timed(plain, vector_add), 100);
  fast &= report("group reduce, 6 barriers", timed(with_memory, group_reduce), 25);
  for (uint32_t item = 0; item < THREADS / 32; item++) {
    float expected = 0;
    for (uint32_t index = 0; index < 32; index++) expected += a[item * 32 + index];
    if (sum[item] != expected) return std::fprintf(stderr, "group reduce is wrong at %u\n", item), 1;
  }
  fast &= report("shuffle reduce, 5 shuffles", timed(plain, shuffle_reduce), 20);
  fast &= report("atomic increment of one word", timed(plain, increment), 60);
  if (word != THREADS * (RUNS + 1)) return std::fprintf(stderr, "increments are missing\n"), 1;
  const double collective = timed({.items = 4096}, collectives_only) / (4096.0 * REPEATS);
  std::printf("%-34s %8.1f ns per warp, %.2f ns per lane\n", "collective of 32 lanes", collective * 1e9, collective * 1e9 / 32);
  for (uint32_t warps : {2u, 32u, 512u, 1024u}) {
    const std::string name = "yield round trip, " + std::to_string(warps) + " warps";
    // The difference of two lengths leaves out what it costs to start the warps on cold stacks.
    word = 100;
    const double few = timed({.items = warps}, polls_only);
    word = 1100;
    const double many = timed({.items = warps}, polls_only);
    std::printf("%-34s %8.1f ns\n", name.c_str(), (many - few) / (double(warps) * 1000) * 1e9);
  }
  return fast ? 0 : 1;
}

}  // namespace
}  // namespace warpfs

int main() { return warpfs::main_with_arrays(); }
