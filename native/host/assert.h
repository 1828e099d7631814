// An invariant that does not hold is a bug of ours: say which, and stop before data is lost.
#pragma once
#include <cstdio>
#include <cstdlib>

#define WARPFS_ASSERT(condition)                                                                        \
  do {                                                                                                  \
    if (!(condition)) {                                                                                 \
      std::fprintf(stderr, "warpfs: assertion failed: %s (%s:%d)\n", #condition, __FILE__, __LINE__);   \
      std::abort();                                                                                     \
    }                                                                                                   \
  } while (0)
