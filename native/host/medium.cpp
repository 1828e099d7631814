#include "medium.h"

#include <chrono>
#include <cmath>
#include <thread>

namespace warpfs {

uint64_t steady_ns() {
  return uint64_t(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

class Medium::Turn {
 public:
  explicit Turn(std::atomic<bool>& taken) : taken_(taken) {
    constexpr unsigned TRIES = 256;  // whoever has it was put aside: let it go on
    for (unsigned tries = 1; taken_.exchange(true, std::memory_order_acquire); tries++) {
      while (taken_.load(std::memory_order_relaxed) && tries % TRIES != 0) tries++;
      if (tries % TRIES == 0) std::this_thread::yield();
    }
  }
  ~Turn() { taken_.store(false, std::memory_order_release); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::atomic<bool>& taken_;
};

MediumTime Medium::ask(MediumKind kind, uint64_t asked, uint64_t bytes) {
  const double now = asked > origin_ ? double(asked - origin_) : 0;
  double end = 0;
  {
    const Turn turn(taken_);
    end = kind == MediumKind::SYNC ? model_.sync(now) : model_.transfer(now, kind == MediumKind::WRITE, double(bytes));
  }
  return {asked, origin_ + uint64_t(std::ceil(end))};
}

void Medium::wait_for_sync() {
  {
    const Turn turn(taken_);
    if (!model_.is_dirty()) return;
  }
  const MediumTime time = ask(MediumKind::SYNC, steady_ns(), 0);
  for (uint64_t now = steady_ns(); now < time.due; now = steady_ns()) std::this_thread::sleep_for(std::chrono::nanoseconds(time.due - now));
}

}  // namespace warpfs
