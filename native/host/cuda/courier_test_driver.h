// The driver of the played gpu: it gives memory and copies.
#pragma once
#include "copies_test_engine.h"

namespace warpfs::cuda {

/// The driver as it was at first. `has_batches`: it is new enough for them.
void begin(bool has_batches = true);
/// To add to it what only some tests need.
DriverApi& played_api();

}  // namespace warpfs::cuda
