// One set of the cache, as wide as a warp: each lane looks at one way. Finding a page, and claiming a way for a page that is not there.
//
// No page is ever in two lines. Two warps that miss on one page at the same time each claim a way (CLAIMING), write its tag, pass a
// sequentially consistent fence and only then look again at the whole set. Of two such fences one comes first, and the warp
// behind the second sees the other's tag. A claim that it finds in a lower way, or that has gone further than CLAIMING, makes it
// give its own up; a claim in a higher way it turns into ABANDONED, which that warp notices when it wants to go on. Nobody waits.
#pragma once

namespace warpfs {

enum : uint32_t {
  FIND_MISS,   // the page is in no line
  FIND_READY,  // in `line`, pinned, its bytes are there; it may be on its way to the file
  FIND_BUSY,   // in `line`, pinned; line_wait before its bytes are used
  FIND_AGAIN,  // something moved meanwhile
};

// One lane looks at one line, and pins it where it carries the page.
WARPFS_FN uint way_find(WARPFS_THREAD Fs& fs, uint line, WARPFS_THREAD const Tag& tag) {
  WARPFS_DEVICE uint* word = fs.words + line;
#if WARPFS_LOADS_16
  const uint hint = atomic_load(word);
  if (!tag_matches(fs, line, tag)) return FIND_MISS;
#else
  // The tag first: most ways carry something else, and their words are busy elsewhere.
  if (!tag_matches(fs, line, tag)) return FIND_MISS;
  const uint hint = atomic_load(word);
#endif
  if (line_state(hint) == LineState::INVALID) return FIND_MISS;
  if (line_state(hint) == LineState::BUSY && line_step(hint) < LineStep::FILLING) return FIND_AGAIN;
  // With the pin the tag can no longer change. What the former readers of the word saw of the line is visible from here on.
  const uint seen = atomic_add_acquire(word, LINE_PIN);
  uint found = FIND_AGAIN;
  if (line_pins(seen) < PINS_MAX) {
    if (!tag_matches(fs, line, tag)) {
      found = FIND_AGAIN;
    } else if (line_can_be_read(seen)) {
      found = FIND_READY;
    } else if (line_state(seen) == LineState::BUSY && line_step(seen) >= LineStep::FILLING) {
      found = FIND_BUSY;
    }
  }
  if (found == FIND_READY || found == FIND_BUSY) {
    if (policy_counts_hits() && (seen & LINE_REFERENCE) == 0u) atomic_or(word, LINE_REFERENCE);
  } else {
    atomic_sub(word, LINE_PIN);
  }
  return found;
}

// All lanes. Looks for a page and pins its line: FIND_*.
WARPFS_FN uint set_find(WARPFS_THREAD Fs& fs, WARPFS_THREAD const CacheSet& set, WARPFS_THREAD const Tag& tag, WARPFS_THREAD uint& line) {
  const uint way = fs.lane.index;
  uint found = FIND_MISS;
#if WARPFS_LANES_BELOW_WAYS
  // A warp narrower than a set looks at several ways a lane.
  uint mine = way;
  for (uint next = way; next < set.ways && found == FIND_MISS; next += fs.lane.count) {
    mine = next;
    found = way_find(fs, set.first + next, tag);
  }
#else
  const uint mine = way;
  if (way < set.ways) found = way_find(fs, set.first + way, tag);
#endif
  uint picked = 0;
  if (warp_pick(fs.lane, found != FIND_MISS, found | (mine << 2), picked) == 0u) return FIND_MISS;
  // Another lane met a trace of the page that was on its way out: only one answer counts.
  if ((found == FIND_READY || found == FIND_BUSY) && picked != (found | (mine << 2))) atomic_sub(&fs.words[set.first + mine], LINE_PIN);
  line = set.first + (picked >> 2);
  return picked & 3u;
}

// One lane looks at one other way for a rival claim of the same page. True: this warp has to give its own claim up.
WARPFS_FN bool way_is_rival(WARPFS_THREAD const Fs& fs, uint line, WARPFS_THREAD const Tag& tag, bool lower) {
  if (!tag_matches(fs, line, tag)) return false;
  WARPFS_DEVICE uint* word_of = fs.words + line;
  uint word = atomic_load(word_of);
  for (;;) {
    if (line_state(word) == LineState::INVALID || !tag_matches(fs, line, tag)) return false;
    if (!line_is(word, LineState::BUSY, LineStep::CLAIMING)) return !line_is(word, LineState::BUSY, LineStep::ABANDONED);
    if (lower) return true;
    if (atomic_cas(word_of, word, line_with(word, LineState::BUSY, LineStep::ABANDONED))) return false;
  }
}

enum : uint32_t {
  CLAIM_OURS,    // `line` is BUSY in the step that was asked for, with one pin of ours
  CLAIM_WAIT,    // every way is in use, but `line` (pinned by us) is about to be free: line_wait, line_unpin, look again
  CLAIM_PINNED,  // every way is pinned
  CLAIM_FULL,    // no room in the ring
  CLAIM_AGAIN,   // something moved meanwhile
};

struct SetView {
  uint unused;     // never used, or given up
  uint clean;      // READY, not pinned
  uint reference;  // referenced since the last sweep
  uint dirty;      // MODIFIED, not pinned
};

WARPFS_FN uint way_votes(WARPFS_THREAD const Fs& fs, uint line) {
  uint word = atomic_load(fs.words + line);
  if (line_pins(word) != 0u) return 0u;
  word = line_settle(fs, line, word);
  uint votes = (word & LINE_REFERENCE) != 0u ? 4u : 0u;
  if (line_state(word) == LineState::INVALID) votes |= 1u;
  if (line_state(word) == LineState::READY) votes |= 2u;
  if (line_state(word) == LineState::MODIFIED) votes |= 8u;
  return votes;
}

WARPFS_FN SetView set_look(WARPFS_THREAD const Fs& fs, WARPFS_THREAD const CacheSet& set) {
  uint masks[4];
#if WARPFS_LANES_BELOW_WAYS
  masks[0] = masks[1] = masks[2] = masks[3] = 0u;
  for (uint base = 0; base < set.ways; base += fs.lane.count) {
    uint part[4];
    const uint way = base + fs.lane.index;
    warp_votes(fs.lane, way < set.ways ? way_votes(fs, set.first + way) : 0u, part);
    for (uint k = 0; k < 4u; k++) masks[k] |= part[k] << base;
  }
#else
  warp_votes(fs.lane, fs.lane.index < set.ways ? way_votes(fs, set.first + fs.lane.index) : 0u, masks);
#endif
  SetView view;
  view.unused = masks[0];
  view.clean = masks[1];
  view.reference = masks[2];
  view.dirty = masks[3];
  return view;
}

// Leader only. Takes one way for a page: one compare-and-swap that needs pins = 0 and reference = 0, then the tag.
WARPFS_FN bool way_take(WARPFS_THREAD Fs& fs, uint line, WARPFS_THREAD const Tag& tag) {
  WARPFS_DEVICE uint* word_of = fs.words + line;
  uint word = atomic_load(word_of);
  if ((word & LINE_REFERENCE) != 0u) word = atomic_and(word_of, ~(uint)LINE_REFERENCE) & ~(uint)LINE_REFERENCE;
  const bool evicts = line_state(word) == LineState::READY;
  if ((!evicts && line_state(word) != LineState::INVALID) || line_pins(word) != 0u) return false;
  // Whoever had it pinned has let go: its reads of the old bytes come before the new ones are written.
  if (!atomic_cas_acquire(word_of, word, line_claimed())) return false;
  tag_write(fs, line, tag);
  // This claim is published. Of two claims of one page, the one whose fence comes second sees the other.
  fence_seq();
  if (evicts) count(fs, Counter::EVICTIONS, 1u);
  return true;
}

#if WARPFS_STORES
// All lanes. Stores what these lines carry into their files, as far as the gpu can: whether it could (store.h).
WARPFS_CALL bool set_store(WARPFS_THREAD Fs& fs, uint first, uint ways);
// One lane. May the gpu store the bytes of this line into their file, as far as one can see without its gate?
WARPFS_FN bool line_is_storable(WARPFS_THREAD const Fs& fs, uint line);
#else
WARPFS_FN bool line_is_storable(WARPFS_THREAD const Fs&, uint) { return false; }
#endif

// Leader only, when no way is free: gets one on its way and pins it, so that it can be waited for.
WARPFS_FN uint set_make_room(WARPFS_THREAD Fs& fs, WARPFS_THREAD const CacheSet& set, WARPFS_THREAD const SetView& view, uint hand,
                             WARPFS_THREAD uint& line) {
  if (view.dirty != 0u) {
    line = set.first + policy_victim(view.dirty, view.reference, hand);
    const uint started = line_write_back(fs, line, 1u);
    if (started == WRITE_BACK_STARTED) return CLAIM_WAIT;
    return started == WRITE_BACK_RING_FULL ? CLAIM_FULL : CLAIM_AGAIN;
  }
  for (uint way = 0; way < set.ways; way++) {
    line = set.first + way;
    const uint word = atomic_load(fs.words + line);
    // Read ahead, or written back for somebody else: the host is at work on it and nobody needs it for the moment.
    if (line_state(word) != LineState::BUSY || line_step(word) == LineStep::CLAIMING || line_pins(word) != 0u) continue;
    const uint seen = atomic_add(fs.words + line, LINE_PIN);
    if (line_state(seen) == LineState::BUSY) return CLAIM_WAIT;
    atomic_sub(fs.words + line, LINE_PIN);
    return CLAIM_AGAIN;
  }
  return CLAIM_PINNED;
}

// All lanes. Claims a way of the set for a page that was not found. `step` is FILLING (the host will fill the line; the caller holds a
// reservation for the request) or STARTING (the caller writes the whole line itself).
WARPFS_FN uint set_claim(WARPFS_THREAD Fs& fs, WARPFS_THREAD const CacheSet& set, WARPFS_THREAD const Tag& tag, uint step,
                         WARPFS_THREAD Reservation& reservation, WARPFS_THREAD uint& line) {
  SetView view = set_look(fs, set);
#if WARPFS_STORES
  // All that is dirty at once, once nothing else is left: one fence serves for as many lines as there are.
  const uint dirty_alone = (view.unused | view.clean) == 0u ? view.dirty : 0u;
  if (dirty_alone != 0u && set_store(fs, set.first, set.ways)) view = set_look(fs, set);
#endif
  uint outcome = CLAIM_AGAIN;
  uint chosen = 0;
  uint hand = 0;
  if (is_leader(fs)) {
    hand = atomic_load(&fs.sets[set.index].hand) % set.ways;
    const uint usable = view.unused | view.clean;
    if (usable == 0u) {
      outcome = set_make_room(fs, set, view, hand, chosen);
    } else if (step == LineStep::FILLING && !reservation.taken && !ring_reserve(fs, reservation)) {
      outcome = CLAIM_FULL;
    } else {
      const uint way = view.unused != 0u ? lowest_bit(view.unused) : policy_victim(view.clean, view.reference, hand);
      chosen = set.first + way;
      if (way_take(fs, chosen, tag)) {
        outcome = CLAIM_OURS;
        if (view.unused == 0u) atomic_store(&fs.sets[set.index].hand, way + 1u == set.ways ? 0u : way + 1u);
      }
    }
  }
  const ulong packed = warp_broadcast64(fs.lane, (ulong)outcome | ((ulong)hand << 4) | ((ulong)chosen << 32), 0u);
  outcome = (uint)packed & 15u;
  hand = ((uint)packed >> 4) & 63u;
  line = (uint)(packed >> 32);
  if (outcome != CLAIM_OURS) return outcome;

  const uint way = line - set.first;
  const uint passed = view.unused != 0u ? 0u : policy_passed(view.clean, view.reference, hand, way) & ~(1u << way);
  bool rival = false;
  for (uint other = fs.lane.index; other < set.ways; other += fs.lane.count) {
    if (((passed >> other) & 1u) != 0u) atomic_and(&fs.words[set.first + other], ~(uint)LINE_REFERENCE);
    if (other != way && way_is_rival(fs, set.first + other, tag, other < way)) rival = true;
  }
  const bool give_up = warp_any(fs.lane, rival);

  if (is_leader(fs)) {
    uint word = line_claimed();
    // No write-back of these bytes has failed yet.
    atomic_store(&fs.auxes[line].writing, DIRTY_NONE);
    uint ticket = 0;
    if (step == LineStep::FILLING) {
      // Until the step says FILLING nobody looks at the ticket.
      ticket = atomic_load(&fs.auxes[line].ticket);
      atomic_store(&fs.auxes[line].ticket, ticket + 1u);
    }
    if (give_up || !line_move(fs, line, word, LineState::BUSY, step)) {
      if (step == LineStep::FILLING) atomic_store(&fs.auxes[line].ticket, ticket);
      line_let_go(fs, line);
      outcome = CLAIM_AGAIN;
    } else if (view.unused == 0u && (view.dirty & ~view.reference) != 0u) {
      // The sweep prefers clean victims and sends a dirty one on its way, so that it will be clean when its turn comes.
      const uint victim = set.first + policy_victim(view.dirty & ~view.reference, 0u, hand);
      if (!line_is_storable(fs, victim)) line_write_back(fs, victim, 0u);
    }
  }
  return warp_broadcast(fs.lane, outcome, 0u);
}

}  // namespace warpfs
