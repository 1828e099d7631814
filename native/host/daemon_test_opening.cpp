// Opening: what the flags mean, what may not be asked for, and very many files.
#include "daemon_test.h"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace warpfs::test {

namespace {

void flags() {
  Folder folder;
  const std::string bytes = pattern(5000);
  write_file(folder.at("a.bin"), bytes);
  std::filesystem::create_directory(folder.at("d"));
  CHECK(symlink("nowhere", folder.at("dangling").c_str()) == 0);
  CHECK(symlink("../outside", folder.at("out").c_str()) == 0);
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const uint32_t exclusive = CREATE | OPEN_EXCLUSIVE;
  for (uint32_t wrong : {uint32_t(OPEN_APPEND), OPEN_WRITE | OPEN_APPEND, 32u, 0x80000001u, OPEN_WRITE | OPEN_EXCLUSIVE, uint32_t(OPEN_CREATE),
                         uint32_t(OPEN_TRUNCATE), OPEN_CREATE | OPEN_EXCLUSIVE}) {
    CHECK_EQUAL(gpu.open("a.bin", wrong), -EINVAL);
  }
  // The file is emptied by a request of its own.
  const int32_t file = gpu.open("a.bin", CREATE | OPEN_TRUNCATE);
  CHECK(file >= 0);
  CHECK_EQUAL(gpu.published_size(file), 5000);
  CHECK_EQUAL(gpu.open("a.bin", CREATE), file);
  CHECK(read_file(folder.at("a.bin")) == bytes);
  CHECK_EQUAL(gpu.open("a.bin", exclusive), -EEXIST);
  CHECK_EQUAL(gpu.open("d", exclusive), -EEXIST);
  CHECK_EQUAL(gpu.open("dangling", exclusive), -EEXIST);
  CHECK_EQUAL(gpu.open("out", exclusive), -EEXIST);
  CHECK_EQUAL(gpu.open("d/", exclusive), -EISDIR);
  CHECK_EQUAL(gpu.open("nothing/x", exclusive), -ENOENT);
  CHECK_EQUAL(gpu.open("../x", exclusive), -EXDEV);
  CHECK(!std::filesystem::exists(folder.at("nowhere")));
  const int32_t made = gpu.open("new", exclusive);
  CHECK(made >= 0 && (uint32_t(made) & HANDLE_WRITABLE) != 0);
  CHECK_EQUAL(gpu.open("new", exclusive), -EEXIST);
  CHECK_EQUAL(gpu.open("new", READ), made & ~int32_t(HANDLE_WRITABLE));
  CHECK(gpu.open("dangling", CREATE) >= 0);  // without EXCLUSIVE the file behind the link is made
  CHECK(std::filesystem::exists(folder.at("nowhere")));
}

/// Of many that make one file exclusively, one does.
void race() {
  Folder folder;
  Mount m(folder, small_geometry(64, 4), {.threads = 2});
  for (int round = 0; round < 50; round++) {
    const std::string name = "f" + std::to_string(round);
    std::atomic<int> made{0}, refused{0};
    std::vector<std::thread> warps;
    for (uint32_t warp = 0; warp < 4; warp++) {
      warps.emplace_back([&, warp] {
        const int32_t file = m.gpu.open(name, CREATE | OPEN_EXCLUSIVE, warp, warp);
        CHECK(file >= 0 || file == -EEXIST);
        file >= 0 ? made++ : refused++;
      });
    }
    for (std::thread& warp : warps) warp.join();
    CHECK_EQUAL(made.load(), 1);
    CHECK_EQUAL(refused.load(), 3);
  }
}

/// In a child, because the limits of a process are its own. It starts with a low soft limit, as most processes do.
void many() {
  constexpr uint32_t FILES = 65536;
  std::fflush(stdout);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    rlimit limit{256, FILES + 1000};
    const bool allowed = setrlimit(RLIMIT_NOFILE, &limit) == 0;
    if (!allowed) {
      getrlimit(RLIMIT_NOFILE, &limit);
      limit.rlim_cur = 256;
      CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    }
    const uint32_t files = limit.rlim_max < FILES + 1000 ? uint32_t(limit.rlim_max) - 200 : FILES;
    double first = 0, last = 0;
    {
      Folder folder;
      Geometry g = small_geometry(64, 1, FILES + 1);
      Mount m(folder, g);
      rlimit raised{};
      CHECK(getrlimit(RLIMIT_NOFILE, &raised) == 0 && raised.rlim_cur == limit.rlim_max);
      std::vector<int32_t> handles;
      auto start = Clock::now();
      for (uint32_t i = 0; i < files; i++) {
        const int32_t file = m.gpu.open(std::to_string(i), CREATE);
        if (file < 0) std::printf("file %u: %d\n", i, file);
        CHECK(file >= 0);
        handles.push_back(file);
        if (i == 4095) first = seconds_since(start);
        if (i == files - 4097) start = Clock::now();
      }
      last = seconds_since(start);
      std::memset(m.gpu.line(0), 'x', 4096);
      for (uint32_t i : {0u, files / 2, files - 1}) {
        CHECK_EQUAL(m.gpu.write_back(handles[i], 0, 10, 0), 0);
        CHECK(read_file(folder.at(std::to_string(i))) == std::string(10, 'x'));
      }
      for (int32_t file : handles) CHECK_EQUAL(m.gpu.close(file), 0);
      std::printf("   %u files open at once; 4096 opens took %.0f ms at first, %.0f ms at last, all %.1f s\n", files, first * 1e3, last * 1e3,
                  seconds_since(start));
    }
    CHECK(last < first * 8 + 0.5);
    std::fflush(stdout);
    std::_Exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace

void test_opening() {
  test("what the flags of an open mean", flags);
  test("one of many makes a file exclusively", race);
  test("65536 files are open at once, or as many as the system allows", many);
}

}  // namespace warpfs::test
