// The built-in kernels of NVIDIA GPUs, and what is behind calls.h: kernels of users are linked with it. Compiled once for each policy and
// waiting strategy.
#pragma once
#include "../dialect/cuda.h"
#include "../warpfs.h"
#include "../program.h"
#include "../maintain.h"
#include "cuda.h"
#include "cuda_courier.h"

namespace warpfs {

WARPFS_FN int program_item(Fs& fs, void* const* own) {
  Program program;
  program.warps = static_cast<const ProgramWarp*>(own[0]);
  program.steps = static_cast<const ProgramStep*>(own[1]);
  program.results = static_cast<ProgramResult*>(own[2]);
  program.data = static_cast<uchar*>(own[3]);
  program.barrier = static_cast<uint*>(own[4]);
  program.warp_count = program.barrier[1];
  return run_program(fs, program);
}

#if WARPFS_REPLAY
WARPFS_FN int abandon_item(Fs& fs) {
  run_abandon(fs);
  return WARPFS_DONE;
}
#endif

}  // namespace warpfs

extern "C" __device__ unsigned warpfs_abi_hash = ::warpfs::ABI_HASH;
extern "C" __device__ unsigned warpfs_sweep_lines = ::warpfs::SWEEP_LINES;

WARPFS_KERNEL_ENTRY_AS(warpfs_program, program_item(fs, own))
WARPFS_KERNEL_ENTRY_AS(warpfs_sweep, run_sweep(fs))
#if WARPFS_REPLAY
WARPFS_KERNEL_ENTRY_AS(warpfs_abandon, abandon_item(fs))
#endif
