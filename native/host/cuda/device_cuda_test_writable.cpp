// Windows that the gpu may store into: which files get them, and what a sync says of files that have them. The kernels of the played GPU are those
// of the cpu device, so nobody stores anything.
#include "device_cuda_test.h"

#include <filesystem>
#include <sys/stat.h>

#if defined(__linux__)
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

namespace warpfs::cuda::played {

namespace {

using namespace warpfs::test;

constexpr uint32_t BYTES = 40000;

bool is_in_tmpfs(const std::string& path) {
#if defined(__linux__)
  struct statfs system{};
  return statfs(path.c_str(), &system) == 0 && system.f_type == TMPFS_MAGIC;
#else
  (void)path;
  return false;
#endif
}

/// In tmpfs, where there is one.
class TmpfsFolder {
 public:
  TmpfsFolder() {
    char made[] = "/dev/shm/warpfs-test-XXXXXX";
    if (mkdtemp(made) != nullptr) path_ = made;
  }
  ~TmpfsFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  bool is_there() const { return !path_.empty() && is_in_tmpfs(path_); }
  const std::string& path() const { return path_; }
  std::string at(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

MountOptions mapping_options(const Place& place, const std::string& root) {
  MountOptions options = options_of(place, false);
  options.root = root;
  options.fill = "map";
  return options;
}

int32_t sync_of(warpfs::Mount& mount) {
  return run_programs(mount, {{open_step("a", OpenFor::CHANGING), sync_step(0)}})[0][1];
}

/// Opens it once more each time, and never closes it: who has closed is no writer, and a file without writers has another identity.
void write_until(warpfs::Mount& mount, const std::function<bool()>& done) {
  const auto start = Clock::now();
  while (!done()) {
    const auto results = run_programs(mount, {{open_step("a", OpenFor::CHANGING), write_step(0, 600, "bytes"), sync_step(0)}});
    CHECK_EQUAL(results[0][2], 0);
    CHECK(seconds_since(start) < 20);
  }
}

int64_t seconds_of_change(const std::string& path) {
  struct stat found{};
  CHECK(stat(path.c_str(), &found) == 0);
  return int64_t(found.st_mtime);
}

bool sync_moves_time(warpfs::Mount& mount, const std::string& path) {
  const timespec long_ago[2] = {{1000, 0}, {1000, 0}};
  CHECK(utimensat(AT_FDCWD, path.c_str(), long_ago, 0) == 0);
  CHECK_EQUAL(sync_of(mount), 0);
  return seconds_of_change(path) != 1000;
}

/// The gpu does not say when it stores something: while it may, each sync counts as one of a file that was written to.
void test_a_file_in_tmpfs_is_registered_for_writing(const TmpfsFolder& tmpfs) {
  begin(false);
  Place place;
  write_file(tmpfs.at("a"), pattern(BYTES));
  {
    warpfs::Mount mount(mapping_options(place, tmpfs.path()));
    write_until(mount, [] { return registered_for_writing() != 0; });
    CHECK(sync_moves_time(mount, tmpfs.at("a")));
    CHECK_EQUAL(mount.unmount(false), 0);
  }
  CHECK_EQUAL(registered(), 0);
}

void test_elsewhere_it_is_registered_for_reading() {
  begin(false);
  Place place;
  if (is_in_tmpfs(place.root.path)) return;  // nothing here is elsewhere
  write_file(place.root.at("a"), pattern(BYTES));
  warpfs::Mount mount(mapping_options(place, place.root.path));
  write_until(mount, [] { return registered() != 0; });
  CHECK_EQUAL(registered_for_writing(), 0);
  CHECK(!sync_moves_time(mount, place.root.at("a")));
  CHECK_EQUAL(mount.unmount(false), 0);
}

/// A file that is only read is registered for writing once it is open for that, and is not stored into before somebody has written to it.
void test_a_file_that_is_only_read_keeps_its_time(const TmpfsFolder& tmpfs) {
  begin(false);
  Place place;
  write_file(tmpfs.at("a"), pattern(BYTES));
  warpfs::Mount mount(mapping_options(place, tmpfs.path()));
  const auto start = Clock::now();
  for (uint32_t page = 0; registered() == 0; page++) {
    CHECK_EQUAL(run_programs(mount, {{open_step("a", OpenFor::CHANGING), read_step(0, page % 70 * 512, 512)}})[0][1], 512);
    CHECK(seconds_since(start) < 20);
  }
  CHECK(!sync_moves_time(mount, tmpfs.at("a")));
  CHECK_EQUAL(mount.unmount(false), 0);
}

/// What the gpu has stored into pages that somebody else has taken out of the file is in none: no sync may say that all is well.
void test_a_file_that_somebody_else_cuts_off(const TmpfsFolder& tmpfs) {
  begin(false);
  Place place;
  write_file(tmpfs.at("a"), pattern(BYTES));
  warpfs::Mount mount(mapping_options(place, tmpfs.path()));
  write_until(mount, [] { return registered_for_writing() != 0; });
  CHECK_EQUAL(sync_of(mount), 0);
  std::filesystem::resize_file(tmpfs.at("a"), 5000);
  CHECK_EQUAL(sync_of(mount), -Errno::eio);
  std::filesystem::resize_file(tmpfs.at("a"), BYTES);  // as long as before, but its pages are others
  CHECK_EQUAL(sync_of(mount), -Errno::eio);
  CHECK_EQUAL(run_programs(mount, {{open_step("a", OpenFor::CHANGING), {.op = ProgramOp::TRUNCATE, .target = 0, .offset = 100}}})[0][1], -Errno::eio);
  CHECK(mount.unmount(true) <= 0);
}

}  // namespace

void test_writable() {
  test::test("windows: a file that is not in tmpfs is only read", test_elsewhere_it_is_registered_for_reading);
  const TmpfsFolder tmpfs;
  if (!tmpfs.is_there()) {
    std::printf("SKIP windows to store into: there is no tmpfs at /dev/shm\n");
    return;
  }
  test::test("windows: a file in tmpfs is registered for writing", [&] { test_a_file_in_tmpfs_is_registered_for_writing(tmpfs); });
  test::test("windows: a file that is only read keeps its time", [&] { test_a_file_that_is_only_read_keeps_its_time(tmpfs); });
  test::test("windows: no sync of a file that somebody else has cut off", [&] { test_a_file_that_somebody_else_cuts_off(tmpfs); });
}

}  // namespace warpfs::cuda::played
