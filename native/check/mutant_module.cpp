// The frame of a module of mutated built-in kernels: linked with the four variants of builtin_cpu.cpp, compiled from headers into which the
// mutants are woven.
#include "../shaders/dialect/cpu.h"
#include "../abi/abi.h"
#include "../host/cpu/builtin.h"

WARPFS_CPU_MODULE

extern "C" {

/// Which mutant runs; 0: none.
__attribute__((visibility("hidden"))) unsigned warpfs_mutant = 0;

__attribute__((visibility("default"))) uint32_t warpfs_kernel_abi_hash() { return warpfs::ABI_HASH; }

__attribute__((visibility("default"))) const warpfs::BuiltinKernels* warpfs_builtins(uint32_t policy, bool replay, uint32_t mutant) {
  warpfs_mutant = mutant;
  switch (policy) {
    case warpfs::Policy::CLOCK: return replay ? &warpfs::builtin_clock_replay : &warpfs::builtin_clock_spin;
    case warpfs::Policy::FIFO: return replay ? &warpfs::builtin_fifo_replay : &warpfs::builtin_fifo_spin;
    default: return nullptr;
  }
}

}  // extern "C"
