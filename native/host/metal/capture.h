// One dispatch as Xcode shows it: WARPFS_METAL_CAPTURE=FILE.gputrace has the first dispatch of a process written there.
#pragma once
#include "context.h"

namespace warpfs::metal {

class Capture {
 public:
  /// Begins where one is wanted and there was none before. Throws HostError: it is wanted and cannot be.
  explicit Capture(const Context& context);
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture();

 private:
  bool runs_ = false;
};

}  // namespace warpfs::metal
