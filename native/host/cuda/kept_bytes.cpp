#include "kept_bytes.h"

#include "../assert.h"

namespace warpfs::cuda {

KeptBytes::KeptBytes(Context& context, uint32_t line_bytes, bool pinned) : line_bytes_(line_bytes) {
  const uint64_t bytes = uint64_t(PLACES) * (line_bytes_ + mask_bytes());
  if (pinned) {
    pinned_ = std::make_unique<PinnedMemory>(context, bytes, "bytes on their way from the GPU");
    memory_ = pinned_->bytes();
  } else {
    plain_.reset(new uint8_t[bytes]);
    memory_ = plain_.get();
  }
  for (uint32_t place = PLACES; place-- > 0;) free_.push_back(place);
}

uint32_t KeptBytes::take() {
  std::lock_guard lock(mutex_);
  WARPFS_ASSERT(!free_.empty());
  const uint32_t place = free_.back();
  free_.pop_back();
  free_count_.store(uint32_t(free_.size()), std::memory_order_relaxed);
  return place;
}

void KeptBytes::give_back(uint32_t place) {
  std::lock_guard lock(mutex_);
  free_.push_back(place);
  free_count_.store(uint32_t(free_.size()), std::memory_order_relaxed);
}

}  // namespace warpfs::cuda
