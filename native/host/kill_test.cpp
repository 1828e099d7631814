// Kills a writer at random points, over and over on the same files: every byte that it had said to be synced is there, or a newer one, and no
// sector is torn. `kill_test KILLS [SEED]`; with --without-sync the writer lies about its syncs, and that must be found.
#include "kill_test.h"

#include "daemon_test.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/wait.h>

namespace warpfs::test {

namespace {

/// Until there is something to read, or this time is over; null: for as long as it takes.
bool waits_to_read(int fd, const timespec* time) {
  pollfd wait{fd, POLLIN, 0};
#if defined(__APPLE__)
  // There is no ppoll. Rounded down: a kill is not late, and the last millisecond is spent looking.
  return poll(&wait, 1, time == nullptr ? -1 : int(time->tv_sec * 1000 + time->tv_nsec / 1'000'000)) > 0;
#else
  return ppoll(&wait, 1, time, nullptr) > 0;
#endif
}

constexpr double LIFE_MIN = 0.03, LIFE_MAX = 1, SILENCE_MAX = 20;  // seconds that a writer may live at most, from its first word on
constexpr uint64_t GENERATIONS_A_LIFE = 1 << 20;

/// Of each sector: what must be there at least, and the newest that can be.
struct Expected {
  uint64_t synced = 0, newest = 0;
};

struct Sectors {
  Expected of[KILL_FILES][KILL_SECTORS];
  uint64_t syncs = 0, writes = 0;
  void take(const std::string& line) {
    char what = 0;
    unsigned file = 0, first = 0, end = 0;
    unsigned long long generation = 0;
    CHECK_EQUAL(std::sscanf(line.c_str(), "%c %u %u %u %llu", &what, &file, &first, &end, &generation), 5);
    CHECK(file < KILL_FILES && first < end && end <= KILL_SECTORS);
    (what == 's' ? syncs : writes)++;
    for (unsigned sector = first; sector < end; sector++) {
      Expected& expected = of[file][sector];
      uint64_t& generation_of = what == 's' ? expected.synced : expected.newest;
      if (generation > generation_of) generation_of = generation;
    }
  }
};

/// One life of the writer: true unless it ended by itself.
void live_and_die(const char* self, const Folder& folder, std::mt19937_64& random, uint64_t generation, bool without_sync, double life_max,
                  Sectors& sectors) {
  int ends[2];
  CHECK_EQUAL(pipe(ends), 0);
  const std::string seed = std::to_string(random()), first = std::to_string(generation);
  const pid_t writer = fork();
  CHECK(writer >= 0);
  if (writer == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execl(self, self, "--writer", folder.path.c_str(), seed.c_str(), first.c_str(), without_sync ? "lie" : "sync", nullptr);
    std::_Exit(127);
  }
  close(ends[1]);
  auto begin = Clock::now();  // until it speaks: how long a mount takes is not of interest
  const double life = life_max * double(random() % 1000) / 1000;
  std::string said;
  bool alive = true, open = true;
  while (open) {
    if (alive && (said.empty() ? seconds_since(begin) >= SILENCE_MAX : seconds_since(begin) >= life)) {
      kill(writer, SIGKILL);
      alive = false;
    }
    const double left = (said.empty() ? SILENCE_MAX : life) - seconds_since(begin);
    const timespec time{long(left > 0 ? left : 0), long(left > 0 ? (left - double(long(left))) * 1e9 : 0)};
    if (!waits_to_read(ends[0], alive ? &time : nullptr)) continue;
    char bytes[65536];
    const ssize_t got = read(ends[0], bytes, sizeof bytes);
    open = got > 0;
    if (open && said.empty()) begin = Clock::now();
    if (open) said.append(bytes, size_t(got));
  }
  close(ends[0]);
  int status = 0;
  CHECK_EQUAL(waitpid(writer, &status, 0), writer);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);  // it never ends by itself
  for (size_t at = 0, end = 0; (end = said.find('\n', at)) != std::string::npos; at = end + 1) sectors.take(said.substr(at, end - at));
}

/// What is wrong with the files, or nothing.
std::string look(const Folder& folder, const Sectors& sectors) {
  for (uint32_t file = 0; file < KILL_FILES; file++) {
    const std::string bytes = read_file(folder.at(kill_file(file)));
    for (uint32_t sector = 0; sector < KILL_SECTORS; sector++) {
      const Expected& expected = sectors.of[file][sector];
      const std::string where = kill_file(file) + " sector " + std::to_string(sector) + ": ";
      uint64_t words[SECTOR_BYTES / 8] = {};
      const size_t offset = size_t(sector) * SECTOR_BYTES;
      if (offset % SECTOR_BYTES == 0 && bytes.size() >= offset + SECTOR_BYTES) std::memcpy(words, bytes.data() + offset, SECTOR_BYTES);
      else if (bytes.size() > offset) return where + "the file ends within it, at " + std::to_string(bytes.size());
      for (const uint64_t word : words) {
        if (word != words[0]) return where + "torn between generations " + std::to_string(words[0] >> 16) + " and " + std::to_string(word >> 16);
      }
      const uint64_t generation = words[0] >> 16;
      if (generation != 0 && words[0] != sector_word(generation, file, sector)) return where + "has bytes of another place";
      if (generation < expected.synced) {
        return where + "generation " + std::to_string(generation) + ", but " + std::to_string(expected.synced) + " was synced";
      }
      if (generation > expected.newest) return where + "generation " + std::to_string(generation) + " was never written";
    }
  }
  return "";
}

int kill_writers(const char* self, unsigned kills, uint64_t seed, bool without_sync) {
  Folder folder;
  std::mt19937_64 random(seed);
  Sectors sectors{};
  const auto begin = Clock::now();
  double life_max = LIFE_MIN;
  for (unsigned killed = 0; killed < kills; killed++) {
    const uint64_t syncs = sectors.syncs;
    live_and_die(self, folder, random, 1 + killed * GENERATIONS_A_LIFE, without_sync, life_max, sectors);
    if (sectors.syncs == syncs) life_max = std::min(life_max * 2, LIFE_MAX);  // nothing was promised: this machine is busy, or its disk slow
    const std::string wrong = look(folder, sectors);
    if (wrong.empty()) continue;
    std::printf("FAILED after kill %u of seed %llu: %s\n", killed + 1, (unsigned long long)seed, wrong.c_str());
    return 1;
  }
  std::printf("ok %u kills, %llu writes, %llu of them synced, all there; %.1f s\n", kills, (unsigned long long)sectors.writes,
              (unsigned long long)sectors.syncs, seconds_since(begin));
  return sectors.syncs >= kills / 2 ? 0 : 1;  // or the test would have looked at nothing
}

}  // namespace

}  // namespace warpfs::test

int main(int argc, char** argv) {
  const std::string first = argc < 2 ? "20" : argv[1];
  if (first == "--writer") return warpfs::test::write_until_killed(argv[2], std::stoull(argv[3]), std::stoull(argv[4]), std::string(argv[5]) == "lie");
  const bool without_sync = first == "--without-sync";
  const int at = without_sync ? 2 : 1;
  const unsigned kills = argc > at ? unsigned(std::stoul(argv[at])) : 20;
  return warpfs::test::kill_writers("/proc/self/exe", kills, argc > at + 1 ? std::stoull(argv[at + 1]) : 1, without_sync);
}
