#include "courier_alone.h"

#include <chrono>

namespace warpfs::cuda {

namespace {
constexpr auto PATIENCE = std::chrono::milliseconds(1);
}

void carry_all(const Courier& courier, Daemon& daemon, const std::function<void()>& run) {
  uint64_t before = 0;
  do {
    before = daemon.completions();
    run();
    // More than fits comes up in several runs. On its way down a daemon thread may wait for what only the next run gives it: room in a channel,
    // a stage, or that the gpu was told something. Then nothing ends while something is undelivered.
    while (!daemon.is_drained()) {
      const bool ended = daemon.wait_for_completion(daemon.completions(), PATIENCE);
      if (!ended && !courier.is_delivered()) break;
    }
    // A run that brought nothing up and left nothing undelivered was the last.
  } while (!daemon.is_drained() || !courier.is_delivered() || daemon.completions() != before);
}

}  // namespace warpfs::cuda
