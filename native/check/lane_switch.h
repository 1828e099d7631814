// Two stacks for each lane: kernel code runs on one, the engine on the other. The first then holds nothing but what the kernel put there, so
// that two executions in which a lane has come to the same point with the same values have the same bytes on it. Only the exhaustive search needs
// that, to tell states apart.
#pragma once
#include <cstdint>

#if defined(__x86_64__) && defined(__linux__)
#define WARPFS_LANE_SWITCH 1
#else
#define WARPFS_LANE_SWITCH 0
#endif

namespace warpfs {

struct LaneSwitch {
  void* engine_top = nullptr;  // end of the stack of the engine
  void* kernel_at = nullptr;   // how far the stack of the kernel reached when it called
};

struct CpuWarp;
struct CpuSwitch;

#if WARPFS_LANE_SWITCH
/// The one of the running actor.
extern "C" __attribute__((tls_model("initial-exec"), visibility("hidden"))) constinit thread_local LaneSwitch* warpfs_lane_switch;

// As the functions of CheckEntry and CpuRuntime, but on the other stack. What lies below the kernel's own stack is cleared on the way back.
extern "C" {
void warpfs_leave_plain(void* p, uint32_t bytes, bool write, uintptr_t pc);
uint32_t warpfs_leave_load(void* p, uint32_t bytes, int order, uintptr_t pc);
void warpfs_leave_store(void* p, uint32_t bytes, uint32_t value, int order, uintptr_t pc);
uint32_t warpfs_leave_rmw(void* p, uint32_t bytes, uint32_t (*change)(uint32_t, uint32_t), uint32_t operand, int order, uintptr_t pc);
bool warpfs_leave_cas(void* p, uint32_t bytes, uint32_t* expected, uint32_t desired, int order, int failure, bool weak, uintptr_t pc);
void warpfs_leave_fence(int order, uintptr_t pc);
CpuSwitch warpfs_leave_rendezvous(CpuWarp* warp, uint32_t lane, const char* file, uint32_t line_and_kind);
CpuSwitch warpfs_leave_pause(CpuWarp* warp, uint32_t lane);
CpuSwitch warpfs_leave_spin();
}
#endif

}  // namespace warpfs
