// What check mode costs on one core: schedules and threads per second of small kernels. One line `name value unit` for each number, the median
// of several runs.
#include "kernel_explorer.h"
#include "toy_kernels.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace warpfs {
namespace {

constexpr int RUNS = 5;
constexpr uint32_t LANES = 32;

/// Time on a core, so that what else runs on the machine counts little.
double cpu_seconds() {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

struct Measured {
  double seconds = 0;
  LoopResult result;
};

/// The run of median length.
Measured median(KernelExplorer& explorer, const ScheduleOptions& options, uint64_t schedules) {
  LoopLimits limits;
  limits.schedules = schedules;
  std::vector<Measured> runs;
  for (int run = 0; run < RUNS; run++) {
    const double start = cpu_seconds();
    LoopResult result = explorer.explore(options, limits);
    runs.push_back({cpu_seconds() - start, std::move(result)});
    if (runs.back().result.finding.kind.empty()) continue;
    std::fprintf(stderr, "a finding: %s: %s\n", runs.back().result.finding.kind.c_str(), runs.back().result.finding.message.c_str());
    std::exit(1);
  }
  std::sort(runs.begin(), runs.end(), [](const Measured& a, const Measured& b) { return a.seconds < b.seconds; });
  return runs[RUNS / 2];
}

void print(const char* name, double value, const char* unit) {
  std::printf(value < 10 ? "%s %.6f %s\n" : "%s %.0f %s\n", name, value, unit);
  std::fflush(stdout);
}

void line_protocol(uint64_t schedules) {
  CheckedKernel kernel;
  kernel.body = toys::line_protocol<true>;
  kernel.warps = 3;
  kernel.memory = {toys::LINE_START, 1, 0};
  kernel.is_right = [](const uint32_t* memory) { return memory[toys::LINE_WRONG] == 0; };
  KernelExplorer explorer(kernel);
  static constexpr struct {
    SchedulerKind scheduler;
    bool relaxed;
    const char* name;
  } KINDS[] = {{SchedulerKind::RANDOM, false, "line_protocol_random"}, {SchedulerKind::PCT, false, "line_protocol_pct"},
               {SchedulerKind::POS, false, "line_protocol_pos"}, {SchedulerKind::RANDOM, true, "line_protocol_random_relaxed"}};
  for (const auto& kind : KINDS) {
    ScheduleOptions options;
    options.scheduler = kind.scheduler;
    options.relaxed = kind.relaxed;
    const Measured run = median(explorer, options, schedules);
    print(kind.name, double(run.result.schedules) / run.seconds, "schedules/s");
    if (&kind == KINDS) print("line_protocol_steps", double(run.result.steps) / run.seconds, "steps/s");
  }
  ScheduleOptions options;
  options.scheduler = SchedulerKind::EXHAUSTIVE;
  const Measured run = median(explorer, options, ~uint64_t(0));
  print("line_protocol_exhaustive_complete", double(run.result.complete), "executions");
  print("line_protocol_exhaustive_blocked", double(run.result.blocked), "executions");
  print("line_protocol_exhaustive", run.seconds, "s");
}

void many_threads(const char* name, CheckedKernel kernel, uint32_t threads) {
  kernel.warps = threads / LANES;
  kernel.lane_count = LANES;
  for (uint32_t resident : {1u, 8u}) {
    kernel.resident_warps = resident;
    KernelExplorer explorer(kernel);
    ScheduleOptions options;
    options.scheduler = SchedulerKind::RANDOM;
    options.step_limit = ~uint64_t(0);
    print((std::string(name) + "_" + std::to_string(resident) + "_resident").c_str(), threads / median(explorer, options, 1).seconds, "threads/s");
  }
}

void run(uint32_t share) {
  line_protocol(1000000 / share);
  const uint32_t threads = (1u << 20) / share / LANES * LANES;
  CheckedKernel counts;
  counts.body = toys::increment;
  counts.memory = {0};
  counts.is_right = [=](const uint32_t* memory) { return memory[0] == threads; };
  many_threads("increment", counts, threads);
  CheckedKernel sums;
  sums.body = toys::group_reduce<true>;
  sums.group_memory_bytes = LANES * 4;
  sums.memory.assign(toys::REDUCE_INPUT + threads, 1);
  sums.is_right = [=](const uint32_t* memory) { return std::all_of(memory, memory + threads / LANES, [](uint32_t sum) { return sum == LANES; }); };
  many_threads("group_reduce", sums, threads);
}

}  // namespace
}  // namespace warpfs

/// With an argument: that part of the work only, to see that all of it runs.
int main(int count, char** arguments) { warpfs::run(count > 1 ? uint32_t(std::max(std::atoi(arguments[1]), 1)) : 1); }
