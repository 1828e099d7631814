// What a kernel of Metal is told about its thread, by the names of the attributes. Shared by the stand-in library and the host.
#pragma once
#include <stdint.h>

namespace msl {

struct Ids {
  uint32_t threadgroup_position_in_grid;
  uint32_t threadgroups_per_grid;
  uint32_t simdgroup_index_in_threadgroup;
  uint32_t simdgroups_per_threadgroup;
  uint32_t thread_index_in_simdgroup;
  uint32_t threads_per_simdgroup;
  uint32_t thread_index_in_threadgroup;
  uint32_t thread_position_in_grid;
};

/// What stands behind each kernel of a text. `lane`: of the cpu device. `buffers`: by their indices. `group`: threadgroup memory 0.
using Entry = void (*)(const void* lane, void* const* buffers, unsigned char* group, const Ids& ids);

}  // namespace msl
