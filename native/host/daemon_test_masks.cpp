// Write-backs of scattered bytes: those whose bits are set reach the file, and no byte between them is touched.
#include "daemon_test.h"

#include <atomic>
#include <bit>
#include <cerrno>
#include <filesystem>
#include <random>
#include <unistd.h>

namespace warpfs::test {

namespace {

void set_bits(uint32_t* mask, uint32_t first, uint32_t count) {
  for (uint32_t bit = first; bit < first + count; bit++) mask[bit / 32] |= 1u << bit % 32;
}

Request masked(const Gpu& gpu, int32_t file, uint64_t offset, uint32_t line, uint32_t mask) {
  Request r = gpu.write_request(file, offset, gpu.memory.geometry().line_bytes, line);
  r.lines[1] = mask + 1;
  return r;
}

/// Random masks; what others wrote between the bits stays.
void runs(const std::string& io, uint32_t line_bytes) {
  Folder folder;
  const std::string path = folder.at("a.bin");
  std::string wanted = pattern(16 * line_bytes, 3);
  write_file(path, wanted);
  Geometry g = small_geometry();
  g.line_bytes = line_bytes;
  g.line_shift = uint32_t(std::countr_zero(line_bytes));
  Mount m(folder, g, {.io = io});
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a.bin", READ_WRITE);
  std::mt19937 random(5);
  const uint32_t rounds = line_bytes <= 4096 ? 40 : 8;  // thousands of writes in each of a large line
  for (uint32_t round = 0; round < rounds; round++) {
    const uint32_t page = random() % 16, index = random() % 8, line = random() % 64;
    uint32_t* mask = gpu.mask(index);
    for (uint32_t word = 0; word < line_bytes / 32; word++) {
      const uint32_t kind = random() % 8;
      mask[word] = kind < 5 ? 0 : kind == 5 ? ~0u : uint32_t(random());
    }
    const std::string bytes = pattern(line_bytes, round + 100);
    std::memcpy(gpu.line(line), bytes.data(), line_bytes);
    for (uint32_t byte = 0; byte < line_bytes; byte++) {
      if ((mask[byte / 32] >> byte % 32 & 1) != 0) wanted[page * line_bytes + byte] = bytes[byte];
    }
    CHECK_EQUAL(gpu.ask_lines(masked(gpu, file, page * line_bytes, line, index), line), 0);
    CHECK(read_file(path) == wanted);
  }
  CHECK_EQUAL(m.daemon.stats().refused, 0);
}

/// The size ends with the last byte that was written, and a mask without bits writes nothing.
void sizes(const std::string& io) {
  Folder folder;
  write_file(folder.at("a.bin"), "0123456789");
  Mount m(folder, small_geometry(), {.io = io});
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a.bin", READ_WRITE);
  std::memset(gpu.line(0), 'x', 4096);
  CHECK_EQUAL(gpu.ask_lines(masked(gpu, file, 0, 0, 2), 0), 0);
  CHECK_EQUAL(m.daemon.stats().bytes_written, 0);
  CHECK_EQUAL(gpu.published_size(file), 10);
  set_bits(gpu.mask(2), 2, 3);
  set_bits(gpu.mask(2), 20, 1);
  CHECK_EQUAL(gpu.ask_lines(masked(gpu, file, 0, 0, 2), 0), 0);
  CHECK_EQUAL(gpu.published_size(file), 21);
  CHECK(read_file(folder.at("a.bin")) == "01xxx56789" + std::string(10, 0) + "x");
  CHECK_EQUAL(m.daemon.stats().bytes_written, 4);
  // The first and the last bit of a line, and of the mask beside it.
  std::memset(gpu.mask(2), 0, 512);
  std::memset(gpu.mask(3), 0xff, 512);
  set_bits(gpu.mask(2), 0, 1);
  set_bits(gpu.mask(2), 4095, 1);
  CHECK_EQUAL(gpu.ask_lines(masked(gpu, file, 4096, 0, 2), 0), 0);
  CHECK_EQUAL(gpu.published_size(file), 8192);
  CHECK_EQUAL(m.daemon.stats().bytes_written, 6);
  // Dead bytes.
  const Request old = masked(gpu, file, 0, 0, 2);
  CHECK_EQUAL(gpu.truncate(file, 0).result, 0);
  CHECK_EQUAL(gpu.ask_lines(old, 0), 0);
  CHECK_EQUAL(m.daemon.stats().bytes_written, 6);
  CHECK_EQUAL(gpu.sync(file), 0);
  CHECK_EQUAL(gpu.close(file), 0);
}

void hostile() {
  Folder folder;
  write_file(folder.at("a.bin"), "abc");
  Geometry g = small_geometry();
  g.file_bytes_max = 10000;
  Mount m(folder, g);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a.bin", READ_WRITE);
  set_bits(gpu.mask(0), 0, 4096);
  const auto fails = [&](const std::function<void(Request&)>& change) {
    Request r = masked(gpu, file, 0, 3, 0);
    change(r);
    return gpu.ask_lines(r, 3);
  };
  CHECK_EQUAL(fails([](Request& r) { r.lines[1] = 9; }), -EINVAL);
  CHECK_EQUAL(fails([](Request& r) { r.lines[1] = ~0u; }), -EINVAL);
  CHECK_EQUAL(fails([](Request& r) { r.length = 4095; }), -EINVAL);
  CHECK_EQUAL(fails([](Request& r) { r.offset = 1; }), -EINVAL);
  CHECK_EQUAL(fails([](Request& r) { r.offset = 1, r.length = 4095; }), -EINVAL);
  CHECK_EQUAL(fails([](Request& r) { r.offset = uint64_t(1) << 63; }), -EOVERFLOW);
  CHECK_EQUAL(fails([](Request& r) { r.offset = ~uint64_t(4095); }), -EOVERFLOW);
  CHECK_EQUAL(fails([](Request& r) { r.file &= ~uint32_t(HANDLE_WRITABLE); }), -EBADF);
  // The limit of file sizes counts for the bytes that are set, not for the line.
  CHECK_EQUAL(fails([](Request& r) { r.offset = 8192; }), -EFBIG);
  CHECK_EQUAL(fails([](Request& r) { r.offset = (uint64_t(1) << 63) - 4096; }), -EFBIG);
  CHECK_EQUAL(gpu.write_back(file, 8192, 1809, 3), -EFBIG);
  CHECK_EQUAL(gpu.extend(file, 10001).result, -EFBIG);
  CHECK_EQUAL(gpu.truncate(file, 10001).result, -EFBIG);
  CHECK_EQUAL(gpu.published_size(file), 3);
  CHECK_EQUAL(m.daemon.stats().bytes_written, 0);
  std::memset(gpu.mask(0), 0, 512);
  set_bits(gpu.mask(0), 1807, 1);
  CHECK_EQUAL(fails([](Request& r) { r.offset = 8192; }), 0);
  CHECK_EQUAL(gpu.published_size(file), 10000);
  CHECK_EQUAL(gpu.write_back(file, 8192, 1808, 3), 0);
  CHECK_EQUAL(gpu.truncate(file, 10000).result, 0);
}

/// A mask that changes while it is read names other bytes, but never others than those of its line.
void changing(const std::string& io) {
  Folder folder;
  const std::string path = folder.at("a.bin");
  write_file(path, std::string(3 * 4096, 'o'));
  Mount m(folder, small_geometry(), {.io = io});
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a.bin", READ_WRITE);
  std::memset(gpu.line(0), 'x', 4096);
  std::memset(gpu.line(1), '!', 4096);  // lies behind it
  std::atomic<bool> stop{false};
  std::thread flipper([&] {
    std::mt19937 random(7);
    while (!stop.load(std::memory_order_relaxed)) {
      const uint32_t word = random() % 128;
      store_relaxed(gpu.mask(0) + word, random() % 3 == 0 ? uint32_t(random()) : random() % 2 == 0 ? 0u : ~0u);
    }
  });
  for (int i = 0; i < 100; i++) {
    const uint32_t before = load_relaxed(gpu.mask(0) + 64);
    CHECK_EQUAL(gpu.ask_lines(masked(gpu, file, 4096, 0, 0), 0), 0);
    if (i % 32 == 0) Gpu::wait([&] { return load_relaxed(gpu.mask(0) + 64) != before; });  // others need the processor as well
  }
  stop = true;
  flipper.join();
  const std::string found = read_file(path);
  CHECK_EQUAL(found.size(), 3 * 4096);
  CHECK(found.substr(0, 4096) == std::string(4096, 'o') && found.substr(8192) == std::string(4096, 'o'));
  CHECK(found.find('!') == std::string::npos);
  CHECK(found.find('x') != std::string::npos);
}

}  // namespace

void test_masks() {
  for (const char* io : {"pread", "uring"}) {
#if !defined(__linux__)
    if (std::strcmp(io, "uring") == 0) continue;
#endif
    const auto named = [&](const char* name) { return std::string(name) + ", " + io; };
    test(named("bytes that a mask names are written").c_str(), [&] {
      for (uint32_t line_bytes : {512u, 4096u, 65536u}) runs(io, line_bytes);
    });
    test(named("a mask makes no file longer than its last byte").c_str(), [&] { sizes(io); });
    test(named("a mask that changes while it is read").c_str(), [&] { changing(io); });
  }
  test("hostile masks, and the limit of file sizes", hostile);
}

}  // namespace warpfs::test
