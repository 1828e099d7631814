// A daemon with a medium: answers wait for their time, whoever ended them, and nothing is lost on the way. No test asks for an answer in time:
// only that none comes early.
#include "daemon_test.h"

#include <cerrno>

namespace warpfs::test {

namespace {

constexpr double MS = 1e6;

/// Every request takes exactly this long.
MediumProfile constant(double ns, uint32_t queue_depth = 64) {
  MediumProfile profile;
  profile.queue_depth = queue_depth;
  profile.read = profile.write = {{ns, ns}, 1e9 / ns * 64, 1e9 / ns * 64, 1e12};
  profile.sync = {2 * ns, 2 * ns};
  return profile;
}

double ms_since(Clock::time_point start) { return seconds_since(start) * 1000; }

void never_early(const std::string& io) {
  Folder folder;
  const std::string bytes = pattern(16 * 4096);
  write_file(folder.at("a.bin"), bytes);
  Mount m(folder, small_geometry(), {.io = io, .medium = constant(3 * MS)});
  const int32_t file = m.gpu.open("a.bin", READ_WRITE);
  for (uint32_t page = 0; page < 4; page++) {
    const auto start = Clock::now();
    CHECK_EQUAL(m.gpu.fill(file, page * 4096, page), 0);
    CHECK(ms_since(start) >= 3);
    CHECK(std::memcmp(m.gpu.line(page), bytes.data() + page * 4096, 4096) == 0);
  }
  auto start = Clock::now();
  std::memset(m.gpu.line(1), 'x', 4096);
  CHECK_EQUAL(m.gpu.write_back(file, 4096, 100, 1), 0);
  CHECK(ms_since(start) >= 3);
  start = Clock::now();
  CHECK_EQUAL(m.gpu.sync(file), 0);
  CHECK(ms_since(start) >= 6);
  CHECK(read_file(folder.at("a.bin")).substr(4096, 100) == std::string(100, 'x'));
  const auto record = m.daemon.medium_record();
  CHECK_EQUAL(record->given[size_t(MediumKind::READ)].count(), 4);
  CHECK_EQUAL(record->given[size_t(MediumKind::WRITE)].count(), 1);
  CHECK_EQUAL(record->given[size_t(MediumKind::SYNC)].count(), 1);
  CHECK_EQUAL(record->late.count(), 6);
  CHECK(record->given[0].max() >= 3 * MS && record->wanted[0].max() >= uint64_t(3 * MS) - 1);
}

void random_times_are_kept(const std::string& io) {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(64 * 4096));
  MediumProfile profile = constant(200000, 8);
  profile.read.latency.p99 = 3 * MS;
  Mount m(folder, small_geometry(), {.threads = 2, .io = io, .medium = profile});
  const int32_t file = m.gpu.open("a.bin", READ);
  for (uint32_t i = 0; i < 300; i++) m.gpu.post(m.gpu.fill_request(file, i % 64 * 4096, {i % 64}), i % 2);
  m.daemon.wait_until_drained();
  const auto record = m.daemon.medium_record();
  CHECK_EQUAL(record->late.count(), 300);
  // Each was late by nothing or something: sorted, the times that were given are never below those that were wanted.
  for (const double part : {0.01, 0.1, 0.5, 0.9, 1.0}) CHECK(record->given[0].quantile(part) >= record->wanted[0].quantile(part));
  CHECK(record->wanted[0].quantile(0.99) > 3 * record->wanted[0].quantile(0.01));
}

/// The device is one for all threads: with a queue of one place requests come one after the other, whatever ring they are in.
void one_device() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(64 * 4096));
  Mount m(folder, small_geometry(), {.threads = 2, .medium = constant(1 * MS, 1)});
  const int32_t file = m.gpu.open("a.bin", READ);
  const auto start = Clock::now();
  for (uint32_t i = 0; i < 20; i++) m.gpu.post(m.gpu.fill_request(file, i * 4096, {i}), i % 2);
  for (uint32_t answered = 1; answered <= 20; answered++) {
    const auto count = [&] {
      uint32_t done = 0;
      for (uint32_t i = 0; i < 20; i++) done += load_acquire(&m.gpu.view.dones[i].sequence);
      return done;
    };
    m.gpu.wait([&] { return count() >= answered; });
    CHECK(ms_since(start) >= answered);
  }
}

void drained_is_answered() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(4096));
  Mount m(folder, small_geometry(), {.medium = constant(40 * MS)});
  const int32_t file = m.gpu.open("a.bin", READ);
  m.daemon.wait_until_drained();
  const auto start = Clock::now();
  m.gpu.post(m.gpu.fill_request(file, 0, {3}));
  m.gpu.wait([&] { return m.daemon.stats().bytes_read == 4096; });
  // The bytes are there, nobody was told.
  const bool drained = m.daemon.is_drained();
  CHECK(!drained || ms_since(start) >= 40);
  m.daemon.wait_until_drained();
  CHECK(ms_since(start) >= 40);
  CHECK_EQUAL(load_acquire(&m.gpu.view.dones[3].sequence), 1);
}

void errors_wait_too(const std::string& io) {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(8192));
  Mount m(folder, small_geometry(), {.io = io, .medium = constant(4 * MS)});
  const int32_t file = m.gpu.open("a.bin", READ_WRITE);
  m.daemon.host_calls().inject({.call = 1, .error = EIO, .for_good = true, .kinds = kind_bit(CallKind::READ) | kind_bit(CallKind::WRITE) | kind_bit(CallKind::SYNC)});
  auto start = Clock::now();
  CHECK_EQUAL(m.gpu.fill(file, 0, 1), -Errno::eio);
  CHECK(ms_since(start) >= 4);
  start = Clock::now();
  CHECK_EQUAL(m.gpu.write_back(file, 0, 4096, 1), -Errno::eio);
  CHECK(ms_since(start) >= 4);
  start = Clock::now();
  CHECK(m.gpu.sync(file) < 0);
  CHECK(ms_since(start) >= 8);
  m.daemon.host_calls().lift();
  CHECK_EQUAL(m.gpu.fill(file, 0, 1), 0);
}

/// What is asked for right before the end is answered before it, and the memory is not touched behind it.
void nothing_is_left_behind(const std::string& io) {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(64 * 4096));
  for (int round = 0; round < 10; round++) {
    Gpu gpu(small_geometry());
    {
      Daemon daemon(gpu.view, Mount::rooted({.threads = 2, .io = io, .medium = constant(2 * MS)}, folder.path));
      daemon.begin_dispatch();
      const int32_t file = gpu.open("a.bin", READ_WRITE);
      for (uint32_t i = 0; i < 32; i++) gpu.post(i % 3 == 0 ? gpu.write_request(file, i * 4096, 10, i) : gpu.fill_request(file, i * 4096, {i}), i % 2);
      Request sync = gpu.request(Opcode::SYNC, file);
      sync.mailbox = 5;
      gpu.post(sync);
      const auto is_taken = [&](uint32_t ring) { return load_acquire(&gpu.view.ring_heads[ring].head) == gpu.tails[ring]; };
      gpu.wait([&] { return is_taken(0) && is_taken(1); });
      daemon.end_dispatch();
    }
    for (uint32_t i = 0; i < 32; i++) CHECK_EQUAL(load_acquire(&gpu.view.dones[i].sequence), 1);
    CHECK_EQUAL(load_acquire(&gpu.view.mailboxes[5].sequence), 1);
  }
}

/// Between dispatches the threads sleep, but not before everything is told.
void gate_waits() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(4096));
  Mount m(folder, small_geometry(), {.medium = constant(10 * MS)});
  const int32_t file = m.gpu.open("a.bin", READ);
  const uint32_t before = m.gpu.view.dones[2].sequence;
  m.gpu.post(m.gpu.fill_request(file, 0, {2}));
  m.gpu.wait([&] { return m.daemon.stats().bytes_read == 4096; });
  m.daemon.end_dispatch();
  CHECK_EQUAL(m.gpu.wait_line(2, before), 0);
  m.daemon.begin_dispatch();
}

void sync_all_waits() {
  Folder folder;
  Mount m(folder, small_geometry(), {.medium = constant(5 * MS)});
  const int32_t file = m.gpu.open("new.bin", CREATE);
  CHECK_EQUAL(m.gpu.write_back(file, 0, 10, 1), 0);
  auto start = Clock::now();
  CHECK_EQUAL(m.daemon.sync_all(), 0);
  CHECK(ms_since(start) >= 10);
}

void raw_has_no_record() {
  Folder folder;
  Mount m(folder);
  CHECK(m.daemon.medium_record() == nullptr);
}

}  // namespace

void test_medium() {
  std::vector<std::string> engines = {"pread"};
#if defined(__linux__)
  engines.push_back("uring");
#endif
  for (const std::string& io : engines) {
    std::printf("   %s\n", io.c_str());
    test("medium: no answer before its time", [&] { never_early(io); });
    test("medium: drawn times are kept, by two threads", [&] { random_times_are_kept(io); });
    test("medium: an answer with an error waits as well", [&] { errors_wait_too(io); });
    test("medium: nothing is left behind at the end", [&] { nothing_is_left_behind(io); });
  }
  test("medium: one device for all threads", one_device);
  test("medium: drained is answered", drained_is_answered);
  test("medium: a dispatch that ends leaves nothing untold", gate_waits);
  test("medium: the sync of everything takes its time", sync_all_waits);
  test("medium: without one nothing is recorded", raw_has_no_record);
}

}  // namespace warpfs::test
