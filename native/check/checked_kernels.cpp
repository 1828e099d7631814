// The built-in kernels that call check mode for every access. Apart from the plain ones: a build with a real thread sanitizer has only those.
#include "../host/abi_host.h"
#include "../host/cpu/builtin.h"

namespace warpfs {

const BuiltinKernels* checked_kernels(uint32_t policy, bool replay, bool cuda) {
  switch (policy) {
    case Policy::CLOCK:
      if (cuda) return replay ? &checked_clock_replay_cuda : &checked_clock_spin_cuda;
      return replay ? &checked_clock_replay : &checked_clock_spin;
    case Policy::FIFO:
      if (cuda) return replay ? &checked_fifo_replay_cuda : &checked_fifo_spin_cuda;
      return replay ? &checked_fifo_replay : &checked_fifo_spin;
    default: return nullptr;
  }
}

}  // namespace warpfs
