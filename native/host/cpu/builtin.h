// The built-in kernels, one set for each replacement policy and waiting strategy.
#pragma once
#include <cstdint>

namespace warpfs {

struct Lane;

/// What a compiled kernel exports as warpfs_kernel: called once per lane with one pointer per Binding, then the kernel's own buffers.
using KernelEntry = void (*)(Lane& lane, uint32_t item, uint32_t slot, void* const* buffers);

struct BuiltinKernels {
  KernelEntry program;   // fs.run
  KernelEntry sweep;     // writes everything back
  KernelEntry abandon;   // lets go of what a pending item holds (replay only)
  uint32_t sweep_lines;  // lines of the cache that one item of the sweep looks after
};

/// The variant for a Policy and a waiting strategy; null for a policy that does not exist.
const BuiltinKernels* builtin_kernels(uint32_t policy, bool replay);

/// The same, instrumented for check mode; `cuda`: with what the cuda device has beside the others (dialect/cpu_as_cuda.h).
const BuiltinKernels* checked_kernels(uint32_t policy, bool replay, bool cuda);

extern const BuiltinKernels builtin_clock_spin;
extern const BuiltinKernels builtin_clock_replay;
extern const BuiltinKernels builtin_fifo_spin;
extern const BuiltinKernels builtin_fifo_replay;
extern const BuiltinKernels builtin_clock_spin_cuda;  // these four: of a module of mutants alone
extern const BuiltinKernels builtin_clock_replay_cuda;
extern const BuiltinKernels builtin_fifo_spin_cuda;
extern const BuiltinKernels builtin_fifo_replay_cuda;
extern const BuiltinKernels checked_clock_spin;
extern const BuiltinKernels checked_clock_replay;
extern const BuiltinKernels checked_fifo_spin;
extern const BuiltinKernels checked_fifo_replay;
extern const BuiltinKernels checked_clock_spin_cuda;
extern const BuiltinKernels checked_clock_replay_cuda;
extern const BuiltinKernels checked_fifo_spin_cuda;
extern const BuiltinKernels checked_fifo_replay_cuda;

}  // namespace warpfs
