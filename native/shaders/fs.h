// What one warp knows of its mount: where everything lies, which work item it runs, and what it has counted so far.
#pragma once

namespace warpfs {

// Statuses that are neither bytes nor an errno. PENDING leaves the work item; the others never leave the cache.
enum : int {
  WARPFS_DONE = 0,
  WARPFS_PENDING = -65536,
};

// Modes of gopen and gmmap; those but the first two are added to WARPFS_RDWR.
enum : uint32_t {
  WARPFS_RDONLY = 0u,
  WARPFS_RDWR = OPEN_WRITE,
  WARPFS_CREATE = OPEN_CREATE,
  WARPFS_EXCLUSIVE = OPEN_EXCLUSIVE,
  WARPFS_TRUNCATE = OPEN_TRUNCATE,
};

// A dialect may know elsewhere where the tables are.
#ifndef WARPFS_TABLE
#define WARPFS_TABLE(type, name, binding) WARPFS_DEVICE type* name
#define WARPFS_SHAPE(name) uint name
#define WARPFS_SHAPE_IN_FS 1
#endif

// Every lane has one. All members but `lane` and `counters` are the same in all lanes of a warp.
struct Fs {
  Lane lane;
  uint item;  // index of the work item
  uint slot;  // its place among the items in flight: mailbox, outbox and record

  WARPFS_TABLE(const Geometry, geometry, GEOMETRY);
  WARPFS_TABLE(RingTail, ring_tails, RING_TAILS);
  WARPFS_TABLE(const RingHead, ring_heads, RING_HEADS);
  WARPFS_TABLE(Request, requests, REQUESTS);
  WARPFS_TABLE(uint, words, WORDS);  // of the lines
  WARPFS_TABLE(LineTag, tags, TAGS);
  WARPFS_TABLE(LineAux, auxes, AUXES);
  WARPFS_TABLE(const LineDone, dones, DONES);
  WARPFS_TABLE(SetState, sets, SETS);
  WARPFS_TABLE(uchar, lines, LINES);
  WARPFS_TABLE(const FileEntry, files, FILES);
  WARPFS_TABLE(const Mailbox, mailboxes, MAILBOXES);
  WARPFS_TABLE(uchar, outboxes, OUTBOXES);
  WARPFS_DEVICE ItemRecord* record;
  WARPFS_TABLE(WarpStats, stats, STATS);
  WARPFS_TABLE(FaultRecord, fault, FAULT);
  WARPFS_DEVICE LogEntry* log;  // of this slot (replay only)
  WARPFS_DEVICE uint* loaded;   // words that the lanes of this slot have loaded (replay only)
  WARPFS_TABLE(uint, gates, GATES);    // of the files
  WARPFS_TABLE(DirtyState, dirty, DIRTY);
  WARPFS_TABLE(uint, masks, MASKS);    // of dirty bytes
#if WARPFS_HINTS
  WARPFS_TABLE(Hint, hints, HINTS);
#endif

  WARPFS_SHAPE(line_shift);
  WARPFS_SHAPE(set_count);
  WARPFS_SHAPE(set_ways_base);  // ways that every set has
  WARPFS_SHAPE(set_ways_rest);  // the first sets that have one more

  int error;  // first error that a call without a result of its own met, or a refused call
#if !WARPFS_WARP_WORDS
  uint counters[COUNTER_COUNT];
#endif

  // The call in progress. Under replay these survive in the ItemRecord while the item is pending.
  ulong progress;    // bytes that it has moved
  uint served;       // lines of its current chunk, or lanes, that it has moved
  uint asked;        // 1: its request is posted, the answer comes to the mailbox
  uint kept;         // what it has to remember: a read the bytes it will give, + 1; an open its handle, + 1; a close the error of its write-backs
  uint file_id;      // identity of the bytes that a read began with
  uint again;        // 1: it has met a fill of somebody else that failed, and tries for itself
  uint gate;         // leader only: the file whose gate it has passed, + 1, with GATE_CLOSED where it has closed it
  uint bypass_line;  // the line behind the cache that carries a page for it, or LINE_NONE
  ulong bypass_page;
#if WARPFS_WINDOWS
  // Leader only: of the file that was looked up last.
  WARPFS_DEVICE const FileEntry* window_entry;
  Vec16 window;  // base, windows and reach
#endif
  bool pending;      // the item has to leave and to be run again (replay only)

#if WARPFS_REPLAY
  uint call;            // calls made so far in this run of the item
  uint log_count;       // calls that earlier runs finished
  uint load_words;      // words that each lane has loaded so far in this run of the item
  uint load_count;      // words that earlier runs loaded
  uint prologue_calls;  // calls and words before the first use of the phase: a checkpoint keeps them
  uint prologue_words;
  bool in_prologue;
  uint phase[PHASE_WORDS];       // as of the last checkpoint
  uint phase_next[PHASE_WORDS];  // as of the next one
  uint held_count;               // pins that the item keeps until its next run
  uint held[HELD_LINES_MAX];
#endif
};

// A dialect may have these in one instruction.
#ifndef WARPFS_ATOMICS_ACQUIRE
WARPFS_FN uint atomic_add_acquire(WARPFS_DEVICE uint* p, uint v) {
  const uint before = atomic_add(p, v);
  fence_acquire();
  return before;
}
WARPFS_FN bool atomic_cas_acquire(WARPFS_DEVICE uint* p, WARPFS_THREAD uint& expected, uint desired) {
  const bool changed = atomic_cas(p, expected, desired);
  fence_acquire();
  return changed;
}
#endif

#if WARPFS_LOADS_16
WARPFS_FN bool words_are_equal(Vec16 a, Vec16 b) {
  uint other = 0u;
  for (uint i = 0; i < 4u; i++) other |= a.words[i] ^ b.words[i];
  return other == 0u;
}
#ifndef WARPFS_SWAPS_16
// Stores `wanted` where `seen` is: what was there. Two steps here: only for what is a guess.
WARPFS_FN Vec16 atomic_swap16(WARPFS_DEVICE uint* p, Vec16 seen, Vec16 wanted) {
  const Vec16 old = atomic_load16(p);
  if (words_are_equal(old, seen)) atomic_store16(p, wanted);
  return old;
}
#endif
#endif

// Where nobody asks what was there before.
#ifndef WARPFS_ATOMICS_UNASKED
WARPFS_FN void atomic_add_unasked(WARPFS_DEVICE uint* p, uint v) { atomic_add(p, v); }
WARPFS_FN void atomic_or_unasked(WARPFS_DEVICE uint* p, uint v) { atomic_or(p, v); }
WARPFS_FN void atomic_and_unasked(WARPFS_DEVICE uint* p, uint v) { atomic_and(p, v); }
#endif
WARPFS_FN void atomic_sub_unasked(WARPFS_DEVICE uint* p, uint v) { atomic_add_unasked(p, 0u - v); }

WARPFS_FN bool is_leader(WARPFS_THREAD const Fs& fs) { return fs.lane.index == 0u; }

// A dialect may leave counters alone for a while.
#ifndef WARPFS_COUNTS
#define WARPFS_COUNTS(lane) true
#endif

// Leader only. What it has counted of the current item.
#if WARPFS_WARP_WORDS
static_assert(COUNTER_COUNT + MAPS_MAX <= WARP_WORDS, "counters, then maps");
WARPFS_FN uint* item_counters(WARPFS_THREAD const Fs&) { return warp_words(); }
#else
WARPFS_FN WARPFS_THREAD uint* item_counters(WARPFS_THREAD Fs& fs) { return fs.counters; }
WARPFS_FN WARPFS_THREAD const uint* item_counters(WARPFS_THREAD const Fs& fs) { return fs.counters; }
#endif

// By all lanes or by the leader.
WARPFS_FN void count(WARPFS_THREAD Fs& fs, uint counter, uint amount) {
#if WARPFS_WARP_WORDS
  (void)fs;
  warp_words_count(counter, amount);
#else
  if (is_leader(fs) && WARPFS_COUNTS(fs.lane)) item_counters(fs)[counter] += amount;
#endif
}

// The first error of an item is the one that is reported.
WARPFS_FN void note_error(WARPFS_THREAD Fs& fs, int error) {
  if (fs.error == 0) fs.error = error;
}

// The place of a file in the tables, which the handle names; its generation stands above.
WARPFS_FN uint handle_index(int file) { return (uint)file & ((1u << HANDLE_INDEX_BITS) - 1u); }

// Leader only. What the item has mapped.
#if WARPFS_MAPS_NEAR
WARPFS_FN uint* item_maps(WARPFS_THREAD const Fs&) { return warp_words() + COUNTER_COUNT; }
#else
WARPFS_FN WARPFS_DEVICE uint* item_maps(WARPFS_THREAD const Fs& fs) { return fs.record->maps; }
#endif

// Leader only. The place of an entry among the maps of the item (0: a free place), or MAPS_MAX.
WARPFS_FN uint map_place(WARPFS_THREAD const Fs& fs, uint entry) {
  for (uint i = 0; i < MAPS_MAX; i++) {
    if (item_maps(fs)[i] == entry) return i;
  }
  return MAPS_MAX;
}

WARPFS_FN uint line_bytes(WARPFS_THREAD const Fs& fs) { return 1u << fs.line_shift; }

WARPFS_FN WARPFS_DEVICE uchar* line_data(WARPFS_THREAD const Fs& fs, uint line) { return fs.lines + ((ulong)line << fs.line_shift); }

// Where a file that has this handle would be, open or not; 0: nowhere.
WARPFS_FN WARPFS_DEVICE const FileEntry* file_place(WARPFS_THREAD const Fs& fs, int file) {
  return file >= 0 && handle_index(file) < fs.geometry->file_count ? fs.files + handle_index(file) : 0;
}

WARPFS_FN bool handle_is(uint handle, int file) { return handle == ((uint)file & ~(uint)HANDLE_WRITABLE); }

// Folds the arguments of a call into one word: equal arguments give equal words, unequal ones almost always unequal words.
WARPFS_FN ulong mix_arguments(ulong a, ulong b, ulong c) { return a ^ ((b << 21) | (b >> 43)) ^ ((c << 42) | (c >> 22)); }

// All lanes. Keeps two values of an argument on which lanes disagree, for the report.
WARPFS_FN bool argument_agrees(WARPFS_THREAD Fs& fs, ulong argument) {
  ulong first = 0;
  ulong other = 0;
  ulong nothing = 0;
  if (warp_uniform(fs.lane, argument, first, other, nothing)) return true;
  const uint shift = (uint)first != (uint)other ? 0u : 32u;
  atomic_store(&fs.fault->lane_values[0], (uint)(first >> shift));
  atomic_store(&fs.fault->lane_values[1], (uint)(other >> shift));
  return false;
}

// All lanes. A call whose arguments differ between the lanes of a warp is a bug in the kernel: it is refused. In the same exchange all lanes
// get `of_leader` as the leader has it.
WARPFS_FN bool arguments_agree(WARPFS_THREAD Fs& fs, ulong a, ulong b, ulong c, WARPFS_THREAD ulong& of_leader) {
  ulong first = 0;
  ulong other = 0;
  if (warp_uniform(fs.lane, mix_arguments(a, b, c), first, other, of_leader)) return true;
  if (argument_agrees(fs, a) && argument_agrees(fs, b)) argument_agrees(fs, c);
  note_error(fs, -Errno::einval);
  return false;
}

}  // namespace warpfs
