// The medium of one mount in real time: one model for all daemon threads, which share the device that it stands for.
#pragma once
#include "medium_model.h"

#include <atomic>

namespace warpfs {

/// When something was asked of the medium, and when it may be answered. On the steady clock, in nanoseconds.
struct MediumTime {
  uint64_t asked = 0;
  uint64_t due = 0;
};

uint64_t steady_ns();

class Medium {
 public:
  explicit Medium(const MediumProfile& profile) : model_(profile), origin_(steady_ns()) {}

  MediumTime ask(MediumKind kind, uint64_t asked, uint64_t bytes);
  /// Returns when a sync that is asked for now would have ended; at once if nothing was written since the last one.
  void wait_for_sync();

 private:
  /// The model is held for a few dozen nanoseconds, so waiting for it takes less than a sleep would.
  class Turn;

  alignas(128) std::atomic<bool> taken_{false};
  MediumModel model_;
  const uint64_t origin_;  // the model counts from here: small numbers keep their fractions
};

}  // namespace warpfs
