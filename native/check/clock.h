// Vector clocks: for each slot of an actor the last epoch that happened before. An actor's own entry is its epoch, which it raises when it
// releases, so that what it does afterwards is not covered by what it released.
#pragma once
#include "bump.h"

namespace warpfs {

/// Frozen clocks are never written again, so that stores and fences may share them. Null: nothing happened before.
using FrozenClock = const uint32_t*;

// Epochs stay far below 2^31, and every x86-64 compares signed words four at a time.
typedef int32_t ClockPart __attribute__((vector_size(16), aligned(4), may_alias));

inline void clock_join(uint32_t* into, FrozenClock from, uint32_t width) {
  ClockPart* const a = reinterpret_cast<ClockPart*>(into);
  const ClockPart* const b = reinterpret_cast<const ClockPart*>(from);
  for (uint32_t part = 0; part < width / 4; part++) {
    const ClockPart is_later = a[part] > b[part];
    a[part] = (a[part] & is_later) | (b[part] & ~is_later);
  }
  for (uint32_t slot = width & ~3u; slot < width; slot++) into[slot] = into[slot] > from[slot] ? into[slot] : from[slot];
}

inline FrozenClock clock_freeze(Bump& bump, const uint32_t* clock, uint32_t width) {
  uint32_t* frozen = static_cast<uint32_t*>(bump.take(width * sizeof(uint32_t)));
  std::memcpy(frozen, clock, width * sizeof(uint32_t));
  return frozen;
}

/// What happened before either of two: of the release before an RMW and that of the RMW itself.
inline FrozenClock clock_both(Bump& bump, FrozenClock a, FrozenClock b, uint32_t width) {
  if (a == nullptr || a == b) return b;
  if (b == nullptr) return a;
  uint32_t* both = static_cast<uint32_t*>(bump.take(width * sizeof(uint32_t)));
  std::memcpy(both, a, width * sizeof(uint32_t));
  clock_join(both, b, width);
  return both;
}

}  // namespace warpfs
