// AGILE: the service warp. It drains the completion queues of its group of pairs, so that those who ask need not wait, and so that entries of the
// submission queues come free whatever they do. It waits for nobody but the drive.
#pragma once
#include "agile_cache.h"

namespace warpfs {

// One lane, behind a peer_fence: the end of a transaction.
WARPFS_FN void agile_finish(WARPFS_THREAD const Agile& agile, uint transaction, uint status) {
  const uint line = transaction / AgileKind::KINDS, kind = transaction % AgileKind::KINDS;
  const uint word = atomic_load(agile.words + agile.status + line);
  if (kind == AgileKind::FILL) {
    if (status == 0u) {
      atomic_store(agile.words + agile.status + line, agile_with(word, agile_lands(agile) ? AgileLine::ARRIVED : AgileLine::READY));
      return;
    }
    uint next = agile.shape.buffers != 0u ? atomic_exchange(agile.words + agile.chain + line, AGILE_CHAIN_CLOSED) : 0u;
    fence_acquire();
    fence_release();
    while (next != 0u) {
      const uint buffer = next - 1u;
      next = atomic_load(agile.words + agile.buffer_next + buffer);
      atomic_store(agile.words + agile.buffer_state + buffer, AgileBuffer::FAILED);
    }
    atomic_store(agile.words + agile.status + line, agile_with(word, AgileLine::FAILED));
    return;
  }
  if (status != 0u) atomic_store(agile.words + agile.write_error, 1u);
  if (kind == AgileKind::EVICT && status == 0u) {
    // Whoever finds no line for the block reads it from the drive: it is there.
    atomic_store(agile.words + agile.block_line + atomic_load(agile.words + agile.tag + line), 0u);
    atomic_store(agile.words + agile.clock + line, AgileClock::EMPTY);
    fence_release();
  }
  atomic_store(agile.words + agile.status + line, agile_with(word, status != 0u ? AgileLine::MODIFIED : kind == AgileKind::EVICT ? AgileLine::INVALID : AgileLine::READY));
}

// What the service warp knows of a queue. The phase is kept as 1 less, so that zeros are a beginning.
struct AgileServed {
  uint base, other_phase, seen, finished;
};

// A controller fills all but one entry: no window may need them all.
WARPFS_FN uint agile_window(WARPFS_THREAD const Lane& lane, uint depth, WARPFS_THREAD const AgileServed& served) {
  const uint most = lane.count < depth / 2u ? lane.count : depth / 2u;
  return most < depth - served.base ? most : depth - served.base;
}

// Leader only: has the next completion of a queue come? Where that lies in the memory of the host, one load is a thirty-second of the traffic.
WARPFS_FN bool agile_came(WARPFS_THREAD const Lane& lane, WARPFS_THREAD const Agile& agile, uint queue, WARPFS_THREAD const AgileServed& served) {
  const uint depth = agile.shape.depth, next = lowest_bit(~served.seen);
  if (next >= agile_window(lane, depth, served)) return false;
  return nvme_phase(nvme_look(agile.queues, queue * nvme_pair_bytes(depth), depth, served.base + next)) != served.other_phase;
}

// All lanes, one for each completion of the window. That moves on, and the doorbell is rung, when it is whole; what is in it is finished at once.
WARPFS_FN void agile_drain(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint queue, WARPFS_THREAD AgileServed& served) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  const uint depth = agile.shape.depth;
  const ulong pair = queue * nvme_pair_bytes(depth);
  const uint window = agile_window(lane, depth, served);
  uint done = 0u;
  bool arrived = false;
  if (lane.index < window && (served.seen >> lane.index & 1u) == 0u) {
    done = nvme_look(agile.queues, pair, depth, served.base + lane.index);
    arrived = nvme_phase(done) != served.other_phase;
  }
  const uint mask = warp_ballot(lane, arrived);
  if (mask == 0u) return;
  if (arrived) {
    peer_fence();
    const uint entry = done & 0xffffu;
    WARPFS_DEVICE uint* words = agile_queue(agile, queue) + AGILE_ENTRIES;
    agile_finish(agile, atomic_load(words + depth + entry), nvme_status(done));
    fence_release();
    atomic_store(words + entry, AgileEntry::EMPTY);
  }
  served.finished += bit_count(mask);
  served.seen |= mask;
  if (bit_count(served.seen) == window) {
    served.seen = 0u;
    served.base += window;
    if (AGILE_HAS(WINDOW_STEPS_TWICE)) served.base += window;
    if (served.base >= depth) {
      served.base -= depth;
      served.other_phase ^= 1u;
    }
    warp_sync(lane);
    if (is_leader(fs)) nvme_ring_completion(agile.queues, pair, served.base);
  }
}

namespace AgileIdle {
enum : uint { CAME = 0u, DONE = 1u, TOO_LONG = 2u };
}

// Leader only, while the other lanes wait for it: until there is something to drain, or nothing more to come.
WARPFS_FN uint agile_idle(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint service_warp, uint service_warps, WARPFS_THREAD const AgileServed* served, WARPFS_DEVICE const uint* ended_items, uint all_items) {
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    // Looked at before the queues: an item that has ended asks for nothing more.
    const bool last = atomic_load(ended_items) == all_items;
    if (last) fence_acquire();
    bool under_way = !last;
    for (uint i = 0, queue = service_warp; i < AGILE_QUEUES_OF_SERVICE_MAX && queue < agile.shape.queues; i++, queue += service_warps) {
      if (agile_came(fs.lane, agile, queue, served[i])) return AgileIdle::CAME;
      if (last) under_way = under_way || atomic_load(agile_queue(agile, queue) + AGILE_TICKETS) != served[i].finished;
    }
    if (!under_way) return AgileIdle::DONE;
    if (!last) wait_start(fs, bound);  // it is the waits of the items that have a bound
    if (!wait_again(fs, bound)) return AgileIdle::TOO_LONG;
  }
}

// All lanes of a service warp. Until all items have ended and nothing that they asked for is under way: 0, or that the drive took too long.
WARPFS_FN int agile_serve(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint service_warp, uint service_warps, WARPFS_DEVICE const uint* ended_items, uint all_items) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  AgileServed served[AGILE_QUEUES_OF_SERVICE_MAX];
  for (uint i = 0, queue = service_warp; i < AGILE_QUEUES_OF_SERVICE_MAX && queue < agile.shape.queues; i++, queue += service_warps) {
    WARPFS_DEVICE const uint* kept = agile_queue(agile, queue) + AGILE_SERVED;
    served[i] = {atomic_load(kept), atomic_load(kept + 1), atomic_load(kept + 2), atomic_load(kept + 3)};
  }
  for (;;) {
    uint what = AgileIdle::CAME;
    if (is_leader(fs)) what = agile_idle(fs, agile, service_warp, service_warps, served, ended_items, all_items);
    what = warp_broadcast(lane, what, 0u);
    if (what == AgileIdle::TOO_LONG) return wait_outcome();
    if (what == AgileIdle::DONE) break;
    for (uint i = 0, queue = service_warp; i < AGILE_QUEUES_OF_SERVICE_MAX && queue < agile.shape.queues; i++, queue += service_warps) {
      agile_drain(fs, agile, queue, served[i]);
    }
  }
  for (uint i = 0, queue = service_warp; is_leader(fs) && i < AGILE_QUEUES_OF_SERVICE_MAX && queue < agile.shape.queues; i++, queue += service_warps) {
    WARPFS_DEVICE uint* kept = agile_queue(agile, queue) + AGILE_SERVED;
    atomic_store(kept, served[i].base);
    atomic_store(kept + 1, served[i].other_phase);
    atomic_store(kept + 2, served[i].seen);
    atomic_store(kept + 3, served[i].finished);
  }
  return 0;
}

// All lanes, when nobody works on the cache: what is MODIFIED is written back, each of the `parts` warps its share. As many are under way as the
// queues take.
WARPFS_FN int agile_flush(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Agile& agile, uint part, uint parts) {
  WARPFS_THREAD const Lane& lane = fs.lane;
  const uint end = AGILE_HAS(FLUSH_BY_LINE_BYTES) && AGILE_LINE_BYTES < agile.shape.lines ? AGILE_LINE_BYTES : agile.shape.lines;
  const uint first = part * lane.count;
  const uint step = parts * lane.count;
  for (uint base = first; base < end; base += step) {
    const uint own = base + lane.index;
    const uint mask = warp_ballot(lane, own < end && agile_state(atomic_load(agile.words + agile.status + own)) == AgileLine::MODIFIED);
    for (uint rest = mask; rest != 0u; rest &= rest - 1u) {
      const uint line = base + lowest_bit(rest);
      uint block = 0u;
      if (is_leader(fs)) {
        atomic_store(agile.words + agile.status + line, agile_with(atomic_load(agile.words + agile.status + line), AgileLine::WRITING));
        fence_acquire();
        block = atomic_load(agile.words + agile.tag + line);
      }
      block = warp_broadcast(lane, block, 0u);
      const ulong place = (ulong)line * AGILE_LINE_BYTES;
      dma_leave(lane, agile.dma, place, place, (ulong)block * AGILE_LINE_BYTES, AGILE_LINE_BYTES);
      const uint outcome = is_leader(fs) ? (uint)agile_submit(fs, agile, line % agile.shape.queues, AgileKind::CLEAN, line, block) : 0u;
      const int submitted = (int)warp_broadcast(lane, outcome, 0u);
      if (submitted != 0) return submitted;
    }
  }
  WaitBound bound;
  wait_start(fs, bound);
  for (uint base = first; base < end; base += step) {
    while (warp_ballot(lane, base + lane.index < end && agile_state(atomic_load(agile.words + agile.status + base + lane.index)) == AgileLine::WRITING) != 0u) {
      if (!warp_wait_again(fs, bound)) return wait_outcome();
    }
  }
  return warp_broadcast(lane, is_leader(fs) ? atomic_load(agile.words + agile.write_error) : 0u, 0u) != 0u ? -Errno::eio : 0;
}

}  // namespace warpfs
