#include "kill_test.h"
#include "programs_for_tests.h"

#include <cstdio>
#include <filesystem>
#include <random>
#include <unistd.h>

namespace warpfs::test {

namespace {

struct Range {
  uint32_t file, first, end;
  uint64_t generation;
};

void say(char what, const Range& range) {
  char line[96];
  const int bytes = std::snprintf(line, sizeof line, "%c %u %u %u %llu\n", what, range.file, range.first, range.end, (unsigned long long)range.generation);
  if (write(STDOUT_FILENO, line, size_t(bytes)) != bytes) std::_Exit(3);  // nobody listens any more
}

std::string bytes_of(const Range& range) {
  std::string bytes;
  for (uint32_t sector = range.first; sector < range.end; sector++) {
    const uint64_t word = sector_word(range.generation, range.file, sector);
    for (uint32_t at = 0; at < SECTOR_BYTES; at += sizeof word) bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return bytes;
}

}  // namespace

int write_until_killed(const std::string& root, uint64_t seed, uint64_t generation, bool without_sync) {
  std::mt19937_64 random(seed);
  MountOptions options;
  options.root = root;
  options.line_bytes = 4096;
  options.line_count = 8;
  options.ring_count = 1;
  options.slot_count = 2;
  options.workers = 1;
#if defined(__linux__)
  options.io = random() % 2 == 0 ? "uring" : "pread";
#endif
  warpfs::Mount mount(options);
  while (true) {
    // Two warps, each with a file of its own: what one has synced must not hang on what the other does.
    std::vector<Steps> programs;
    std::vector<std::vector<Range>> ranges;
    bool synced[2] = {};
    const uint32_t first_file = uint32_t(random() % KILL_FILES);
    for (uint32_t warp = 0; warp < 2; warp++) {
      const uint32_t file = (first_file + warp) % KILL_FILES;
      const bool exists = std::filesystem::exists(root + "/" + kill_file(file));
      Steps steps = {open_step(kill_file(file), exists ? OpenFor::CHANGING : OpenFor::STARTING_OVER)};
      ranges.emplace_back();
      for (uint64_t writes = 1 + random() % 4; writes != 0; writes--) {
        const uint32_t first = uint32_t(random() % KILL_SECTORS);
        const uint32_t end = first + 1 + uint32_t(random() % (KILL_SECTORS - first));
        const Range range{file, first, end, generation++};
        ranges.back().push_back(range);
        steps.push_back(write_step(0, uint64_t(first) * SECTOR_BYTES, bytes_of(range)));
      }
      synced[warp] = random() % 4 != 0;
      // A lie for the test of the test: nothing was synced (nor closed, which writes back), and all the same it is said so.
      if (synced[warp] && !without_sync) {
        steps.push_back(sync_step(0));
        steps.push_back(close_step(0));
      }
      programs.push_back(std::move(steps));
      for (const Range& range : ranges.back()) say('w', range);
    }
    const auto results = run_programs(mount, programs);
    for (uint32_t warp = 0; warp < 2; warp++) {
      for (const int32_t result : results[warp]) {
        if (result < 0) {
          std::fprintf(stderr, "kill_test: a step of the writer gave %d\n", result);
          return 2;
        }
      }
      for (const Range& range : ranges[warp]) {
        if (synced[warp]) say('s', range);
      }
    }
  }
}

}  // namespace warpfs::test
