// Calls about one page that is there, as they are made where a call of a function and a look at memory of one's own cost much: everything is in registers, and
// what is not quite usual is left to the usual call, before anything was changed.
#pragma once
#if WARPFS_HINTS

namespace warpfs {

// These bytes are there to be looked for, and the hint is about their page.
WARPFS_FN bool page_hinted(WARPFS_THREAD const Fs& fs, int file, ulong offset, uint length, Vec16 entry, Vec16 hint) {
  return page_is_seen(fs, file, offset, length, entry) && hint_is_about(fs, hint, entry.words[1], offset >> fs.line_shift);
}

// Leader only. The line where the hint says that a page is, pinned and counted as mapped; LINE_NONE where it is not, or not usual.
WARPFS_FN uint page_pin_mapped(WARPFS_THREAD const Fs& fs, int file, ulong offset, uint length, Vec16 entry, Vec16 hint) {
  const ulong page = offset >> fs.line_shift;
  if (!page_hinted(fs, file, offset, length, entry, hint)) return LINE_NONE;
  const uint line = hint.words[0];
  const CacheSet set = set_at(fs, set_of_line(fs, line));
  // Both are on their way before either is waited for.
  const uint maps = atomic_add(&fs.sets[set.index].maps, 1u);
  const uint word = atomic_add(fs.words + line, LINE_PIN);
  // One fence for the pin and, as in hint_look, for the size.
  fence_acquire();
  // With the pin the tag can no longer change.
  if (line_pins(word) < PINS_MAX && line_can_be_read(word) && hint_holds(fs, hint, page) && maps < maps_max(set.ways)) {
    if (policy_counts_hits() && (word & LINE_REFERENCE) == 0u) atomic_or_unasked(fs.words + line, LINE_REFERENCE);
    return line;
  }
  atomic_sub_unasked(fs.words + line, LINE_PIN);
  atomic_sub_unasked(&fs.sets[set.index].maps, 1u);
  return LINE_NONE;
}

WARPFS_FN bool arguments_are_equal(WARPFS_THREAD const Fs& fs, int file, ulong offset, uint length, uint other) {
  const ulong mixed = mix_arguments(offset, ((ulong)length << 32) | (uint)file, other);
  return warp_all_equal(fs.lane, (uint)mixed ^ (uint)(mixed >> 32));
}

// All lanes, with the same arguments. The line where a hint says that the page is; LINE_NONE where there is none, or the file is not as usual. The
// leader looks for all: 16 bytes that every lane of a warp loads are asked for four times. `entry` and `hint` are what it has seen.
WARPFS_FN uint page_look(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE const FileEntry* of, WARPFS_THREAD Vec16& entry,
                         WARPFS_THREAD Vec16& hint) {
  uint line = LINE_NONE;
  if (is_leader(fs)) {
    hint_look(fs, file, offset >> fs.line_shift, of, entry, hint);
    if (hint_is_coming(hint, entry.words[1], offset >> fs.line_shift)) hint = hint_wait(fs, file, offset >> fs.line_shift, hint);
    if (page_hinted(fs, file, offset, length, entry, hint)) line = hint.words[0];
  }
  // What the leader has acquired is visible to all.
  return warp_broadcast(fs.lane, line, 0u);
}

// All lanes, behind their loads of a page's bytes: the hint was right all the while. Those of each lane come before the tag, and then the leader looks.
WARPFS_FN bool page_was_there(WARPFS_THREAD const Fs& fs, Vec16 hint, ulong page) {
  fence_acquire();
  warp_sync(fs.lane);
  return warp_all(fs.lane, !is_leader(fs) || hint_holds(fs, hint, page));
}

// The word of a line that is used without a pin, for line_was_hit; what it is in other lanes than the leader's says nothing.
WARPFS_FN uint word_of_hit(WARPFS_THREAD const Fs& fs, uint line) {
  return is_leader(fs) && policy_counts_hits() ? atomic_load(fs.words + line) : (uint)LINE_REFERENCE;
}
WARPFS_FN void line_was_hit(WARPFS_THREAD const Fs& fs, uint line, uint word) {
  if ((word & LINE_REFERENCE) == 0u) atomic_or_unasked(fs.words + line, LINE_REFERENCE);
}

// Pieces of each lane that are on their way at once: with more of them a kernel would have to keep other registers in L2, also for reads of a few bytes.
enum : uint32_t {
  COPY_OF_HIT = 4,
  COPY_OF_REST = 2,  // where fewer are left
};

WARPFS_FN Vec16 piece_guess(const WARPFS_DEVICE Vec16* p) { return data_guess16(p); }
WARPFS_FN uint piece_guess(const WARPFS_DEVICE uint* p) { return data_guess4(p); }

// All lanes. `BATCH` pieces of each lane from piece `first` on, all of them `WHOLE`. False: the hint about their page was not right.
template <uint BATCH, bool WHOLE, typename Piece>
WARPFS_FN bool page_copy_part(WARPFS_THREAD const Fs& fs, const WARPFS_DEVICE Piece* from, WARPFS_DEVICE Piece* to, uint first, uint pieces, Vec16 hint, ulong page) {
  const uint mine = first + fs.lane.index;
  Piece part[BATCH];
  for (uint k = 0; k < BATCH; k++) part[k] = WHOLE || mine + k * fs.lane.count < pieces ? piece_guess(from + mine + k * fs.lane.count) : Piece{};
  if (!page_was_there(fs, hint, page)) return false;
  for (uint k = 0; k < BATCH; k++) {
    if (WHOLE || mine + k * fs.lane.count < pieces) to[mine + k * fs.lane.count] = part[k];
  }
  return true;
}

// A page that has been brought into the cache, as a hint says it.
struct Brought {
  uint line;  // LINE_NONE: it was not, and is to be asked for in the usual way
  uint version;
  bool ours;  // by this warp, and what was asked for of it is at `target`
};

// How often a warp tries to claim a line of which others take the ways before it, and then goes the usual way.
enum : uint32_t { CLAIMS_TRIED = 3 };

// All lanes, with the same arguments. Brings a page that no hint has found; `entry`, `hint`: what the leader has seen; `target`: 0: nowhere.
WARPFS_FN Brought page_bring(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE uchar* target, Vec16 entry, Vec16 hint) {
  const ulong page = offset >> fs.line_shift;
  ColdLine cold;
  uint tries = 0;
  do {
    cold = cold_claim(fs, file, offset, length, entry, hint);
    hint = hint_coming(entry.words[1], page);
  } while (cold.line == (uint)COLD_LOST && ++tries < CLAIMS_TRIED);
  Brought brought;
  brought.line = cold.line == (uint)COLD_LOST ? (uint)LINE_NONE : cold.line;
  brought.version = cold.version;
  brought.ours = false;
  if (cold.address == 0u) {
    if (brought.line == (uint)LINE_NONE && is_leader(fs)) cold_give_up(fs, file, entry.words[1], page);
    return brought;
  }
  const bool stores = (cold.line & COLD_STORES) != 0u;
  cold.line &= ~(uint)COLD_STORES;
  cold_fill(fs, offset, length, target, cold.line, cold.address);
  brought.ours = cold_end(fs, file, entry.words[1], page, cold);
  brought.line = brought.ours ? cold.line : (uint)LINE_NONE;
  if (brought.ours && stores) cold_store(fs, cold.line);
  return brought;
}

// What page_bring gave, as the leader finds it in a hint.
WARPFS_FN Vec16 hint_brought(WARPFS_THREAD const Brought& brought, Vec16 entry, ulong page) { return hint_make(entry.words[1], page, brought.line, brought.version); }

// All lanes, with the same arguments. The bytes, which lie as line data is best read, if the hint about their page is right: true. No pin is taken,
// so nobody waits for one; `target` may have been written to all the same. `AT_ONCE`: pieces of each lane that are on their way at once.
template <uint AT_ONCE, typename Piece>
WARPFS_FN bool page_copy_out(WARPFS_THREAD const Fs& fs, ulong offset, uint length, WARPFS_DEVICE uchar* target, uint line, Vec16 hint) {
  const ulong page = offset >> fs.line_shift;
  const WARPFS_DEVICE Piece* from = (const WARPFS_DEVICE Piece*)(line_data(fs, line) + ((uint)offset & (line_bytes(fs) - 1u)));
  WARPFS_DEVICE Piece* to = (WARPFS_DEVICE Piece*)target;
  const uint pieces = length / (uint)sizeof(Piece);
  const uint word = word_of_hit(fs, line);
  uint first = 0;
  for (; first + AT_ONCE * fs.lane.count <= pieces; first += AT_ONCE * fs.lane.count) {
    if (!page_copy_part<AT_ONCE, true>(fs, from, to, first, pieces, hint, page)) return false;
  }
  for (; first < pieces; first += COPY_OF_REST * fs.lane.count) {
    if (!page_copy_part<COPY_OF_REST, false>(fs, from, to, first, pieces, hint, page)) return false;
  }
  line_was_hit(fs, line, word);
  warp_sync(fs.lane);
  return true;
}

WARPFS_FN void count_read(WARPFS_THREAD Fs& fs, uint length) {
  count(fs, Counter::READS, 1u);
  count(fs, Counter::BYTES_READ, length);
}

// Pages are copied in pieces of 16 bytes where everything lies so, else in words.
WARPFS_FN uint read_lies(ulong offset, uint length, const WARPFS_DEVICE uchar* target) { return (uint)((ulong)target | offset | (ulong)length) & 15u; }
template <uint AT_ONCE>
WARPFS_FN bool page_copy(WARPFS_THREAD const Fs& fs, ulong offset, uint length, WARPFS_DEVICE uchar* target, uint line, Vec16 hint) {
  return read_lies(offset, length, target) != 0u ? page_copy_out<AT_ONCE, uint>(fs, offset, length, target, line, hint) : page_copy_out<AT_ONCE, Vec16>(fs, offset, length, target, line, hint);
}

WARPFS_FN int gread(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE uchar* target) {
  WARPFS_DEVICE const FileEntry* of = file_place(fs, file);
  const uint within = read_lies(offset, length, target);
  if (!arguments_are_equal(fs, file, offset, length, (uint)(ulong)target) || of == 0 || (within & 3u) != 0u) return gread_usual(fs, file, offset, length, target);
  Vec16 entry = {};
  Vec16 hint = {};
  const uint line = page_look(fs, file, offset, length, of, entry, hint);
  if (line != (uint)LINE_NONE && page_copy<COPY_OF_HIT>(fs, offset, length, target, line, hint)) {
    count(fs, Counter::HITS, 1u);
  } else {
    // What comes over the bus comes in pieces of 16 bytes: words are copied from the line.
    const Brought brought = page_bring(fs, file, offset, length, within != 0u ? 0 : target, entry, hint);
    if (!brought.ours || within != 0u) {
      const Vec16 where = hint_brought(brought, entry, offset >> fs.line_shift);
      if (brought.line == (uint)LINE_NONE || !page_copy_brought(fs, offset, length, target, where)) return gread_usual(fs, file, offset, length, target);
    }
  }
  count_read(fs, length);
  return (int)length;
}

WARPFS_FN Ticket gread_async(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE uchar* target) {
  WARPFS_DEVICE const FileEntry* of = file_place(fs, file);
  if (!arguments_are_equal(fs, file, offset, length, (uint)(ulong)target) || of == 0 || !page_is_near(fs, file, offset, length)) {
    return gread_async_usual(fs, file, offset, length, target);
  }
  Ticket ticket = ticket_make(file, offset, length, false);
  ticket.target = target;
  ticket.near = true;
  return ticket;
}

WARPFS_FN int gwait(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Ticket& ticket) {
  if (warp_all(fs.lane, ticket.near)) return gread(fs, ticket.file, ticket.offset, ticket.length, ticket.target);
  // What a call gets by reference lies in memory: the caller's ticket need not.
  const Ticket other = ticket;
  return gwait_usual(fs, other);
}

// All lanes. Maps the page to read where the hint says that it is: true.
WARPFS_FN bool page_map(WARPFS_THREAD const Fs& fs, int file, ulong offset, uint length, WARPFS_THREAD Map& map, Vec16 entry, Vec16 hint) {
  uint line = LINE_NONE;
  if (is_leader(fs)) {
    // On its way together with what else is looked at; nearly always it is free.
    const uint first = item_maps(fs)[0];
    line = page_pin_mapped(fs, file, offset, length, entry, hint);
    const uint place = first == 0u || line == (uint)LINE_NONE ? 0u : map_place(fs, 0u);
    if (place == MAPS_MAX) {
      set_unmap(fs, line);
      line_unpin(fs, line);
      line = LINE_NONE;
    }
    if (line != (uint)LINE_NONE) item_maps(fs)[place] = (line + 1u) << 1;
  }
  // What the leader has acquired is visible to all.
  line = warp_broadcast(fs.lane, line, 0u);
  if (line == (uint)LINE_NONE) return false;
  map.file = file;
  map.writes = false;
  map.line = line;
  map.count = length;
  map.first = (uint)offset & (line_bytes(fs) - 1u);
  map.bytes = line_data(fs, line) + map.first;
  return true;
}

// To read; a map to write is made in the usual way.
WARPFS_FN int gmmap(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, uint mode, WARPFS_THREAD Map& map) {
  WARPFS_DEVICE const FileEntry* of = file_place(fs, file);
  const bool reads = arguments_are_equal(fs, file, offset, length, mode) && mode == WARPFS_RDONLY && of != 0;
  Vec16 entry = {};
  Vec16 hint = {};
  if (reads) {
    if (is_leader(fs)) {
      entry = atomic_load16(&of->handle);
      hint = atomic_load16(hint_place(fs, file, offset >> fs.line_shift));
      if (hint_is_coming(hint, entry.words[1], offset >> fs.line_shift)) hint = hint_wait(fs, file, offset >> fs.line_shift, hint);
    }
    if (page_map(fs, file, offset, length, map, entry, hint)) {
      count(fs, Counter::HITS, 1u);
      return (int)length;
    }
  }
  // What a call gets by reference lies in memory: the caller's map does not.
  Map other;
  const int result = reads ? gmmap_unhinted(fs, file, offset, length, other, entry, hint) : gmmap_usual(fs, file, offset, length, mode, other);
  map = other;
  return result;
}

WARPFS_FN int gmunmap(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Map& map) {
  uint done = 0;
  const bool agree = warp_all_equal(fs.lane, map.line);
  if (agree && is_leader(fs) && !map.writes && map.count != 0u) {
    const uint place = map_place(fs, (map.line + 1u) << 1);
    done = place < MAPS_MAX ? 1u : 0u;
    if (done != 0u) item_maps(fs)[place] = 0u;
  }
  if (warp_broadcast(fs.lane, done, 0u) != 0u) {
    if (is_leader(fs)) {
      line_unpin(fs, map.line);
      set_unmap(fs, map.line);
    }
    return 0;
  }
  const Map other = map;
  return gmunmap_usual(fs, other);
}

}  // namespace warpfs
#endif
