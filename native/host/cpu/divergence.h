// Which collective a warp completes when its lanes are blocked in different ones.
#pragma once
#include "../../shaders/dialect/cpu.h"

#include <cstddef>

namespace warpfs {

/// Where a lane is blocked.
struct CollectiveSite {
  const char* file;
  uint line_and_kind;
};

inline bool operator==(const CollectiveSite& a, const CollectiveSite& b) {
  return a.line_and_kind == b.line_and_kind && a.file == b.file;
}
constexpr CollectiveSite NO_SITE = {nullptr, ~0u};

/// Every live lane is blocked. Gives the lanes of the site that goes first. `depths`: how deep in calls each lane is, in bytes of its stack.
uint choose_site(uint blocked, const CollectiveSite* sites, const ptrdiff_t* depths);

}  // namespace warpfs
