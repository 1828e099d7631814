// An NVIDIA GPU that is played, with its driver: driver() gives a table whose calls do on memory of the host what those of libcuda do. The
// built-in kernels are those of the cpu device. A cubin is a text file: "replay" and "spin" are the built-in kernels, "stray" writes to an
// illegal address, after which every call in this process fails, "endless" never ends.
#pragma once
#include "driver_api.h"

#include <cstdint>

namespace warpfs::cuda::played {

/// A process that has not used the GPU yet: before a mount is made. With `one_kernel_at_a_time` a launch returns when its kernel has ended, and a courier that would wait to be stopped
/// is a failure of the test. A call that would wait for an endless kernel always is.
void begin(bool one_kernel_at_a_time);

uint32_t courier_launches();
/// Pieces of memory, streams, modules and contexts that were not given back.
uint32_t left_behind();
/// The next call that copies to the GPU finds the process refused, as after an illegal address that nobody has noticed yet.
void die_unnoticed();
/// From now on there is this error for every call about any context.
void refuse_contexts(CUresult result);
/// Pieces of files that are registered.
uint32_t registered();
/// Pieces of files that were registered since the beginning, for more than reading.
uint32_t registered_for_writing();

}  // namespace warpfs::cuda::played
