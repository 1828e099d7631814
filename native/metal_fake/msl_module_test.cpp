// Texts of Metal run on the cpu device, as they are. `msl_module_test SHADERS`.
#include "msl_module.h"

#include "../host/cpu/test_check.h"

#include <cstring>
#include <filesystem>
#include <functional>

using namespace warpfs;
using namespace warpfs::metal_fake;

namespace {

MslOptions options;

std::string complaint_of(const std::string& text) {
  try {
    MslModule module(text, options);
  } catch (const MslError& error) {
    return error.what();
  }
  return "";
}

void test_sums_of_simdgroups() {
  MslModule module(R"(#include <metal_stdlib>
using namespace metal;
kernel void sums(device const uint* in [[buffer(0)]], device uint* out [[buffer(1)]], constant uint& more [[buffer(2)]],
                 uint i [[thread_position_in_grid]], uint group [[threadgroup_position_in_grid]], uint lane [[thread_index_in_simdgroup]]) {
  const uint sum = simd_sum(in[i]);
  const uint odd = (uint)(simd_vote::vote_t)simd_ballot((in[i] & 1u) != 0u);
  if (lane == 0u) out[group] = sum + more + popcount(odd);
})", options);
  CpuExecutor executor;
  std::vector<uint32_t> in(64 * 32), out(64);
  for (uint32_t i = 0; i < in.size(); i++) in[i] = i;
  uint32_t more = 1000;
  module.run(executor, module.entry("sums"), {64, 1, 0, {in.data(), out.data(), &more}});
  for (uint32_t group = 0; group < 64; group++) CHECK(out[group] == group * 32 * 32 + 31 * 16 + 1000 + 16);
}

void test_threadgroup_memory_is_shared_behind_a_barrier() {
  MslModule module(R"(#include <metal_stdlib>
using namespace metal;
kernel void turned(device uint* out [[buffer(0)]], threadgroup uint* shared [[threadgroup(0)]], uint i [[thread_position_in_grid]],
                   uint at [[thread_index_in_threadgroup]], uint groups [[simdgroups_per_threadgroup]]) {
  shared[at] = i;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = shared[groups * 32u - 1u - at];
})", options);
  CpuExecutor executor;
  std::vector<uint32_t> out(8 * 4 * 32);
  module.run(executor, module.entry("turned"), {8, 4, 4 * 32 * 4, {out.data()}});
  for (uint32_t i = 0; i < out.size(); i++) CHECK(out[i] == i / 128 * 128 + 127 - i % 128);
}

void test_atomics_are_of_all_groups() {
  MslModule module(R"(#include <metal_stdlib>
kernel void count(device metal::atomic_uint* total [[buffer(0)]], uint lane [[thread_index_in_simdgroup]]) {
  metal::atomic_fetch_add_explicit(total, 1u, metal::memory_order_relaxed);
  uint seen = 0u;
  while (!metal::atomic_compare_exchange_weak_explicit(total + 1, &seen, seen + lane, metal::memory_order_relaxed, metal::memory_order_relaxed)) {
  }
})", options);
  CpuExecutor executor;
  uint32_t words[2] = {0, 0};
  module.run(executor, module.entry("count"), {100, 2, 0, {words}});
  CHECK(words[0] == 100 * 2 * 32 && words[1] == 100 * 2 * 496);
}

void test_lanes_that_go_different_ways_meet_behind_them() {
  MslModule module(R"(#include <metal_stdlib>
using namespace metal;
kernel void ways(device uint* out [[buffer(0)]], uint lane [[thread_index_in_simdgroup]]) {
  uint sum = 0u;
  if (lane < 8u) {
    sum = simd_sum(1u);
  } else {
    sum = simd_sum(100u);
  }
  out[lane] = sum + simd_shuffle(lane, (ushort)(31u - lane));
})", options);
  CpuExecutor executor;
  uint32_t out[32];
  module.run(executor, module.entry("ways"), {1, 1, 0, {out}});
  for (uint32_t lane = 0; lane < 32; lane++) CHECK(out[lane] == (lane < 8 ? 8 : 2400) + 31 - lane);
}

void test_mistakes_are_told_in_the_lines_of_the_text() {
  const std::string told = complaint_of("#include <metal_stdlib>\nkernel void wrong(device uint* out [[buffer(0)]]) {\n  out[0] = missing;\n}\n");
  CHECK(told.find("program_source:3:12: error: use of undeclared identifier 'missing'") != std::string::npos);
}

void test_parameters_that_nothing_is_bound_to_are_refused() {
  CHECK(complaint_of("#include <metal_stdlib>\nkernel void k(device uint* out) { out[0] = 1u; }").find("kernel k: no attribute says what is bound to") == 0);
  CHECK(complaint_of("#include <metal_stdlib>\nkernel void k(uint i [[color(0)]]) { (void)i; }").find("kernel k: [[color(0)]] is not known here") == 0);
}

void test_kernels_that_are_not_there_have_no_entry() {
  MslModule module("#include <metal_stdlib>\nkernel void here(device uint* out [[buffer(0)]]) { out[0] = 1u; }", options);
  CHECK(module.entry("here") != nullptr && module.entry("elsewhere") == nullptr);
}

void test_built_in_kernels_of_every_variant_compile() {
  for (const char* replay : {"WARPFS_REPLAY=0", "WARPFS_REPLAY=1"}) {
    for (const char* policy : {"WARPFS_POLICY=0", "WARPFS_POLICY=1"}) {
      MslOptions variant = options;
      variant.definitions = {replay, policy};
      MslModule module("#include \"entry/builtin_metal.h\"\n", variant);
      CHECK(module.entry("warpfs_program") != nullptr && module.entry("warpfs_sweep") != nullptr);
      CHECK((module.entry("warpfs_abandon") != nullptr) == (std::strcmp(replay, "WARPFS_REPLAY=1") == 0));
    }
  }
}

}  // namespace

int main(int count, char** words) {
  CHECK(count == 2);
  options.shaders = words[1];
  options.folder = (std::filesystem::temp_directory_path() / "warpfs-msl-XXXXXX").string();
  CHECK(mkdtemp(options.folder.data()) != nullptr);
  RUN_TEST(test_sums_of_simdgroups);
  RUN_TEST(test_threadgroup_memory_is_shared_behind_a_barrier);
  RUN_TEST(test_atomics_are_of_all_groups);
  RUN_TEST(test_lanes_that_go_different_ways_meet_behind_them);
  RUN_TEST(test_mistakes_are_told_in_the_lines_of_the_text);
  RUN_TEST(test_parameters_that_nothing_is_bound_to_are_refused);
  RUN_TEST(test_kernels_that_are_not_there_have_no_entry);
  RUN_TEST(test_built_in_kernels_of_every_variant_compile);
  std::filesystem::remove_all(options.folder);
  return 0;
}
