#include "builtin.h"

#include "../abi_host.h"

namespace warpfs {

const BuiltinKernels* builtin_kernels(uint32_t policy, bool replay) {
  switch (policy) {
    case Policy::CLOCK: return replay ? &builtin_clock_replay : &builtin_clock_spin;
    case Policy::FIFO: return replay ? &builtin_fifo_replay : &builtin_fifo_spin;
    default: return nullptr;
  }
}

}  // namespace warpfs
