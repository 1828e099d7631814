// What a thread inside the sandbox can and cannot do, and which threads are inside.
#include "daemon_test.h"
#include "host_error.h"
#include "sandbox.h"
#include "work_pool.h"

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <fcntl.h>
#include <mutex>
#include <sys/stat.h>
#if defined(__linux__)
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#endif

namespace warpfs::test {

#if defined(__linux__)

namespace {

/// Does the work on a thread of a pool, and waits for it.
void inside(WorkPool& pool, const std::function<void()>& work) {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  pool.submit([&] {
    work();
    std::lock_guard lock(mutex);
    done = true;
    changed.notify_one();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return done; });
}

bool refused(long result) { return result < 0 && (errno == EPERM || errno == EACCES); }

void nothing_outside() {
  Folder folder, outside;
  write_file(folder.at("in.bin"), "inside");
  write_file(outside.at("out.bin"), "outside");
  const Sandbox sandbox("required", folder.path, true);
  WorkPool pool(1, &sandbox);
  inside(pool, [&] {
    CHECK(refused(open(outside.at("out.bin").c_str(), O_RDONLY)));
    CHECK(refused(open("/etc/passwd", O_RDONLY)));
    CHECK(refused(open(outside.at("new.bin").c_str(), O_WRONLY | O_CREAT, 0644)));
    CHECK(refused(open("/proc/self/mem", O_RDWR)));
    CHECK(refused(::rename(folder.at("in.bin").c_str(), outside.at("stolen.bin").c_str())));
    CHECK(refused(unlinkat(AT_FDCWD, outside.at("out.bin").c_str(), 0)));
    char* const arguments[] = {const_cast<char*>("true"), nullptr};
    CHECK(refused(execve("/bin/true", arguments, nullptr)));
    CHECK(refused(socket(AF_INET, SOCK_STREAM, 0)));
    CHECK(refused(socket(AF_UNIX, SOCK_STREAM, 0)));
    CHECK(refused(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)));
    CHECK(refused(fork()));
    CHECK(refused(kill(getppid(), 0)));
    CHECK(refused(syscall(SYS_io_uring_setup, 1, nullptr)));
    CHECK(refused(mkdirat(AT_FDCWD, folder.at("folder").c_str(), 0755)));
    CHECK(refused(symlinkat("/etc", AT_FDCWD, folder.at("link").c_str())));
    CHECK(mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EPERM);
#if defined(__x86_64__)
    CHECK(refused(syscall(0x40000000 | SYS_getpid)));  // the same call by its x32 number
#endif
  });
  CHECK(std::filesystem::exists(outside.at("out.bin")) && std::filesystem::exists(folder.at("in.bin")));
}

void everything_inside() {
  Folder folder;
  std::filesystem::create_directory(folder.at("deep"));
  write_file(folder.at("in.bin"), "inside");
  const Sandbox sandbox("required", folder.path, true);
  WorkPool pool(2, &sandbox);
  const int root = open(folder.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  inside(pool, [&] {
    open_how how{};
    how.flags = O_RDWR | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const int file = int(syscall(SYS_openat2, root, "in.bin", &how, sizeof how));
    CHECK(file >= 0);
    CHECK_EQUAL(pwrite(file, "IN", 2, 0), 2);
    CHECK_EQUAL(ftruncate(file, 100), 0);
    CHECK_EQUAL(fdatasync(file), 0);
    const int made = openat(root, "deep/new.bin", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    CHECK(made >= 0);
    const int parent = openat(root, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(parent >= 0);
    CHECK_EQUAL(fsync(parent), 0);
    CHECK_EQUAL(renameat(root, "deep/new.bin", root, "moved.bin"), 0);  // to another directory
    CHECK_EQUAL(unlinkat(root, "moved.bin", 0), 0);
    for (const int fd : {file, made, parent}) CHECK_EQUAL(close(fd), 0);
    // Threads, memory of an arena of their own, and their end.
    std::thread([] { CHECK(std::vector<char>(1 << 22).size() != 0); }).join();
  });
  close(root);
  CHECK(!std::filesystem::exists(folder.at("moved.bin")) && std::filesystem::file_size(folder.at("in.bin")) == 100);
}

void a_read_only_mount_writes_nothing() {
  Folder folder;
  write_file(folder.at("in.bin"), "inside");
  const Sandbox sandbox("required", folder.path, false);
  WorkPool pool(1, &sandbox);
  inside(pool, [&] {
    CHECK(open(folder.at("in.bin").c_str(), O_RDONLY) >= 0);
    CHECK(refused(open(folder.at("in.bin").c_str(), O_RDWR)));
    CHECK(refused(open(folder.at("new.bin").c_str(), O_WRONLY | O_CREAT, 0644)));
    CHECK(refused(unlinkat(AT_FDCWD, folder.at("in.bin").c_str(), 0)));
  });
}

/// Threads of this process that a filter is around.
unsigned threads_inside() {
  unsigned count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    const std::string status = read_file(task.path().string() + "/status");
    count += status.find("Seccomp:\t2") != std::string::npos && status.find("NoNewPrivs:\t1") != std::string::npos;
  }
  return count;
}

void which_threads() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(4096));
  const unsigned before = threads_inside();
  Mount m(folder, small_geometry(), {.threads = 2, .sandbox = "required"});
  const int32_t file = m.gpu.open("a.bin", OPEN_WRITE);
  CHECK_EQUAL(m.gpu.fill(file, 0, 1, 1), 0);
  CHECK_EQUAL(m.gpu.fill(file, 0, 2, 0), 0);
  CHECK_EQUAL(m.gpu.sync(file), 0);  // in a thread of the pool
  CHECK(threads_inside() >= before + 3);
  CHECK(read_file("/proc/self/status").find("Seccomp:\t0") != std::string::npos);  // whoever mounts stays as it was
  CHECK(m.daemon.sandbox().starts_with("landlock "));
  CHECK(m.daemon.sandbox().ends_with(" + seccomp"));
  const unsigned locked = threads_inside();
  Mount free(folder, small_geometry(), {.sandbox = "off"});
  CHECK_EQUAL(free.gpu.fill(free.gpu.open("a.bin", 0), 0, 1), 0);
  CHECK_EQUAL(threads_inside(), locked);
  CHECK(free.daemon.sandbox() == "none: switched off");
}

/// As on a kernel without Landlock, for this thread and what it starts.
void without_landlock(const std::function<void()>& work) {
  std::thread([&] {
    sock_filter program[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
                             {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 444},
                             {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
                             {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    const sock_fprog filter{4, program};
    CHECK_EQUAL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQUAL(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), 0);
    work();
  }).join();
}

void required_says_what_is_missing() {
  Folder folder;
  without_landlock([&] {
    std::string said, code;
    try {
      Mount m(folder, small_geometry(), {.sandbox = "required"});
    } catch (const HostError& error) {
      said = error.what();
      code = error.code;
    }
    CHECK(said == "sandbox 'required' needs landlock and seccomp; missing: landlock: this kernel does not have it");
    CHECK(code == "ENOSYS");
    Mount m(folder, small_geometry(), {.sandbox = "auto"});
    CHECK(m.daemon.sandbox() == "seccomp (landlock: this kernel does not have it)");
    CHECK(m.gpu.open("new.bin", OPEN_WRITE | OPEN_CREATE) >= 0);
  });
}

}  // namespace

void test_sandbox() {
  const std::string here = sandbox_of_this_machine();
  if (here.find("landlock ") != 0 || here.find(" + seccomp") == std::string::npos) {
    std::printf("SKIP tests of the sandbox: %s\n", here.c_str());
    return;
  }
  test("nothing outside the root, no other programs, no sockets", nothing_outside);
  test("inside the root everything that serving takes", everything_inside);
  test("a read-only mount is locked out of writing", a_read_only_mount_writes_nothing);
  test("the threads of the daemon and of its pool are inside, no others", which_threads);
  test("a required sandbox that is not there is an error", required_says_what_is_missing);
}

#else

void test_sandbox() { std::printf("SKIP tests of the sandbox: %s\n", sandbox_of_this_machine().c_str()); }

#endif

}  // namespace warpfs::test
