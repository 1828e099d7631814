// Where the GPU is lost, its memory is not: it is the host's as well. What kernels had written is written back by the processor, with the kernel of the cpu device.
#pragma once
#include "../daemon.h"
#include "metal_memory.h"

#include <chrono>

namespace warpfs::metal {

/// No kernel runs, nor ever will: the items that were under way are forgotten. With replay alone. 0 or the first error.
int32_t sweep_by_host(MetalMemory& memory, Daemon& daemon, std::chrono::nanoseconds wait);

}  // namespace warpfs::metal
