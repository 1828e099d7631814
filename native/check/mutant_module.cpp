// The frame of a module of mutated built-in kernels: linked with the eight variants of builtin_cpu.cpp, compiled from headers into which the
// mutants are woven.
#include "../shaders/dialect/cpu.h"
#include "../abi/abi.h"
#include "../host/cpu/builtin.h"

WARPFS_CPU_MODULE

extern "C" {

/// Which mutant runs; 0: none.
__attribute__((visibility("hidden"))) unsigned warpfs_mutant = 0;

__attribute__((visibility("default"))) uint32_t warpfs_kernel_abi_hash() { return warpfs::ABI_HASH; }

__attribute__((visibility("default"))) const warpfs::BuiltinKernels* warpfs_builtins(uint32_t policy, bool replay, bool cuda, uint32_t mutant) {
  warpfs_mutant = mutant;
  switch (policy) {
    case warpfs::Policy::CLOCK:
      if (cuda) return replay ? &warpfs::builtin_clock_replay_cuda : &warpfs::builtin_clock_spin_cuda;
      return replay ? &warpfs::builtin_clock_replay : &warpfs::builtin_clock_spin;
    case warpfs::Policy::FIFO:
      if (cuda) return replay ? &warpfs::builtin_fifo_replay_cuda : &warpfs::builtin_fifo_spin_cuda;
      return replay ? &warpfs::builtin_fifo_replay : &warpfs::builtin_fifo_spin;
    default: return nullptr;
  }
}

}  // extern "C"
