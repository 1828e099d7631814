// What becomes of a page that somebody wants and that is not there: who makes it BUSY finds a slot, writes back whatever was changed there, and reads
// the page, all of it before going on; who finds it BUSY looks again. As with commands no lane waits in here, so that the lanes of a warp miss side by side.
#pragma once
#include "bam_table.h"

namespace warpfs {

namespace BamPhase {
enum : uint { REST = 0u, LOOK = 1u, FIND = 2u, WRITE = 3u, READ = 4u, FENCE = 5u, FENCE_READ = 6u, PUBLISH = 7u };
}
// What it comes to: to be called again; bytes that all lanes move, to a stage (LEAVE) or from one (LAND); nothing more.
namespace BamOutcome {
enum : uint { WAIT = 0u, LEAVE = 1u, LAND = 2u, ENDED = 3u };
}

struct BamMiss {
  uint phase;
  uint page;
  uint count;   // of those that use it through this one
  uint state;   // of the page, as it was found last
  uint slot;
  uint victim;  // + 1
  uint fence;   // ticket of the fence read
  int error;
  BamCommand command;
};

// One lane: it has added `count` and found `state`.
WARPFS_FN void bam_miss_begin(WARPFS_THREAD BamMiss& own, uint page, uint count, uint state) {
  own.phase = BamPhase::LOOK;
  own.page = page;
  own.count = count;
  own.state = state;
  own.slot = BAM_NO_SLOT;
  own.victim = 0u;
  own.error = 0;
  own.command.phase = BamCommandPhase::BEGIN;
}

WARPFS_FN uint bam_fail(WARPFS_THREAD const Bam& bam, WARPFS_THREAD BamMiss& own, int error, bool busy) {
  if (own.slot != BAM_NO_SLOT) atomic_store(bam_held(bam, own.slot), 0u);
  fence_release();
  if (busy) atomic_and_unasked(bam_state(bam, own.page), ~(uint)BAM_BUSY);
  atomic_sub_unasked(bam_state(bam, own.page), own.count);
  own.error = error;
  own.phase = BamPhase::REST;
  return BamOutcome::ENDED;
}

// Instead of a step, when it took too long. What the drive has been asked for stays as it is: nobody knows when it will move those bytes.
WARPFS_FN void bam_give_up(WARPFS_THREAD const Bam& bam, WARPFS_THREAD BamMiss& own) {
  if (own.phase == BamPhase::LOOK || own.phase == BamPhase::FIND) bam_fail(bam, own, wait_outcome(), own.phase == BamPhase::FIND);
  own.error = wait_outcome();
  own.phase = BamPhase::REST;
}

// `lane`: each has a stage of its own where several of a warp miss.
WARPFS_FN ulong bam_stage(WARPFS_THREAD const Bam& bam, uint lane) { return (ulong)(bam.stage + lane) << bam.line_shift; }

WARPFS_FN bool bam_transfer(WARPFS_THREAD const Bam& bam, WARPFS_THREAD BamMiss& own, uint lane, uint opcode, uint page, uint bytes) {
  const uint way = opcode == NvmeOpcode::WRITE ? bam.dma.way_back : bam.dma.way;
  const ulong address = dma_address(way, (ulong)own.slot << bam.line_shift, bam_stage(bam, lane));
  return bam_command_step(bam.queue, own.command, opcode, address, bytes, (ulong)page << bam.line_shift);
}

// True: the page is to be used, or this one is to load it; else it is BUSY.
WARPFS_FN bool bam_look(WARPFS_THREAD const Bam& bam, WARPFS_THREAD BamMiss& own) {
  WARPFS_DEVICE uint* word = bam_state(bam, own.page);
  uint state = own.state;
  if ((state & BAM_BUSY) != 0u) state = atomic_load(word);
  if ((state & (BAM_BUSY | BAM_VALID)) == 0u) {
    state = atomic_or(word, BAM_BUSY);
    const bool is_loaded = (state & BAM_VALID) != 0u && !bam_has(BamFlaw::TWO_SLOTS);
    if ((state & BAM_BUSY) == 0u && !is_loaded) {
      own.phase = BamPhase::FIND;
    } else if ((state & BAM_BUSY) == 0u) {
      atomic_and_unasked(word, ~(uint)BAM_BUSY);  // somebody has loaded it since
    }
  }
  own.state = state;
  if ((state & BAM_BUSY) != 0u) return false;
  fence_acquire();
  return true;
}

// The slot is the page's: others pass it while the page is BUSY.
WARPFS_FN void bam_fill(WARPFS_THREAD const Bam& bam, WARPFS_THREAD BamMiss& own) {
  bam_give_slot(bam, own.slot, own.page + 1u);
  own.phase = BamPhase::READ;
}

// Whoever has read joins a queue of all warps; the first of them that gets its lock reads a block more, for all that have joined. True: that was done
// for this one.
WARPFS_FN bool bam_fence_read(WARPFS_THREAD const Bam& bam, WARPFS_THREAD BamMiss& own, uint lane) {
  if (own.phase == BamPhase::FENCE) {
    const bool first = atomic_exchange(bam_word(bam, BAM_FENCE_LOCK), 1u) == 0u;
    fence_acquire();
    const bool covered = (int)(atomic_load(bam_word(bam, BAM_FENCE_HEAD)) - own.fence) > 0;
    if (first && covered) atomic_and_unasked(bam_word(bam, BAM_FENCE_LOCK), 0u);
    if (covered || !first) return covered;
    own.fence = atomic_load(bam_word(bam, BAM_FENCE_TAIL));
    own.phase = BamPhase::FENCE_READ;
  }
  if (!bam_transfer(bam, own, lane, NvmeOpcode::READ, own.page, NVME_BLOCK_BYTES)) return false;
  atomic_store(bam_word(bam, BAM_FENCE_HEAD), own.fence);
  fence_release();
  atomic_store(bam_word(bam, BAM_FENCE_LOCK), 0u);
  return true;
}

// One lane goes as far as it can.
WARPFS_FN uint bam_step(WARPFS_THREAD const Bam& bam, WARPFS_THREAD BamMiss& own, uint lane) {
  if (own.phase == BamPhase::LOOK) {
    if (!bam_look(bam, own)) return BamOutcome::WAIT;
    if (own.phase == BamPhase::LOOK) {
      own.slot = atomic_load(bam_slot_of(bam, own.page));
      own.phase = BamPhase::REST;
      return BamOutcome::ENDED;
    }
  }
  if (own.phase == BamPhase::FIND) {
    own.slot = bam_find_slot(bam, own.victim);
    if (own.slot == BAM_NO_SLOT) return BamOutcome::WAIT;
    own.phase = BamPhase::WRITE;
    if (own.victim == 0u) bam_fill(bam, own);
    else if (bam.dma.way_back != DmaWay::DIRECT) return BamOutcome::LEAVE;
  }
  if (own.phase == BamPhase::WRITE) {
    if (!bam_transfer(bam, own, lane, NvmeOpcode::WRITE, own.victim - 1u, bam_page_bytes(bam, own.victim - 1u))) return BamOutcome::WAIT;
    WARPFS_DEVICE uint* victim = bam_state(bam, own.victim - 1u);
    if (own.command.status != NvmeStatus::SUCCESS) {
      atomic_and_unasked(victim, ~(uint)BAM_BUSY);  // it keeps its bytes, and its slot
      bam_put_back(bam, own.slot);
      own.slot = BAM_NO_SLOT;
      return bam_fail(bam, own, -Errno::eio, true);
    }
    atomic_and_unasked(victim, BAM_COUNT);
    bam_fill(bam, own);
  }
  if (own.phase == BamPhase::READ) {
    if (!bam_transfer(bam, own, lane, NvmeOpcode::READ, own.page, bam_page_bytes(bam, own.page))) return BamOutcome::WAIT;
    if (own.command.status != NvmeStatus::SUCCESS) return bam_fail(bam, own, -Errno::eio, true);
    own.phase = BamPhase::PUBLISH;
    if (bam_has(BamFlaw::FENCE_READ)) {
      own.fence = atomic_add(bam_word(bam, BAM_FENCE_TAIL), 1u);
      own.phase = BamPhase::FENCE;
    } else if (bam.dma.way != DmaWay::DIRECT) {
      return BamOutcome::LAND;
    }
  }
  if (own.phase == BamPhase::FENCE || own.phase == BamPhase::FENCE_READ) {
    if (!bam_fence_read(bam, own, lane)) return BamOutcome::WAIT;
    own.phase = BamPhase::PUBLISH;
    if (bam.dma.way != DmaWay::DIRECT) return BamOutcome::LAND;
  }
  atomic_store(bam_slot_of(bam, own.page), own.slot);
  fence_release();
  atomic_add_unasked(bam_state(bam, own.page), BAM_VALID - BAM_BUSY);  // the one bit on, the other off
  own.phase = BamPhase::REST;
  return BamOutcome::ENDED;
}

// All lanes, for the one of them whose outcome it was.
WARPFS_FN void bam_move(WARPFS_THREAD const Lane& lane, WARPFS_THREAD const Bam& bam, uint outcome, uint source, uint slot, uint page) {
  const ulong line = (ulong)slot << bam.line_shift, place = (ulong)page << bam.line_shift;
  if (outcome == BamOutcome::LEAVE) dma_leave(lane, bam.dma, line, bam_stage(bam, source), place, bam_page_bytes(bam, page));
  else dma_land(lane, bam.dma, line, bam_stage(bam, source), place, bam_page_bytes(bam, page));
}

}  // namespace warpfs
