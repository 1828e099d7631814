// Words between host and gpu by what Metal documents: relaxed atomics, and fences of the device.
#pragma once

static inline uint word_load(const device uint* word) { return metal::atomic_load_explicit((const device metal::atomic_uint*)word, metal::memory_order_relaxed); }
static inline void word_store(device uint* word, uint value) { metal::atomic_store_explicit((device metal::atomic_uint*)word, value, metal::memory_order_relaxed); }
static inline void word_add(device uint* word, uint value) { (void)metal::atomic_fetch_add_explicit((device metal::atomic_uint*)word, value, metal::memory_order_relaxed); }
static inline void word_fence() { metal::atomic_thread_fence(metal::mem_flags::mem_device, metal::memory_order_seq_cst, metal::thread_scope_device); }
