// Bytes that were written before a truncation: they must never come back, however late their write-back is.
#include "daemon_test.h"

#include <atomic>
#include <cerrno>
#include <filesystem>

namespace warpfs::test {

namespace {

void dead_bytes(const std::string& io) {
  Folder folder;
  const std::string path = folder.at("a.bin");
  write_file(path, pattern(8192));
  Mount m(folder, small_geometry(), {.io = io});
  Gpu& gpu = m.gpu;
  const int32_t writer = gpu.open("a.bin", OpenMode::READ_WRITE);
  const Request old = gpu.write_request(writer, 4096, 4096, 0);
  CHECK_EQUAL(gpu.ask_lines(old, 0), 0);
  CHECK_EQUAL(gpu.open("a.bin", OpenMode::CREATE), writer);
  CHECK_EQUAL(gpu.ask_lines(old, 0), 0);
  CHECK_EQUAL(gpu.published_size(writer), 0);
  CHECK_EQUAL(std::filesystem::file_size(path), 0);
  CHECK_EQUAL(m.daemon.stats().bytes_written, 4096);
  CHECK_EQUAL(m.daemon.stats().refused, 0);
  std::memset(gpu.line(0), 'n', 4096);
  CHECK_EQUAL(gpu.write_back(writer, 0, 10, 0), 0);
  CHECK(read_file(path) == std::string(10, 'n'));
  CHECK_EQUAL(gpu.close(writer), 0);
  CHECK_EQUAL(gpu.ask_lines(old, 0), 0);
  const Request late = gpu.write_request(writer, 0, 1, 0);
  CHECK_EQUAL(gpu.close(writer), 0);
  CHECK_EQUAL(gpu.ask_lines(old, 0), 0);  // the last handle is gone, and they are as dead as before
  CHECK_EQUAL(m.daemon.stats().refused, 0);
  CHECK_EQUAL(gpu.ask_lines(late, 0), -EBADF);  // these were never written
  CHECK_EQUAL(m.daemon.sync_all(), 0);
  CHECK_EQUAL(std::filesystem::file_size(path), 10);
}

/// Write-backs stream in while the file is truncated: from the answer on it is empty, although they go on.
void race(const std::string& io) {
  Folder folder;
  const std::string path = folder.at("a.bin");
  write_file(path, "");
  Mount m(folder, small_geometry(256, 2), {.threads = 2, .io = io});
  Gpu& gpu = m.gpu;
  const int32_t writer = gpu.open("a.bin", OpenMode::READ_WRITE);
  for (int round = 0; round < 300; round++) {
    const Request old = gpu.write_request(writer, 4096, 4096, 0);
    std::atomic<bool> stop{false};
    std::atomic<uint32_t> posted{0};
    std::thread warp([&] {
      for (uint32_t i = 0; i < 256 || !stop; i++) {
        Request r = old;
        r.lines[0] = i % 64;
        r.offset += i % 64 * 4096;
        gpu.post(r, 1);
        posted = i;
      }
    });
    Gpu::wait([&] { return posted >= uint32_t(round % 64); });
    CHECK_EQUAL(gpu.open("a.bin", OpenMode::CREATE), writer);
    for (int look = 0; look < 20; look++) CHECK_EQUAL(std::filesystem::file_size(path), 0);
    stop = true;
    warp.join();
    m.daemon.wait_until_drained();
    CHECK_EQUAL(std::filesystem::file_size(path), 0);
    CHECK_EQUAL(gpu.published_size(writer), 0);
    CHECK_EQUAL(gpu.close(writer), 0);
    // Bytes of the new identity are written as ever.
    CHECK_EQUAL(gpu.write_back(writer, 0, 1, 0), 0);
    CHECK_EQUAL(std::filesystem::file_size(path), 1);
  }
  CHECK(m.daemon.stats().bytes_written > 4096);  // some write-backs came in time
  CHECK_EQUAL(m.daemon.stats().refused, 0);
}

/// Several warps truncate one file while others write to it: everybody is answered, and what the last one wrote is there.
void crowd(const std::string& io) {
  Folder folder;
  Mount m(folder, small_geometry(64, 4), {.threads = 2, .io = io});
  Gpu& gpu = m.gpu;
  std::vector<std::thread> warps;
  for (uint32_t warp = 0; warp < 4; warp++) {
    warps.emplace_back([&, warp] {
      for (int i = 0; i < 200; i++) {
        const int32_t file = gpu.open("a.bin", OpenMode::CREATE, warp, warp);
        CHECK(file >= 0);
        CHECK_EQUAL(gpu.ask_lines(gpu.write_request(file, warp * 4096, 4096, warp), warp, warp), 0);
        CHECK_EQUAL(gpu.ask(gpu.request(Opcode::CLOSE, file), warp, warp).result, 0);
      }
    });
  }
  for (std::thread& warp : warps) warp.join();
  const int32_t file = gpu.open("a.bin", OpenMode::CREATE);
  std::memset(gpu.line(9), 'z', 4096);
  CHECK_EQUAL(gpu.write_back(file, 0, 5, 9), 0);
  CHECK(read_file(folder.at("a.bin")) == "zzzzz");
}

}  // namespace

void test_truncation() {
  for (const char* io : {"pread", "uring"}) {
#if !defined(__linux__)
    if (std::strcmp(io, "uring") == 0) continue;
#endif
    const auto named = [&](const char* name) { return std::string(name) + ", " + io; };
    test(named("bytes of before a truncation are dead").c_str(), [&] { dead_bytes(io); });
    test(named("write-backs race with a truncation").c_str(), [&] { race(io); });
    test(named("many truncations of one file").c_str(), [&] { crowd(io); });
  }
}

}  // namespace warpfs::test
