// A command buffer on its way through the GPU.
#pragma once
#include "command_end.h"

#include <chrono>
#include <memory>

namespace warpfs::metal {

class Committed {
 public:
  Committed() = default;
  /// Commits it.
  explicit Committed(id<MTLCommandBuffer> commands);
  explicit operator bool() const { return bool(commands_); }

  /// False: it has not ended by then.
  bool wait_until(std::chrono::steady_clock::time_point then) const;
  /// Once it has ended.
  CommandEnd end() const { return end_of(commands_.get()); }

 private:
  struct Bell;
  Held<id<MTLCommandBuffer>> commands_;
  std::shared_ptr<Bell> bell_;
};

}  // namespace warpfs::metal
