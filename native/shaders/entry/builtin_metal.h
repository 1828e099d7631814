// The built-in kernels of Apple GPUs, in one text with what they call: compiled at the first mount for each policy and waiting strategy.
#pragma once
#include "../dialect/metal.h"
#include "../warpfs.h"
#include "../program.h"
#include "../maintain.h"
#include "metal.h"

namespace warpfs {

WARPFS_FN int program_item(WARPFS_THREAD Fs& fs, WARPFS_DEVICE uchar* WARPFS_CONSTANT* own) {
  Program program;
  program.warps = (WARPFS_DEVICE const ProgramWarp*)own[0];
  program.steps = (WARPFS_DEVICE const ProgramStep*)own[1];
  program.results = (WARPFS_DEVICE ProgramResult*)own[2];
  program.data = own[3];
  program.barrier = (WARPFS_DEVICE uint*)own[4];
  program.warp_count = program.barrier[1];
  return run_program(fs, program);
}

#if WARPFS_REPLAY
WARPFS_FN int abandon_item(WARPFS_THREAD Fs& fs) {
  run_abandon(fs);
  return WARPFS_DONE;
}
#endif

}  // namespace warpfs

WARPFS_KERNEL_ENTRY_AS(warpfs_program, program_item(fs, own))
WARPFS_KERNEL_ENTRY_AS(warpfs_sweep, run_sweep(fs))
#if WARPFS_REPLAY
WARPFS_KERNEL_ENTRY_AS(warpfs_abandon, abandon_item(fs))
#endif
