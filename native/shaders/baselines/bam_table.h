// The cache as two tables: an entry for each page that the file has, and one for each line of the cache (a slot). A page is found without a search,
// and what a warp does to a page is one atomic word: two bits of state, a bit for changed bytes, and how many use it.
#pragma once
#include "bam_queue.h"
#include "dma.h"

namespace warpfs {

// Of a page. Who adds to the count of a page that is VALID and not BUSY has it; BUSY is with the one that loads it or takes it out.
enum : uint { BAM_VALID = 0x80000000u, BAM_BUSY = 0x40000000u, BAM_DIRTY = 0x20000000u, BAM_COUNT = 0x1fffffffu };

struct Bam {
  BamQueue queue;
  WARPFS_DEVICE uchar* pages;  // BAM_PAGE_BYTES each: the state, and the slot
  WARPFS_DEVICE uchar* slots;  // BAM_SLOT_BYTES each: a lock, and the page + 1
  WARPFS_DEVICE uchar* shared;
  uint slot_count;
  uint line_shift;
  uint file_blocks;
  uint stage;  // the first of this warp
  Dma dma;
};

enum : uint { BAM_PAGE_BYTES = 32u, BAM_SLOT_BYTES = 32u };
// Words that all warps share, as bytes.
enum : uint { BAM_PAGE_TICKET = 0u, BAM_ACCESSES = 128u, BAM_HITS = 132u, BAM_FENCE_HEAD = 256u, BAM_FENCE_TAIL = 384u, BAM_FENCE_LOCK = 512u, BAM_SHARED_BYTES = 640u };

WARPFS_FN WARPFS_DEVICE uint* bam_state(WARPFS_THREAD const Bam& bam, ulong page) { return (WARPFS_DEVICE uint*)(bam.pages + page * BAM_PAGE_BYTES); }
WARPFS_FN WARPFS_DEVICE uint* bam_slot_of(WARPFS_THREAD const Bam& bam, ulong page) { return bam_state(bam, page) + 1; }
WARPFS_FN WARPFS_DEVICE uint* bam_lock(WARPFS_THREAD const Bam& bam, uint slot) { return (WARPFS_DEVICE uint*)(bam.slots + (ulong)slot * BAM_SLOT_BYTES); }
WARPFS_FN WARPFS_DEVICE uint* bam_held(WARPFS_THREAD const Bam& bam, uint slot) { return bam_lock(bam, slot) + 1; }
WARPFS_FN WARPFS_DEVICE uint* bam_word(WARPFS_THREAD const Bam& bam, uint at) { return (WARPFS_DEVICE uint*)(bam.shared + at); }

// A page has a line, but for the last one of the file, which has whole blocks.
WARPFS_FN uint bam_page_count(WARPFS_THREAD const Bam& bam) { return (uint)((((ulong)bam.file_blocks * NVME_BLOCK_BYTES - 1u) >> bam.line_shift) + 1u); }
WARPFS_FN uint bam_page_bytes(WARPFS_THREAD const Bam& bam, uint page) {
  const ulong left = (ulong)bam.file_blocks * NVME_BLOCK_BYTES - ((ulong)page << bam.line_shift);
  return left < 1u << bam.line_shift ? (uint)left : 1u << bam.line_shift;
}
WARPFS_FN WARPFS_DEVICE uchar* bam_line(WARPFS_THREAD const Bam& bam, uint slot) { return bam.dma.memory + ((ulong)slot << bam.line_shift); }

WARPFS_FN bool bam_is_ready(uint state) { return (state & (BAM_VALID | BAM_BUSY)) == BAM_VALID; }

WARPFS_FN void bam_count_access(WARPFS_THREAD const Bam& bam, uint accesses, bool hit) {
  if (!bam_has(BamFlaw::SHARED_COUNTERS)) return;
  atomic_add(bam_word(bam, BAM_ACCESSES), accesses);
  if (hit) atomic_add(bam_word(bam, BAM_HITS), accesses);
}

// One lane, which has the page; `state`: as it found it. Before the first byte is stored.
WARPFS_FN void bam_mark_dirty(WARPFS_THREAD const Bam& bam, uint page, uint slot, uint state) {
  const uint marked = bam_has(BamFlaw::WRONG_INDEX) ? slot : page;
  if ((state & BAM_DIRTY) == 0u || marked != page) atomic_or_unasked(bam_state(bam, marked), BAM_DIRTY);
}

// One lane, behind a warp_sync of all that have used the page.
WARPFS_FN void bam_let_go(WARPFS_THREAD const Bam& bam, uint page, uint count) {
  fence_release();
  atomic_sub_unasked(bam_state(bam, page), count);
}

// A slot that may be filled, with its lock; `victim`: the page + 1 whose changed bytes must be written before, or 0. There is one ticket for all: the slots are
// taken in turn, and those are passed by whose page is in use. No slot remembers that it was used.
enum : uint { BAM_NO_SLOT = 0xffffffffu };

// Back, as it was. The lock is changed and not stored, so that whoever has it next still acquires from whoever gave the slot away last.
WARPFS_FN void bam_put_back(WARPFS_THREAD const Bam& bam, uint slot) { atomic_and_unasked(bam_lock(bam, slot), 0u); }

WARPFS_FN bool bam_try_slot(WARPFS_THREAD const Bam& bam, uint slot, WARPFS_THREAD uint& victim) {
  victim = 0u;
  const uint held = atomic_load(bam_held(bam, slot));
  fence_acquire();
  if (held == 0u) return true;
  const uint page = bam_has(BamFlaw::SHORT_TRANSLATION) ? (held - 1u) & ((1u << BAM_SHORT_BITS) - 1u) : held - 1u;
  WARPFS_DEVICE uint* state = bam_state(bam, page);
  if ((atomic_load(state) & (BAM_BUSY | BAM_COUNT)) != 0u) return false;
  const uint found = atomic_or(state, BAM_BUSY);
  if ((found & BAM_BUSY) != 0u) return false;
  fence_acquire();  // what those who used it have read and written
  // A page that could not be loaded may have left this slot meanwhile, and be in another.
  if ((found & BAM_COUNT) != 0u || atomic_load(bam_held(bam, slot)) != held) {
    atomic_and_unasked(state, ~(uint)BAM_BUSY);
    return false;
  }
  if ((found & BAM_DIRTY) != 0u) victim = page + 1u;
  else atomic_and_unasked(state, BAM_COUNT);
  return true;
}

// Once around at most; BAM_NO_SLOT: all that it came to are in use.
WARPFS_FN uint bam_find_slot(WARPFS_THREAD const Bam& bam, WARPFS_THREAD uint& victim) {
  enum : uint { AT_ONCE = 16u };
  for (uint i = 0; i < AT_ONCE && i < bam.slot_count; i++) {
    const uint slot = atomic_add(bam_word(bam, BAM_PAGE_TICKET), 1u) % bam.slot_count;
    if (atomic_exchange(bam_lock(bam, slot), 1u) != 0u) continue;
    fence_acquire();
    if (bam_try_slot(bam, slot, victim)) return slot;
    bam_put_back(bam, slot);
  }
  return BAM_NO_SLOT;
}

// The slot is for a page from now on, or, with 0, for whoever comes.
WARPFS_FN void bam_give_slot(WARPFS_THREAD const Bam& bam, uint slot, uint held) {
  atomic_store(bam_held(bam, slot), held);
  fence_release();
  atomic_store(bam_lock(bam, slot), 0u);
}

}  // namespace warpfs
