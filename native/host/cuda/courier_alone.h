// The courier where one kernel runs at a time. compute-sanitizer, ncu and CUDA_LAUNCH_BLOCKING=1 let no kernel begin before the one before it
// has ended: beside a courier nothing would ever run. So it runs between the kernels of a dispatch, stopped before it begins: it carries what
// there is, and ends. No kernel may then wait for the host, which is why this goes with replay alone.
#pragma once
#include "../daemon.h"
#include "courier.h"

#include <functional>

namespace warpfs::cuda {

/// No kernel runs, and the daemon serves. Returns when gpu and host have nothing more to say to each other. `run` launches the courier, and
/// returns when it has ended.
void carry_all(const Courier& courier, Daemon& daemon, const std::function<void()>& run);

}  // namespace warpfs::cuda
