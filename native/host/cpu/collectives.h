// How lanes meet: the functions behind CpuRuntime, and what a worker needs of them.
#pragma once
#include "resident_warp.h"

namespace warpfs {

/// What kernels that run on CpuWorker are attached to.
const CpuRuntime* cpu_runtime();

/// All live lanes are blocked: completes one collective. Gives the lanes that may go on; none where the warp now waits for its group.
uint settle(ResidentWarp* warp);

/// The last lane of the warp has returned. Lanes that left count as arrived, so this may complete the barrier of the group.
void leave_group(ResidentWarp* warp);

}  // namespace warpfs
