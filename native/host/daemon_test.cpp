// The daemon, tested by a program that plays the gpu. Here: the protocol and what each opcode does; the other parts in their files.
#include "daemon_test.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace warpfs::test {

namespace {

void opcodes(const std::string& io) {
  Folder folder;
  const std::string bytes = pattern(3 * 4096 + 100);
  write_file(folder.at("a.bin"), bytes);
  Mount m(folder, small_geometry(), {.io = io});
  CHECK(m.daemon.engine() == io);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a.bin", READ);
  CHECK(file >= 0 && (uint32_t(file) & HANDLE_WRITABLE) == 0);
  CHECK_EQUAL(gpu.entry(file).handle, file);
  CHECK_EQUAL(gpu.published_size(file), bytes.size());
  CHECK_EQUAL(gpu.entry(file).version % 2, 0);
  CHECK(gpu.entry(file).file_id != 0);
  CHECK_EQUAL(gpu.stat(file).value, bytes.size());

  CHECK_EQUAL(gpu.fill(file, 4096, 5), 0);
  CHECK(std::memcmp(gpu.line(5), bytes.data() + 4096, 4096) == 0);
  // Past the end: the whole line is defined.
  std::memset(gpu.line(6), 0xee, 4096);
  CHECK_EQUAL(gpu.fill(file, 3 * 4096, 6, 1), 0);
  CHECK(std::memcmp(gpu.line(6), bytes.data() + 3 * 4096, 100) == 0);
  for (uint32_t i = 100; i < 4096; i++) CHECK_EQUAL(gpu.line(6)[i], 0);
  std::memset(gpu.line(6), 0xee, 4096);
  CHECK_EQUAL(gpu.fill(file, uint64_t(1) << 40, 6), 0);
  for (uint32_t i = 0; i < 4096; i++) CHECK_EQUAL(gpu.line(6)[i], 0);
  // Lines in any order, some skipped, the last behind the end, a bypass line among them.
  std::memset(gpu.line(9), 0xee, 4096);
  const uint32_t before[3] = {gpu.view.dones[9].sequence, gpu.view.dones[1].sequence, gpu.view.dones[70].sequence};
  gpu.post(gpu.fill_request(file, 0, {9, LINE_NONE, 1, LINE_NONE, 70}));
  CHECK_EQUAL(gpu.wait_line(9, before[0]), 0);
  CHECK_EQUAL(gpu.wait_line(1, before[1]), 0);
  CHECK_EQUAL(gpu.wait_line(70, before[2]), 0);
  CHECK(std::memcmp(gpu.line(9), bytes.data(), 4096) == 0);
  CHECK(std::memcmp(gpu.line(1), bytes.data() + 8192, 4096) == 0);
  CHECK_EQUAL(gpu.line(70)[0], 0);
  // Eight lines in one request.
  const uint32_t first = gpu.view.dones[17].sequence;
  gpu.post(gpu.fill_request(file, 0, {10, 11, 12, 13, 14, 15, 16, 17}));
  CHECK_EQUAL(gpu.wait_line(17, first), 0);
  CHECK(std::memcmp(gpu.line(13), (bytes + std::string(4096, 0)).data() + 3 * 4096, 4096) == 0);

  const int32_t made = gpu.open("new.bin", CREATE);
  CHECK(made >= 0 && (uint32_t(made) & HANDLE_WRITABLE) != 0);
  CHECK_EQUAL(gpu.extend(made, 4096 + 300).value, 4096 + 300);
  CHECK_EQUAL(gpu.extend(made, 10).value, 4096 + 300);
  CHECK_EQUAL(gpu.published_size(made), 4096 + 300);
  std::memset(gpu.line(20), 'x', 4096);
  CHECK_EQUAL(gpu.write_back(made, 4096 + 7, 200, 20), 0);
  CHECK_EQUAL(gpu.sync(made), 0);
  const std::string wanted = std::string(4096 + 7, 0) + std::string(200, 'x') + std::string(93, 0);
  CHECK(read_file(folder.at("new.bin")) == wanted);
  CHECK_EQUAL(gpu.close(made), 0);
  CHECK_EQUAL(gpu.close(file), 0);
  CHECK_EQUAL(gpu.entry(file).handle, 0xffffffffu);
  const uint64_t completions = m.daemon.completions();
  gpu.post(gpu.request(Opcode::NOP));
  CHECK(m.daemon.wait_for_completion(completions, std::chrono::seconds(5)));
  CHECK_EQUAL(m.daemon.sync_all(), 0);
  const Daemon::Stats stats = m.daemon.stats();
  CHECK_EQUAL(stats.served[Opcode::NOP], 1);
  CHECK_EQUAL(stats.served[Opcode::FILL], 5);
  CHECK_EQUAL(stats.bytes_written, 200);
  CHECK_EQUAL(stats.refused, 0);
  CHECK_EQUAL(stats.host_opens, 2);
}

void refusals() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(8192));
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a.bin", READ_WRITE);
  const int32_t reader = file & ~int32_t(HANDLE_WRITABLE);
  const auto fill_fails = [&](const std::function<void(Request&)>& change) {
    Request r = gpu.fill_request(file, 0, {3});
    change(r);
    return gpu.ask_lines(r, 3);
  };
  CHECK_EQUAL(fill_fails([](Request& r) { r.file = 63; }), -EBADF);
  CHECK_EQUAL(fill_fails([](Request& r) { r.file = 64; }), -EBADF);
  CHECK_EQUAL(fill_fails([](Request& r) { r.file |= 1u << HANDLE_INDEX_BITS; }), -EBADF);
  CHECK_EQUAL(fill_fails([](Request& r) { r.file |= 1u << 30; }), -EBADF);
  CHECK_EQUAL(fill_fails([](Request& r) { r.line_count = 9; }), -EINVAL);
  CHECK_EQUAL(fill_fails([](Request& r) { r.line_count = 2, r.length = 8192, r.lines[1] = 72; }), -EINVAL);
  CHECK_EQUAL(fill_fails([](Request& r) { r.line_count = 2, r.length = 8192, r.lines[1] = 3; }), -EINVAL);
  CHECK_EQUAL(fill_fails([](Request& r) { r.offset = 512; }), -EINVAL);
  CHECK_EQUAL(fill_fails([](Request& r) { r.length = 4095; }), -EINVAL);
  CHECK_EQUAL(fill_fails([](Request& r) { r.offset = (uint64_t(1) << 63) - 4096; }), -EOVERFLOW);
  CHECK_EQUAL(fill_fails([](Request& r) { r.offset = ~uint64_t(4095); }), -EOVERFLOW);
  CHECK_EQUAL(gpu.ask_lines(gpu.write_request(reader, 0, 1, 3), 3), -EBADF);
  CHECK_EQUAL(gpu.write_back(file, 0, 0, 3), -EINVAL);
  CHECK_EQUAL(gpu.write_back(file, 1, 4096, 3), -EINVAL);
  CHECK_EQUAL(gpu.write_back(file, 0, 0xffffffffu, 3), -EINVAL);
  CHECK_EQUAL(gpu.write_back(file, (uint64_t(1) << 63) - 2, 2, 3), -EOVERFLOW);
  Request nobodys = gpu.write_request(file, 0, 1, 3);
  nobodys.mailbox = 0;
  CHECK_EQUAL(gpu.ask_lines(nobodys, 3), -EINVAL);
  Request two = gpu.write_request(file, 0, 1, 3);
  two.line_count = 2;
  two.lines[1] = 4;
  CHECK_EQUAL(gpu.ask_lines(two, 3), -EINVAL);
  CHECK_EQUAL(gpu.ask(gpu.request(255)).result, -ENOSYS);
  CHECK_EQUAL(gpu.extend(file, uint64_t(1) << 63).result, -EFBIG);
  CHECK_EQUAL(gpu.extend(reader, 1).result, -EBADF);
  CHECK_EQUAL(gpu.stat(63).result, -EBADF);
  CHECK_EQUAL(gpu.sync(63), -EBADF);
  CHECK_EQUAL(gpu.close(63), -EBADF);
  uint8_t* outbox = const_cast<uint8_t*>(gpu.view.outboxes);
  std::memcpy(outbox, "a.bin\0x", 8);
  CHECK_EQUAL(gpu.ask(gpu.open_request(32, 5)).result, -EINVAL);
  CHECK_EQUAL(gpu.ask(gpu.open_request(READ, 0)).result, -EINVAL);
  CHECK_EQUAL(gpu.ask(gpu.open_request(READ, PATH_BYTES_MAX)).result, -ENAMETOOLONG);
  CHECK_EQUAL(gpu.ask(gpu.open_request(READ, 4)).result, -EINVAL);  // no NUL behind
  CHECK_EQUAL(gpu.ask(gpu.open_request(READ, 7)).result, -EINVAL);  // a NUL inside
  std::memset(outbox, 'y', PATH_BYTES_MAX);
  CHECK_EQUAL(gpu.ask(gpu.open_request(READ, PATH_BYTES_MAX - 1)).result, -EINVAL);

  // Nobody can be told of these; they are counted.
  const uint64_t refused = m.daemon.stats().refused;
  CHECK_EQUAL(refused, 30);
  Request nowhere = gpu.request(Opcode::STAT, file);
  nowhere.mailbox = 16;
  gpu.post(nowhere);
  Request no_lines = gpu.fill_request(file, 0, {});
  gpu.post(no_lines);
  gpu.post(gpu.fill_request(file, 0, {72}));
  m.daemon.wait_until_drained();
  CHECK_EQUAL(m.daemon.stats().refused, refused + 3);
  CHECK_EQUAL(gpu.close(file), 0);
  CHECK_EQUAL(gpu.close(file), -EBADF);
  CHECK_EQUAL(gpu.fill(file, 0, 3), -EBADF);
}

void wrap_around(uint32_t ring_slots) {
  Folder folder;
  const std::string bytes = pattern(64 * 4096);
  write_file(folder.at("a.bin"), bytes);
  Mount m(folder, small_geometry(ring_slots), {.threads = 2}, 0u - 50u);
  const int32_t file = m.gpu.open("a.bin", READ);
  for (uint32_t i = 0; i < 200; i++) {
    const uint32_t page = i * 7 % 64;
    CHECK_EQUAL(m.gpu.fill(file, uint64_t(page) * 4096, i % 72, i % 2), 0);
    CHECK(std::memcmp(m.gpu.line(i % 72), bytes.data() + page * 4096, 4096) == 0);
  }
  // Posted without waiting for answers, so that the ring runs full.
  for (uint32_t i = 0; i < 500; i++) m.gpu.post(m.gpu.fill_request(file, i % 64 * 4096, {i % 64}), 0);
  m.daemon.wait_until_drained();
  for (uint32_t i = 0; i < 64; i++) CHECK(std::memcmp(m.gpu.line(i), bytes.data() + i * 4096, 4096) == 0);
  CHECK_EQUAL(m.gpu.view.ring_heads[0].head, m.gpu.tails[0]);
}

void gate() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(4096));
  Gpu gpu(small_geometry());
  Daemon daemon(gpu.view, {.root = folder.path});
  gpu.post(gpu.request(Opcode::NOP));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK_EQUAL(gpu.view.ring_heads[0].head, 0);
  CHECK(!daemon.wait_for_completion(0, std::chrono::milliseconds(5)));
  daemon.wait_until_drained();
  CHECK_EQUAL(gpu.view.ring_heads[0].head, 1);
  CHECK_EQUAL(daemon.completions(), 1);
}

}  // namespace

}  // namespace warpfs::test

#if defined(WARPFS_TSAN)
extern "C" void __sanitizer_symbolize_pc(void* pc, const char* format, char* out, size_t out_bytes);
#endif

int main(int argc, char** argv) {
  using namespace warpfs::test;
#if defined(WARPFS_TSAN)
  // Starts the program that tells it names, which no thread inside the sandbox can: without names no suppression applies.
  char name[64];
  __sanitizer_symbolize_pc(reinterpret_cast<void*>(&main), "%f", name, sizeof name);
#endif
  const std::string argument = argc < 2 ? "" : argv[1];
  if (argument == "--speed") {
    print_speed();
    return 0;
  }
  test("every opcode, pread", [] { opcodes("pread"); });
#if defined(__linux__)
  test("every opcode, uring", [] { opcodes("uring"); });
#endif
  test("refusals", refusals);
  test("positions wrap around", [] { wrap_around(64); });
  test("a ring of one slot", [] { wrap_around(1); });
  test("rings are polled during a dispatch only", gate);
  test_files();
  test_paths();
  test_opening();
  test_truncation();
  test_names();
  test_masks();
  test_owed();
  test_trust();
  test_durability();
  test_holds();
  test_syncs();
  test_hostile();
  test_manners();
  test_calls();
  test_sandbox();
  test_medium();
  if (argument != "--no-speed") print_speed();
  return 0;
}
