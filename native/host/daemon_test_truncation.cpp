// Bytes that were written before a truncation: they must never come back, however late their write-back is.
#include "daemon_test.h"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>

#if defined(__linux__)
#include <linux/fs.h>
#include <sys/ioctl.h>
#endif

namespace warpfs::test {

namespace {

void dead_bytes(const std::string& io) {
  Folder folder;
  const std::string path = folder.at("a.bin");
  write_file(path, pattern(8192));
  Mount m(folder, small_geometry(), {.io = io});
  Gpu& gpu = m.gpu;
  const int32_t writer = gpu.open("a.bin", READ_WRITE);
  const Request old = gpu.write_request(writer, 4096, 4096, 0);
  CHECK_EQUAL(gpu.ask_lines(old, 0), 0);
  CHECK_EQUAL(gpu.truncate(writer, 0).result, 0);
  CHECK_EQUAL(gpu.ask_lines(old, 0), 0);
  CHECK_EQUAL(gpu.published_size(writer), 0);
  CHECK_EQUAL(std::filesystem::file_size(path), 0);
  CHECK_EQUAL(m.daemon.stats().bytes_written, 4096);
  CHECK_EQUAL(m.daemon.stats().refused, 0);
  std::memset(gpu.line(0), 'n', 4096);
  CHECK_EQUAL(gpu.write_back(writer, 0, 10, 0), 0);
  CHECK(read_file(path) == std::string(10, 'n'));
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
  write_file(path, "x");  // what is empty needs no truncation
  Mount m(folder, small_geometry(256, 2), {.threads = 2, .io = io});
  Gpu& gpu = m.gpu;
  const int32_t writer = gpu.open("a.bin", READ_WRITE);
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
    CHECK_EQUAL(gpu.truncate(writer, 0).result, 0);
    for (int look = 0; look < 20; look++) CHECK_EQUAL(std::filesystem::file_size(path), 0);
    stop = true;
    warp.join();
    m.daemon.wait_until_drained();
    CHECK_EQUAL(std::filesystem::file_size(path), 0);
    CHECK_EQUAL(gpu.published_size(writer), 0);
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
        const int32_t file = gpu.open("a.bin", CREATE, warp, warp);
        CHECK(file >= 0);
        CHECK_EQUAL(gpu.truncate(file, 0, warp, warp).result, 0);
        CHECK_EQUAL(gpu.ask_lines(gpu.write_request(file, warp * 4096, 4096, warp), warp, warp), 0);
        CHECK_EQUAL(gpu.ask(gpu.request(Opcode::CLOSE, file), warp, warp).result, 0);
      }
    });
  }
  for (std::thread& warp : warps) warp.join();
  const int32_t file = gpu.open("a.bin", CREATE);
  CHECK_EQUAL(gpu.truncate(file, 0).result, 0);
  std::memset(gpu.line(9), 'z', 4096);
  CHECK_EQUAL(gpu.write_back(file, 0, 5, 9), 0);
  CHECK(read_file(folder.at("a.bin")) == "zzzzz");
}

/// Up and down, and what the gpu is shown of it.
void both_ways(const std::string& io) {
  Folder folder;
  const std::string path = folder.at("a.bin");
  const std::string bytes = pattern(10000);
  write_file(path, bytes);
  Mount m(folder, small_geometry(), {.io = io});
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a.bin", READ_WRITE);
  FileEntry& entry = gpu.entry(file);
  const uint32_t first_id = entry.file_id, version = entry.version;
  // To the same size and up: the bytes are what they were.
  CHECK_EQUAL(gpu.truncate(file, 10000).value, 10000);
  CHECK_EQUAL(entry.version, version);
  CHECK_EQUAL(gpu.truncate(file, 30000).value, 30000);
  CHECK_EQUAL(entry.file_id, first_id);
  CHECK_EQUAL(entry.version, version + 2);
  CHECK_EQUAL(gpu.published_size(file), 30000);
  CHECK_EQUAL(gpu.sync(file), 0);
  CHECK(read_file(path) == bytes + std::string(20000, 0));
  // Down: other bytes.
  CHECK_EQUAL(gpu.truncate(file, 5000).value, 5000);
  CHECK(entry.file_id != first_id);
  CHECK_EQUAL(entry.version, version + 4);
  CHECK(read_file(path) == bytes.substr(0, 5000));
  // Whoever still asks for the old bytes is told so, and gets no others.
  Request old = gpu.fill_request(file, 0, {1});
  old.mailbox = first_id;
  CHECK_EQUAL(gpu.ask_lines(old, 1, 0), -ESTALE);
  // What was cut off does not come back.
  CHECK_EQUAL(gpu.truncate(file, 9000).value, 9000);
  CHECK_EQUAL(gpu.fill(file, 4096, 1), 0);
  CHECK(std::memcmp(gpu.line(1), (bytes.substr(4096, 904) + std::string(4096, 0)).data(), 4096) == 0);
  CHECK_EQUAL(gpu.close(file), 0);
  CHECK(read_file(path) == bytes.substr(0, 5000) + std::string(4000, 0));
  // Our own truncation leaves the lines of after it valid.
  const uint32_t last_id = entry.file_id;
  CHECK_EQUAL(gpu.open("a.bin", READ), file & ~int32_t(HANDLE_WRITABLE));
  CHECK_EQUAL(entry.file_id, last_id);
}

void refused() {
  Folder folder;
  write_file(folder.at("a.bin"), "abc");
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t reader = gpu.open("a.bin", READ);
  CHECK_EQUAL(gpu.truncate(reader, 0).result, -EBADF);
  CHECK_EQUAL(gpu.truncate(reader | int32_t(HANDLE_WRITABLE), 0).result, -EBADF);  // forged: the descriptor cannot
  CHECK_EQUAL(gpu.truncate(63 | int32_t(HANDLE_WRITABLE), 0).result, -EBADF);
  const int32_t file = gpu.open("a.bin", READ_WRITE);
  CHECK_EQUAL(gpu.truncate(file, uint64_t(1) << 63).result, -EFBIG);
  CHECK_EQUAL(gpu.truncate(file, ~uint64_t(0)).result, -EFBIG);
  Request nowhere = Gpu::request(Opcode::TRUNCATE, file);
  nowhere.mailbox = 16;
  gpu.post(nowhere);
  m.daemon.wait_until_drained();
  CHECK(read_file(folder.at("a.bin")) == "abc");
}

#if defined(__linux__)
/// A file that may only grow: the system refuses to cut it off, and everything is as before.
void failing() {
  Folder folder;
  const std::string path = folder.at("a.bin");
  write_file(path, pattern(9000));
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a.bin", READ_WRITE);
  const int fd = ::open(path.c_str(), O_RDONLY);
  int attributes = 0;
  if (ioctl(fd, FS_IOC_GETFLAGS, &attributes) != 0) attributes = 0;
  int append_only = attributes | FS_APPEND_FL;
  if (ioctl(fd, FS_IOC_SETFLAGS, &append_only) != 0) {
    std::printf("   SKIP a truncation that fails: no file can be made append-only here\n");
    ::close(fd);
    return;
  }
  const FileEntry before = gpu.entry(file);
  CHECK_EQUAL(gpu.truncate(file, 100).result, -EPERM);
  const FileEntry after = gpu.entry(file);
  CHECK(ioctl(fd, FS_IOC_SETFLAGS, &attributes) == 0 && ::close(fd) == 0);
  CHECK_EQUAL(after.file_id, before.file_id);
  CHECK(after.version != before.version);  // a sign for those who were refused meanwhile
  CHECK_EQUAL(gpu.published_size(file), 9000);
  CHECK_EQUAL(gpu.write_back(file, 4096, 10, 0), 0);  // bytes of that identity are as alive as before
  CHECK_EQUAL(gpu.truncate(file, 100).result, 0);
  CHECK_EQUAL(std::filesystem::file_size(path), 100);
}
#endif

/// Whoever reads identity and size under the version never gets the one with another's.
void looks() {
  Folder folder;
  const std::string path = folder.at("a.bin");
  write_file(path, "");
  Mount m(folder);
  Gpu& gpu = m.gpu;
  constexpr uint64_t FAR = 1 << 20;
  const int32_t file = gpu.open("a.bin", READ_WRITE);
  FileEntry& entry = gpu.entry(file);
  const uint32_t first_id = entry.file_id;
  CHECK_EQUAL(gpu.extend(file, FAR).result, 0);
  std::atomic<bool> stop{false};
  uint32_t whole = 0;
  std::thread reader([&] {
    while (!stop) {
      const uint32_t version = load_acquire(&entry.version);
      const uint32_t file_id = load_acquire(&entry.file_id);
      const uint64_t size = load_acquire(&entry.size_low) | uint64_t(load_acquire(&entry.size_high)) << 32;
      if (version % 2 == 0 && load_acquire(&entry.version) == version) {
        const uint64_t round = file_id - first_id;
        CHECK(size == round || size == FAR + round);
        whole++;
      }
    }
  });
  for (uint64_t round = 1; round <= 3000; round++) {
    CHECK_EQUAL(gpu.truncate(file, round).value, round);
    CHECK_EQUAL(gpu.entry(file).file_id, first_id + round);
    CHECK_EQUAL(gpu.extend(file, FAR + round).value, FAR + round);
    if (round % 8 == 0) CHECK_EQUAL(gpu.write_back(file, FAR + round - 1, 1, 0), 0);
  }
  stop = true;
  reader.join();
  CHECK(whole > 100);
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
    test(named("a file is cut off and grown").c_str(), [&] { both_ways(io); });
  }
  test("truncations that are refused", refused);
#if defined(__linux__)
  test("a truncation that fails changes nothing", failing);
#endif
  test("identity and size are seen together", looks);
}

}  // namespace warpfs::test
