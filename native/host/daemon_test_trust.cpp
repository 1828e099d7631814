// When the times of a file are trusted to tell that it is unchanged.
#include "daemon_test.h"
#include "file_table.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace warpfs::test {

namespace {

/// A file table without a daemon: opens and closes, and says which identity the file had.
struct Opener {
  Opener(const Folder& folder, PathResolver::Method method)
      : gpu(small_geometry()), paths(folder.path, method), table(gpu.view, 64, paths, false) {}
  uint32_t identity(const char* path, uint32_t flags = READ) {
    const int32_t file = table.open(path, flags, Hurry::NO);
    CHECK(file >= 0);
    const uint32_t file_id = gpu.entry(file).file_id;
    CHECK_EQUAL(table.close(uint32_t(file), false, Hurry::NO), 0);
    return file_id;
  }
  Gpu gpu;
  PathResolver paths;
  FileTable table;
};

void change_in_place(const std::string& path, const char* bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY);
  CHECK(pwrite(fd, bytes, 1, 0) == 1 && ::close(fd) == 0);
}

/// Changes that follow a look at once: whatever the kernel's clock, the bytes of before are never taken for those of after.
void quick_changes(PathResolver::Method method) {
  Folder folder;
  const std::string path = folder.at("a");
  write_file(path, pattern(100));
  Opener opener(folder, method);
  uint32_t before = opener.identity("a");
  for (int round = 0; round < 300; round++) {
    change_in_place(path, round % 2 == 0 ? "x" : "y");
    const uint32_t now = opener.identity("a");
    CHECK(now != before);
    before = now;
  }
}

/// With the times of an old kernel a look right behind a change is not trusted, one that comes later is.
void young() {
  Folder folder;
  write_file(folder.at("a"), pattern(100));
  Opener opener(folder, PathResolver::Method::COARSE_TIMES);
  change_in_place(folder.at("a"), "x");
  const uint32_t first = opener.identity("a");
  CHECK(opener.identity("a") != first);
  usleep(40000);
  const uint32_t second = opener.identity("a");
  CHECK(second != first);
  for (int i = 0; i < 10; i++) CHECK_EQUAL(opener.identity("a"), second);
}

/// Times without fractions, as of a file system that has none, are trusted only when seconds have passed.
void whole_seconds() {
  Folder folder;
  write_file(folder.at("a"), pattern(100));
  FileLook look;
  const int fd = ::open(folder.at("a").c_str(), O_RDONLY);
  CHECK(fd >= 0);
  CHECK_EQUAL(look_at(fd, look), 0);
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const auto young_at = [&](int64_t seconds_ago, int64_t nanoseconds) {
    FileSignature signature = look.signature;
    signature.modified = signature.changed = {now.tv_sec - seconds_ago, nanoseconds};
    return is_young(signature, fd, FileTimes::AS_THE_KERNEL_HAS_THEM);
  };
  CHECK(young_at(0, 0) && young_at(1, 0));
  CHECK(!young_at(4, 0) && !young_at(2, 1));
  FileSignature future = look.signature;
  future.modified = {now.tv_sec + 100, 5};
  CHECK(is_young(future, fd, FileTimes::COARSE));
  CHECK(look.signature == look.signature);
  FileSignature other = look.signature;
  other.young = true;
  CHECK(!(other == other) && !(other == look.signature));
  other = look.signature;
  other.born.nanoseconds++;
  CHECK(!(other == look.signature));  // a later file with the same inode
  ::close(fd);
}

/// Nothing of the time counts in check mode.
void repeatable() {
  Folder folder;
  write_file(folder.at("a"), pattern(100));
  Opener opener(folder, PathResolver::Method::REPEATABLE);
  const uint32_t first = opener.identity("a");
  change_in_place(folder.at("a"), "x");
  CHECK_EQUAL(opener.identity("a"), first);
  CHECK(truncate(folder.at("a").c_str(), 50) == 0);
  const uint32_t second = opener.identity("a");
  CHECK(second != first);
  // Also an inode that comes back with the same size is another file, if its name went through us.
  CHECK_EQUAL(opener.table.unlink("a"), 0);
  write_file(folder.at("a"), pattern(50, 2));
  CHECK(opener.identity("a") != second);
}

/// Files that somebody else replaces by others of the same length, so that the disk gives out the same inodes again.
void replaced() {
  Folder folder;
  Opener opener(folder, PathResolver::Method::AUTOMATIC);
  uint32_t before = 0;
  for (int round = 0; round < 300; round++) {
    write_file(folder.at("a"), "");
    const uint32_t now = opener.identity("a");
    CHECK(now != before);
    before = now;
    CHECK(std::filesystem::remove(folder.at("a")));
  }
}

}  // namespace

void test_trust() {
  test("a change right behind a look is seen", [] { quick_changes(PathResolver::Method::AUTOMATIC); });
  test("a change right behind a look is seen, with coarse times", [] { quick_changes(PathResolver::Method::COARSE_TIMES); });
  test("young times are not trusted", young);
  test("times of whole seconds, of the future, and of the birth", whole_seconds);
  test("check mode does not look at times", repeatable);
  test("a file in the place of a removed one is another", replaced);
}

}  // namespace warpfs::test
