// The one place that chooses how a fiber is switched; each way is a file of its own.
#include "fiber_switch.h"

#if defined(WARPFS_CPU_INLINE_SWITCH)
#include "fiber_switch_x86_64.h"
#elif defined(__aarch64__) && !defined(WARPFS_FIBER_UCONTEXT)
#include "fiber_switch_aarch64.h"
#else
#include "fiber_switch_ucontext.h"
#endif
