// The same by what is private: the qualifier coherent(system) and the system scope. A compiler may refuse them; nothing but the probes of them needs them.
#pragma once
#pragma METAL internals : enable

#define SELF_TEST_SYSTEM volatile coherent(system) device

static inline uint word_load(const device uint* word) { return *(const SELF_TEST_SYSTEM uint*)word; }
static inline void word_store(device uint* word, uint value) { *(SELF_TEST_SYSTEM uint*)word = value; }
static inline void word_add(device uint* word, uint value) { (void)metal::atomic_fetch_add_explicit((device metal::atomic_uint*)word, value, metal::memory_order_relaxed); }
// A cast, because newer toolchains define a name for the scope and older ones do not.
static inline void word_fence() { metal::atomic_thread_fence(metal::mem_flags::mem_device, metal::memory_order_seq_cst, static_cast<metal::thread_scope>(3)); }
