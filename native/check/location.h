// What check mode knows of four bytes of shared memory in one schedule.
#pragma once
#include "clock.h"

namespace warpfs {

/// What a piece of the arena is. The kinds up to OWN are those of Binding.
enum class RegionKind : uint8_t {
  GEOMETRY, RING_TAILS, RING_HEADS, REQUESTS, WORDS, TAGS, AUXES, DONES, SETS, LINES, FILES, MAILBOXES, OUTBOXES, RECORDS, STATS, FAULT, LOGS, LOADS,
  GATES, DIRTY, MASKS, HINTS,
  OWN,      // a buffer of the kernel
  RESULTS,  // the ProgramResults of a program
  GROUP,    // memory of a group of warps
  NOWHERE
};

/// One plain access, of the bytes in `mask`, that a later access could race with.
struct PlainAccess {
  PlainAccess* next;
  uintptr_t pc;
  uint32_t slot, epoch, step;
  uint8_t mask;
  bool write;
};

struct StoreReader {
  StoreReader* next;
  uint32_t slot, epoch;
};

/// One store in the history of a word: relaxed memory lets a load see older ones.
struct WordStore {
  WordStore* older;
  StoreReader* readers;
  FrozenClock release;  // of this store, and of the release sequence that it is part of
  uint32_t value, slot, epoch;
};

constexpr uint32_t NO_SLOT = ~0u;

/// For the search through all schedules: the accesses that a new one depends on. Indices are those of events of the execution.
struct DependencyMark {
  DependencyMark* next;
  uint32_t event, actor;
};

struct Location {
  uint32_t granule;      // index of these four bytes in the arena
  uint32_t initial;      // their value before the schedule
  uint32_t hashed;       // their value as the hash of the memory has it
  RegionKind kind;
  bool filled;           // line data: somebody wrote it since its line was claimed
  bool watched;          // somebody wants to know of every store
  uint32_t index;        // element of the region
  uint32_t field;        // byte offset within the element
  uint32_t writes;       // stores so far
  uint32_t writer_party; // who made the last of them (the warp; or the host), and how many in a row
  uint32_t writer_run;
  FrozenClock release;   // of the newest store
  PlainAccess* plain;
  uint32_t* atomics;     // epochs of the last atomic store and the last atomic load of each slot; null before the first
  uint32_t* readers;     // epochs of the last plain read of each slot, once several have read the whole word; `plain` has the other accesses
  uintptr_t* pcs;        // where the last of these was made; only while a finding is recorded
  WordStore* newest;     // relaxed memory only
  uint64_t fill;         // line data: which fill of its line `filled` is about
  DependencyMark* last_write;  // exhaustive search only
  DependencyMark* reads;
  bool has_waiters;
};

}  // namespace warpfs
