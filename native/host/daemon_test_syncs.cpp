// Which syncs reach the system, and what becomes of those that it refuses. The calls of the C library are replaced by our own, which
// count, fail and block as a test says.
#include "daemon_test.h"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>

namespace warpfs::test {

namespace {

/// What is done with one kind of sync.
struct Hook {
  std::atomic<int> calls{0};
  std::atomic<int> fail_next{0};  // so many calls fail with `error`
  std::atomic<int> error{EIO};
  std::atomic<bool> block{false};
  std::atomic<uint64_t> last_inode{0};

  int call(long number, int fd) {
    struct stat found{};
    if (fstat(fd, &found) == 0) last_inode = found.st_ino;
    calls++;
    while (block) std::this_thread::yield();
    for (int left = fail_next; left > 0;) {
      if (!fail_next.compare_exchange_weak(left, left - 1)) continue;
      errno = error;
      return -1;
    }
    return int(syscall(number, fd));
  }
  void fail(int count, int with) {
    error = with;
    fail_next = count;
  }
};
Hook directories, data, systems;

}  // namespace

}  // namespace warpfs::test

extern "C" {
int fsync(int fd) { return warpfs::test::directories.call(SYS_fsync, fd); }
int fdatasync(int fd) { return warpfs::test::data.call(SYS_fdatasync, fd); }
int syncfs(int fd) noexcept { return warpfs::test::systems.call(SYS_syncfs, fd); }
}

namespace warpfs::test {

namespace {

/// How many calls of a kind `act` makes.
template <typename Act>
int calls_of(const Hook& hook, Act&& act) {
  const int before = hook.calls;
  act();
  return hook.calls - before;
}

uint64_t inode_of(const std::string& path) {
  struct stat found{};
  CHECK(stat(path.c_str(), &found) == 0);
  return found.st_ino;
}

void names() {
  Folder folder;
  std::filesystem::create_directory(folder.at("d"));
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", CREATE);
  directories.fail(1, EIO);
  CHECK_EQUAL(gpu.sync(file), -EIO);
  CHECK_EQUAL(calls_of(directories, [&] { CHECK_EQUAL(gpu.sync(file), 0); }), 1);  // tried again
  CHECK_EQUAL(directories.last_inode.load(), inode_of(folder.path));
  CHECK_EQUAL(calls_of(directories, [&] { CHECK_EQUAL(gpu.sync(file), 0); }), 0);  // once is enough
  CHECK_EQUAL(gpu.rename("a", "d/b"), 0);
  CHECK_EQUAL(calls_of(directories, [&] { CHECK_EQUAL(gpu.sync(file), 0); }), 1);
  CHECK_EQUAL(directories.last_inode.load(), inode_of(folder.at("d")));
  // A directory that cannot be synced by itself is synced with its file system.
  const int32_t other = gpu.open("c", CREATE);
  directories.fail(1, EINVAL);
  CHECK_EQUAL(calls_of(systems, [&] { CHECK_EQUAL(gpu.sync(other), 0); }), 1);
  // The mount tries again as well what no sync of the file did.
  const int32_t third = gpu.open("e", CREATE);
  directories.fail(1, ENOSPC);
  CHECK_EQUAL(gpu.sync(third), -ENOSPC);
  CHECK_EQUAL(calls_of(directories, [&] { CHECK_EQUAL(m.daemon.sync_all(), 0); }), 1);
}

void bytes() {
  Folder folder;
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", CREATE);
  CHECK_EQUAL(gpu.open("a", READ_WRITE), file);
  CHECK_EQUAL(gpu.write_back(file, 0, 10, 0), 0);
  data.fail(1, EINTR);
  CHECK_EQUAL(calls_of(data, [&] { CHECK_EQUAL(gpu.sync(file), 0); }), 2);
  // The system tells of lost bytes once; each writer hears of it, and the mount.
  CHECK_EQUAL(gpu.write_back(file, 0, 10, 0), 0);
  data.fail(1, EIO);
  CHECK_EQUAL(gpu.sync(file), -EIO);
  CHECK_EQUAL(gpu.sync(file), -EIO);
  CHECK_EQUAL(gpu.sync(file), 0);
  CHECK_EQUAL(gpu.close(file), -EIO);
  CHECK_EQUAL(gpu.close(file), -EIO);
  CHECK_EQUAL(m.daemon.sync_all(), -EIO);
  CHECK_EQUAL(m.daemon.sync_all(), 0);
  // The mount's own sync fails: the writer is told later.
  const int32_t other = gpu.open("b", CREATE);
  CHECK_EQUAL(gpu.write_back(other, 0, 10, 0), 0);
  data.fail(1, EDQUOT);
  CHECK_EQUAL(m.daemon.sync_all(), -EDQUOT);
  CHECK_EQUAL(calls_of(data, [&] { CHECK_EQUAL(m.daemon.sync_all(), 0); }), 1);  // the bytes wait for a sync that succeeds
  CHECK_EQUAL(calls_of(data, [&] { CHECK_EQUAL(m.daemon.sync_all(), 0); }), 0);
  CHECK_EQUAL(gpu.close(other), -EDQUOT);
}

void names_that_went() {
  Folder folder;
  Mount m(folder);
  Gpu& gpu = m.gpu;
  for (const char* name : {"a", "b"}) write_file(folder.at(name), name);
  CHECK_EQUAL(m.daemon.sync_all(), 0);
  CHECK_EQUAL(calls_of(systems, [&] { CHECK_EQUAL(m.daemon.sync_all(), 0); }), 0);
  CHECK_EQUAL(gpu.unlink("a"), 0);
  systems.fail(1, EIO);
  CHECK_EQUAL(m.daemon.sync_all(), -EIO);
  CHECK_EQUAL(calls_of(systems, [&] { CHECK_EQUAL(m.daemon.sync_all(), 0); }), 1);
  CHECK_EQUAL(gpu.rename("b", "c"), 0);
  CHECK_EQUAL(calls_of(systems, [&] { CHECK_EQUAL(m.daemon.sync_all(), 0); }), 1);
  CHECK_EQUAL(calls_of(systems, [&] { CHECK_EQUAL(m.daemon.sync_all(), 0); }), 0);
}

/// Those who ask while a sync is under way wait for the next one, and share it, and its error.
void many_at_once() {
  constexpr uint32_t MANY = 12;
  Folder folder;
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", CREATE);
  for (uint32_t writer = 1; writer < MANY; writer++) CHECK_EQUAL(gpu.open("a", READ_WRITE), file);
  CHECK_EQUAL(gpu.write_back(file, 0, 10, 0), 0);
  CHECK_EQUAL(gpu.sync(file), 0);
  for (const int error : {0, EIO}) {
    CHECK_EQUAL(gpu.write_back(file, 0, 10, 0), 0);
    const int before = data.calls;
    uint32_t asked[MANY];
    data.block = true;
    for (uint32_t i = 0; i < MANY; i++) {
      Request sync = Gpu::request(Opcode::SYNC, file);
      sync.mailbox = i + 1;
      asked[i] = gpu.view.mailboxes[i + 1].sequence;
      gpu.post(sync, 0);
      if (i == 0) Gpu::wait([&] { return data.calls > before; });
    }
    Gpu::wait([&] { return load_acquire(&gpu.view.ring_heads[0].head) == gpu.tails[0]; });
    usleep(10000);  // for the daemon to serve what it has taken
    if (error != 0) data.fail(1, error);
    data.block = false;
    for (uint32_t i = 0; i < MANY; i++) {
      Gpu::wait([&] { return load_acquire(&gpu.view.mailboxes[i + 1].sequence) != asked[i]; });
      CHECK_EQUAL(gpu.view.mailboxes[i + 1].result, -error);  // each of the writers is told once
    }
    CHECK_EQUAL(data.calls - before, 2);
  }
}

/// Nobody says that all is on the disk because somebody else is about to put it there.
void two_at_once(Hook& hook) {
  Folder folder;
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", CREATE);
  CHECK_EQUAL(gpu.write_back(file, 0, 10, 0), 0);
  const int before = hook.calls;
  hook.block = true;
  uint32_t asked[2];
  for (uint32_t mailbox : {0u, 1u}) {
    Request sync = Gpu::request(Opcode::SYNC, file);
    sync.mailbox = mailbox + 1;
    asked[mailbox] = gpu.view.mailboxes[mailbox + 1].sequence;
    gpu.post(sync);
    Gpu::wait([&] { return hook.calls > before; });
  }
  std::atomic<bool> all_synced{false};
  std::thread mount([&] {
    CHECK_EQUAL(m.daemon.sync_all(), 0);
    all_synced = true;
  });
  Gpu::wait([&] { return hook.calls > before + 1; });
  usleep(10000);
  CHECK(!all_synced);
  for (uint32_t mailbox : {0u, 1u}) CHECK_EQUAL(gpu.view.mailboxes[mailbox + 1].sequence, asked[mailbox]);
  hook.block = false;
  mount.join();
  for (uint32_t mailbox : {0u, 1u}) {
    Gpu::wait([&] { return load_acquire(&gpu.view.mailboxes[mailbox + 1].sequence) != asked[mailbox]; });
    CHECK_EQUAL(gpu.view.mailboxes[mailbox + 1].result, 0);
  }
}

/// Bytes of a file that nobody can reach any more are not worth a disk.
void nameless() {
  Folder folder;
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", CREATE);
  CHECK_EQUAL(gpu.write_back(file, 0, 10, 0), 0);
  CHECK_EQUAL(gpu.unlink("a"), 0);
  CHECK_EQUAL(gpu.close(file), 0);
  CHECK_EQUAL(calls_of(data, [&] { CHECK_EQUAL(m.daemon.sync_all(), 0); }), 0);
}

}  // namespace

void test_syncs() {
  test("a sync puts the name of a new or moved file on the disk", names);
  test("lost bytes are told to each writer and to the mount", bytes);
  test("names that went are synced by the mount", names_that_went);
  test("many syncs of one file", many_at_once);
  test("a name that somebody else is about to sync", [] { two_at_once(directories); });
  test("bytes that somebody else is about to sync", [] { two_at_once(data); });
  test("a file without a name is not synced", nameless);
}

}  // namespace warpfs::test

#else

namespace warpfs::test {
void test_syncs() {}
}  // namespace warpfs::test

#endif
