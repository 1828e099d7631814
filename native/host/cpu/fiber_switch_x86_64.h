// System V x86-64. The switch itself is the inline one of the dialect: the compiler saves what is live, the asm saves rbp.
#pragma once

asm(R"(
.text
.p2align 4
warpfs_fiber_first:
  popq %rdi
  popq %rax
  call *%rax
  ud2
)");

namespace warpfs {

extern "C" __attribute__((visibility("hidden"))) void warpfs_fiber_first() asm("warpfs_fiber_first");

extern "C" void warpfs_fiber_switch(void** save, void* target) { cpu_switch_stacks(save, target); }

void* fiber_prepare(void* top, void (*entry)(void*), void* argument) {
  uint64_t* stack = static_cast<uint64_t*>(top);
  *--stack = 0;  // a debugger that walks the frames ends at this return address
  *--stack = 0;  // keeps the stack 16-aligned where warpfs_fiber_first calls entry
  *--stack = reinterpret_cast<uint64_t>(entry);
  *--stack = reinterpret_cast<uint64_t>(argument);
  *--stack = reinterpret_cast<uint64_t>(&warpfs_fiber_first);
  *--stack = 0;  // rbp
  return stack;
}

}  // namespace warpfs
