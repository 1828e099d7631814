#include "committed.h"

#include <condition_variable>
#include <mutex>

namespace warpfs::metal {

/// Rung by a thread of Metal, which may be later than whoever waited.
struct Committed::Bell {
  std::mutex mutex;
  std::condition_variable rung;
  bool ended = false;
};

Committed::Committed(id<MTLCommandBuffer> commands) : commands_(Held<id<MTLCommandBuffer>>::retained(commands)), bell_(std::make_shared<Bell>()) {
  const std::shared_ptr<Bell> bell = bell_;
  [commands addCompletedHandler:^(id<MTLCommandBuffer>) {
    {
      const std::lock_guard lock(bell->mutex);
      bell->ended = true;
    }
    bell->rung.notify_all();
  }];
  [commands commit];
}

bool Committed::wait_until(std::chrono::steady_clock::time_point then) const {
  std::unique_lock lock(bell_->mutex);
  return bell_->rung.wait_until(lock, then, [this] { return bell_->ended; });
}

}  // namespace warpfs::metal
