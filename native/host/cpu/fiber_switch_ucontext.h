// Any POSIX machine. Each switch makes two system calls (about 170 ns), so this is for machines that have no assembly here.
#pragma once
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include <ucontext.h>

namespace warpfs {

namespace {
// makecontext passes ints only.
void enter(unsigned entry_low, unsigned entry_high, unsigned argument_low, unsigned argument_high) {
  const uint64_t entry = uint64_t(entry_high) << 32 | entry_low, argument = uint64_t(argument_high) << 32 | argument_low;
  reinterpret_cast<void (*)(void*)>(entry)(reinterpret_cast<void*>(argument));
}
constexpr uintptr_t FIRST_STACK_BYTES = 12288;  // what makecontext is told; the real stack goes on below it down to its guard
}  // namespace

extern "C" void warpfs_fiber_switch(void** save, void* target) {
  ucontext_t here;  // lives on the stack that is left, for as long as that stack stays left
  *save = &here;
  swapcontext(&here, static_cast<ucontext_t*>(target));
}

void* fiber_prepare(void* top, void (*entry)(void*), void* argument) {
  ucontext_t* first = reinterpret_cast<ucontext_t*>((reinterpret_cast<uintptr_t>(top) - sizeof(ucontext_t)) & ~uintptr_t(63));
  getcontext(first);
  first->uc_stack.ss_sp = reinterpret_cast<unsigned char*>(first) - FIRST_STACK_BYTES;
  first->uc_stack.ss_size = FIRST_STACK_BYTES;
  first->uc_link = nullptr;
  const uint64_t entry_bits = reinterpret_cast<uintptr_t>(entry), argument_bits = reinterpret_cast<uintptr_t>(argument);
  makecontext(first, reinterpret_cast<void (*)()>(enter), 4, unsigned(entry_bits), unsigned(entry_bits >> 32), unsigned(argument_bits),
              unsigned(argument_bits >> 32));
  return first;
}

}  // namespace warpfs
