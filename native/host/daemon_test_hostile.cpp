// A gpu that lies, one that changes its mind, and one whose warps get in each other's way.
#include "daemon_test.h"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <random>

namespace warpfs::test {

namespace {

void fuzz(const std::string& io) {
  Folder outer;
  const std::string root = outer.at("root");
  std::filesystem::create_directory(root);
  const std::string secret = pattern(5000, 9);
  write_file(outer.at("secret"), secret);
  write_file(root + "/a.bin", pattern(100000));
  const Geometry g = small_geometry(64, 2, 1024);
  Gpu gpu(g);
  {
    Daemon daemon(gpu.view, {.root = root, .threads = 2, .io = io});
    daemon.begin_dispatch();
    int32_t file = gpu.open("a.bin", READ_WRITE);
    std::mt19937 random(20240607);
    uint8_t* outboxes = const_cast<uint8_t*>(gpu.view.outboxes);
    const char* names[] = {"a.bin", "../secret", "x", "/etc/passwd", ".", "x/../y", ""};
    for (uint32_t slot = 0; slot < g.slot_count; slot++) {
      char* outbox = reinterpret_cast<char*>(outboxes) + slot * OUTBOX_BYTES;
      std::strcpy(outbox, names[slot % 7]);
      std::strcpy(outbox + std::strlen(outbox) + 1, names[(slot + 2 + slot / 7) % 7]);  // for a rename
    }
    for (uint32_t index = 0; index < g.mask_count; index++) {
      for (uint32_t word = 0; word < g.line_bytes / 32; word++) gpu.mask(index)[word] = word % 64 == 63 ? uint32_t(random()) : 0u;
    }
    for (uint32_t i = 0; i < 100000; i++) {
      if (i % 128 == 127) {  // some request may have closed or removed it
        daemon.wait_until_drained();
        file = gpu.open("a.bin", CREATE);
        CHECK(file >= 0);
      }
      Request r = hostile_request(random, file, gpu);
      if (r.opcode == Opcode::SYNC && i % 16 != 0) r.opcode = Opcode::STAT;  // a disk is slow
      gpu.post(r, i % 2);
    }
    daemon.wait_until_drained();
    CHECK(daemon.stats().refused > 10000);
    CHECK(daemon.stats().served[Opcode::FILL] > 1000);
    CHECK(daemon.stats().served[Opcode::WRITE_BACK] > 1000);
    for (uint32_t opcode : {Opcode::TRUNCATE, Opcode::UNLINK, Opcode::RENAME}) CHECK(daemon.stats().served[opcode] > 100);
    const int32_t again = gpu.open("a.bin", READ);
    CHECK(again >= 0);
    CHECK_EQUAL(gpu.fill(again, 4096, 7), 0);
    CHECK(std::memcmp(gpu.line(7), (read_file(root + "/a.bin") + std::string(8192, 0)).data() + 4096, 4096) == 0);
    daemon.end_dispatch();
  }
  CHECK(read_file(outer.at("secret")) == secret);
  for (const auto& entry : std::filesystem::directory_iterator(outer.path)) {
    CHECK(entry.path().filename() == "secret" || entry.path().filename() == "root");
  }
}

void changing_requests() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(100000));
  Mount m(folder, small_geometry(4, 1));
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a.bin", READ_WRITE);
  std::atomic<bool> stop{false};
  std::thread flipper([&] {
    std::mt19937 random(7);
    while (!stop.load(std::memory_order_relaxed)) {
      Request* slot = gpu.view.requests + random() % 4;
      uint32_t* word = reinterpret_cast<uint32_t*>(slot) + 1 + random() % 15;  // all but the sequence
      store_relaxed(word, random() % 3 == 0 ? uint32_t(random()) : uint32_t(random() % 100));
      if (random() % 64 == 0) std::this_thread::yield();
    }
  });
  for (uint32_t i = 0; i < 30000; i++) {
    if (i % 2 == 0) gpu.post(gpu.fill_request(file, i % 16 * 4096, {i % 64, (i + 1) % 64}));
    else gpu.post(gpu.write_request(file, i % 50000, 1 + i % 64, i % 64));
  }
  stop = true;
  flipper.join();
  m.daemon.wait_until_drained();
  const int32_t again = gpu.open("a.bin", CREATE);  // it may have been removed
  CHECK(again >= 0);
  CHECK_EQUAL(gpu.fill(again, 0, 7), 0);
}

/// One file is opened, filled from and closed by several warps while others use its entry: descriptors never mix up files.
void churn(const std::string& io) {
  Folder folder;
  for (int i = 0; i < 8; i++) write_file(folder.at("f" + std::to_string(i)), std::string(64 * 4096, char('a' + i)));
  Mount m(folder, small_geometry(16, 4, 4), {.threads = 2, .io = io});
  std::vector<std::thread> warps;
  std::atomic<uint32_t> filled{0};
  for (uint32_t warp = 0; warp < 4; warp++) {
    warps.emplace_back([&, warp] {
      std::mt19937 random(warp);
      const uint32_t line = warp * 4;
      for (int i = 0; i < 1500; i++) {
        const uint32_t which = random() % 8;
        const int32_t file = m.gpu.open("f" + std::to_string(which), READ, warp, warp);
        if (file == -ENFILE) continue;
        CHECK(file >= 0);
        for (int fill = 0; fill < 3; fill++) {
          CHECK_EQUAL(m.gpu.fill(file, random() % 64 * 4096, line, warp), 0);
          CHECK_EQUAL(m.gpu.line(line)[fill * 1000], 'a' + which);
          filled++;
        }
        Request close = m.gpu.request(Opcode::CLOSE, file);
        // A fill that nobody waits for is overtaken by the close: bytes of this file or an error, never another file's.
        const uint32_t before = load_acquire(&m.gpu.view.dones[line + 1].sequence);
        m.gpu.post(m.gpu.fill_request(file, random() % 64 * 4096, {line + 1}), warp);
        CHECK_EQUAL(m.gpu.ask(close, warp, warp).result, 0);
        if (m.gpu.wait_line(line + 1, before) == 0) CHECK_EQUAL(m.gpu.line(line + 1)[77], 'a' + which);
      }
    });
  }
  for (std::thread& warp : warps) warp.join();
  CHECK(filled > 100);
}

}  // namespace

void test_hostile() {
  test("100000 hostile requests, pread", [] { fuzz("pread"); });
#if defined(__linux__)
  test("100000 hostile requests, uring", [] { fuzz("uring"); });
#endif
  test("requests that change while they are read", changing_requests);
  test("open, fill and close in four warps, pread", [] { churn("pread"); });
#if defined(__linux__)
  test("open, fill and close in four warps, uring", [] { churn("uring"); });
#endif
}

}  // namespace warpfs::test
