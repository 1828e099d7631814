// The shared layout as host code sees it, without any dialect.
#pragma once
#include <cstddef>
#include <cstdint>

#ifndef WARPFS_OFFSETOF
#define WARPFS_OFFSETOF(type, field) offsetof(type, field)
#endif
#ifndef WARPFS_FN
#define WARPFS_FN inline
#endif
#include "../abi/abi.h"

namespace warpfs {

/// The place in the tables of the file that a handle names; its generation stands above.
inline uint32_t handle_index(uint32_t handle) { return handle & ((1u << HANDLE_INDEX_BITS) - 1); }

}  // namespace warpfs
