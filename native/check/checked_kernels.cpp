// The built-in kernels that call check mode for every access. Apart from the plain ones: a build with a real thread sanitizer has only those.
#include "../host/abi_host.h"
#include "../host/cpu/builtin.h"

namespace warpfs {

const BuiltinKernels* checked_kernels(uint32_t policy, bool replay) {
  switch (policy) {
    case Policy::CLOCK: return replay ? &checked_clock_replay : &checked_clock_spin;
    case Policy::FIFO: return replay ? &checked_fifo_replay : &checked_fifo_spin;
    default: return nullptr;
  }
}

}  // namespace warpfs
