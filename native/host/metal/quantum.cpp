#include "quantum.h"

#include <algorithm>

namespace warpfs::metal {

namespace {
constexpr uint32_t CAREFUL_BUFFERS = 64;
constexpr uint64_t GIB = uint64_t(1) << 30;
}  // namespace

Quantum::Quantum(uint32_t first, uint32_t most) : most_(std::max(1u, most)), items_(std::clamp(first, 1u, most_)) {}

void Quantum::took(uint32_t items, double seconds) {
  if (items == 0 || seconds <= 0) return;
  const double for_target = items * (QUANTUM_SECONDS / seconds);
  const double for_most = items * (QUANTUM_SECONDS_MAX / seconds);
  if (for_target < items_) {
    // Also where they were few: each of them took that long, if they ran beside each other.
    items_ = uint32_t(std::max(1.0, std::min(for_most, std::max(for_target, items_ / 2.0))));
    return;
  }
  if (careful_ > 0) {
    careful_--;
  } else if (items >= items_) {  // fewer say nothing about more
    items_ = uint32_t(std::min({for_target, items_ * 2.0, double(most_)}));
  }
}

void Quantum::was_ended(uint32_t items) {
  items_ = std::max(1u, std::min(items_, items) / 4);
  careful_ = CAREFUL_BUFFERS;
}

uint32_t first_quantum(uint64_t working_set_bytes) {
  if (working_set_bytes <= 12 * GIB) return 512;
  return working_set_bytes <= 48 * GIB ? 1024 : 2048;
}

}  // namespace warpfs::metal
