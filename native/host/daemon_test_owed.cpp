// Errors that are owed: bytes that did not reach the file are reported to everybody who could have written them, once.
#include "daemon_test.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace warpfs::test {

namespace {

/// While it lives no write reaches beyond 8192.
struct SmallDisk {
  SmallDisk() {
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit small{8192, before.rlim_max};
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
  }
  ~SmallDisk() { setrlimit(RLIMIT_FSIZE, &before); }
  rlimit before{};
};

/// A write of file "a" that fails; the next one does not.
void fail_once(Gpu& gpu, int32_t file) {
  const SmallDisk disk;
  CHECK_EQUAL(gpu.write_back(file, 8192, 10, 0), -EFBIG);
}

void each_writer_once(const std::string& io) {
  Folder folder;
  Mount m(folder, small_geometry(), {.io = io});
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", CREATE);
  CHECK_EQUAL(gpu.open("a", READ_WRITE), file);
  CHECK_EQUAL(gpu.open("a", READ_WRITE), file);
  const int32_t reader = gpu.open("a", READ);
  fail_once(gpu, file);
  CHECK_EQUAL(gpu.write_back(file, 8192, 10, 0), 0);
  // Two sync before they close, one only closes. That the bytes are there by now takes nothing back.
  CHECK_EQUAL(gpu.sync(file), -EFBIG);
  CHECK_EQUAL(gpu.sync(file), -EFBIG);
  CHECK_EQUAL(gpu.sync(file), -EFBIG);
  CHECK_EQUAL(gpu.sync(file), 0);
  CHECK_EQUAL(gpu.close(reader), 0);  // it has written nothing
  for (int i = 0; i < 3; i++) CHECK_EQUAL(gpu.close(file), -EFBIG);
  CHECK_EQUAL(gpu.close(file), -EBADF);
  CHECK_EQUAL(m.daemon.sync_all(), -EFBIG);
  CHECK_EQUAL(m.daemon.sync_all(), 0);
  // Whoever comes later has nothing to do with it.
  CHECK_EQUAL(gpu.open("a", READ_WRITE), file);
  CHECK_EQUAL(gpu.sync(file), 0);
  CHECK_EQUAL(gpu.close(file), 0);
}

/// The one who comes later takes nobody's report.
void newcomers() {
  Folder folder;
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", CREATE);
  fail_once(gpu, file);
  CHECK_EQUAL(gpu.open("a", READ_WRITE), file);
  CHECK_EQUAL(gpu.close(file), -EFBIG);
  CHECK_EQUAL(gpu.sync(file), -EFBIG);
  CHECK_EQUAL(gpu.sync(file), 0);
  CHECK_EQUAL(gpu.close(file), -EFBIG);
  CHECK_EQUAL(gpu.open("a", READ_WRITE), file);
  CHECK_EQUAL(gpu.close(file), 0);
}

/// What the gpu has told itself is not told again.
void told_already() {
  Folder folder;
  Mount m(folder);
  Gpu& gpu = m.gpu;
  int32_t file = gpu.open("a", CREATE);
  CHECK_EQUAL(gpu.open("a", READ_WRITE), file);
  fail_once(gpu, file);
  CHECK_EQUAL(gpu.sync(file, 1), 0);
  CHECK_EQUAL(gpu.sync(file), -EFBIG);  // of the other writer
  CHECK_EQUAL(gpu.sync(file), 0);
  CHECK_EQUAL(gpu.close(file, 1), 0);
  CHECK_EQUAL(gpu.close(file), -EFBIG);
  // The file is kept, for the gpu still holds its bytes. They go where they belong, and then it is closed.
  CHECK_EQUAL(gpu.write_back(file, 8192, 10, 0), 0);
  CHECK_EQUAL(gpu.sync(file), 0);
  CHECK_EQUAL(gpu.sync(file), -EBADF);
  CHECK_EQUAL(m.daemon.sync_all(), -EFBIG);
  // A call that failed on the gpu alone takes nothing.
  file = gpu.open("a", READ_WRITE);
  CHECK_EQUAL(gpu.sync(file, 1), 0);
  CHECK_EQUAL(gpu.close(file), 0);
  CHECK_EQUAL(m.daemon.sync_all(), 0);
}

/// Closed, forgotten by the table, and still told by the mount.
void forgotten() {
  Folder folder;
  Mount m(folder, small_geometry(64, 2, 2));
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", CREATE);
  CHECK_EQUAL(gpu.close(file, 1), 0);
  fail_once(gpu, file);  // nobody has it open any more
  CHECK_EQUAL(gpu.truncate(file, 0).result, 0);
  CHECK_EQUAL(gpu.sync(file), -EFBIG);  // the sweep of the gpu is told
  CHECK_EQUAL(gpu.sync(file), -EBADF);
  for (const char* name : {"b", "c", "d"}) CHECK_EQUAL(gpu.close(gpu.open(name, CREATE)), 0);
  CHECK_EQUAL(m.daemon.sync_all(), -EFBIG);
  CHECK_EQUAL(m.daemon.sync_all(), 0);
  const int32_t again = gpu.open("a", READ_WRITE);
  CHECK_EQUAL(gpu.sync(again), 0);
  CHECK_EQUAL(gpu.close(again), 0);
}

/// Dead bytes are wanted by nobody, and a read that fails has lost nothing.
void no_failures() {
  Folder folder;
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", CREATE);
  CHECK_EQUAL(gpu.write_back(file, 0, 100, 0), 0);
  const Request old = gpu.write_request(file, 8192, 10, 0);
  CHECK_EQUAL(gpu.truncate(file, 0).result, 0);
  {
    const SmallDisk disk;
    CHECK_EQUAL(gpu.ask_lines(old, 0), 0);
  }
  CHECK_EQUAL(gpu.write_back(file, 1, 4096, 0), -EINVAL);  // refused: it never became a write
  CHECK_EQUAL(gpu.sync(file), 0);
  CHECK_EQUAL(gpu.close(file), 0);
  CHECK_EQUAL(m.daemon.sync_all(), 0);
}

void hostile() {
  Folder folder;
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", CREATE);
  CHECK_EQUAL(gpu.sync(file, 2), -EINVAL);
  CHECK_EQUAL(gpu.close(file, 2), -EINVAL);
  fail_once(gpu, file);
  // Closed as if it had been opened more often, and to read: the table stays sound.
  CHECK_EQUAL(gpu.close(file & ~int32_t(HANDLE_WRITABLE)), 0);
  CHECK_EQUAL(gpu.close(file), -EBADF);
  const int32_t again = gpu.open("a", READ_WRITE);
  gpu.close(again);
  CHECK_EQUAL(m.daemon.sync_all(), -EFBIG);
  CHECK_EQUAL(m.daemon.sync_all(), 0);
}

}  // namespace

void test_owed() {
  test("a write that failed is told to each writer, pread", [] { each_writer_once("pread"); });
#if defined(__linux__)
  test("a write that failed is told to each writer, uring", [] { each_writer_once("uring"); });
#endif
  test("who opens later takes no report of others", newcomers);
  test("an error that the gpu has told is not told again", told_already);
  test("an error of a file that is closed or forgotten is told by the mount", forgotten);
  test("dead bytes and refusals are no failures", no_failures);
  test("hostile closes", hostile);
}

}  // namespace warpfs::test
