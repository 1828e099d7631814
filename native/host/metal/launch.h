// What a dispatch is given (shaders/entry/metal_launch.h), as the host fills it in: addresses of the GPU are words of 64 bits here as well.
#pragma once
#include "../abi_host.h"

namespace warpfs {
using uint = uint32_t;
using uchar = uint8_t;
}  // namespace warpfs
#define WARPFS_DEVICE
#include "../../shaders/entry/metal_launch.h"
#undef WARPFS_DEVICE
