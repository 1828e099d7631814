// What the executor promises, one property per function. Prints `ok <name>` for each; exit status 1 where one does not hold.
#include "test_check.h"

#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace warpfs {
namespace {

void reduce_tree(Lane& lane, const WarpId& id, void* argument) {
  // 6 barriers over a group of 2 warps of 32 lanes.
  uint* shared = reinterpret_cast<uint*>(group_memory(lane));
  const uint thread = id.item % 2 * lane.count + lane.index, threads = 2 * lane.count;
  shared[thread] = thread * thread;
  group_barrier(lane);
  for (uint stride = threads / 2; stride > 1; stride >>= 1) {
    if (thread < stride) shared[thread] += shared[thread + stride];
    group_barrier(lane);
  }
  if (thread == 0) static_cast<uint*>(argument)[id.item / 2] = shared[0] + shared[1];
}

void test_tree_reduce() {
  std::vector<uint> sums(500);
  CpuExecutor executor;
  executor.launch({.items = 1000, .group_warps = 2, .group_memory_bytes = 256}, reduce_tree, sums.data());
  uint expected = 0;
  for (uint thread = 0; thread < 64; thread++) expected += thread * thread;
  for (uint sum : sums) CHECK(sum == expected);
}

struct BarrierTest {
  uint group_warps;
  uint threads;
  std::atomic<uint> groups_done{0};
};

void barrier_body(Lane& lane, const WarpId& id, void* argument) {
  BarrierTest& test = *static_cast<BarrierTest*>(argument);
  uint* shared = reinterpret_cast<uint*>(group_memory(lane));
  const uint thread = id.item % test.group_warps * lane.count + lane.index;
  CHECK(shared[thread] == 0);  // the memory of a group starts zeroed, also where an earlier group used it
  for (uint round = 1; round <= 5; round++) {
    shared[thread] = round * 1000 + thread;
    group_barrier(lane);
    for (uint step = 1; step < test.threads; step += 7) {
      const uint other = (thread + step) % test.threads;
      CHECK(shared[other] == round * 1000 + other);
    }
    group_barrier(lane);
  }
  if (thread == 0) test.groups_done++;
}

void test_group_barrier() {
  CpuExecutor executor;
  for (uint group_warps : {1u, 2u, 4u, 32u}) {
    BarrierTest test;
    test.group_warps = group_warps;
    test.threads = group_warps * 32;
    executor.launch({.items = group_warps * 40, .group_warps = group_warps, .group_memory_bytes = test.threads * 4}, barrier_body, &test);
    CHECK(test.groups_done == 40);
  }
}

void barrier_without_the_left(Lane& lane, const WarpId& id, void* argument) {
  uint* shared = reinterpret_cast<uint*>(group_memory(lane));
  if (id.item % 4 == 3) return;                             // a whole warp leaves
  if (id.item % 4 == 2 && lane.index % 2 == 1) return;      // half of one
  shared[id.item % 4] = 1;
  if (lane.index < 8) CHECK(lane.sum(1) == (id.item % 4 == 2 ? 4 : 8));  // these meet while the others are at the barrier already
  group_barrier(lane);
  CHECK(shared[0] + shared[1] + shared[2] == 3);
  if (lane.index == 0) atomic_add(static_cast<uint*>(argument), 1);
}

void late_leavers(Lane& lane, const WarpId& id, void* argument) {
  // Warp 1 leaves only after warp 0 waits: the last one to leave must open the barrier.
  if (id.item % 2 == 1) {
    WaitBound bound;
    wait_begin(bound, 20, 0);
    while (wait_pause(lane, bound)) {
    }
    return;
  }
  group_barrier(lane);
  atomic_add(static_cast<uint*>(argument), 1);
}

void test_barrier_with_lanes_that_left() {
  CpuExecutor executor;
  uint passed = 0;
  executor.launch({.items = 400, .group_warps = 4, .group_memory_bytes = 256}, barrier_without_the_left, &passed);
  CHECK(passed == 300);
  passed = 0;
  executor.launch({.items = 100, .group_warps = 2}, late_leavers, &passed);
  CHECK(passed == 50 * 32);
}

void spin_on_sibling(Lane& lane, const WarpId& id, void* argument) {
  uint* flags = static_cast<uint*>(argument);
  if (lane.index == 0) {
    while (atomic_load(&flags[id.item]) == 0) {
    }
  } else if (lane.index == 31) {
    atomic_store(&flags[id.item], 1);
  }
}

void spin_on_last(Lane& lane, const WarpId& id, void* argument) {
  uint* flag = static_cast<uint*>(argument);
  if (id.item == 0 && lane.index == 0) {
    while (atomic_load(flag) == 0) {
    }
  }
  if (id.item == 1023 && lane.index == 31) atomic_store(flag, 1);
}

void test_spinning() {
  std::vector<uint> flags(2000);
  for (uint workers : {1u, 2u}) {
    CpuExecutor executor({.workers = workers});
    std::fill(flags.begin(), flags.end(), 0);
    executor.launch({.items = 2000}, spin_on_sibling, flags.data());
    uint flag = 0;
    executor.launch({.items = 1024}, spin_on_last, &flag);
    flag = 0;
    executor.launch({.items = 1024, .group_warps = 3}, spin_on_last, &flag);
  }
}

struct Grid {
  uint items;
  uint arrived[3];
  uint passed;
};

void grid_barrier(Lane& lane, const WarpId&, void* argument) {
  Grid& grid = *static_cast<Grid*>(argument);
  for (uint& arrived : grid.arrived) {
    warp_sync(lane);
    if (lane.index == 0) {
      atomic_add(&arrived, 1);
      while (atomic_load(&arrived) != grid.items) {
      }
    }
    warp_sync(lane);
  }
  if (lane.index == 0) atomic_add(&grid.passed, 1);
}

void test_grid_barrier() {
  for (uint workers : {1u, 2u, 3u}) {
    CpuExecutor executor({.workers = workers});
    for (uint group_warps : {1u, 3u, 32u}) {
      Grid grid = {1024, {}, 0};
      executor.launch({.items = 1024, .group_warps = group_warps}, grid_barrier, &grid);
      CHECK(grid.passed == 1024);
    }
  }
}

void count_item(Lane& lane, const WarpId& id, void* argument) {
  if (lane.index == 0) atomic_add(static_cast<uint*>(argument) + id.item, 1);
}

void test_launches_from_two_threads() {
  CpuExecutor executor;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 2; caller++) {
    callers.emplace_back([&executor] {
      for (uint round = 0; round < 300; round++) {
        std::vector<uint> counts(round % 50 + 1);
        executor.launch({.items = uint32_t(counts.size())}, count_item, counts.data());
        for (uint count : counts) CHECK(count == 1);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

void test_a_million_items() {
  std::vector<uint> counts(1'000'000);
  CpuExecutor executor;
  executor.launch({.items = 1'000'000}, count_item, counts.data());
  for (uint count : counts) CHECK(count == 1);
}

struct Slots {
  std::vector<uint> taken;
};

void take_slot(Lane& lane, const WarpId& id, void* argument) {
  Slots& slots = *static_cast<Slots*>(argument);
  CHECK(id.slot < slots.taken.size());
  if (lane.index == 0) CHECK(atomic_add(&slots.taken[id.slot], 1) == 0);
  WaitBound bound;
  wait_begin(bound, id.item % 7, 0);
  while (wait_pause(lane, bound)) {
  }
  warp_sync(lane);
  if (lane.index == 0) atomic_sub(&slots.taken[id.slot], 1);
}

void test_slots_are_unique() {
  for (uint resident : {7u, 100u, 1024u}) {
    CpuExecutor executor({.workers = 3, .resident_warps = resident});
    Slots slots{std::vector<uint>(resident)};
    for (uint group_warps : {1u, 3u, 7u}) {
      for (uint items : {resident - 1, resident, 5 * resident + 1}) {
        executor.launch({.items = items, .group_warps = group_warps}, take_slot, &slots);
      }
    }
  }
}

void wait_long(Lane& lane, const WarpId&, void* argument) {
  if (lane.index == 0) {
    WaitBound bound;
    wait_begin(bound, 0, 20'000'000);
    while (wait_pause(lane, bound)) {
    }
    atomic_add(static_cast<uint*>(argument), 1);
  }
  warp_sync(lane);
}

double cpu_seconds() {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

void test_bounded_wait_and_politeness() {
  CpuExecutor executor;
  uint ended = 0;
  const ulong start = clock_ns();
  executor.launch({.items = 3}, wait_long, &ended);
  CHECK(ended == 3);
  CHECK(clock_ns() - start >= 20'000'000);
  const double before = cpu_seconds();
  usleep(50'000);
  CHECK(cpu_seconds() - before < 0.005);  // without a launch the workers sleep
}

#if defined(WARPFS_FIBER_UCONTEXT)
constexpr const char* SAME_CONTEXTS = "-DWARPFS_FIBER_UCONTEXT";
#else
constexpr const char* SAME_CONTEXTS = "";
#endif

bool attach_of_another_version(const CpuRuntime* runtime) {
  CpuRuntime other = *runtime;
  other.abi ^= 1;
  return cpu_attach(&other);
}

void test_refused_launches() {
  CpuExecutor executor({.workers = 1, .resident_warps = 8});
  const auto refuses = [&](const LaunchShape& shape, WarpAttach attach) {
    try {
      executor.launch(shape, count_item, nullptr, attach);
    } catch (const std::invalid_argument&) {
      return true;
    }
    return false;
  };
  CHECK(refuses({.items = 1, .lane_count = 33}, nullptr));
  CHECK(refuses({.items = 1, .lane_count = 0}, nullptr));
  CHECK(refuses({.items = 1, .group_warps = 0}, nullptr));
  CHECK(refuses({.items = 1, .group_warps = 9}, nullptr));
  CHECK(refuses({.items = 1}, attach_of_another_version));
  CHECK(!refuses({.items = 0}, nullptr));
}

void test_body_in_a_shared_object(const char* dialect_folder) {
  const char* compiler = std::getenv("CXX") != nullptr ? std::getenv("CXX") : "g++";
  if (std::system((std::string(compiler) + " --version > /dev/null 2>&1").c_str()) != 0) {
    std::printf("SKIPPED body_in_a_shared_object: no compiler named %s\n", compiler);
    return;
  }
  char folder[] = "/tmp/warpfs-executor-test-XXXXXX";
  CHECK(mkdtemp(folder) != nullptr);
  const std::string source = std::string(folder) + "/body.cpp", object = std::string(folder) + "/body.so";
  FILE* file = std::fopen(source.c_str(), "w");
  CHECK(file != nullptr);
  std::fputs(
      "#include \"cpu.h\"\n"
      "WARPFS_CPU_MODULE\n"
      "extern \"C\" void body(warpfs::Lane& lane, const warpfs::WarpId& id, void* argument) {\n"
      "  unsigned* words = (unsigned*)argument;\n"
      "  const unsigned sum = lane.sum(lane.index);\n"
      "  if (lane.index == 0) {\n"
      "    warpfs::atomic_add(&words[0], sum);\n"
      "    while (warpfs::atomic_load(&words[1]) == 0) {}\n"  // needs the budget of this module to reach the executor
      "  }\n"
      "  if (id.item == 99 && lane.index == 5) warpfs::atomic_store(&words[1], 1);\n"
      "}\n",
      file);
  std::fclose(file);
  const std::string command =
      std::string(compiler) + " -std=c++20 -O2 -Wall -Wextra -Werror -shared -fPIC " + SAME_CONTEXTS + " -I" + dialect_folder + " -o " +
      object + " " + source;
  CHECK(std::system(command.c_str()) == 0);
  void* module = dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) std::fprintf(stderr, "%s\n", dlerror());
  CHECK(module != nullptr);
  const WarpAttach attach = reinterpret_cast<WarpAttach>(dlsym(module, "warpfs_attach"));
  const WarpBody body = reinterpret_cast<WarpBody>(dlsym(module, "body"));
  CHECK(attach != nullptr && body != nullptr);
  CpuExecutor executor;
  uint words[2] = {};
  executor.launch({.items = 100}, body, words, attach);
  CHECK(words[0] == 100 * 496);
  dlclose(module);
  std::remove(source.c_str());
  std::remove(object.c_str());
  rmdir(folder);
  std::printf("ok body_in_a_shared_object\n");
}

}  // namespace
}  // namespace warpfs

/// The argument is the folder of cpu.h.
int main(int count, char** arguments) {
  using namespace warpfs;
  RUN_TEST(test_tree_reduce);
  RUN_TEST(test_group_barrier);
  RUN_TEST(test_barrier_with_lanes_that_left);
  RUN_TEST(test_spinning);
  RUN_TEST(test_grid_barrier);
  RUN_TEST(test_launches_from_two_threads);
  RUN_TEST(test_a_million_items);
  RUN_TEST(test_slots_are_unique);
  RUN_TEST(test_bounded_wait_and_politeness);
  RUN_TEST(test_refused_launches);
  if (count > 1) {
    test_body_in_a_shared_object(arguments[1]);
  } else {
    std::printf("SKIPPED body_in_a_shared_object: give the folder of cpu.h\n");
  }
  return 0;
}
