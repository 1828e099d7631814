// The Metal device on a fake Metal that goes wrong, as whole mounts that run programs. `device_metal_test SHADERS [SEEDS]`.
#include "../daemon_test.h"
#include "../host_error.h"
#include "../programs_for_tests.h"
#include "quantum.h"
// Behind all of those: Objective-C makes macros of YES and NO.
#include "../../metal_fake/fake_tests.h"

#include <filesystem>
#include <functional>
#include <random>

using namespace warpfs;
using namespace warpfs::metal_fake;
using namespace warpfs::test;

namespace {

constexpr uint32_t WARPS = 24, PIECE = 3000;

std::string bytes_of(uint32_t seed, size_t count) {
  std::mt19937 random(seed);
  std::string bytes(count, 0);
  for (char& byte : bytes) byte = char(random());
  return bytes;
}

/// The files that the programs share, and what has to be in them.
struct Place {
  Folder root, texts;
  const std::string shared = bytes_of(7, 30000);
  std::string pieces = std::string(WARPS * PIECE, 'p');
  Place() {
    write_file(texts.at("builtin.metal"), "#define WARPFS_POLICY 0\n#define WARPFS_REPLAY 1\n#include \"entry/builtin_metal.h\"\n");
    write_file(root.at("shared"), shared);
    write_file(root.at("pieces"), pieces);
  }
};

MountOptions options_of(const Place& place) {
  MountOptions options;
  options.root = place.root.path;
  options.device = DeviceKind::METAL;
  options.builtin = place.texts.at("builtin.metal");
  options.replay = true;
  options.line_count = 48;
  options.line_bytes = 512;
  options.ring_count = 2;
  options.ring_slots = 16;
  options.slot_count = 32;
  options.file_count = 64;
  options.wait_ms = 5000;
  return options;
}

/// Each warp reads what all share, writes a piece of one file and reads it back, and makes a file of its own. More lines than the cache has.
std::vector<Steps> programs_of(uint32_t seed) {
  std::vector<Steps> programs;
  for (uint32_t warp = 0; warp < WARPS; warp++) {
    const std::string own = "own" + std::to_string(warp);
    programs.push_back({open_step("shared", OpenFor::READING), read_step(0, warp * 700, 2500), open_step("pieces", OpenFor::CHANGING),
                        write_step(2, uint64_t(warp) * PIECE + 17, bytes_of(seed * 100 + warp, PIECE - 40)), read_step(2, uint64_t(warp) * PIECE + 17, PIECE - 40),
                        open_step(own, OpenFor::STARTING_OVER), write_step(5, 100, bytes_of(seed * 100 + warp + 50, 900)), sync_step(5), close_step(5), read_step(0, 0, 600)});
  }
  return programs;
}

/// Whatever happened on the way, every call has done what it says, and the files have it.
void run_and_check(warpfs::Mount& mount, Place& place, uint32_t seed) {
  std::vector<std::string> read;
  const auto results = run_programs(mount, programs_of(seed), &read);
  for (uint32_t warp = 0; warp < WARPS; warp++) {
    const auto& result = results.at(warp);
    const std::string written = bytes_of(seed * 100 + warp, PIECE - 40);
    for (size_t step = 0; step < result.size(); step++) {
      if (result[step] < 0) std::fprintf(stderr, "seed %u, warp %u, step %zu: %s\n", seed, warp, step, error_name(result[step]));
      CHECK(result[step] >= 0);
    }
    CHECK_EQUAL(result.at(1), 2500);
    CHECK_EQUAL(result.at(3), int32_t(PIECE) - 40);
    CHECK_EQUAL(result.at(6), 900);
    CHECK(read.at(warp * 3) == place.shared.substr(warp * 700, 2500));
    CHECK(read.at(warp * 3 + 1) == written);
    CHECK(read.at(warp * 3 + 2) == place.shared.substr(0, 600));
    place.pieces.replace(warp * PIECE + 17, written.size(), written);
    CHECK(read_file(place.root.at("own" + std::to_string(warp))) == std::string(100, 0) + bytes_of(seed * 100 + warp + 50, 900));
  }
}

uint32_t seeds = 12;

void test_command_buffers_that_are_ended_anywhere_lose_nothing() {
  uint32_t stopped = 0;
  for (uint32_t seed = 0; seed < seeds; seed++) {
    std::mt19937 random(seed);
    Place place;
    warpfs::Mount mount(options_of(place));
    for (uint32_t run = 0; run < 3; run++) {
      const MTLCommandBufferError errors[] = {MTLCommandBufferErrorTimeout, MTLCommandBufferErrorPageFault, MTLCommandBufferErrorOutOfMemory};
      inject({errors[random() % 3], int64_t(random() % (random() % 2 == 0 ? 300 : 20000)), uint32_t(random() % 6), 1 + uint32_t(random() % 3), {}});
      run_and_check(mount, place, seed * 3 + run);
      stopped += injections_left() == 0 ? 1 : 0;
      if (injections_left() == 0) CHECK(has(mount.fill_note(), "rounds were replayed because Metal ended a command buffer"));
      inject({});
    }
    CHECK_EQUAL(mount.unmount(false), 0);
    CHECK(read_file(place.root.at("pieces")) == place.pieces);
  }
  CHECK(stopped > seeds);  // it was about something
}

void test_access_that_is_revoked_is_the_end_of_a_mount() {
  Place place;
  warpfs::Mount mount(options_of(place));
  inject({MTLCommandBufferErrorAccessRevoked, 0, 1, 100, {}});
  const std::string failure = failure_of([&] { run_programs(mount, programs_of(1)); });
  CHECK(has(failure, "EIO this mount has lost its GPU") && has(failure, "AccessRevoked") && has(failure, "start a new process"));
  inject({});
  CHECK(has(failure_of([&] { run_programs(mount, programs_of(1)); }), "lost its GPU"));
  CHECK_EQUAL(mount.unmount(false), 0);
}

void test_what_was_written_before_a_gpu_is_lost_is_written_back() {
  for (uint32_t seed = 0; seed < 8; seed++) {
    Place place;
    MountOptions options = options_of(place);
    options.line_count = 512;  // most of it is still in the cache
    warpfs::Mount mount(options);
    run_and_check(mount, place, seed);
    CHECK(read_file(place.root.at("pieces")) != place.pieces);
    inject({MTLCommandBufferErrorAccessRevoked, int64_t(seed * 100), seed % 3, 100, {}});
    CHECK(has(failure_of([&] { run_programs(mount, {{open_step("shared", OpenFor::READING), read_step(0, 0, 20000)}, {open_step("other", OpenFor::STARTING_OVER)}}); }), "lost its GPU"));
    inject({});
    CHECK_EQUAL(mount.sync(), 0);
    CHECK(read_file(place.root.at("pieces")) == place.pieces);
    CHECK_EQUAL(mount.unmount(false), 0);
  }
}

void test_errors_that_do_not_end_end_the_mount() {
  Place place;
  warpfs::Mount mount(options_of(place));
  inject({MTLCommandBufferErrorTimeout, 0, 0, 1000, {}});
  CHECK(has(failure_of([&] { run_programs(mount, programs_of(1)); }), "it took longer than the system allows (Timeout)"));
  inject({});
  mount.unmount(true);
}

void test_a_command_buffer_that_does_not_end_is_not_waited_for() {
  Place place;
  MountOptions options = options_of(place);
  options.kernel_time_ms = 30;
  {
    warpfs::Mount mount(options);
    inject({MTLCommandBufferErrorNone, 0, 0, 1, std::chrono::milliseconds(400)});
    const auto begin = std::chrono::steady_clock::now();
    CHECK(has(failure_of([&] { run_programs(mount, {{open_step("shared", OpenFor::READING)}}); }), "has not ended within 30 ms"));
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(300));
    mount.unmount(true);
  }
  inject({});
}

void test_slow_command_buffers_only_take_longer() {
  Place place;
  warpfs::Mount mount(options_of(place));
  inject({MTLCommandBufferErrorNone, 0, 0, 12, std::chrono::milliseconds(8)});
  run_and_check(mount, place, 1);
  inject({});
  CHECK_EQUAL(mount.unmount(false), 0);
  CHECK(read_file(place.root.at("pieces")) == place.pieces);
}

void test_machines_that_will_not_do_say_why() {
  Place place;
  const auto refused = [&](const Machine& machine) {
    play(machine);
    const std::string failure = failure_of([&] { warpfs::Mount mount(options_of(place)); });
    play(Machine{});
    return failure;
  };
  const std::pair<Machine, std::string> machines[] = {
      {{.has_device = false}, "macOS finds no Metal device"},
      {{.macos = 14}, "needs macOS 15, and this is macOS 14.0"},
      {{.name = "AMD Radeon Pro", .unified = false}, "GPU 'AMD Radeon Pro' has memory of its own, as in Macs with a processor of Intel"},
      {{.name = "Apple Paravirtual device"}, "is that of a virtual machine"},
      {{.name = "Apple A9", .metal3 = false}, "is not of the family Metal 3"},
      {{.memory_bytes = 1 << 16}, "ENOMEM the cache:"},
  };
  for (const auto& [machine, said] : machines) {
    const std::string failure = refused(machine);
    if (!has(failure, said)) std::fprintf(stderr, "said: %s\nnot: %s\n", failure.c_str(), said.c_str());
    CHECK(has(failure, said));
    if (!has(said, "ENOMEM")) CHECK(has(failure, "ERR_WARPFS_DEVICE"));
  }
  setenv("WARPFS_METAL_PARAVIRTUAL", "1", 1);
  CHECK(refused({.name = "Apple Paravirtual device"}).empty());
  unsetenv("WARPFS_METAL_PARAVIRTUAL");
}

void test_a_text_that_does_not_compile_is_told_when_it_is_loaded() {
  Place place;
  warpfs::Mount mount(options_of(place));
  write_file(place.texts.at("wrong.metal"), "#include <metal_stdlib>\n#line 1 \"mine\"\nkernel void warpfs_kernel() { missing(); }\n");
  const std::string failure = failure_of([&] { mount.load(place.texts.at("wrong.metal")); });
  CHECK(has(failure, "ERR_WARPFS_COMPILE mine:1") && has(failure, "undeclared identifier 'missing'"));
  write_file(place.texts.at("other.metal"), "#include <metal_stdlib>\nkernel void other() {}\n");
  CHECK(has(failure_of([&] { mount.load(place.texts.at("other.metal")); }), "has no kernel warpfs_kernel"));
  CHECK(has(failure_of([&] { mount.load(place.texts.at("nowhere.metal")); }), "ENOENT"));
  CHECK(run_programs(mount, {{open_step("shared", OpenFor::READING)}}).at(0).at(0) >= 0);
}

void test_what_a_compiler_made_is_found_again() {
  Place place;
  const auto compiled = [&] {
    const uint32_t before = pipelines_compiled();
    { warpfs::Mount mount(options_of(place)); }
    return pipelines_compiled() - before;
  };
  CHECK_EQUAL(compiled(), 2u);  // programs, and the sweep at the end
  CHECK(std::filesystem::exists(place.texts.at("builtin.metal.archive")));
  CHECK_EQUAL(compiled(), 0u);
  write_file(place.texts.at("builtin.metal.archive"), "of another system");
  CHECK_EQUAL(compiled(), 2u);
  CHECK_EQUAL(compiled(), 0u);
  write_file(place.texts.at("builtin.metal"), read_file(place.texts.at("builtin.metal")) + "// changed\n");
  CHECK_EQUAL(compiled(), 2u);
}

void test_a_dispatch_is_captured_where_that_is_wanted() {
  Place place;
  warpfs::Mount mount(options_of(place));
  const auto run = [&](const std::string& file) {
    setenv("WARPFS_METAL_CAPTURE", file.c_str(), 1);
    return failure_of([&] { run_programs(mount, {{open_step("shared", OpenFor::READING)}}); });
  };
  const std::string file = place.texts.at("first.gputrace");
  CHECK(has(run(place.texts.at("first.txt")), "WARPFS_METAL_CAPTURE=" + place.texts.at("first.txt") + ": it does not end in .gputrace"));
  CHECK(has(run(file), "set METAL_CAPTURE_ENABLED=1 as well"));
  setenv("METAL_CAPTURE_ENABLED", "1", 1);
  CHECK(has(run("/nowhere/at/all.gputrace"), "the file cannot be written"));
  CHECK(run(file).empty());
  CHECK(read_file(file) == "capture of the fake Metal\nended\n");
  CHECK(run(place.texts.at("second.gputrace")).empty());
  CHECK(!std::filesystem::exists(place.texts.at("second.gputrace")));
  unsetenv("WARPFS_METAL_CAPTURE");
}

void test_quanta_follow_the_time_that_items_take() {
  metal::Quantum quantum(512, 4096);
  quantum.took(512, 0.01);
  CHECK_EQUAL(quantum.items(), 1024u);  // twice at most at once
  quantum.took(100, 0.001);
  CHECK_EQUAL(quantum.items(), 1024u);  // few say nothing about many
  quantum.took(1024, 0.2);
  CHECK_EQUAL(quantum.items(), 512u);
  quantum.took(512, 5.0);
  CHECK_EQUAL(quantum.items(), 51u);  // half a second at most
  quantum.was_ended(51);
  CHECK_EQUAL(quantum.items(), 12u);
  quantum.took(12, 0.001);
  CHECK_EQUAL(quantum.items(), 12u);  // not so soon again
  for (int i = 0; i < 100; i++) quantum.took(quantum.items(), 0.0001);
  CHECK_EQUAL(quantum.items(), 4096u);
  CHECK(metal::first_quantum(uint64_t(8) << 30) < metal::first_quantum(uint64_t(128) << 30));
}

}  // namespace

int main(int count, char** words) {
  CHECK(count >= 2);
  if (count > 2) seeds = uint32_t(std::stoul(words[2]));
  const CompilesForTests compiles(words[1]);
  const std::pair<const char*, void (*)()> tests[] = {
      {"command buffers that are ended anywhere lose nothing", test_command_buffers_that_are_ended_anywhere_lose_nothing},
      {"access that is revoked is the end of a mount", test_access_that_is_revoked_is_the_end_of_a_mount},
      {"what was written before a gpu is lost is written back", test_what_was_written_before_a_gpu_is_lost_is_written_back},
      {"errors that do not end end the mount", test_errors_that_do_not_end_end_the_mount},
      {"slow command buffers only take longer", test_slow_command_buffers_only_take_longer},
      {"machines that will not do say why", test_machines_that_will_not_do_say_why},
      {"a text that does not compile is told when it is loaded", test_a_text_that_does_not_compile_is_told_when_it_is_loaded},
      {"quanta follow the time that items take", test_quanta_follow_the_time_that_items_take},
      {"what a compiler made is found again", test_what_a_compiler_made_is_found_again},
      {"a dispatch is captured where that is wanted", test_a_dispatch_is_captured_where_that_is_wanted},
      // The last: what a kernel may be at that does not end stays until the process ends.
      {"a command buffer that does not end is not waited for", test_a_command_buffer_that_does_not_end_is_not_waited_for},
  };
  for (const auto& [name, body] : tests) {
    test::test(name, body);
    const std::string left = body == test_a_command_buffer_that_does_not_end_is_not_waited_for ? "4 FakeBuffer" : "";
    for (const std::string& violation : take_violations()) {
      std::fprintf(stderr, "violation: %s\n", violation.c_str());
      CHECK(violation.empty());
    }
    check_left_behind(left);
  }
  return 0;
}
