#include "lane_switch.h"

#if WARPFS_LANE_SWITCH

namespace warpfs {
extern "C" {
constinit thread_local LaneSwitch* warpfs_lane_switch = nullptr;
}
}

// Arguments stay in their registers; the two that a call of eight has on the stack are copied. All that the caller may still need of its
// registers is pushed first, and so is part of what can be compared.
asm(R"(
.text
.macro warpfs_leaving name
.globl warpfs_leave_\name
.hidden warpfs_leave_\name
warpfs_leave_\name:
  leaq warpfs_engine_\name(%rip), %rax
  jmp warpfs_leave_common
.endm

warpfs_leave_common:
  movq warpfs_lane_switch@gottpoff(%rip), %r10
  movq %fs:(%r10), %r10
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, 8(%r10)
  movq 0(%r10), %r11
  movq 56(%rsp), %rbx
  movq 64(%rsp), %r12
  movq %rsp, %rbp
  movq %r11, %rsp
  pushq %r12
  pushq %rbx
  call *%rax
  movq %rbp, %rsp
  movq %rax, %r8
  movq %rdx, %r9
  leaq -1536(%rsp), %rdi
  movl $192, %ecx
  xorl %eax, %eax
  rep stosq
  movq %r8, %rax
  movq %r9, %rdx
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret

warpfs_leaving plain
warpfs_leaving load
warpfs_leaving store
warpfs_leaving rmw
warpfs_leaving cas
warpfs_leaving fence
warpfs_leaving rendezvous
warpfs_leaving pause
warpfs_leaving spin
)");

#endif
