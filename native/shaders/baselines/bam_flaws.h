// Mistakes of the design that were published or measured. None is there unless the text before this one wants it. BAM.md has where each comes from.
#pragma once

#ifndef BAM_FLAWS
#define BAM_FLAWS 0u
#endif

namespace warpfs {

namespace BamFlaw {
enum : uint {
  WRONG_INDEX = 1u,        // a write marks the page whose number is that of the slot
  DIRTY_ON_READ = 2u,      // the pointer marks what is only read
  SHORT_TRANSLATION = 4u,  // of the page in a slot only BAM_SHORT_BITS bits are kept
  TWO_SLOTS = 8u,          // who comes to load a page does not look whether it was loaded meanwhile
  FENCE_READ = 16u,        // a small read behind each read, as a fence of the bus
  SHARED_COUNTERS = 32u,   // accesses and hits of all warps are counted in two words
  DOORBELL_FIRST = 64u,    // nothing keeps a doorbell behind its command
  STATUS_IGNORED = 128u,   // a command that failed is taken for one that succeeded
};
}
enum : uint { BAM_SHORT_BITS = 2u };

WARPFS_FN bool bam_has(uint flaw) { return ((uint)BAM_FLAWS & flaw) != 0u; }

}  // namespace warpfs
