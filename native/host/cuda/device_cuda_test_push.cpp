// Whole mounts whose bytes copy engines move.
#include "../host_error.h"
#include "copies_test_engine.h"
#include "copy_batches.h"
#include "device_cuda_test.h"

namespace warpfs::cuda::played {

namespace {

using namespace warpfs::test;

struct Manner {
  const char* name;
  bool replay, serial;
};

MountOptions push_options(const Place& place, const Manner& manner) {
  MountOptions options = options_of(place, manner.replay);
  options.serial = manner.serial;
  options.fill = "push";
  return options;
}

/// Far fewer lines than pages: every byte goes to its file and comes back. Pieces that do not touch have masks.
void test_every_byte_is_right(const Manner& manner) {
  begin(manner.serial);
  Place place;
  constexpr uint32_t WARPS = 24, PIECES = 16, PIECE = 700, APART = 900;
  const auto bytes_of = [](uint32_t warp, uint32_t piece) { return pattern(PIECE, 1 + warp * PIECES + piece); };
  {
    warpfs::Mount mount(push_options(place, manner));
    CHECK(mount.device().fill_note().starts_with("push: "));
    std::vector<Steps> programs;
    for (uint32_t warp = 0; warp < WARPS; warp++) {
      Steps program{open_step("file" + std::to_string(warp % 20), OpenFor::CHANGING | OPEN_CREATE)};
      for (uint32_t piece = 0; piece < PIECES; piece++) program.push_back(write_step(0, uint64_t(warp * PIECES + piece) * APART, bytes_of(warp, piece)));
      for (uint32_t piece = 0; piece < PIECES; piece++) program.push_back(read_step(0, uint64_t(warp * PIECES + piece) * APART, PIECE));
      program.push_back(sync_step(0));
      program.push_back(close_step(0));
      programs.push_back(program);
    }
    std::vector<std::string> read;
    for (const auto& warp : run_programs(mount, programs, &read)) {
      for (const int32_t result : warp) CHECK(result >= 0);
    }
    CHECK_EQUAL(read.size(), WARPS * PIECES);
    for (uint32_t i = 0; i < read.size(); i++) CHECK(read[i] == bytes_of(i / PIECES, i % PIECES));
    for (const Way way : {Way::TO_GPU, Way::FROM_GPU}) CHECK(played_engine().batches(way) > CopyBatches::IN_FLIGHT_MAX);
    CHECK_EQUAL(mount.unmount(false), 0);
  }
  CHECK_EQUAL(left_behind(), 0);
  for (uint32_t warp = 0; warp < WARPS; warp++) {
    const std::string file = read_file(place.root.at("file" + std::to_string(warp % 20)));
    for (uint32_t piece = 0; piece < PIECES; piece++) CHECK(file.compare(uint64_t(warp * PIECES + piece) * APART, PIECE, bytes_of(warp, piece)) == 0);
  }
}

void test_a_copy_that_fails_ends_one_mount(const Manner& manner, bool writes) {
  begin(manner.serial);
  Place place;
  const std::string bytes = pattern(5000);
  write_file(place.root.at("a"), bytes);
  MountOptions options = push_options(place, manner);
  options.wait_ms = 100;
  const Step touch = writes ? write_step(0, 100, pattern(600, 7)) : read_step(0, 0, 3000);
  const std::vector<Steps> programs{{open_step("a", OpenFor::CHANGING), touch, sync_step(0)}};
  {
    warpfs::Mount mount(options);
    if (writes) run_programs(mount, {{open_step("a", OpenFor::CHANGING), read_step(0, 0, 3000)}});  // nothing is left to be filled
    played_engine().fail(CUDA_SUCCESS, CUDA_ERROR_UNKNOWN);
    const std::string told = failure_of([&] { run_programs(mount, programs); });
    CHECK(told.starts_with("EIO copying the bytes of lines: ") && told.find("A new mount works") != std::string::npos);
    CHECK(failure_of([&] { run_programs(mount, programs); }).starts_with("EIO this mount has lost its GPU: copying the bytes of lines"));
    CHECK_EQUAL(mount.unmount(true), -Errno::eio);
  }
  CHECK_EQUAL(left_behind(), 0);
  CHECK(read_file(place.root.at("a")) == bytes);  // what was not fetched is not written
  begin(manner.serial);
  warpfs::Mount mount(push_options(place, manner));
  const auto results = run_programs(mount, programs);
  for (const int32_t result : results.at(0)) CHECK(result >= 0);
  CHECK_EQUAL(mount.unmount(false), 0);
}

}  // namespace

void test_push() {
  for (const Manner& manner : {Manner{"spin", false, false}, Manner{"replay", true, false}, Manner{"one kernel at a time", true, true}}) {
    const std::string how = std::string(", ") + manner.name;
    test::test(("push: every byte is right" + how).c_str(), [&] { test_every_byte_is_right(manner); });
    test::test(("push: a fill that fails ends one mount" + how).c_str(), [&] { test_a_copy_that_fails_ends_one_mount(manner, false); });
    test::test(("push: a write-back that fails ends one mount" + how).c_str(), [&] { test_a_copy_that_fails_ends_one_mount(manner, true); });
  }
}

}  // namespace warpfs::cuda::played
