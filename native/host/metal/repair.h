// After a command buffer that the system has ended: its warps stopped wherever they were. Everything that they left half done in the tables is undone or ended
// here, from what is known for sure: the records of the items (shaders/item.h: item_note), what the rings hold, and what the host has answered. Then the items
// are replayed from the last call that they had ended; a write into the cache that is made twice is made once.
#pragma once
#include "../mount_memory.h"

#include <cstdint>

namespace warpfs::metal {

/// No kernel runs, what was asked for is answered, and the gpu has been told: ends what nobody will end, counts anew what is counted, and lets go of what no
/// item holds. Items go on where their records say.
void repair_tables(MountMemory& gpu);
/// Items in these slots have not come back. Those that had lines mapped fail with EIO: what they had stored there, and where they were, is not known.
void fail_mapped(MountMemory& gpu, const uint32_t* slots, uint32_t count, const uint32_t* items);

}  // namespace warpfs::metal
