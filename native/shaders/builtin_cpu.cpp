// The built-in kernels of the cpu device. Compiled once for each policy and waiting strategy; WARPFS_BUILTIN names the variant.
#include "dialect/cpu.h"
#if WARPFS_CPU_AS_CUDA
#include "dialect/cpu_as_cuda.h"
#endif
#include "dialect/cpu_calls.h"
#include "program.h"
#include "maintain.h"
#include "entry/cpu.h"

#include "../host/cpu/builtin.h"

namespace warpfs {
namespace {

void program_entry(Lane& lane, uint32_t item, uint32_t slot, void* const* buffers) {
  Fs fs = fs_from_bindings(lane, item, slot, buffers);
  item_begin(fs);
  void* const* own = buffers + Binding::OWN;
  Program program;
  program.warps = static_cast<const ProgramWarp*>(own[0]);
  program.steps = static_cast<const ProgramStep*>(own[1]);
  program.results = static_cast<ProgramResult*>(own[2]);
  program.data = static_cast<uchar*>(own[3]);
  program.barrier = static_cast<uint*>(own[4]);
  program.warp_count = program.barrier[1];
  item_end(fs, run_program(fs, program));
}

void sweep_entry(Lane& lane, uint32_t item, uint32_t slot, void* const* buffers) {
  Fs fs = fs_from_bindings(lane, item, slot, buffers);
  item_begin(fs);
  item_end(fs, run_sweep(fs));
}

#if WARPFS_REPLAY
void abandon_entry(Lane& lane, uint32_t item, uint32_t slot, void* const* buffers) {
  Fs fs = fs_from_bindings(lane, item, slot, buffers);
  item_begin(fs);
  run_abandon(fs);
  item_end(fs, WARPFS_DONE);
}
#else
constexpr KernelEntry abandon_entry = nullptr;  // an item that spins ends by itself
#endif

}  // namespace

const BuiltinKernels WARPFS_BUILTIN = {program_entry, sweep_entry, abandon_entry, SWEEP_LINES};

}  // namespace warpfs
