// A read of one page that is in no line and lies in a window, as it is made where each look at memory takes long: what the lanes have seen of the
// set serves for finding, choosing and claiming, and what comes over the bus goes from registers to the line and to the reader at once (hot.h). It
// takes the steps of cache_set.h and window.h; whatever is unusual is left to the usual call, before anything was changed or after it was undone.
#pragma once
#if WARPFS_HINTS && WARPFS_WINDOWS

namespace warpfs {

// An attempt to claim a line for a page that lies over the bus at `address`.
struct ColdClaim {
  uint line;  // LINE_NONE: it has failed
  uint version;
  ulong address;
  uint other;   // where it has failed: the line that has the page, or will have it
  bool coming;  // where it has failed: another warp has said that it brings the page, or has brought it
  bool lost;    // where it has failed: another warp was sooner, and the set is worth another look
  bool stores;  // what is dirty in the set is to be stored behind the page
};

WARPFS_FN ColdLine cold_none() {
  ColdLine cold;
  cold.line = LINE_NONE;
  cold.version = 0;
  cold.address = 0;
  return cold;
}

// Where another warp was sooner: how often its tag is looked at, which comes right behind its claim.
enum : uint32_t { LOOKS_AT_TAG = 4 };

// Twice in a round of the hand through a set what is dirty there goes into the file, behind a page that was read: the other direction of the bus has
// little to do, and what is left is stored when all lines are dirty, or at the end, while somebody waits. Not more often: what is written again and
// again would be stored each time.
WARPFS_FN bool hand_stores(uint hand, uint next, uint ways) {
  const uint arc = (ways + 1u) / 2u;
  return hand / arc != next / arc;
}

// Where the page lies over the bus, by the window as it is seen; 0: nowhere, for this identity.
WARPFS_FN ulong cold_place(WARPFS_THREAD const Fs& fs, Vec16 window, uint file_id, ulong page) { return window_is_of(window, file_id) ? window_place(fs, window, page) : 0u; }

// All lanes. Claims a way of the set for the page, in step STARTING. Each lane looks at one way, and that of the victim claims. `of`: the leader's, where
// it has seen the file. `hint`: what it has seen in the place of the page's.
WARPFS_FN ColdClaim cold_claim_in_set(WARPFS_THREAD Fs& fs, int file, WARPFS_THREAD const Tag& tag, WARPFS_DEVICE const FileEntry* of, Vec16 hint) {
  ColdClaim cold;
  cold.line = cold.other = LINE_NONE;
  cold.version = 0;
  cold.address = 0;
  cold.coming = cold.lost = cold.stores = false;
  const CacheSet set = set_of(fs, tag);
  if (set.ways > fs.lane.count) return cold;
  const uint mine = set.first + fs.lane.index;
  const bool looks = fs.lane.index < set.ways;
  // On their way together with what else is looked at.
  Vec16 found = hint;
  Vec16 window = {};
  if (of != 0) {
    found = hint_announce(fs, file, tag.file_id, tag.page, hint);
    window = atomic_load16(&of->window_base[0]);
  }
  uint hand = is_leader(fs) ? atomic_load(&fs.sets[set.index].hand) : 0u;
  uint word = looks ? atomic_load(fs.words + mine) : 0u;
  const bool here = looks && tag_matches(fs, mine, tag) && line_state(word) != LineState::INVALID;
  const bool writable = warp_any(fs.lane, of != 0 && window_is_writable(window, tag.file_id));
  const bool coming = hint_is_of(found, tag.file_id, tag.page) && !words_are_equal(found, hint);
  cold.address = warp_broadcast64(fs.lane, of != 0 && !coming ? cold_place(fs, window, tag.file_id, tag.page) : 0u, 0u);
  if (cold.address == 0u) {
    cold.coming = warp_any(fs.lane, of != 0 && coming);
    return cold;
  }
  uint votes = (word & LINE_REFERENCE) != 0u ? 4u : 0u;
  if (here) votes |= 8u;
  if (looks && line_pins(word) == 0u && line_state(word) == LineState::INVALID) votes |= 1u;
  if (looks && line_pins(word) == 0u && line_state(word) == LineState::READY) votes |= 2u;
  uint masks[4];
  warp_votes(fs.lane, votes, masks);
  hand = warp_broadcast(fs.lane, hand, 0u) % set.ways;
  const uint dirty = warp_ballot(fs.lane, looks && line_state(word) == LineState::MODIFIED);
  const uint unused = masks[0], clean = masks[1], reference = masks[2];
  if (masks[3] != 0u) cold.other = set.first + lowest_bit(masks[3]);
  if (masks[3] != 0u || (unused | clean) == 0u) return cold;
  const uint way = unused != 0u ? lowest_bit(unused) : policy_victim(clean, reference, hand);
  const uint next = way + 1u == set.ways ? 0u : way + 1u;
  const uint line = set.first + way;
  cold.stores = writable && unused == 0u && (dirty & (dirty - 1u)) != 0u && hand_stores(hand, next, set.ways);

  bool claimed = false;
  if (fs.lane.index == way) {
    if ((word & LINE_REFERENCE) != 0u) word = atomic_and(fs.words + line, ~(uint)LINE_REFERENCE) & ~(uint)LINE_REFERENCE;
    const bool free = line_pins(word) == 0u && (line_state(word) == LineState::INVALID || line_state(word) == LineState::READY);
    claimed = free && atomic_cas_acquire(fs.words + line, word, line_claimed());
    if (claimed) {
      cold.version = tag_write(fs, line, tag);
      atomic_store(&fs.auxes[line].writing, DIRTY_NONE);
    }
  }
  if (!warp_any(fs.lane, claimed)) {
    // Often for the same page: warps that have waited for one together want the next together.
    bool same = false;
    for (uint seen = 0; fs.lane.index == way && !same && seen < LOOKS_AT_TAG; seen++) same = tag_matches(fs, line, tag);
    cold.lost = true;
    if (warp_any(fs.lane, same)) cold.other = line;
    return cold;
  }
  // As in way_take, but by all lanes: what each of them stores into the line comes behind the claim (line_is_known_claimed), and what others did with
  // it before is over for all of them.
  warp_sync(fs.lane);
  fence_seq();
  if (claimed && unused == 0u) atomic_store(&fs.sets[set.index].hand, next);

  const uint passed = unused != 0u ? 0u : policy_passed(clean, reference, hand, way) & ~(1u << way);
  if (((passed >> fs.lane.index) & 1u) != 0u) atomic_and_unasked(fs.words + mine, ~(uint)LINE_REFERENCE);
  const bool rival = looks && !claimed && way_is_rival(fs, mine, tag, fs.lane.index < way);
  const uint rivals = warp_ballot(fs.lane, rival);
  const bool give_up = rivals != 0u;
  bool ours = false;
  if (claimed) {
    word = line_claimed();
    ours = !give_up && line_move_seen(fs, line, word, LineState::BUSY, LineStep::STARTING);
    if (!ours) line_let_go(fs, line);
  }
  if (!warp_any(fs.lane, ours)) {
    cold.lost = true;
    if (give_up) cold.other = set.first + lowest_bit(rivals);
    return cold;
  }
  if (unused == 0u) count(fs, Counter::EVICTIONS, 1u);
  cold.version = warp_shuffle(fs.lane, cold.version, way);
  cold.line = line;
  return cold;
}

// All lanes. `BATCH` pieces of each lane from piece `first` on: from the bus to the line, and those in [begin, end) to `out` as well.
template <uint BATCH, bool WHOLE>
WARPFS_FN void cold_copy_part(WARPFS_THREAD const Fs& fs, WARPFS_DEVICE const Vec16* from, WARPFS_DEVICE Vec16* line, uint first, uint begin, uint end,
                              WARPFS_DEVICE Vec16* out) {
  const uint mine = first + fs.lane.index;
  Vec16 part[BATCH];
  // All loads are on their way before the first of them is waited for.
  for (uint k = 0; k < BATCH; k++) part[k] = bus_load16(from + mine + k * fs.lane.count);
  for (uint k = 0; k < BATCH; k++) {
    const uint at = mine + k * fs.lane.count;
    data_fill16(line + mine + k * fs.lane.count, part[k]);
    if (WHOLE || (at >= begin && at < end)) *(out + mine + k * fs.lane.count - begin) = part[k];
  }
}

template <bool WHOLE>
WARPFS_FN void cold_copy(WARPFS_THREAD const Fs& fs, uint to, ulong address, uint begin, uint end, WARPFS_DEVICE uchar* target) {
  WARPFS_DEVICE const Vec16* from = (WARPFS_DEVICE const Vec16*)address;
  WARPFS_DEVICE Vec16* line = (WARPFS_DEVICE Vec16*)line_data(fs, to);
  const uint pieces = line_bytes(fs) / 16u;
  uint first = 0;
  for (; first + COPY_AT_ONCE * fs.lane.count <= pieces; first += COPY_AT_ONCE * fs.lane.count) {
    cold_copy_part<COPY_AT_ONCE, WHOLE>(fs, from, line, first, begin, end, (WARPFS_DEVICE Vec16*)target);
  }
  for (; first < pieces; first += fs.lane.count) {
    if (first + fs.lane.index < pieces) cold_copy_part<1, WHOLE>(fs, from, line, first, begin, end, (WARPFS_DEVICE Vec16*)target);
  }
}

// Is a warp at this line that waits for nobody?
WARPFS_FN bool word_is_coming(uint word) {
  return line_state(word) == LineState::BUSY && line_step(word) <= LineStep::STARTING && line_step(word) != LineStep::FILLING;
}
static_assert(LineStep::CLAIMING < LineStep::STARTING && LineStep::ABANDONED < LineStep::STARTING && LineStep::WRITING > LineStep::STARTING,
              "who writes or stores a line leaves it as it can be read");

// All lanes. Line `other` has the page, or is getting it from a warp that will not be long, or (LINE_NONE) such a warp has said that it brings it: waits for
// that, and holds no line meanwhile. Where the page is then a hint says: that the line can be read may be a word of before it was claimed.
WARPFS_FN ColdLine cold_wait(WARPFS_THREAD Fs& fs, uint other, int file, WARPFS_THREAD const Tag& tag) {
  ColdLine brought = cold_none();
  if (is_leader(fs)) {
    WaitBound bound;
    wait_start(fs, bound);
    while (other != (uint)LINE_NONE && word_is_coming(atomic_load(fs.words + other)) && wait_again(fs, bound)) {
    }
    Vec16 hint = atomic_load16(hint_place(fs, file, tag.page));
    // Behind a line it is this warp that is said to bring the page.
    if (other == (uint)LINE_NONE) hint = hint_wait_here(fs, file, tag.file_id, tag.page, hint);
    else fence_acquire();
    if (hint_is_about(fs, hint, tag.file_id, tag.page)) {
      brought.line = hint.words[0];
      brought.version = hint.words[1];
    } else if (other == (uint)LINE_NONE) {
      brought.line = COLD_LOST;
    }
  }
  brought.line = warp_broadcast(fs.lane, brought.line, 0u);
  return brought;
}

WARPFS_CALL ColdLine cold_claim(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, Vec16 entry, Vec16 hint) {
  Tag tag;
  tag.page = offset >> fs.line_shift;
  tag.file_id = warp_broadcast(fs.lane, entry.words[1], 0u);
  ColdLine cold = cold_none();
  const bool seen = is_leader(fs) && page_is_seen(fs, file, offset, length, entry);
  if (!warp_any(fs.lane, seen)) return cold;
  const ColdClaim claim = cold_claim_in_set(fs, file, tag, seen ? file_place(fs, file) : 0, hint);
  if (claim.coming || claim.other != (uint)LINE_NONE) return cold_wait(fs, claim.other, file, tag);
  if (claim.lost) cold.line = COLD_LOST;
  if (claim.line == (uint)LINE_NONE) return cold;
  count(fs, Counter::MISSES, 1u);
  cold.line = claim.line | (claim.stores ? (uint)COLD_STORES : 0u);
  cold.version = claim.version;
  cold.address = claim.address;
  return cold;
}

WARPFS_CALL void cold_give_up(WARPFS_THREAD Fs& fs, int file, uint file_id, ulong page) {
  atomic_swap16(hint_place(fs, file, page), hint_coming(file_id, page), hint_none(page));
}

WARPFS_CALL void cold_fill(WARPFS_THREAD Fs& fs, ulong offset, uint length, WARPFS_DEVICE uchar* target, uint line, ulong address) {
  const uint begin = ((uint)offset & (line_bytes(fs) - 1u)) / 16u;
  if (target != 0 && length == line_bytes(fs)) cold_copy<true>(fs, line, address, 0u, 0u, target);
  else cold_copy<false>(fs, line, address, begin, target != 0 ? begin + length / 16u : begin, target);
}

WARPFS_CALL bool cold_end(WARPFS_THREAD Fs& fs, int file, uint file_id, ulong page, ColdLine cold) {
  // Each lane has read its bytes before the window is looked at again.
  fence_acquire();
  warp_sync(fs.lane);
  uint filled = 0;
  if (is_leader(fs)) {
    // On its way while the fence waits for the stores: it comes behind the bytes either way.
    const Vec16 window = atomic_load16(&file_place(fs, file)->window_base[0]);
    fence_release();
    filled = cold_place(fs, window, file_id, page) == cold.address ? 1u : 0u;
    if (filled != 0u) {
      // Before those who wait for the line look for it.
      hint_store(fs, file, page, hint_make(file_id, page, cold.line, cold.version));
      // Ready, and let go of: the pin that the claim has brought was ours alone.
      atomic_add_unasked(fs.words + cold.line, line_with(0u, LineState::READY, LineStep::NONE) - line_with(LINE_PIN, LineState::BUSY, LineStep::STARTING));
    } else {
      hint_store(fs, file, page, hint_none(page));
      line_let_go(fs, cold.line);
    }
  }
  return warp_broadcast(fs.lane, filled, 0u) != 0u;
}

WARPFS_CALL void cold_store(WARPFS_THREAD Fs& fs, uint line) {
#if WARPFS_STORES
  const CacheSet set = set_at(fs, set_of_line(fs, line));
  set_store(fs, set.first, set.ways);
#else
  (void)fs;
  (void)line;
#endif
}

}  // namespace warpfs
#endif
