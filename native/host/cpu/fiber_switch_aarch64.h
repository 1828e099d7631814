// AAPCS64 (Linux and macOS): x19-x30 and the low halves of v8-v15 are preserved by a callee.
#pragma once

// The way back is `br`, not `ret`, so that the return predictor is not asked about the other stack.
asm(R"(
.text
.p2align 4
.globl warpfs_fiber_switch
warpfs_fiber_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  br x30

warpfs_fiber_first:
  mov x0, x19
  blr x20
  brk #0
)");

namespace warpfs {

extern "C" __attribute__((visibility("hidden"))) void warpfs_fiber_first() asm("warpfs_fiber_first");

void* fiber_prepare(void* top, void (*entry)(void*), void* argument) {
  uint64_t* stack = static_cast<uint64_t*>(top) - 20;
  for (int word = 0; word < 20; word++) stack[word] = 0;
  stack[0] = reinterpret_cast<uint64_t>(argument);              // x19
  stack[1] = reinterpret_cast<uint64_t>(entry);                 // x20
  stack[11] = reinterpret_cast<uint64_t>(&warpfs_fiber_first);  // x30; x29 is 0, where a debugger ends
  return stack;
}

}  // namespace warpfs
