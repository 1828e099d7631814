// WarpFS for kernels: files, rings and the shared cache, in dialect-neutral shader code.
// Include one dialect header first (dialect/cpu.h, dialect/cuda.h or dialect/metal.h), then this file.
#pragma once
#include "../abi/abi.h"

// Which strategy a call uses when it would have to wait: 0 spin (poll until it is there), 1 replay (leave, and be run again).
#ifndef WARPFS_REPLAY
#define WARPFS_REPLAY 0
#endif
// 1: the system may end a kernel anywhere, and what it was in the middle of is replayed: the metal dialect says so.
#ifndef WARPFS_MAY_BE_ENDED
#define WARPFS_MAY_BE_ENDED 0
#endif
// Which replacement policy this kernel is compiled with: a value of Policy.
#ifndef WARPFS_POLICY
#define WARPFS_POLICY 0
#endif
// 1: a warp may have fewer lanes than a set has ways, so a lane looks at several (the cpu device and check mode).
#ifndef WARPFS_LANES_BELOW_WAYS
#define WARPFS_LANES_BELOW_WAYS 0
#endif

// 1: the gpu may read and store into parts of files where they lie in the memory of the host (FileEntry.windows).
#ifndef WARPFS_WINDOWS
#define WARPFS_WINDOWS 0
#endif

// 1: the dialect has warp_words, a few words near each warp for what its leader alone looks at.
#ifndef WARPFS_WARP_WORDS
#define WARPFS_WARP_WORDS 0
#endif
// 1: what an item has mapped is kept there (spin only: a replayed item needs it in its record).
#define WARPFS_MAPS_NEAR (WARPFS_WARP_WORDS && !WARPFS_REPLAY)

// 1: the dialect has atomic_load16, and rather loads two things at once than one after another: a look at memory takes long.
#ifndef WARPFS_LOADS_16
#define WARPFS_LOADS_16 0
#endif

// 1: pages and elements are looked for by hints first. A replayed load would have to remember which lanes were served.
#define WARPFS_HINTS (WARPFS_LOADS_16 && !WARPFS_REPLAY)

// 1: who flushes stores bytes into windows itself. A replayed call would have to remember what it has stored.
#define WARPFS_STORES (WARPFS_WINDOWS && !WARPFS_REPLAY)

// 1: the kernel is linked with what is behind calls.h (WARPFS_CALLS_HERE made that).
#ifndef WARPFS_CALLS_LINKED
#define WARPFS_CALLS_LINKED 0
#endif

#include "fs.h"
#include "cache_line.h"
#include "cache_place.h"
#include "wait.h"
#include "gate.h"
#include "item.h"
#include "copy.h"
// What hot.h makes in registers is behind another name here.
#if WARPFS_HINTS
#define gread gread_usual
#define gmmap gmmap_usual
#define gmunmap gmunmap_usual
#define gread_async gread_async_usual
#define gwait gwait_usual
#endif
#include "calls.h"
#include "replacement.h"
#include "hint.h"
#if !WARPFS_CALLS_LINKED
#include "ring.h"
#include "dirty.h"
#include "line_wait.h"
#include "write_back.h"
#include "cache_set.h"
#include "window.h"
#include "cache.h"
#include "mail.h"
#include "file.h"
#include "read.h"
#include "flush_range.h"
#include "store.h"
#include "cold.h"
#include "flush.h"
#include "write.h"
#include "open.h"
#include "map.h"
#include "async.h"
#endif
#if WARPFS_HINTS
#undef gread
#undef gmmap
#undef gmunmap
#undef gread_async
#undef gwait
#include "hot.h"
#if !WARPFS_CALLS_LINKED
#include "unhinted.h"
#endif
#endif
#include "peek.h"
#include "elements.h"
#include "array.h"
