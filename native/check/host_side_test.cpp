// The host side as an actor, driven by a seeded schedule. Here: what it does without faults; the other parts in their files.
#include "host_side_test.h"

#include <algorithm>
#include <cerrno>
#include <set>

namespace warpfs::test {

namespace {

void opcodes(uint32_t seed) {
  Folder folder;
  const std::string bytes = pattern(3 * 4096 + 100);
  write_file(folder.at("a.bin"), bytes);
  Stage stage(folder, seed);
  Gpu& gpu = stage.gpu;
  const int32_t file = stage.open("a.bin", READ);
  CHECK_EQUAL(gpu.entry(file).handle, file);
  CHECK_EQUAL(gpu.published_size(file), bytes.size());
  CHECK_EQUAL(stage.open("missing", READ), -ENOENT);
  CHECK_EQUAL(stage.open("../a.bin", READ), -EXDEV);
  CHECK_EQUAL(stage.ask(Gpu::request(Opcode::STAT, file)).value, bytes.size());
  std::memset(gpu.line(6), 0xee, 4096);
  CHECK_EQUAL(stage.fill(file, 3 * 4096, 6), 0);
  CHECK(std::memcmp(gpu.line(6), (bytes.substr(3 * 4096) + std::string(3996, 0)).data(), 4096) == 0);
  gpu.post(gpu.fill_request(file, 0, {9, LINE_NONE, 1, LINE_NONE, 70}));
  stage.settle();
  CHECK(std::memcmp(gpu.line(9), bytes.data(), 4096) == 0);
  CHECK(std::memcmp(gpu.line(1), bytes.data() + 8192, 4096) == 0);
  CHECK_EQUAL(gpu.view.dones[70].sequence, 1);

  const int32_t made = stage.open("new.bin", CREATE);
  Request extend = Gpu::request(Opcode::EXTEND, made);
  extend.offset = 4096 + 300;
  CHECK_EQUAL(stage.ask(extend).value, 4096 + 300);
  std::memset(gpu.line(20), 'x', 4096);
  CHECK_EQUAL(stage.write_back(made, 4096 + 7, 200, 20), 0);
  CHECK_EQUAL(stage.ask(Gpu::request(Opcode::SYNC, made)).result, 0);
  CHECK(read_file(folder.at("new.bin")) == std::string(4096 + 7, 0) + std::string(200, 'x') + std::string(93, 0));
  CHECK_EQUAL(stage.ask(Gpu::request(Opcode::CLOSE, made)).result, 0);
  CHECK_EQUAL(stage.fill(made, 0, 20), -EBADF);
  CHECK_EQUAL(stage.host.sync_all(), 0);
  CHECK_EQUAL(stage.host.completions(), 14);
  CHECK_EQUAL(stage.host.faults_injected(), 0);
}

void read_only() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(4096));
  Stage stage(folder, 0, {}, true);
  CHECK_EQUAL(stage.open("a.bin", READ_WRITE), -EROFS);
  CHECK(stage.open("a.bin", READ) >= 0);
}

/// Sees which line is told when.
struct OrderWatch : HostWatch {
  explicit OrderWatch(const HostView& v) : view(v) { host_watch = this; }
  ~OrderWatch() { host_watch = nullptr; }
  uint64_t load(const void* word, uint32_t, int order) override {
    const uint32_t* from = static_cast<const uint32_t*>(word);
    return order == __ATOMIC_ACQUIRE ? __atomic_load_n(from, __ATOMIC_ACQUIRE) : __atomic_load_n(from, __ATOMIC_RELAXED);
  }
  void store(void* word, uint64_t value, uint32_t, int order) override {
    const uint8_t* at = static_cast<uint8_t*>(word);
    const uint8_t* dones = reinterpret_cast<uint8_t*>(view.dones);
    const uint8_t* boxes = reinterpret_cast<uint8_t*>(view.mailboxes);
    if (order == __ATOMIC_RELEASE && at >= dones && at < dones + 72 * sizeof(LineDone)) told += char('0' + (at - dones) / sizeof(LineDone));
    if (order == __ATOMIC_RELEASE && at >= boxes && at < boxes + 16 * sizeof(Mailbox)) told += char('a' + (at - boxes) / sizeof(Mailbox));
    *static_cast<uint32_t*>(word) = uint32_t(value);
  }
  void read_bytes(const void* from, void* to, size_t count) override { std::memcpy(to, from, count); }
  void write_bytes(void* to, const void* from, size_t count) override {
    from != nullptr ? (void)std::memcpy(to, from, count) : (void)std::memset(to, 0, count);
  }
  HostView view;
  std::string told;
};

std::string order_of_completions(const Folder& folder, uint32_t seed) {
  Stage stage(folder, seed);
  const int32_t file = stage.open("a.bin", READ);
  stage.gpu.post(stage.gpu.fill_request(file, 0, {0}));
  stage.gpu.post(stage.open_request("b.bin", READ, 1));  // served by the pool: it is not known yet
  stage.gpu.post(stage.gpu.fill_request(file, 4096, {1}));
  stage.gpu.post(stage.gpu.fill_request(file, 8192, {2}));
  OrderWatch watch(stage.gpu.view);
  stage.settle();
  for (uint32_t line = 0; line < 3; line++) {
    CHECK_EQUAL(stage.gpu.view.dones[line].result, 0);
    CHECK(std::memcmp(stage.gpu.line(line), pattern(3 * 4096).data() + line * 4096, 4096) == 0);
  }
  return watch.told;
}

void orders() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(3 * 4096));
  write_file(folder.at("b.bin"), pattern(10));
  CHECK(order_of_completions(folder, 0) == "0b12");
  std::set<std::string> seen;
  for (uint32_t seed = 1; seed <= 400; seed++) seen.insert(order_of_completions(folder, seed));
  CHECK_EQUAL(seen.size(), 24);
  CHECK(order_of_completions(folder, 77) == order_of_completions(folder, 77));
}

/// Whichever comes first, a truncation or the bytes of before: they are gone, and the file is empty.
void truncations() {
  std::set<uint64_t> written;
  for (uint32_t seed = 0; seed < 60; seed++) {
    Folder folder;
    write_file(folder.at("a.bin"), pattern(8192));
    Stage stage(folder, seed);
    const int32_t file = stage.open("a.bin", READ_WRITE);
    const uint32_t old_id = stage.gpu.entry(file).file_id;
    Request truncate = Gpu::request(Opcode::TRUNCATE, file);
    truncate.mailbox = 1;
    stage.gpu.post(truncate);
    for (uint32_t line = 0; line < 3; line++) stage.gpu.post(stage.gpu.write_request(file, line * 4096, 4096, line));
    stage.settle();
    for (uint32_t line = 0; line < 3; line++) CHECK_EQUAL(stage.gpu.view.dones[line].result, 0);
    CHECK_EQUAL(stage.gpu.view.mailboxes[1].result, 0);
    CHECK(stage.gpu.entry(file).file_id != old_id);
    CHECK_EQUAL(stage.gpu.published_size(file), 0);
    CHECK_EQUAL(std::filesystem::file_size(folder.at("a.bin")), 0);
  }
}

void restarts() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(8192));
  Stage stage(folder, 5);
  const int32_t file = stage.open("a.bin", READ);
  // The memory as it was: heads, requests, answers. A schedule begins with it each time.
  std::vector<RingHead> heads(stage.gpu.view.ring_heads, stage.gpu.view.ring_heads + 2);
  std::vector<Request> requests(stage.gpu.view.requests, stage.gpu.view.requests + 128);
  const std::vector<uint32_t> tails = stage.gpu.tails;
  for (int schedule = 0; schedule < 100; schedule++) {
    std::copy(heads.begin(), heads.end(), stage.gpu.view.ring_heads);
    std::copy(requests.begin(), requests.end(), stage.gpu.view.requests);
    stage.gpu.tails = tails;
    stage.host.restart();
    for (uint32_t i = 0; i < 5; i++) CHECK_EQUAL(stage.fill(file, i % 2 * 4096, i), 0);
    CHECK(std::memcmp(stage.gpu.line(3), pattern(8192).data() + 4096, 4096) == 0);
  }
  CHECK_EQUAL(stage.choices.pauses, 101);
}

/// What it leaves in the memory that the host writes.
std::string hostile(uint32_t seed, const HostFaults& faults) {
  Folder outer;
  const std::string root = outer.at("root");
  std::filesystem::create_directory(root);
  write_file(outer.at("secret"), pattern(5000, 9));
  write_file(root + "/a.bin", pattern(100000));
  SeededChoices choices(seed);
  Gpu gpu(small_geometry(64, 2, 8));
  HostSide host(gpu.view, root, false, faults, choices);
  choices.host = &host;
  uint8_t* outboxes = const_cast<uint8_t*>(gpu.view.outboxes);
  const char* names[] = {"a.bin", "../secret", "x", "/etc/passwd", ".", "x/../y", ""};
  for (uint32_t slot = 0; slot < 16; slot++) std::strcpy(reinterpret_cast<char*>(outboxes) + slot * OUTBOX_BYTES, names[slot % 7]);
  gpu.post(Gpu::open_request(READ_WRITE, 5));
  host.run();
  const int32_t file = gpu.view.mailboxes[0].result;
  uint64_t posted = 1;
  for (uint32_t i = 0; i < 20000; i++, posted++) {
    gpu.post(hostile_request(choices.random, file, gpu), i % 2);
    if (i % 37 == 0 || i % 51 == 0) host.run();
    if (host.dead()) break;
  }
  host.run();
  if (faults.die == 0) CHECK(host.completions() >= posted);
  CHECK(host.dead() || host.idle());
  CHECK(read_file(outer.at("secret")) == pattern(5000, 9));
  for (const auto& entry : std::filesystem::directory_iterator(outer.path)) {
    CHECK(entry.path().filename() == "secret" || entry.path().filename() == "root");
  }
  std::string left;
  const auto add = [&](const auto* from, size_t count) { left.append(reinterpret_cast<const char*>(from), count * sizeof *from); };
  add(gpu.view.dones, 72);
  add(gpu.view.lines, 72 * 4096);
  add(gpu.view.files, 8);
  add(gpu.view.mailboxes, 16);
  add(choices.decisions.data(), choices.decisions.size());
  return left;
}

void costs() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(8192));
  SeededChoices choices(0);
  Gpu gpu(small_geometry(64, 2, 8));
  std::optional<HostSide> host;
  const double made = best_nanoseconds(500, [&] { host.emplace(gpu.view, folder.path, false, HostFaults{}, choices); });
  const double restarted = best_nanoseconds(10000, [&] { host->restart(); });
  Stage stage(folder);
  const int32_t file = stage.open("a.bin", READ);
  const double filled = best_nanoseconds(10000, [&] { stage.fill(file, 0, 1); });
  std::printf("   a host side is made and ended in %.1f us, restarted in %.2f us; a fill takes %.2f us\n", made / 1e3, restarted / 1e3,
              filled / 1e3);
}

}  // namespace

}  // namespace warpfs::test

int main() {
  using namespace warpfs::test;
  test("every opcode, the usual order", [] { opcodes(0); });
  test("every opcode, other orders", [] {
    for (uint32_t seed = 1; seed < 30; seed++) opcodes(seed);
  });
  test("a read-only host", read_only);
  test("completions come in every order, the usual one is the order of the requests", orders);
  test("a truncation comes before or after a write-back", truncations);
  test("a restarted host goes on where the heads say", restarts);
  test("hostile requests", [] { hostile(3, {}); });
  test("hostile requests and every fault", [] {
    const warpfs::HostFaults faults{.eio = 50, .enospc = 50, .eintr = 50, .short_io = 100, .delay = 100, .truncate = 20, .replace = 20};
    for (uint32_t seed = 1; seed < 4; seed++) hostile(seed, faults);
  });
  test("hostile requests to hosts that die", [] {
    for (uint32_t seed = 1; seed < 6; seed++) hostile(seed, {.short_io = 100, .die = 5, .revive = 990});
  });
  test("the same seed does the same", [] {
    const warpfs::HostFaults faults{.eio = 50, .eintr = 50, .short_io = 100, .delay = 100, .die = 1, .revive = 1000, .truncate = 20, .replace = 20};
    for (uint32_t seed = 7; seed < 10; seed++) CHECK(hostile(seed, faults) == hostile(seed, faults));
  });
  test_watch();
  test_faults();
  costs();
  return 0;
}
