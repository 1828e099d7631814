// Files: identity, sharing, sizes, durability.
#include "daemon_test.h"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>
#include <unistd.h>

namespace warpfs::test {

namespace {

void sharing() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(4096));
  std::filesystem::create_hard_link(folder.at("a.bin"), folder.at("b.bin"));
  Mount m(folder, small_geometry(), {.threads = 2});
  const int32_t file = m.gpu.open("a.bin", READ);
  for (uint32_t i = 1; i < 1000; i++) {
    CHECK_EQUAL(m.gpu.open(i % 3 == 0 ? "./b.bin" : "a.bin", READ, i % 16, i % 2), file);
  }
  CHECK_EQUAL(m.daemon.stats().host_opens, 1);
  for (int i = 0; i < 999; i++) CHECK_EQUAL(m.gpu.close(file), 0);
  CHECK_EQUAL(m.gpu.fill(file, 0, 1), 0);
  // The second descriptor takes the place of the first; readers go on.
  const uint32_t file_id = m.gpu.entry(file).file_id;
  const int32_t writer = m.gpu.open("b.bin", READ_WRITE);
  CHECK_EQUAL(writer, file | int32_t(HANDLE_WRITABLE));
  CHECK_EQUAL(m.gpu.entry(file).file_id, file_id);
  std::memset(m.gpu.line(2), 'w', 4096);
  CHECK_EQUAL(m.gpu.write_back(writer, 10, 3, 2), 0);
  CHECK_EQUAL(m.gpu.fill(file, 0, 1), 0);
  CHECK(std::memcmp(m.gpu.line(1) + 10, "www", 3) == 0);
  CHECK_EQUAL(m.gpu.close(writer), 0);
  CHECK_EQUAL(m.gpu.close(file), 0);
  CHECK_EQUAL(m.daemon.stats().host_opens, 2);
  CHECK_EQUAL(m.gpu.open("missing", READ), -ENOENT);
  CHECK_EQUAL(m.gpu.open("missing", READ_WRITE), -ENOENT);
}

void identity() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(4096));
  Mount m(folder);
  Gpu& gpu = m.gpu;
  int32_t file = gpu.open("a.bin", READ_WRITE);
  const uint32_t first = gpu.entry(file).file_id;
  gpu.close(file);
  CHECK_EQUAL(gpu.open("a.bin", READ), file & ~int32_t(HANDLE_WRITABLE));
  CHECK_EQUAL(gpu.entry(file).file_id, first);
  gpu.close(file);
  file = gpu.open("a.bin", READ_WRITE);
  CHECK_EQUAL(gpu.write_back(file, 8000, 10, 1), 0);
  CHECK_EQUAL(gpu.published_size(file), 8010);
  CHECK_EQUAL(gpu.entry(file).file_id, first);  // our own writes change nothing about what the lines stand for,
  gpu.close(file);
  gpu.open("a.bin", READ);
  const uint32_t written = gpu.entry(file).file_id;
  CHECK(written != first);  // but somebody else may have written meanwhile
  CHECK_EQUAL(gpu.published_size(file), 8010);
  // Somebody else's do, also while a reader has the file open.
  usleep(20000);
  const int fd = ::open(folder.at("a.bin").c_str(), O_WRONLY);
  CHECK(pwrite(fd, "z", 1, 100) == 1 && ::close(fd) == 0);
  gpu.close(file);
  gpu.open("a.bin", READ);
  const uint32_t second = gpu.entry(file).file_id;
  CHECK(second != written);
  usleep(20000);
  CHECK(truncate(folder.at("a.bin").c_str(), 5) == 0);
  gpu.open("a.bin", READ);
  CHECK(gpu.entry(file).file_id != second);
  CHECK_EQUAL(gpu.published_size(file), 5);
  // A file that takes the place of another has other bytes.
  write_file(folder.at("b.bin"), pattern(4096, 2));
  std::filesystem::rename(folder.at("b.bin"), folder.at("a.bin"));
  const int32_t other = gpu.open("a.bin", READ);
  CHECK(gpu.entry(other).file_id != gpu.entry(file).file_id && other != (file & ~int32_t(HANDLE_WRITABLE)));
  // Truncated: the same entry with new bytes.
  const uint32_t third = gpu.entry(other).file_id;
  const int32_t again = gpu.open("a.bin", CREATE);
  CHECK_EQUAL(again & ~int32_t(HANDLE_WRITABLE), other);
  CHECK_EQUAL(gpu.entry(other).file_id, third);
  CHECK_EQUAL(gpu.truncate(again, 0).result, 0);
  CHECK(gpu.entry(other).file_id != third);
  CHECK_EQUAL(gpu.published_size(other), 0);
  CHECK_EQUAL(read_file(folder.at("a.bin")).size(), 0);
}

void recycling() {
  Folder folder;
  for (int i = 0; i < 6; i++) write_file(folder.at("f" + std::to_string(i)), pattern(10));
  Mount m(folder, small_geometry(64, 1, 4));
  Gpu& gpu = m.gpu;
  int32_t files[6];
  for (int i = 0; i < 4; i++) files[i] = gpu.open("f" + std::to_string(i), READ);
  CHECK_EQUAL(gpu.open("f4", READ), -ENFILE);
  gpu.close(files[2]);
  gpu.close(files[1]);
  const uint32_t second_id = gpu.entry(files[1]).file_id;
  files[4] = gpu.open("f4", READ);  // f2 was closed first
  CHECK_EQUAL(files[4], files[2] + (1 << HANDLE_INDEX_BITS));
  CHECK_EQUAL(gpu.stat(files[2]).result, -EBADF);
  CHECK_EQUAL(gpu.close(files[2]), -EBADF);
  CHECK_EQUAL(gpu.open("f1", READ), files[1]);
  CHECK_EQUAL(gpu.entry(files[1]).file_id, second_id);
  CHECK_EQUAL(gpu.open("f5", READ), -ENFILE);
  gpu.close(files[0]);
  // The generation goes round without touching the other bits.
  for (int i = 0; i < 5000; i++) {
    const int32_t file = gpu.open(i % 2 ? "f5" : "f2", READ);
    CHECK(file >= 0 && gpu.stat(file).value == 10 && gpu.close(file) == 0);
  }
}

void keeping() {
  Folder folder;
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a.bin", CREATE);
  CHECK_EQUAL(gpu.extend(file, 5000).result, 0);
  CHECK_EQUAL(gpu.close(file, 1), 0);
  CHECK_EQUAL(gpu.close(file), -EBADF);
  std::memset(gpu.line(0), 'k', 4096);
  CHECK_EQUAL(gpu.write_back(file, 0, 3, 0), 0);  // the rest of the dirty lines follows
  CHECK_EQUAL(gpu.sync(file), 0);
  CHECK_EQUAL(gpu.write_back(file, 0, 3, 0), -EBADF);
  CHECK_EQUAL(read_file(folder.at("a.bin")).size(), 5000);
  // Many files that were written and closed without a sync: descriptors do not run out, and all is in place.
  for (int i = 0; i < 600; i++) {
    const int32_t one = gpu.open("many" + std::to_string(i), CREATE);
    CHECK(one >= 0);
    CHECK_EQUAL(gpu.write_back(one, 0, 100, 0), 0);
    CHECK_EQUAL(gpu.close(one), 0);
  }
  CHECK_EQUAL(m.daemon.sync_all(), 0);
  CHECK(read_file(folder.at("many0")) == std::string(100, 'k'));
}

/// An open that looked at the file before a writer of ours closed it does not bring back the size of before.
void stale_looks() {
  Folder folder;
  write_file(folder.at("a"), "");
  Mount m(folder, small_geometry(64, 2), {.threads = 2});
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", READ);
  std::atomic<bool> stop{false};
  std::thread opener([&] {
    while (!stop) {
      CHECK_EQUAL(gpu.open("a", READ, 1, 1), file);
      CHECK_EQUAL(gpu.ask(gpu.request(Opcode::CLOSE, file), 1, 1).result, 0);
    }
  });
  for (uint32_t i = 0; i < 3000; i++) {
    const int32_t writer = gpu.open("a", READ_WRITE);
    CHECK(writer >= 0);
    // Also where the identity moves between the look and the request: then the bytes are dead, and written once more.
    while (true) {
      CHECK_EQUAL(gpu.write_back(writer, i, 1, 0), 0);
      if (gpu.stat(writer).value == i + 1) break;
    }
    CHECK_EQUAL(gpu.close(writer), 0);
    for (int look = 0; look < 5; look++) CHECK_EQUAL(gpu.stat(file).value, i + 1);
  }
  stop = true;
  opener.join();
}

void read_only() {
  Folder folder;
  write_file(folder.at("a.bin"), "abc");
  Mount m(folder, small_geometry(), {.read_only = true});
  Gpu& gpu = m.gpu;
  CHECK_EQUAL(gpu.open("a.bin", READ_WRITE), -EROFS);
  CHECK_EQUAL(gpu.open("b.bin", CREATE), -EROFS);
  const int32_t file = gpu.open("a.bin", READ);
  CHECK_EQUAL(gpu.write_back(file | int32_t(HANDLE_WRITABLE), 0, 1, 0), -EROFS);
  CHECK_EQUAL(gpu.extend(file | int32_t(HANDLE_WRITABLE), 100).result, -EROFS);
  CHECK_EQUAL(gpu.fill(file, 0, 0), 0);
  CHECK(!std::filesystem::exists(folder.at("b.bin")));
}

void forged_writer() {
  Folder folder;
  write_file(folder.at("a.bin"), "abc");
  Mount m(folder);
  const int32_t file = m.gpu.open("a.bin", READ);
  CHECK_EQUAL(m.gpu.write_back(file | int32_t(HANDLE_WRITABLE), 0, 1, 0), -EBADF);  // the descriptor cannot write
  CHECK(read_file(folder.at("a.bin")) == "abc");
}

void far_offsets() {
  Folder folder;
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("sparse", CREATE);
  const uint64_t far = (uint64_t(5) << 40) + 4096 * 3;
  std::memset(gpu.line(0), 'f', 4096);
  CHECK_EQUAL(gpu.extend(file, far + 4096).value, far + 4096);
  CHECK_EQUAL(gpu.write_back(file, far, 4096, 0), 0);
  CHECK_EQUAL(gpu.published_size(file), far + 4096);
  CHECK_EQUAL(gpu.fill(file, far, 1), 0);
  CHECK(std::memcmp(gpu.line(0), gpu.line(1), 4096) == 0);
  CHECK_EQUAL(gpu.fill(file, far - 4096, 1), 0);
  CHECK_EQUAL(gpu.line(1)[4095], 0);
  CHECK_EQUAL(gpu.write_back(file, (uint64_t(1) << 63) - 4096, 4095, 0), -EFBIG);  // the file system's own limit
  CHECK_EQUAL(gpu.close(file), -EFBIG);                                            // and its size cannot follow
}

void failing_writes() {
  Folder folder;
  Mount m(folder);
  const int32_t file = m.gpu.open("limited", CREATE);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{8192, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  std::memset(m.gpu.line(0), 's', 4096);
  CHECK_EQUAL(m.gpu.write_back(file, 8192, 10, 0), -EFBIG);
  CHECK_EQUAL(m.gpu.write_back(file, 4096, 4096, 0), 0);
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK_EQUAL(m.gpu.write_back(file, 8192, 10, 0), 0);
}

/// A daemon that takes over memory in which another one served files. Lines of those files may still be in the cache.
void succession() {
  Folder folder;
  for (const char* name : {"a.bin", "b.bin", "c.bin"}) write_file(folder.at(name), pattern(4096, uint32_t(name[0])));
  Gpu gpu(small_geometry());
  int32_t before = 0;
  uint32_t last_file_id = 0;
  {
    Daemon first(gpu.view, {.root = folder.path});
    first.begin_dispatch();
    before = gpu.open("a.bin", READ_WRITE);
    CHECK_EQUAL(gpu.close(gpu.open("b.bin", READ)), 0);
    last_file_id = gpu.view.files[1].file_id;
    CHECK_EQUAL(last_file_id, 2);
    first.end_dispatch();
  }
  const Request late = gpu.write_request(before, 0, 10, 3);
  const uint32_t version = gpu.view.files[0].version;
  Daemon second(gpu.view, {.root = folder.path});
  second.begin_dispatch();
  CHECK_EQUAL(gpu.entry(before).handle, 0xffffffffu);
  const int32_t file = gpu.open("c.bin", READ_WRITE);
  CHECK_EQUAL(&gpu.entry(file) - gpu.view.files, 0);
  CHECK(file != before);
  CHECK_EQUAL(gpu.entry(file).file_id, last_file_id + 1);
  CHECK_EQUAL(gpu.entry(file).version, version + 2);
  CHECK_EQUAL(gpu.fill(before, 0, 1), -EBADF);
  gpu.ask_lines(late, 3);
  CHECK_EQUAL(gpu.close(before), -EBADF);
  CHECK_EQUAL(gpu.fill(file, 0, 1), 0);
  CHECK(std::memcmp(gpu.line(1), pattern(4096, 'c').data(), 4096) == 0);
  CHECK(read_file(folder.at("a.bin")) == pattern(4096, 'a'));
  CHECK(read_file(folder.at("c.bin")) == pattern(4096, 'c'));
  second.end_dispatch();
}

}  // namespace

void test_files() {
  test("opens of one file share one descriptor", sharing);
  test("an unchanged file keeps its identity, a changed one does not", identity);
  test("entries are recycled oldest first, stale handles refused", recycling);
  test("a file closed with dirty lines is kept until it is synced", keeping);
  test("a daemon that follows another gives out none of its identities and handles", succession);
  test("an old look at a file does not bring back its size", stale_looks);
  test("a read-only mount", read_only);
  test("a forged writable handle", forged_writer);
  test("offsets beyond 2 TiB", far_offsets);
  test("a write that fails keeps the daemon alive", failing_writes);
}

}  // namespace warpfs::test
