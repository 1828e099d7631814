// Which collective a warp completes when its lanes are blocked in different ones.
#pragma once
#include "resident_warp.h"

namespace warpfs {

/// Every live lane is blocked. Gives the lanes of the site that goes first.
uint choose_site(const ResidentWarp& warp);

}  // namespace warpfs
