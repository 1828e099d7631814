// Which descriptors stay: threads that serve a file say so each in its own place, and who closes the file looks there.
#include "daemon_test.h"

#include "file_table.h"

#include <atomic>
#include <fcntl.h>
#include <sys/stat.h>

namespace warpfs::test {

namespace {

struct Table {
  explicit Table(const Folder& folder, uint32_t files) : gpu(small_geometry()), paths(folder.path), table(gpu.view, files, paths, false) {}
  int32_t open(const char* path) { return table.open(path, READ, Hurry::NO); }
  int32_t close(int32_t handle) { return table.close(uint32_t(handle), false, Hurry::NO); }

  Gpu gpu;
  PathResolver paths;
  FileTable table;
};

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

void write_two(const Folder& folder) {
  write_file(folder.at("a"), "a");
  write_file(folder.at("b"), "bb");
}

/// With a table of one place, so that whoever comes next needs it.
void a_held_file_stays(bool counted) {
  Folder folder;
  write_two(folder);
  Table t(folder, 1);
  FileHold& hold = t.table.new_hold();
  const int32_t handle = t.open("a");
  FileRef file = t.table.acquire(uint32_t(handle), &hold);
  CHECK(file.hold == &hold && file.slot != nullptr);
  if (counted) {
    t.table.count_in(file);
    CHECK(file.hold == nullptr && hold.slot == nullptr);
  }
  CHECK_EQUAL(t.close(handle), 0);
  CHECK(is_open(file.fd));
  CHECK_EQUAL(t.open("b"), -Errno::enfile);
  CHECK(t.table.acquire(uint32_t(handle), counted ? &hold : nullptr).slot == nullptr);  // nobody new
  CHECK(hold.slot == (counted ? nullptr : file.slot));
  t.table.release(file);
  CHECK(!is_open(file.fd) && hold.slot == nullptr);
  CHECK(t.open("b") >= 0);
}

void a_thread_holds_one_file_and_is_counted_in_others() {
  Folder folder;
  write_two(folder);
  Table t(folder, 2);
  FileHold& hold = t.table.new_hold();
  const FileRef a = t.table.acquire(uint32_t(t.open("a")), &hold);
  const FileRef b = t.table.acquire(uint32_t(t.open("b")), &hold);
  CHECK(a.hold == &hold && b.hold == nullptr && b.slot != nullptr && hold.slot == a.slot);
  t.table.release(b);
  CHECK(hold.slot == a.slot);
  t.table.release(a);
}

bool same_file(int one, int other) {
  struct stat a{}, b{};
  return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// What a thread opens for itself is closed with the file, and with the first use of another file that is used as often.
[[maybe_unused]] void a_thread_opens_what_it_uses_often() {
  constexpr uint32_t OFTEN = 400;
  Folder folder;
  write_two(folder);
  Table t(folder, 2);
  FileHold& hold = t.table.new_hold();
  const auto use = [&](int32_t handle, uint32_t times) {
    FileRef file;
    for (uint32_t time = 0; time < times; time++) {
      file = t.table.acquire(uint32_t(handle), &hold);
      CHECK(same_file(file.fd, file.read_fd));
      t.table.release(file);
    }
    return file;
  };
  const int32_t a = t.open("a"), b = t.open("b");
  const FileRef alone = use(a, OFTEN);
  CHECK(alone.read_fd == alone.fd);  // nobody is there to meet
  t.table.new_hold();
  const FileRef of_a = use(a, OFTEN);
  CHECK(of_a.read_fd != of_a.fd);
  CHECK(use(b, 10).read_fd != of_a.read_fd && use(a, 1).read_fd == of_a.read_fd);
  const FileRef of_b = use(b, OFTEN);
  CHECK(of_b.read_fd != of_b.fd && !is_open(of_a.read_fd) == (of_b.read_fd != of_a.read_fd));
  const FileRef kept = use(a, 1);
  CHECK(kept.read_fd == kept.fd);
  FileRef counted = t.table.acquire(uint32_t(b), &hold);
  CHECK(counted.read_fd == of_b.read_fd);
  t.table.count_in(counted);
  CHECK(counted.read_fd == counted.fd);  // what the thread does next with its own is its business
  t.table.release(counted);
  CHECK_EQUAL(t.close(b), 0);
  CHECK(!is_open(of_b.read_fd) && !is_open(of_b.fd));
}

uint32_t descriptors_of(const std::string& path) {
  uint32_t count = 0;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) count += std::filesystem::read_symlink(entry.path(), gone) == path;
  return count;
}

[[maybe_unused]] void threads_of_a_daemon_do(const char* sandbox) {
  Folder folder;
  const std::string bytes = pattern(4096 * 8);
  write_file(folder.at("a"), bytes);
  Mount m(folder, small_geometry(), {.threads = 2, .io = "pread", .sandbox = sandbox});
  const int32_t file = m.gpu.open("a", READ);
  for (uint32_t turn = 0; turn < 600; turn++) {
    for (uint32_t ring = 0; ring < 2; ring++) CHECK_EQUAL(m.gpu.fill(file, turn % 8 * 4096, ring, ring), 0);
    CHECK(std::memcmp(m.gpu.view.lines, bytes.data() + turn % 8 * 4096, 4096) == 0);
  }
  const std::string path = std::filesystem::canonical(folder.at("a"));
  CHECK_EQUAL(descriptors_of(path), 3);
  CHECK_EQUAL(m.gpu.close(file), 0);
  CHECK_EQUAL(descriptors_of(path), 0);
}

/// Files come and go in a table that is too small for them, while threads use whatever is there: a descriptor is never another file's.
void files_come_and_go_under_threads() {
  constexpr uint32_t THREADS = 3, FILES = 4;
  constexpr auto TIME = std::chrono::milliseconds(700);
  Folder folder;
  for (uint32_t file = 0; file < FILES; file++) write_file(folder.at("f" + std::to_string(file)), std::string(file + 1, 'x'));
  Table t(folder, 2);
  std::atomic<uint64_t> shown{0};  // a handle, and the size of its file above it
  std::atomic<bool> over{false};
  std::atomic<uint64_t> uses{0};
  std::vector<std::thread> threads;
  for (uint32_t thread = 0; thread < THREADS; thread++) {
    threads.emplace_back([&, hold = &t.table.new_hold()] {
      for (uint32_t turn = 0; !over; turn++) {
        const uint64_t seen = shown.load();
        if (seen == 0) continue;  // the first file may have the handle 0 before it is shown
        FileRef file = t.table.acquire(uint32_t(seen), hold);
        if (file.slot == nullptr) continue;
        CHECK(file.hold == hold);
        if (turn % 8 == 0) t.table.count_in(file);
        struct stat found{};
        CHECK_EQUAL(fstat(file.fd, &found), 0);
        CHECK_EQUAL(found.st_size, seen >> 32);
        t.table.release(file);
        uses.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  uint32_t opened = 0;
  for (const auto begin = Clock::now(); Clock::now() - begin < TIME; opened++) {
    const uint32_t number = opened % FILES;
    int32_t handle = t.open(("f" + std::to_string(number)).c_str());
    for (; handle == -Errno::enfile; handle = t.open(("f" + std::to_string(number)).c_str())) std::this_thread::yield();
    CHECK(handle >= 0);
    shown.store(uint64_t(number + 1) << 32 | uint32_t(handle));
    for (const uint64_t before = uses; uses < before + 20 && opened % 3 != 0;) std::this_thread::yield();
    CHECK_EQUAL(t.close(handle), 0);
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(opened > 20 && uses > 200);
}

}  // namespace

void test_holds() {
  test("a closed file stays while a thread holds it", [] { a_held_file_stays(false); });
  test("a closed file stays while a request of the pool is counted", [] { a_held_file_stays(true); });
  test("a thread holds one file, and is counted in others", a_thread_holds_one_file_and_is_counted_in_others);
#if defined(__linux__)
  test("a thread opens for itself what it uses often", a_thread_opens_what_it_uses_often);
  test("so do the threads of a daemon, in the sandbox, too", [] {
    threads_of_a_daemon_do("off");
    threads_of_a_daemon_do("auto");
  });
#endif
  test("files come and go under threads that use them", files_come_and_go_under_threads);
}

}  // namespace warpfs::test
