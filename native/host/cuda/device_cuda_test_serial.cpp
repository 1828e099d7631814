// One kernel at a time: no call may wait for the courier before somebody launches it.
#include "device_cuda_test.h"

namespace warpfs::cuda::played {

namespace {

using namespace warpfs::test;

MountOptions serial_options(const Place& place) {
  MountOptions options = options_of(place);
  options.serial = true;
  return options;
}

void all_went_well(const std::vector<std::vector<int32_t>>& results) {
  for (const auto& warp : results) {
    for (const int32_t result : warp) CHECK(result >= 0);
  }
}

/// Far fewer lines than pages and slots of rings than requests: each round ends with requests that found no room.
void test_programs_come_to_their_end() {
  begin(true);
  Place place;
  constexpr uint32_t WARPS = 48, PIECES = 20, PIECE = 700;
  const auto bytes_of = [](uint32_t warp, uint32_t piece) { return pattern(PIECE, 1 + warp * PIECES + piece); };
  {
    warpfs::Mount mount(serial_options(place));
    std::vector<Steps> programs;
    for (uint32_t warp = 0; warp < WARPS; warp++) {
      Steps program{open_step("file" + std::to_string(warp % 40), OpenFor::CHANGING | OPEN_CREATE)};
      for (uint32_t piece = 0; piece < PIECES; piece++) {
        const uint64_t at = uint64_t(warp * PIECES + piece) * PIECE;
        program.push_back(write_step(0, at, bytes_of(warp, piece)));
        program.push_back(read_step(0, at, PIECE));
        if (piece % 7 == 0) program.push_back(sync_step(0));
      }
      program.push_back(close_step(0));
      programs.push_back(program);
    }
    std::vector<std::string> read;
    all_went_well(run_programs(mount, programs, &read));
    CHECK_EQUAL(read.size(), WARPS * PIECES);
    for (uint32_t i = 0; i < read.size(); i++) CHECK(read[i] == bytes_of(i / PIECES, i % PIECES));
    CHECK(courier_launches() > 10);
    CHECK_EQUAL(mount.unmount(false), 0);
  }
  CHECK_EQUAL(left_behind(), 0);
  for (uint32_t warp = 0; warp < WARPS; warp++) {
    const std::string file = read_file(place.root.at("file" + std::to_string(warp % 40)));
    for (uint32_t piece = 0; piece < PIECES; piece++) CHECK(file.compare(uint64_t(warp * PIECES + piece) * PIECE, PIECE, bytes_of(warp, piece)) == 0);
  }
}

/// The answers to the opens of one round are more than the slots of the channel that they go through.
void test_a_full_channel_is_carried_while_a_daemon_thread_waits_for_room() {
  begin(true);
  Place place;
  write_file(place.root.at("a"), pattern(4096));
  MountOptions options = serial_options(place);
  options.slot_count = 1500;
  options.ring_count = 8;
  options.ring_slots = 1024;
  warpfs::Mount mount(options);
  all_went_well(run_programs(mount, std::vector<Steps>(options.slot_count, Steps{open_step("a", OpenFor::READING), close_step(0)})));
  CHECK_EQUAL(mount.unmount(false), 0);
}

/// There are 256 stages for lines of this size.
void test_more_lines_are_filled_in_one_round_than_there_are_stages() {
  begin(true);
  Place place;
  constexpr uint32_t WARPS = 80, LINE = 32768, BYTES = 8 * LINE;
  const std::string file = pattern(WARPS * BYTES);
  write_file(place.root.at("a"), file);
  MountOptions options = serial_options(place);
  options.line_count = 1024;
  options.line_bytes = LINE;
  options.slot_count = WARPS;
  options.ring_slots = 256;
  warpfs::Mount mount(options);
  std::vector<Steps> programs;
  for (uint32_t warp = 0; warp < WARPS; warp++) programs.push_back({open_step("a", OpenFor::READING), read_step(0, uint64_t(warp) * BYTES, BYTES)});
  std::vector<std::string> read;
  all_went_well(run_programs(mount, programs, &read));
  for (uint32_t warp = 0; warp < WARPS; warp++) CHECK(read[warp] == file.substr(uint64_t(warp) * BYTES, BYTES));
  CHECK_EQUAL(mount.unmount(false), 0);
}

/// A truncation waits until the gpu knows that its windows are gone.
void test_windows_are_granted_before_a_dispatch_and_taken_back_within_one() {
  begin(true);
  Place place;
  const std::string file = pattern(300000);
  write_file(place.root.at("a"), file);
  MountOptions options = serial_options(place);
  options.fill = "map";
  {
    warpfs::Mount mount(options);
    const auto start = Clock::now();
    for (uint64_t page = 0; registered() == 0; page++) {
      all_went_well(run_programs(mount, {{open_step("a", OpenFor::CHANGING), read_step(0, page % 500 * 512, 512)}}));
      CHECK(seconds_since(start) < 20);
    }
    Step cut{.op = ProgramOp::TRUNCATE, .target = 0, .offset = 1000};
    std::vector<std::string> read;
    all_went_well(run_programs(mount, {{open_step("a", OpenFor::CHANGING), cut, read_step(0, 0, 1000), close_step(0)}}, &read));
    CHECK(read[0] == file.substr(0, 1000));
    CHECK_EQUAL(mount.unmount(false), 0);
  }
  CHECK_EQUAL(registered(), 0);
  CHECK_EQUAL(read_file(place.root.at("a")).size(), 1000);
}

/// Each grant is a message, and nobody takes messages between two dispatches. The files stay open: one that is closed before it is mapped gets
/// windows with its next miss, and here each page is missed once.
void test_more_files_get_windows_than_a_channel_has_slots() {
  constexpr uint32_t FILES = 1300;
  Place place;
  for (uint32_t file = 0; file < FILES; file++) write_file(place.root.at(std::to_string(file)), "bytes");
  for (const bool serial : {false, true}) {
    begin(serial);
    MountOptions options = options_of(place);
    options.serial = serial;
    options.fill = "map";
    options.line_count = 2048;
    options.slot_count = FILES;
    options.file_count = 2048;
    warpfs::Mount mount(options);
    const auto start = Clock::now();
    while (registered() < FILES) {
      std::vector<Steps> programs;
      for (uint32_t file = 0; file < FILES; file++) programs.push_back({open_step(std::to_string(file), OpenFor::READING), read_step(0, 0, 5)});
      all_went_well(run_programs(mount, programs));
      CHECK(seconds_since(start) < 20);
    }
    CHECK_EQUAL(mount.unmount(false), 0);
  }
}

void test_what_nobody_waited_for_is_done_before_the_dispatch_ends() {
  begin(true);
  Place place;
  write_file(place.root.at("a"), pattern(100000));
  warpfs::Mount mount(serial_options(place));
  Step ahead{.op = ProgramOp::PREFETCH, .target = 0, .offset = 0, .length = 20000};
  all_went_well(run_programs(mount, {{open_step("a", OpenFor::READING), ahead}}));
  CHECK(mount.daemon().is_drained());
  CHECK_EQUAL(mount.sync(), 0);
  CHECK_EQUAL(mount.unmount(false), 0);
}

}  // namespace

void test_serial() {
  test::test("one kernel at a time: programs come to their end, and every byte is right", test_programs_come_to_their_end);
  test::test("one kernel at a time: a full channel is carried while a daemon thread waits for room", test_a_full_channel_is_carried_while_a_daemon_thread_waits_for_room);
  test::test("one kernel at a time: more lines are filled in one round than there are stages", test_more_lines_are_filled_in_one_round_than_there_are_stages);
  test::test("one kernel at a time: windows are granted before a dispatch and taken back within one", test_windows_are_granted_before_a_dispatch_and_taken_back_within_one);
  test::test("more files get windows than a channel has slots", test_more_files_get_windows_than_a_channel_has_slots);
  test::test("one kernel at a time: what nobody waited for is done before the dispatch ends", test_what_nobody_waited_for_is_done_before_the_dispatch_ends);
}

}  // namespace warpfs::cuda::played
