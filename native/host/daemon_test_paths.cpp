// Paths that want out of the root, things that are no files, and machines that forbid the better ways.
#include "daemon_test.h"
#include "host_error.h"
#include "path_resolver.h"

#include <cerrno>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#endif

namespace warpfs::test {

namespace {

void paths(PathResolver::Method method) {
  Folder outer;
  write_file(outer.at("secret"), "secret");
  const std::string root = outer.at("root");
  std::filesystem::create_directories(root + "/d/e");
  write_file(root + "/d/e/f", "inside");
  const auto link = [&](const char* target, const char* name) { CHECK(symlink(target, (root + "/" + name).c_str()) == 0); };
  link("d/e/f", "in");
  link("../d/./e", "d/up");
  link("../../secret", "d/out");
  link("../secret", "out");
  link((root + "/d/e/f").c_str(), "absolute");
  link("loop", "loop");
  link("new-behind-link", "dangling");
  link("..", "parent");
  link("in", "chain");
  const PathResolver resolver(root, method);
  if (method == PathResolver::Method::WALK) CHECK(resolver.walks());
  const auto look = [&](const char* path) {
    FileLook found;
    const int32_t error = resolver.identify(path, found);
    const int32_t fd = resolver.open(path, false);
    if (fd >= 0) ::close(fd);
    if (error != 0) CHECK_EQUAL(fd, error);
    return error == 0 && S_ISDIR(found.mode) ? 1 : error;
  };
  for (const char* path : {"d/e/f", "in", "chain", "d/up/f", "./d//e/../e/f", "d/../in", "d/up/../e/f"}) CHECK_EQUAL(look(path), 0);
  for (const char* path : {"out", "d/out", "../root/in", "..", "absolute", "/etc/passwd", "parent", "parent/root/in", "d/../../secret"}) {
    CHECK_EQUAL(look(path), -EXDEV);
  }
  for (const char* path : {".", "d", "d/", "d/e/", "d/up/.", "d/.."}) CHECK_EQUAL(look(path), 1);
  CHECK_EQUAL(look("loop"), -ELOOP);
  CHECK_EQUAL(look("nothing"), -ENOENT);
  CHECK_EQUAL(look("nothing/f"), -ENOENT);
  CHECK_EQUAL(look("d/e/f/g"), -ENOTDIR);
  CHECK_EQUAL(look("d/e/f/"), -ENOTDIR);
  CHECK_EQUAL(look((std::string(300, 'n')).c_str()), -ENAMETOOLONG);
  const auto create = [&](const char* path) {
    int parent = -1;
    const int32_t fd = resolver.create(path, false, parent);
    if (fd >= 0) CHECK(::close(fd) == 0 && ::close(parent) == 0);
    return fd >= 0 ? 0 : fd;
  };
  CHECK_EQUAL(create("d/new"), 0);
  CHECK_EQUAL(create("d/new"), -EEXIST);
  CHECK_EQUAL(create("in"), -EEXIST);
  CHECK_EQUAL(create("dangling"), 0);
  CHECK(std::filesystem::exists(root + "/new-behind-link"));
  CHECK_EQUAL(create("../new"), -EXDEV);
  CHECK_EQUAL(create("parent/new"), -EXDEV);
  CHECK_EQUAL(create("d/other/"), -EISDIR);
  CHECK(!std::filesystem::exists(outer.at("new")));
}

void special_files() {
  Folder folder;
  CHECK(mkfifo(folder.at("fifo").c_str(), 0644) == 0);
  std::filesystem::create_directory(folder.at("directory"));
  Mount m(folder);
  const auto start = Clock::now();
  for (uint32_t mode : {READ, READ_WRITE, CREATE}) {
    CHECK_EQUAL(m.gpu.open("fifo", mode), -EOPNOTSUPP);
    CHECK_EQUAL(m.gpu.open("directory", mode), -EISDIR);
    CHECK_EQUAL(m.gpu.open("/etc/passwd", mode), -EXDEV);
    CHECK_EQUAL(m.gpu.open("../x", mode), -EXDEV);
  }
  CHECK(seconds_since(start) < 2);
  CHECK_EQUAL(m.daemon.stats().host_opens, 0);
}

void bad_roots() {
  Folder folder;
  write_file(folder.at("file"), "");
  Gpu gpu(small_geometry());
  const auto code = [&](const DaemonOptions& options) -> std::string {
    try {
      Daemon daemon(gpu.view, options);
    } catch (const HostError& error) {
      return error.code;
    }
    return "none";
  };
  CHECK(code({.root = folder.at("missing")}) == "ENOENT");
  CHECK(code({.root = folder.at("file")}) == "ENOTDIR");
  CHECK(code({.root = folder.path, .io = "fast"}) == "EINVAL");
  CHECK(code({.root = folder.path}) == "none");
}

#if defined(__linux__)
/// What a container's sandbox does: io_uring gives EPERM and openat2 ENOSYS. In a child, because it lasts for ever.
void sandbox() {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    const sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{sizeof program / sizeof *program, const_cast<sock_filter*>(program)};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
    Folder folder;
    write_file(folder.at("a.bin"), pattern(4096));
    Mount m(folder, small_geometry(), {.io = "uring"});
    CHECK(m.daemon.engine() == "pread");
    CHECK(m.daemon.engine_note() == "io_uring: setup failed: EPERM");
    const int32_t file = m.gpu.open("a.bin", READ);
    CHECK_EQUAL(m.gpu.fill(file, 0, 1), 0);
    CHECK(std::memcmp(m.gpu.line(1), pattern(4096).data(), 4096) == 0);
    CHECK_EQUAL(m.gpu.open("../x", CREATE), -EXDEV);
    const int32_t made = m.gpu.open("new", CREATE);
    CHECK(made >= 0);
    CHECK_EQUAL(m.gpu.sync(made), 0);
    m.daemon.end_dispatch();
    std::filesystem::remove_all(folder.path);
    std::_Exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

}  // namespace

void test_paths() {
  test("paths stay beneath the root", [] { paths(PathResolver::Method::AUTOMATIC); });
  test("paths stay beneath the root, walked", [] { paths(PathResolver::Method::WALK); });
  test("no FIFO, device or directory is opened", special_files);
  test("a root that is none", bad_roots);
#if defined(__linux__)
  test("a sandbox without io_uring and openat2", sandbox);
#endif
}

}  // namespace warpfs::test
