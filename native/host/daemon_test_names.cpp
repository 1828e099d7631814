// Names that go and names that move: what becomes of the files behind them, and where a path may not lead.
#include "daemon_test.h"

#include <cerrno>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace warpfs::test {

namespace {

bool exists(const std::string& path) {
  struct stat found{};
  return lstat(path.c_str(), &found) == 0;
}

/// A tree with a secret beside its root.
struct Tree {
  Tree() : root(outer.at("root")) {
    write_file(outer.at("secret"), "secret");
    std::filesystem::create_directories(root + "/d/e");
    write_file(root + "/a", "aaa");
    write_file(root + "/b", "bb");
    write_file(root + "/d/f", "f");
    CHECK(symlink("../secret", (root + "/out").c_str()) == 0);
    CHECK(symlink("..", (root + "/parent").c_str()) == 0);
    CHECK(symlink("a", (root + "/link").c_str()) == 0);
    CHECK(symlink("d", (root + "/link_d").c_str()) == 0);
    CHECK(symlink("loop", (root + "/loop").c_str()) == 0);
  }
  Folder outer;
  const std::string root;
};

struct TreeMount {
  explicit TreeMount(const Tree& tree) : gpu(small_geometry()), daemon(gpu.view, {.root = tree.root}) {
    daemon.begin_dispatch();
  }
  ~TreeMount() { daemon.end_dispatch(); }
  Gpu gpu;
  Daemon daemon;
};

void unlink_paths() {
  Tree tree;
  TreeMount m(tree);
  Gpu& gpu = m.gpu;
  CHECK_EQUAL(gpu.unlink("nothing"), -ENOENT);
  CHECK_EQUAL(gpu.unlink("nothing/x"), -ENOENT);
  CHECK_EQUAL(gpu.unlink("a/x"), -ENOTDIR);
  CHECK_EQUAL(gpu.unlink("a/"), -ENOTDIR);
  CHECK_EQUAL(gpu.unlink("a/."), -ENOTDIR);
  for (const char* directory : {"d", "d/", "d/e", ".", "d/.", "d/..", "link_d/e"}) CHECK_EQUAL(gpu.unlink(directory), -EISDIR);
  CHECK_EQUAL(gpu.unlink("link_d/"), -ENOTDIR);  // the link itself
  for (const char* outside : {"../secret", "..", "parent/secret", "/etc/passwd", "d/../../secret", "parent/root/a"}) {
    CHECK_EQUAL(gpu.unlink(outside), -EXDEV);
  }
  CHECK_EQUAL(gpu.unlink("loop/x"), -ELOOP);
  CHECK_EQUAL(gpu.unlink(std::string(256, 'n')), -ENAMETOOLONG);
  CHECK_EQUAL(gpu.unlink("link_d/../d//f"), 0);
  CHECK(!exists(tree.root + "/d/f"));
  for (const char* link : {"out", "parent", "link", "loop"}) {
    CHECK_EQUAL(gpu.unlink(link), 0);
    CHECK(!exists(tree.root + "/" + link));
  }
  CHECK(read_file(tree.outer.at("secret")) == "secret" && read_file(tree.root + "/a") == "aaa");
  CHECK_EQUAL(gpu.unlink("a"), 0);
  CHECK_EQUAL(gpu.unlink("a"), -ENOENT);
  CHECK_EQUAL(m.daemon.sync_all(), 0);
  CHECK_EQUAL(m.daemon.stats().refused, 0);
}

void rename_paths() {
  Tree tree;
  TreeMount m(tree);
  Gpu& gpu = m.gpu;
  CHECK_EQUAL(gpu.rename("nothing", "x"), -ENOENT);
  CHECK_EQUAL(gpu.rename("a", "nothing/x"), -ENOENT);
  CHECK_EQUAL(gpu.rename("a", "b/x"), -ENOTDIR);
  CHECK_EQUAL(gpu.rename("a", "x/"), -ENOTDIR);
  CHECK_EQUAL(gpu.rename("a/", "x"), -ENOTDIR);
  CHECK_EQUAL(gpu.rename("a", "d"), -EISDIR);
  CHECK_EQUAL(gpu.rename("d", "a"), -ENOTDIR);
  CHECK_EQUAL(gpu.rename("d/e", "d"), -ENOTEMPTY);
  CHECK_EQUAL(gpu.rename("d", "d/e/x"), -EINVAL);
  for (const char* self : {".", "d/.", "d/..", "d/e/..", "./"}) {
    CHECK_EQUAL(gpu.rename(self, "x"), -EBUSY);
    CHECK_EQUAL(gpu.rename("d/e", self), -EBUSY);
  }
  for (const char* outside : {"../x", "..", "parent/x", "/tmp/x", "d/../../x", "parent/root/x"}) {
    CHECK_EQUAL(gpu.rename("a", outside), -EXDEV);
    CHECK_EQUAL(gpu.rename(outside, "x"), -EXDEV);
  }
  CHECK_EQUAL(gpu.rename("a", "loop/x"), -ELOOP);
  CHECK_EQUAL(gpu.rename("a", std::string(256, 'n')), -ENAMETOOLONG);
  CHECK_EQUAL(gpu.rename("a", "a"), 0);
  CHECK_EQUAL(gpu.rename("a", "out"), 0);  // the link is replaced, not what it names
  CHECK(read_file(tree.root + "/out") == "aaa" && read_file(tree.outer.at("secret")) == "secret");
  CHECK_EQUAL(gpu.rename("link", "d/moved"), 0);
  CHECK(std::filesystem::is_symlink(tree.root + "/d/moved") && !exists(tree.root + "/link"));
  CHECK_EQUAL(gpu.rename("link_d/f", "d/e/../g"), 0);
  CHECK(read_file(tree.root + "/d/g") == "f");
  CHECK_EQUAL(gpu.rename("d/e", "directory/"), 0);
  CHECK(std::filesystem::is_directory(tree.root + "/directory"));
  CHECK_EQUAL(gpu.rename("out", "b"), 0);
  CHECK(read_file(tree.root + "/b") == "aaa" && !exists(tree.root + "/out"));
  CHECK_EQUAL(m.daemon.sync_all(), 0);
  for (const auto& entry : std::filesystem::directory_iterator(tree.outer.path)) {
    CHECK(entry.path().filename() == "secret" || entry.path().filename() == "root");
  }
}

/// A file without a name works on, and what gets its name, or its inode, is another file.
void open_files() {
  Folder folder;
  write_file(folder.at("a"), pattern(8192));
  write_file(folder.at("b"), pattern(4096, 2));
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", READ_WRITE);
  const uint32_t file_id = gpu.entry(file).file_id;
  CHECK_EQUAL(gpu.unlink("a"), 0);
  CHECK_EQUAL(gpu.fill(file, 4096, 1), 0);
  CHECK(std::memcmp(gpu.line(1), pattern(8192).data() + 4096, 4096) == 0);
  CHECK_EQUAL(gpu.write_back(file, 8192, 100, 1), 0);
  CHECK_EQUAL(gpu.sync(file), 0);
  CHECK_EQUAL(gpu.open("a", READ), -ENOENT);
  const int32_t other = gpu.open("a", CREATE);
  CHECK(other >= 0 && other != file);
  CHECK(gpu.entry(other).file_id != file_id);
  CHECK_EQUAL(gpu.stat(file).value, 8292);
  CHECK_EQUAL(gpu.stat(other).value, 0);
  CHECK_EQUAL(gpu.close(file), 0);

  // Replaced while it is open.
  const int32_t old = gpu.open("b", READ_WRITE);
  CHECK_EQUAL(gpu.write_back(other, 0, 3000, 1), 0);
  CHECK_EQUAL(gpu.rename("a", "b"), 0);
  CHECK_EQUAL(gpu.open("b", READ), other & ~int32_t(HANDLE_WRITABLE));
  CHECK_EQUAL(gpu.fill(old, 0, 2), 0);
  CHECK(std::memcmp(gpu.line(2), pattern(4096, 2).data(), 4096) == 0);
  CHECK_EQUAL(gpu.write_back(old, 0, 10, 2), 0);
  CHECK(read_file(folder.at("b")) == pattern(8192).substr(4096, 3000));
  CHECK_EQUAL(gpu.close(old), 0);
  // Hard links: one name of two is no end.
  std::filesystem::create_hard_link(folder.at("b"), folder.at("c"));
  CHECK_EQUAL(gpu.unlink("b"), 0);
  CHECK_EQUAL(gpu.open("c", READ), other & ~int32_t(HANDLE_WRITABLE));
  CHECK_EQUAL(m.daemon.sync_all(), 0);
}

/// The disk gives an inode to the next file at once. It must not inherit the lines of the one before, however alike both look.
void reused_inodes() {
  Folder folder;
  Mount m(folder, small_geometry(64, 1, 512));
  Gpu& gpu = m.gpu;
  uint32_t before = 0;
  for (int round = 0; round < 200; round++) {
    const int32_t file = gpu.open("a", CREATE);
    CHECK(file >= 0);
    CHECK(gpu.entry(file).file_id > before);
    before = gpu.entry(file).file_id;
    if (round % 3 == 0) CHECK_EQUAL(gpu.write_back(file, 0, 100, 0), 0);
    if (round % 2 == 0) CHECK_EQUAL(gpu.unlink("a"), 0);
    CHECK_EQUAL(gpu.close(file), 0);
    if (round % 2 == 1) CHECK_EQUAL(gpu.unlink("a"), 0);
  }
  CHECK(std::filesystem::is_empty(folder.path));
}

/// A closed file without a name keeps no descriptor, so its room on the disk is free at once.
[[maybe_unused]] void no_descriptor_left() {
  Folder folder;
  Mount m(folder);
  const auto descriptors = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  int32_t file = m.gpu.open("warm", CREATE);
  CHECK_EQUAL(m.gpu.close(file), 0);
  const auto before = descriptors();
  for (bool close_first : {false, true}) {
    file = m.gpu.open("a", CREATE);
    CHECK_EQUAL(m.gpu.write_back(file, 0, 100, 0), 0);
    if (close_first) CHECK_EQUAL(m.gpu.close(file), 0);
    CHECK_EQUAL(m.gpu.unlink("a"), 0);
    if (!close_first) CHECK_EQUAL(m.gpu.close(file), 0);
    CHECK_EQUAL(descriptors(), before);
  }
}

void hostile() {
  Folder folder;
  write_file(folder.at("a"), "a");
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const auto ask = [&](uint32_t opcode, const std::string& outbox, uint64_t length, uint64_t second = 0) {
    std::memset(gpu.outbox(3), 'y', OUTBOX_BYTES);
    std::memcpy(gpu.outbox(3), outbox.data(), outbox.size());
    Request r = Gpu::request(opcode);
    r.length = uint32_t(length);
    r.offset = second;
    return gpu.ask(r, 3).result;
  };
  const auto nul = [](const char* text, size_t bytes) { return std::string(text, bytes); };
  CHECK_EQUAL(ask(Opcode::UNLINK, nul("a\0", 2), 0), -EINVAL);
  CHECK_EQUAL(ask(Opcode::UNLINK, "a", 1), -EINVAL);             // no NUL behind
  CHECK_EQUAL(ask(Opcode::UNLINK, nul("a\0b\0", 4), 3), -EINVAL);  // a NUL inside
  CHECK_EQUAL(ask(Opcode::UNLINK, nul("a\0", 2), PATH_BYTES_MAX), -ENAMETOOLONG);
  CHECK_EQUAL(ask(Opcode::UNLINK, nul("a\0", 2), 0xffffffffu), -ENAMETOOLONG);
  CHECK_EQUAL(ask(Opcode::RENAME, nul("a\0b\0", 4), 1, 0), -EINVAL);
  CHECK_EQUAL(ask(Opcode::RENAME, nul("a\0b\0", 4), 1, 2), -EINVAL);
  CHECK_EQUAL(ask(Opcode::RENAME, nul("a\0b", 3), 1, 1), -EINVAL);
  CHECK_EQUAL(ask(Opcode::RENAME, nul("a\0b\0", 4), 3, 1), -EINVAL);
  for (uint64_t second : {uint64_t(PATH_BYTES_MAX), uint64_t(1) << 32 | 1, ~uint64_t(0), uint64_t(1) << 63}) {
    CHECK_EQUAL(ask(Opcode::RENAME, nul("a\0b\0", 4), 1, second), -ENAMETOOLONG);
  }
  CHECK_EQUAL(ask(Opcode::RENAME, "", PATH_BYTES_MAX - 1, PATH_BYTES_MAX - 1), -EINVAL);  // the whole outbox, and no NUL in it
  CHECK_EQUAL(m.daemon.stats().refused, 14);
  Request nowhere = Gpu::names_request(Opcode::RENAME, 1, 1);
  nowhere.mailbox = 16;
  gpu.post(nowhere);
  m.daemon.wait_until_drained();
  CHECK_EQUAL(m.daemon.stats().refused, 15);
  CHECK(read_file(folder.at("a")) == "a");
  // The longest paths that there can be.
  std::string longest = "./";
  while (longest.size() + 2 < PATH_BYTES_MAX - 2) longest += "./";
  longest.resize(PATH_BYTES_MAX - 2, '/');
  CHECK_EQUAL(gpu.rename(longest + "a", longest + "b", 15), 0);
  CHECK(read_file(folder.at("b")) == "a");
  CHECK_EQUAL(gpu.unlink(longest + "b", 15), 0);

  Folder still;
  write_file(still.at("a"), "a");
  Mount read_only(still, small_geometry(), {.read_only = true});
  CHECK_EQUAL(read_only.gpu.unlink("a"), -EROFS);
  CHECK_EQUAL(read_only.gpu.rename("a", "b"), -EROFS);
  const int32_t file = read_only.gpu.open("a", READ);
  CHECK_EQUAL(read_only.gpu.truncate(file | int32_t(HANDLE_WRITABLE), 0).result, -EROFS);
  CHECK_EQUAL(read_only.gpu.open("a", CREATE | OPEN_EXCLUSIVE), -EROFS);
  CHECK(read_file(still.at("a")) == "a");
}

void permissions() {
  if (geteuid() == 0) {
    std::printf("   SKIP permissions: nothing is forbidden to the super-user\n");
    return;
  }
  Folder folder;
  std::filesystem::create_directory(folder.at("d"));
  write_file(folder.at("d/a"), "a");
  Mount m(folder);
  CHECK(chmod(folder.at("d").c_str(), 0555) == 0);
  CHECK_EQUAL(m.gpu.unlink("d/a"), -EACCES);
  CHECK_EQUAL(m.gpu.rename("d/a", "d/b"), -EACCES);
  CHECK_EQUAL(m.gpu.open("d/new", CREATE), -EACCES);
  CHECK(chmod(folder.at("d").c_str(), 0755) == 0);
}

}  // namespace

void test_names() {
  test("unlink takes away what the path names, beneath the root", unlink_paths);
  test("rename does what rename(2) does, beneath the root", rename_paths);
  test("open files outlive their names", open_files);
  test("a file that gets the inode of another is another file", reused_inodes);
#if defined(__linux__)
  test("a closed file without a name keeps no descriptor", no_descriptor_left);
#endif
  test("hostile names", hostile);
  test("names in a directory that may not be written", permissions);
}

}  // namespace warpfs::test
