// Leaving one stack and going on with another. A context is an address on the stack that was left; it is good for one resumption.
#pragma once
#include "../../shaders/dialect/cpu.h"

namespace warpfs {

/// Leaves the running stack, stores its context in *save, and goes on where target was left. This is the one of CpuRuntime; on machines
/// where the dialect has an inline way both give and take the same contexts.
/// Floating-point control words are not part of a context: a kernel that changes the rounding mode changes it for its thread.
extern "C" __attribute__((visibility("hidden"))) void warpfs_fiber_switch(void** save, void* target) asm("warpfs_fiber_switch");

/// A context that calls entry(argument) on the stack that ends at top (16-aligned) when it is switched to. entry must not return.
void* fiber_prepare(void* top, void (*entry)(void*), void* argument);

__attribute__((always_inline)) inline void fiber_switch(void** save, void* target) {
#if defined(WARPFS_CPU_INLINE_SWITCH)
  cpu_switch_stacks(save, target);
#else
  warpfs_fiber_switch(save, target);
#endif
}

}  // namespace warpfs
