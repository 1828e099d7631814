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
