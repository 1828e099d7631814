// Whole mounts with real threads: programs of many warps on several workers, served by several daemon threads. Each byte is compared; above
// all this is what a build with the thread sanitizer runs (`npm run test:tsan`).
#include "daemon_test.h"
#include "mount.h"

#include <filesystem>

namespace warpfs::test {

namespace {

constexpr uint32_t WARPS = 24, ROUNDS = 6, PIECE = 700;  // a piece is no whole page: neighbours write to the same line
constexpr uint32_t SHARED_BYTES = WARPS * ROUNDS * PIECE;

/// The lists of steps of all warps, as the built-in kernel takes them.
struct Steps {
  Steps() : data(16) {}
  uint32_t add(uint32_t op, uint32_t target = 0, uint64_t offset = 0, uint32_t length = 0, const std::string& bytes = "", uint32_t mode = 0) {
    ProgramStep step{};
    step.op = op;
    step.target = target;
    step.offset = offset;
    step.length = length;
    step.mode = mode;
    step.data = data.size();
    data.insert(data.end(), bytes.begin(), bytes.end());
    data.resize((data.size() + std::max<size_t>(length - std::min<size_t>(length, bytes.size()), 1) + 15) & ~size_t(15));
    steps.push_back(step);
    return warps.back().step_count++;
  }
  uint32_t open(const std::string& path, uint32_t mode) { return add(ProgramOp::OPEN, 0, 0, uint32_t(path.size()), path, mode); }
  void begin_warp() { warps.push_back({uint32_t(steps.size()), 0}); }
  uint32_t index(uint32_t step) const { return warps.back().first_step + step; }

  std::vector<ProgramWarp> warps;
  std::vector<ProgramStep> steps;
  std::vector<uint8_t> data;
};

std::string piece(uint32_t warp, uint32_t round) { return pattern(PIECE, 1 + warp * ROUNDS + round); }
uint64_t place(uint32_t warp, uint32_t round) { return uint64_t(round * WARPS + warp) * PIECE; }

struct Expected {
  uint32_t step;
  std::string bytes;
};

/// Every warp writes pieces of a file that all share and of one of its own, reads its own back at once, and behind a barrier those of others.
std::vector<Expected> write_programs(Steps& steps) {
  std::vector<Expected> expected;
  const auto read = [&](uint32_t file, uint64_t offset, const std::string& bytes) {
    expected.push_back({steps.index(steps.add(ProgramOp::READ, file, offset, PIECE)), bytes});
  };
  for (uint32_t warp = 0; warp < WARPS; warp++) {
    steps.begin_warp();
    const uint32_t shared = steps.open("shared", OPEN_WRITE);
    const uint32_t own = steps.open("own" + std::to_string(warp % 8), warp < 8 ? OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE : 0);
    for (uint32_t round = 0; round < ROUNDS; round++) {
      steps.add(ProgramOp::PREFETCH, shared, place((warp + 5) % WARPS, round), 4 * PIECE);
      steps.add(ProgramOp::WRITE, shared, place(warp, round), PIECE, piece(warp, round));
      read(shared, place(warp, round), piece(warp, round));
      if (warp < 8) {
        steps.add(ProgramOp::WRITE, own, round * PIECE, PIECE, piece(warp, round));
        read(own, round * PIECE, piece(warp, round));
      }
      if ((warp + round) % 7 == 0) steps.add(ProgramOp::SYNC, shared);
      steps.add(ProgramOp::STAT, shared);
      // Nobody knows whether others were here already: the bytes do not matter, how they are moved does.
      steps.add(ProgramOp::READ, shared, place((warp + 1) % WARPS, (round + 1) % ROUNDS), PIECE);
      if (round % 2 == 1) {
        steps.add(ProgramOp::BARRIER);
        for (uint32_t other = warp + 1; other < warp + 4; other++) read(shared, place(other % WARPS, round), piece(other % WARPS, round));
      }
    }
    steps.add(ProgramOp::CLOSE, own);
    steps.add(ProgramOp::CLOSE, shared);
  }
  return expected;
}

struct Variant {
  bool replay;
  uint32_t policy;
  std::string io;
};

MountOptions options_of(const Folder& folder, const Variant& variant) {
  MountOptions options;
  options.root = folder.path;
  options.replay = variant.replay;
  options.policy = variant.policy;
  options.line_count = 64;  // far fewer than pages: most reads evict what another warp wrote
  options.line_bytes = 512;
  options.ring_count = 4;
  options.ring_slots = 16;
  options.slot_count = 32;
  options.file_count = 16;
  options.daemon_threads = 3;
  options.workers = 4;
  options.io = variant.io;
  return options;
}

std::vector<ProgramResult> run_all(warpfs::Mount& mount, Steps& steps, const std::vector<Expected>& expected) {
  std::vector<ProgramResult> results(steps.steps.size());
  std::vector<uint32_t> barrier(64);
  barrier[1] = WARPS;
  Dispatch dispatch;
  dispatch.items = WARPS;
  dispatch.all_resident = true;
  dispatch.buffers = {steps.warps.data(), steps.steps.data(), results.data(), steps.data.data(), barrier.data()};
  const DispatchResult ended = mount.run(dispatch);
  CHECK_EQUAL(ended.failed_items, 0);
  for (size_t step = 0; step < results.size(); step++) {
    CHECK(results[step].done == 1);
    CHECK(results[step].result >= 0);
  }
  for (const Expected& read : expected) {
    CHECK_EQUAL(results[read.step].result, int32_t(read.bytes.size()));
    CHECK(std::memcmp(steps.data.data() + steps.steps[read.step].data, read.bytes.data(), read.bytes.size()) == 0);
  }
  return results;
}

void race(const Variant& variant) {
  Folder folder;
  write_file(folder.at("shared"), std::string(SHARED_BYTES / 2, 'x'));  // the other half grows
  for (int file = 0; file < 8; file++) write_file(folder.at("own" + std::to_string(file)), "");
  warpfs::Mount mount(options_of(folder, variant));
  for (int run = 0; run < 3; run++) {
    Steps steps;
    const std::vector<Expected> expected = write_programs(steps);
    run_all(mount, steps, expected);
    CHECK_EQUAL(mount.sync(), 0);
  }
  CHECK_EQUAL(mount.unmount(false), 0);
  const std::string shared = read_file(folder.at("shared"));
  CHECK_EQUAL(shared.size(), SHARED_BYTES);
  for (uint32_t warp = 0; warp < WARPS; warp++) {
    for (uint32_t round = 0; round < ROUNDS; round++) CHECK(shared.compare(place(warp, round), PIECE, piece(warp, round)) == 0);
  }
}

constexpr uint32_t LANES = WARP_LANES, SUMS = LANES, ELEMENTS = SUMS + LANES * WARPS;

/// What SCATTER and ADD take: u64 indices, then u32 values, then room for as many.
std::string elements(uint64_t first, uint64_t stride, uint32_t value) {
  std::string bytes(LANES * 16, 0);
  for (uint32_t lane = 0; lane < LANES; lane++) {
    const uint64_t index = first + lane * stride;
    std::memcpy(bytes.data() + lane * 8, &index, 8);
    std::memcpy(bytes.data() + LANES * 8 + lane * 4, &value, 4);
  }
  return bytes;
}

/// Every warp adds to the same elements and scatters to some between those of others; a file is cut off while all write to it; files are
/// made, moved, cut off and unlinked side by side.
std::vector<Expected> change_programs(Steps& steps) {
  std::vector<Expected> expected;
  const auto read = [&](uint32_t file, uint32_t length, const std::string& bytes) {
    expected.push_back({steps.index(steps.add(ProgramOp::READ, file, 0, length)), bytes});
  };
  for (uint32_t warp = 0; warp < WARPS; warp++) {
    steps.begin_warp();
    const uint32_t words = steps.open("words", OPEN_WRITE), cut = steps.open("cut", OPEN_WRITE);
    for (uint32_t round = 0; round < ROUNDS; round++) {
      steps.add(ProgramOp::ADD, words, 0, LANES, elements(0, 1, 1));
      steps.add(ProgramOp::SCATTER, words, 0, LANES, elements(SUMS + warp, WARPS, warp * ROUNDS + round));
      steps.add(ProgramOp::WRITE, cut, warp * PIECE, PIECE, piece(warp, round));
      if (warp % 8 == round) steps.add(ProgramOp::TRUNCATE, cut, (round + warp) * 300);
      steps.add(ProgramOp::READ, cut, (warp + round) % WARPS * PIECE, PIECE);
      if (warp < 6) {
        const std::string made = "made" + std::to_string(warp), moved = "moved" + std::to_string(warp);
        const uint32_t file = steps.open(made, OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE);
        steps.add(ProgramOp::WRITE, file, 0, PIECE, piece(warp, round));
        steps.add(ProgramOp::RENAME, 0, made.size() + 1, 0, made + '\0' + moved);
        const uint32_t again = steps.open(moved, OPEN_WRITE);
        read(again, PIECE, piece(warp, round));
        steps.add(ProgramOp::TRUNCATE, file, 100);
        steps.add(ProgramOp::TRUNCATE, again, 200);
        read(again, PIECE, piece(warp, round).substr(0, 100) + std::string(100, 0));
        if (round + 1 < ROUNDS) steps.add(ProgramOp::UNLINK, 0, 0, 0, moved);
        steps.add(ProgramOp::CLOSE, file);
        steps.add(ProgramOp::CLOSE, again);
      }
    }
    steps.add(ProgramOp::CLOSE, cut);
    steps.add(ProgramOp::CLOSE, words);
  }
  return expected;
}

void race_of_changes(const Variant& variant) {
  Folder folder;
  write_file(folder.at("words"), std::string(ELEMENTS * 4, 0));
  write_file(folder.at("cut"), "");
  constexpr uint32_t RUNS = 3;
  warpfs::Mount mount(options_of(folder, variant));
  for (uint32_t run = 0; run < RUNS; run++) {
    for (uint32_t file = 0; file < 6 && run != 0; file++) std::filesystem::remove(folder.at("moved" + std::to_string(file)));
    Steps steps;
    const std::vector<Expected> expected = change_programs(steps);
    run_all(mount, steps, expected);
    CHECK_EQUAL(mount.sync(), 0);
  }
  CHECK_EQUAL(mount.unmount(false), 0);
  const std::string bytes = read_file(folder.at("words"));
  CHECK_EQUAL(bytes.size(), ELEMENTS * 4);
  for (uint32_t index = 0; index < ELEMENTS; index++) {
    uint32_t value = 0;
    std::memcpy(&value, bytes.data() + index * 4, 4);
    CHECK_EQUAL(value, index < SUMS ? WARPS * ROUNDS * RUNS : (index - SUMS) % WARPS * ROUNDS + ROUNDS - 1);
  }
  for (uint32_t warp = 0; warp < 6; warp++) {
    CHECK(read_file(folder.at("moved" + std::to_string(warp))) == piece(warp, ROUNDS - 1).substr(0, 100) + std::string(100, 0));
    CHECK(!std::filesystem::exists(folder.at("made" + std::to_string(warp))));
  }
}

}  // namespace

}  // namespace warpfs::test

int main() {
  using namespace warpfs::test;
  for (const char* io : {"pread", "uring"}) {
    for (const bool replay : {false, true}) {
      for (const uint32_t policy : {0u, 1u}) {
        const std::string how = std::string(io) + (replay ? ", replay" : ", spin") + (policy == 0 ? ", clock" : ", fifo");
        const Variant variant{replay, policy, io};
        test(("24 warps write and read one file, " + how).c_str(), [&] { race(variant); });
        test(("24 warps change elements, sizes and names, " + how).c_str(), [&] { race_of_changes(variant); });
      }
    }
  }
  return 0;
}
