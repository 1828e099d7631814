// What the daemon costs: while idle, for one request, and for as many as it can serve.
#include "daemon_test.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace warpfs::test {

namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

void idle() {
  Folder folder;
  Gpu gpu(small_geometry());
  Daemon daemon(gpu.view, {.root = folder.path, .threads = 2});
  daemon.begin_dispatch();
  daemon.end_dispatch();
  usleep(10000);
  const double before = cpu_seconds();
  usleep(500000);
  const double idle = (cpu_seconds() - before) / 0.5;
  CHECK(idle < 0.01);
  const auto polling = [&](unsigned threads) {
    Gpu other(small_geometry());
    Daemon polled(other.view, {.root = folder.path, .threads = threads});
    polled.begin_dispatch();
    usleep(10000);
    const double start = cpu_seconds();
    usleep(500000);
    const double used = (cpu_seconds() - start) / 0.5;
    polled.end_dispatch();
    return used;
  };
  std::printf("   idle without a dispatch: %.2f %% of a core; with one and no requests: %.1f %% (1 thread), %.1f %% (2 threads)\n",
              idle * 100, polling(1) * 100, polling(2) * 100);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void pick_up() {
  Folder folder;
  Gpu gpu(small_geometry());
  Daemon daemon(gpu.view, {.root = folder.path});
  std::vector<double> from_sleep, from_nap, busy;
  for (int i = 0; i < 50; i++) {
    usleep(2000);
    const auto start = Clock::now();
    daemon.begin_dispatch();
    gpu.ask(gpu.request(Opcode::STAT, 5));
    from_sleep.push_back(seconds_since(start) * 1e6);
    usleep(2000);
    const auto nap = Clock::now();
    gpu.ask(gpu.request(Opcode::STAT, 5));
    from_nap.push_back(seconds_since(nap) * 1e6);
    const auto next = Clock::now();
    gpu.ask(gpu.request(Opcode::STAT, 5));
    busy.push_back(seconds_since(next) * 1e6);
    daemon.end_dispatch();
  }
  std::printf("   answered after: %.1f us when a dispatch begins, %.1f us after 2 ms without requests, %.1f us when busy (medians)\n",
              median(from_sleep), median(from_nap), median(busy));
  // A nap that is too long is so each time; on a busy machine only some are.
  const auto quickest = [](const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); };
  CHECK(quickest(from_nap) < 5000 && quickest(from_sleep) < 5000);
}

void slow_neighbours() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(4096));
  Mount m(folder);
  const int32_t slow = m.gpu.open("slow", CREATE);
  const int32_t file = m.gpu.open("a.bin", READ);
  for (uint32_t i = 0; i < 64; i++) m.gpu.write_back(slow, i * 4096, 4096, i);
  Request sync = m.gpu.request(Opcode::SYNC, slow);
  sync.mailbox = 1;
  const uint32_t before = m.gpu.view.mailboxes[1].sequence;
  m.gpu.post(sync);
  const auto start = Clock::now();
  CHECK_EQUAL(m.gpu.fill(file, 0, 1), 0);
  const double fill = seconds_since(start);
  Gpu::wait([&] { return load_acquire(&m.gpu.view.mailboxes[1].sequence) != before; });
  std::printf("   a fill behind a sync took %.0f us, the sync %.0f us\n", fill * 1e6, seconds_since(start) * 1e6);
}

/// Fills per second with requests of `lines` lines each, as many in flight as the rings hold.
double fills_per_second(const std::string& folder, const std::string& io, unsigned threads, uint32_t lines, bool write,
                        const std::optional<MediumProfile>& medium = {}) {
  Geometry g = small_geometry(256, threads);
  g.line_count = 4096;
  Gpu gpu(g);
  Daemon daemon(gpu.view, {.root = folder, .threads = threads, .io = io, .medium = medium});
  daemon.begin_dispatch();
  const int32_t file = gpu.open("speed.bin", READ_WRITE);
  const uint32_t total = write ? 50000 : 400000;
  double best = 0;
  for (int round = 0; round < 3; round++) {
    const auto start = Clock::now();
    for (uint32_t i = 0; i < total / lines; i++) {
      Request r = write ? gpu.write_request(file, i * 7 % 4096 * 4096ull, 4096, i % 4096) : gpu.fill_request(file, 0, {});
      if (!write) {
        r.offset = i * 7 % 512 * 8 * 4096ull;
        r.line_count = lines;
        r.length = lines * 4096;
        for (uint32_t line = 0; line < lines; line++) r.lines[line] = (i * lines + line) % 4096;
      }
      gpu.post(r, i % threads);
    }
    daemon.wait_until_drained();
    best = std::max(best, double(total) / seconds_since(start));
  }
  daemon.end_dispatch();
  return best;
}

/// One that is never the limit: what holding answers back costs.
MediumProfile fast_medium() {
  MediumProfile profile;
  profile.queue_depth = 4096;
  profile.read = profile.write = {{10000, 20000}, 20e6, 20e6, 1e12};
  profile.sync = {1000, 1000};
  return profile;
}

double nops_per_second(const std::string& folder) {
  Gpu gpu(small_geometry(256, 1));
  Daemon daemon(gpu.view, {.root = folder});
  daemon.begin_dispatch();
  const auto start = Clock::now();
  for (uint32_t i = 0; i < 2000000; i++) gpu.post(gpu.request(Opcode::NOP));
  daemon.wait_until_drained();
  const double rate = 2000000 / seconds_since(start);
  daemon.end_dispatch();
  return rate;
}

double plain_preads_per_second(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  std::vector<char> lines(4096 * 4096);
  double best = 0;
  for (int round = 0; round < 3; round++) {
    const auto start = Clock::now();
    for (uint32_t i = 0; i < 400000; i++) CHECK(pread(fd, lines.data() + i % 4096 * 4096, 4096, i * 7 % 512 * 8 * 4096ll) == 4096);
    best = std::max(best, 400000 / seconds_since(start));
  }
  ::close(fd);
  return best;
}

}  // namespace

void test_manners() {
  test("idle threads sleep", idle);
  test("requests are picked up after idleness", pick_up);
  test("a sync does not hold up a fill", slow_neighbours);
}

void print_speed() {
  Folder folder;
  write_file(folder.at("speed.bin"), pattern(16 << 20));
  std::printf("   4 KB page-cached reads per second, one thread: plain pread %.0f\n", plain_preads_per_second(folder.at("speed.bin")));
  std::printf("   requests without any work: %.0f /s\n", nops_per_second(folder.path));
  for (const char* io : {"pread", "uring"}) {
    std::printf("   %s: %.0f fills/s (1 line), %.0f fills/s (8 lines), 2 daemon threads %.0f fills/s, write-backs %.0f /s\n", io,
                fills_per_second(folder.path, io, 1, 1, false), fills_per_second(folder.path, io, 1, 8, false),
                fills_per_second(folder.path, io, 2, 1, false), fills_per_second(folder.path, io, 1, 1, true));
    std::printf("   %s with a fast medium: %.0f fills/s (1 line), %.0f fills/s (8 lines), 2 daemon threads %.0f fills/s\n", io,
                fills_per_second(folder.path, io, 1, 1, false, fast_medium()), fills_per_second(folder.path, io, 1, 8, false, fast_medium()),
                fills_per_second(folder.path, io, 2, 1, false, fast_medium()));
  }
}

}  // namespace warpfs::test
