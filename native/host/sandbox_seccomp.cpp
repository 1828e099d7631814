// The system calls that are left to a thread inside. What the C library, the allocator and the sanitizers need is among them: a thread
// that may not return memory or end would be no thread.
#include "sandbox_parts.h"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace warpfs {

namespace {

#if defined(__x86_64__)
constexpr uint32_t ARCHITECTURE = AUDIT_ARCH_X86_64;
constexpr const char* NAME = "x86-64";
#elif defined(__aarch64__)
constexpr uint32_t ARCHITECTURE = AUDIT_ARCH_AARCH64;
constexpr const char* NAME = "aarch64";
#else
constexpr uint32_t ARCHITECTURE = 0;
constexpr const char* NAME = nullptr;
#endif
constexpr uint32_t X32_CALLS = 0x40000000;  // the same processor under other numbers
constexpr uint32_t PR_SET_VMA_NUMBER = 0x53564d41;

constexpr uint32_t REFUSE = SECCOMP_RET_ERRNO | EPERM;

/// Written from top to bottom; each rule ends the program or falls through to the next.
class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    end(REFUSE);
    load(offsetof(seccomp_data, nr));
    if (ARCHITECTURE == AUDIT_ARCH_X86_64) {
      add(BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1);
      end(REFUSE);
    }
  }
  void allow(std::initializer_list<long> calls) {
    for (const long call : calls) answer(call, SECCOMP_RET_ALLOW);
  }
  void answer(long call, uint32_t with) {
    add(BPF_JMP | BPF_JEQ | BPF_K, uint32_t(call), 0, 1);
    end(with);
  }
  /// Allowed if the low half of the argument is one of these.
  void allow_if_one_of(long call, unsigned argument, std::initializer_list<uint32_t> values) {
    const uint8_t count = uint8_t(values.size());
    add(BPF_JMP | BPF_JEQ | BPF_K, uint32_t(call), 0, uint8_t(2 * count + 2));
    load_argument(argument);
    for (const uint32_t value : values) {
      add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
      end(SECCOMP_RET_ALLOW);
    }
    end(REFUSE);
  }
  /// Allowed if the argument has, or has not, any of these bits.
  void allow_if_bits(long call, unsigned argument, uint32_t bits, bool wanted) {
    add(BPF_JMP | BPF_JEQ | BPF_K, uint32_t(call), 0, 4);
    load_argument(argument);
    add(BPF_JMP | BPF_JSET | BPF_K, bits, wanted ? 0 : 1, wanted ? 1 : 0);
    end(SECCOMP_RET_ALLOW);
    end(REFUSE);
  }
  std::vector<sock_filter>& finish() {
    end(REFUSE);
    return program_;
  }

 private:
  void add(uint32_t code, uint32_t k, uint8_t if_true = 0, uint8_t if_false = 0) {
    program_.push_back({uint16_t(code), if_true, if_false, k});
  }
  void load(size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, uint32_t(offset)); }
  void load_argument(unsigned argument) { load(offsetof(seccomp_data, args) + 8 * argument); }  // both processors are little-endian
  void end(uint32_t with) { add(BPF_RET | BPF_K, with); }

  std::vector<sock_filter> program_;
};

std::vector<sock_filter> calls_of_serving() {
  Filter filter;
  // What a busy daemon does most comes first.
  filter.allow({SYS_preadv2, SYS_pwritev2, SYS_preadv, SYS_pwritev, SYS_io_uring_enter, SYS_futex, SYS_nanosleep, SYS_clock_nanosleep,
                SYS_sched_yield, SYS_clock_gettime});
  // Files and names.
  filter.allow({SYS_openat2, SYS_openat, SYS_close, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_fstatfs, SYS_readlinkat, SYS_lseek,
                SYS_ftruncate, SYS_utimensat, SYS_fdatasync, SYS_fsync, SYS_syncfs, SYS_renameat2, SYS_dup, SYS_dup3, SYS_read, SYS_write, SYS_writev,
                SYS_pread64, SYS_pwrite64, SYS_fcntl, SYS_uname});
#if defined(SYS_renameat)
  filter.allow({SYS_renameat});
#endif
  filter.allow_if_one_of(SYS_unlinkat, 2, {0});  // files, no directories
  // Memory, but none that can be executed.
  filter.allow({SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_mincore});
  filter.allow({SYS_pipe2});  // a sanitizer writes memory to a pipe to see whether it is there
#if defined(SYS_pipe)
  filter.allow({SYS_pipe});
#endif
  filter.allow_if_bits(SYS_mmap, 2, PROT_EXEC, false);
  filter.allow_if_bits(SYS_mprotect, 2, PROT_EXEC, false);
  // The life of a thread. clone3 hides its flags in memory: the C library then falls back to clone.
  filter.answer(SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
  filter.allow_if_bits(SYS_clone, 0, CLONE_THREAD, true);
  filter.allow({SYS_exit, SYS_exit_group, SYS_set_robust_list, SYS_get_robust_list, SYS_rseq, SYS_membarrier, SYS_restart_syscall,
                SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_rt_sigreturn, SYS_sigaltstack, SYS_gettid, SYS_getpid, SYS_getcpu,
                SYS_sched_getaffinity, SYS_getrandom, SYS_clock_getres, SYS_gettimeofday});
  filter.allow_if_one_of(SYS_prctl, 0, {PR_SET_TIMERSLACK, PR_SET_NAME, PR_GET_NAME, PR_SET_VMA_NUMBER});
  filter.allow_if_one_of(SYS_tgkill, 0, {uint32_t(getpid())});  // abort
  return std::move(filter.finish());
}

}  // namespace

const char* seccomp_architecture() { return NAME; }

int enter_seccomp() {
  if (NAME == nullptr) return ENOSYS;
  std::vector<sock_filter> calls = calls_of_serving();
  const sock_fprog program{uint16_t(calls.size()), calls.data()};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : errno;
}

}  // namespace warpfs
