// What a lane of the cpu device shares with the scheduler that runs it: the warp, the way to another stack, the table of functions.
// Part of cpu.h, which says how a module is attached.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Compiled with -fsanitize=thread a kernel is one of check mode (WARPFS_CPU_CHECKED), unless the whole host was built so (WARPFS_TSAN).
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) && !defined(WARPFS_TSAN)
#define WARPFS_CPU_CHECKED 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) && !defined(WARPFS_TSAN)
#define WARPFS_CPU_CHECKED 1
#endif
// In a build whose every access is observed, the machinery of the warps is not part of what is observed.
#if defined(WARPFS_CPU_CHECKED)
#define WARPFS_CPU_FN [[maybe_unused]] static __attribute__((no_sanitize("thread")))
#else
// Always inlined: how deep in calls a blocked lane is must not depend on which collective it is blocked in (divergence.cpp compares).
#define WARPFS_CPU_FN [[maybe_unused]] __attribute__((always_inline)) static inline
#endif
namespace warpfs {

using uchar = uint8_t;
using uint = uint32_t;
using ulong = uint64_t;

/// 16 bytes of line data. They may hold anything, so they may alias anything.
struct __attribute__((may_alias, aligned(16))) Vec16 {
  uint words[4];
};
static_assert(sizeof(Vec16) == 16 && alignof(Vec16) == 16, "one lane moves 16 bytes");

struct CpuWarp;

/// Where a lane that stops leaves its stack, and the stack to go on with; both null where the lane does not stop.
struct CpuSwitch {
  void** save;
  void* target;
};

/// What inline code needs from the scheduler that runs it.
struct CpuRuntime {
  uint abi;  // CPU_ABI of the host
  /// Blocks the lane until the collective at (file, line_and_kind) completed for the lanes that reached it.
  CpuSwitch (*rendezvous)(CpuWarp* warp, uint lane, const char* file, uint line_and_kind);
  /// Lets the other lanes of the warp run that can; nulls where all of them wait.
  CpuSwitch (*stand_back)(CpuWarp* warp, uint lane);
  /// The lane waits for something outside of its warp: lets others run.
  CpuSwitch (*pause)(CpuWarp* warp, uint lane);
  /// The lane that runs on this thread made many atomic accesses and may be spinning: lets others run.
  CpuSwitch (*spin)();
  /// Does what a CpuSwitch says, on machines without an inline way.
  void (*switch_stacks)(void** save, void* target);
  /// A request was published: the host may be asleep.
  void (*doorbell)();
  /// Nanoseconds, or what check mode counts in their place.
  ulong (*now)();
};

#if defined(__x86_64__) && !defined(WARPFS_CPU_CHECKED) && !defined(WARPFS_FIBER_UCONTEXT)
#define WARPFS_CPU_INLINE_SWITCH 1
#if defined(__AVX512F__)
#define WARPFS_CPU_WIDE_REGISTERS \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", \
    "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define WARPFS_CPU_WIDE_REGISTERS
#endif
/// Leaves this stack with the address to go on at and rbp on it. The clobbers make the compiler save what is live here and nothing else.
/// There is no `call` and no `ret`: the CPU predicts returns from the calls it has seen, and a `ret` to another stack costs 10 ns.
/// A caller must not use the red zone below its stack pointer: no caller does that makes a call as well, as everyone here does.
__attribute__((always_inline)) inline void cpu_switch_stacks(void** save, void* target) {
  asm volatile(
      "leaq 1f(%%rip), %%rax\n\t"
      "pushq %%rax\n\t"
      "pushq %%rbp\n\t"
      "movq %%rsp, (%0)\n\t"
      "movq %1, %%rsp\n\t"
      "popq %%rbp\n\t"
      "popq %%rax\n\t"
      "jmp *%%rax\n"
      "1:"
      : "+D"(save), "+S"(target)
      :
      : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory", "st", "st(1)", "st(2)", "st(3)",
        "st(4)", "st(5)", "st(6)", "st(7)", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15" WARPFS_CPU_WIDE_REGISTERS);
}
#endif

/// Changes with everything that a module and its host must agree on; the last bit says whether contexts are the inline ones. A checked
/// build has an engine of another kind behind the same table.
#if defined(WARPFS_CPU_INLINE_SWITCH)
constexpr uint CPU_ABI = 0x40001;
#else
constexpr uint CPU_ABI = 0x40000;
#endif

__attribute__((always_inline)) inline void cpu_stop(const CpuRuntime* runtime, CpuSwitch next) {
  if (next.target == nullptr) return;
#if defined(WARPFS_CPU_INLINE_SWITCH)
  (void)runtime;
  cpu_switch_stacks(next.save, next.target);
#else
  runtime->switch_stacks(next.save, next.target);
#endif
}

/// The part of a warp that inline code touches. All of it belongs to the one thread that runs the warp.
struct CpuWarp {
  const CpuRuntime* runtime;
  uchar* group_memory;  // zeroed when the group starts; shared by the warps of the group
  uint full;            // all lanes of the warp, also those that have returned
  uint active;          // the lanes that took part in the last completed collective
  uint parity;          // which half of values the next collective fills; the other half holds the last completed one
  uint uncombined;      // 1: no lane has folded the values of the last completed collective yet
  ulong results[3];     // what folding them gave
  uint followers;       // lanes that wait to be told what the call of lane 0 gave
  uint expired;         // set by check mode, which owns time: the wait that was paused last is over
  uint waits_exceeded;  // waits that used up their polls (check mode only)
  uint counts;          // 0: what is counted is left alone, so that states of check mode that differ in nothing else are the same
  // Two halves make one rendezvous per collective enough: a lane that is already in the next collective writes to one half while
  // slower lanes still read the other, and it cannot get further before all of them have arrived.
  alignas(64) ulong values[2][32];
  ulong offered[2];     // by lane 0, beside its value, in the same halves
};

struct WarpId {
  uint item;  // index of the work item
  uint slot;  // unique among the warps that are resident at the same time, below the number of resident warps
};

// ---- Each atomic that a spinning lane can be made of takes from a budget, so that a lane that spins on its sibling, or on a group that
// ---- has not started, ends: the fiber would otherwise never be left.

#if !defined(WARPFS_CPU_TLS)
#define WARPFS_CPU_TLS "initial-exec"  // the quickest; a process has room for some hundred modules with it
#endif

constexpr int CPU_SPIN_BUDGET = 256;
struct CpuAttachment {
  const CpuRuntime* runtime;
  int budget;
};
// Hidden: one per module, never merged with the one of another module. initial-exec: an access is one instruction, not a call.
__attribute__((visibility("hidden"), tls_model(WARPFS_CPU_TLS))) inline constinit thread_local CpuAttachment
    cpu_attachment = {nullptr, CPU_SPIN_BUDGET};

WARPFS_CPU_FN bool cpu_attach(const CpuRuntime* runtime) {
  if (runtime->abi != CPU_ABI) return false;
  cpu_attachment.runtime = runtime;
  return true;
}

#define WARPFS_CPU_MODULE                                                                                           \
  extern "C" __attribute__((visibility("default"))) bool warpfs_attach(const warpfs::CpuRuntime* runtime) {         \
    return warpfs::cpu_attach(runtime);                                                                             \
  }

[[maybe_unused]] __attribute__((noinline, cold)) static void cpu_budget_used_up() {
  cpu_attachment.budget = CPU_SPIN_BUDGET;
  if (cpu_attachment.runtime != nullptr) cpu_stop(cpu_attachment.runtime, cpu_attachment.runtime->spin());
}
#if defined(WARPFS_CPU_CHECKED)
WARPFS_CPU_FN void cpu_spend() {}  // check mode sees every atomic anyhow, and counts them for each lane
#else
WARPFS_CPU_FN void cpu_spend() {
  if (__builtin_expect(--cpu_attachment.budget <= 0, 0)) cpu_budget_used_up();
}
#endif

}  // namespace warpfs
