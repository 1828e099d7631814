// Small instrumented kernels whose every behaviour is known, to test and to measure the engine with. Their memory is an array of words, all 0
// unless said otherwise.
#pragma once
#include "../host/cpu/executor.h"

namespace warpfs::toys {

// ---- Litmus tests: what each thread has read goes to memory[OUT + index]. Threads are warps of one lane.

enum class Fences { NONE, RELEASE, ACQUIRE, BOTH, SEQ };
constexpr uint32_t X = 0, Y = 1, Z = 2, OUT = 3, LITMUS_WORDS = 8;

template <Fences F> void store_buffering(Lane& lane, const WarpId& id, void* memory);        // x=1; r0=y | y=1; r1=x            NONE BOTH SEQ
template <Fences F> void message_passing(Lane& lane, const WarpId& id, void* memory);        // x=1; y=1 | r0=y; r1=x            all
template <Fences F> void load_buffering(Lane& lane, const WarpId& id, void* memory);         // r0=x; y=1 | r1=y; x=1            NONE BOTH
template <Fences F> void independent_reads(Lane& lane, const WarpId& id, void* memory);      // x=1 | y=1 | r0=x; r1=y | r2=y; r3=x  NONE ACQUIRE SEQ
template <Fences F> void write_to_read(Lane& lane, const WarpId& id, void* memory);          // x=1 | r0=x; y=1 | r1=y; r2=x     NONE BOTH
/// x=1; seq; r0=y | y=1; seq; release z=1 | r1=z; acquire; r2=x. The third thread knows what the fence of the second has made visible.
void seq_handed_on(Lane& lane, const WarpId& id, void* memory);
void coherent_reads(Lane& lane, const WarpId& id, void* memory);                             // x=1 | x=2 | r0=x; r1=x | r2=x; r3=x
void two_writes_each(Lane& lane, const WarpId& id, void* memory);                            // x=1; y=2 | y=1; x=2; the words themselves
/// x=1; release y=1 | y becomes 2 | r0=y; acquire; r1=x. An RMW goes on with the release of the store before it, a plain store does not.
template <bool RMW> void release_sequence(Lane& lane, const WarpId& id, void* memory);

// ---- The toy line protocol: two readers pin a line, read it and unpin it; the second warp of three fills it with another tag. One attempt each.

constexpr uint32_t LINE_WORD = 0, LINE_DATA = 1, LINE_WRONG = 2, LINE_WORDS = 3;
constexpr uint32_t LINE_START = 1u << 16 | 1u << 8;  // [tag:16 | state:8 | pins:8], READY; the data is the tag
/// LINE_WRONG counts readers that read another line's data.
template <bool RELEASES> void line_protocol(Lane& lane, const WarpId& id, void* memory);

// ---- The four classic bugs, of two warps each, padded with accesses to private memory.

/// The user (the second warp) does not wait for the creator: memory[1] is 1 where it came first. FAR: behind 20 shared accesses of its own.
template <bool FAR> void bug_ordering(Lane& lane, const WarpId& id, void* memory);
/// The toy line with a reader that pins without looking again.
void bug_check_then_pin(Lane& lane, const WarpId& id, void* memory);
/// A stack of nodes 1, 2, 3: memory[0] is the head, memory[node] the next one. memory[STACK_TAKEN + node] counts its owners.
constexpr uint32_t STACK_TAKEN = 4, STACK_WORDS = 8;
void bug_stack_aba(Lane& lane, const WarpId& id, void* memory);
/// A flush that clears the dirty bit behind the write-back.
constexpr uint32_t DIRTY_DATA = 0, DIRTY_BIT = 1, DIRTY_DISK = 2, DIRTY_WORDS = 3;
void bug_lost_dirty(Lane& lane, const WarpId& id, void* memory);

// ---- Many threads.

void increment(Lane& lane, const WarpId& id, void* memory);
/// One sum for each warp, at memory[item]; what it adds follows at memory[REDUCE_INPUT]. Needs 128 bytes of group memory.
constexpr uint32_t REDUCE_INPUT = 1u << 15;
template <bool ALL_BARRIERS> void group_reduce(Lane& lane, const WarpId& id, void* memory);
/// The warps of a group write to its memory and read what the others wrote.
void group_exchange(Lane& lane, const WarpId& id, void* memory);

// ---- Things that must be found.

void waits_for_ever(Lane& lane, const WarpId& id, void* memory);
/// Lane 0 spins until the last lane has stored.
void spins_on_sibling(Lane& lane, const WarpId& id, void* memory);
/// The first warp waits for the last one.
void waits_for_last_warp(Lane& lane, const WarpId& id, void* memory);
/// The other way round.
void waits_for_first_warp(Lane& lane, const WarpId& id, void* memory);
/// Reads the word behind the memory, of which there are `memory[0]`.
void reads_beyond(Lane& lane, const WarpId& id, void* memory);
void disagrees(Lane& lane, const WarpId& id, void* memory);
/// Three warps, two resident: the second hands a word over to the first; the third comes to the first's place and reads it without asking.
void heir_reads(Lane& lane, const WarpId& id, void* memory);
/// The same places: the first publishes a word and ends, the third has its place and is told by the second, who knew the first.
void heir_is_told(Lane& lane, const WarpId& id, void* memory);
/// All but the first warp read a word, which the first one writes. ATOMIC: with an atomic store.
template <bool ATOMIC> void writes_what_all_read(Lane& lane, const WarpId& id, void* memory);
/// Two lanes write to neighbouring words with and without a collective between that orders memory.
template <bool SYNCS> void hands_over(Lane& lane, const WarpId& id, void* memory);

}  // namespace warpfs::toys
