// What a compiler calls under -fsanitize=thread, defined by us: accesses to the shared memory go to the engine, all others happen at once.
// Compiled twice: into the addon, where the engine is called by name, and (WARPFS_CHECK_MODULE) into a library that is linked with the kernels
// of users, where it is reached through a table.
#include "tsan_entry.h"

#include <cstddef>
#include <cstring>

namespace warpfs {

#if defined(WARPFS_CHECK_MODULE)
namespace {
// One for each module and thread, as in cpu_warp.h.
__attribute__((tls_model("initial-exec"))) constinit thread_local CheckEntry entry = {};
}  // namespace
extern "C" __attribute__((visibility("default"))) bool warpfs_check_attach(const CheckEntry* of_host) {
  if (of_host->version != CHECK_ENTRY_VERSION) return false;
  entry = *of_host;
  return true;
}
#else
#define entry check_entry
#endif

namespace {

inline bool is_shared(const volatile void* p) { return uintptr_t(p) - entry.arena < entry.arena_bytes; }

uint32_t add(uint32_t old, uint32_t by) { return old + by; }
uint32_t sub(uint32_t old, uint32_t by) { return old - by; }
uint32_t both(uint32_t old, uint32_t by) { return old & by; }
uint32_t either(uint32_t old, uint32_t by) { return old | by; }
uint32_t differ(uint32_t old, uint32_t by) { return old ^ by; }
uint32_t replace(uint32_t, uint32_t by) { return by; }

}  // namespace

}  // namespace warpfs

using namespace warpfs;

#define PC uintptr_t(__builtin_return_address(0))

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_ignore_thread_begin() {}
void __tsan_ignore_thread_end() {}

#define PLAIN(name, bytes, write)                                                              \
  void __tsan_##name(void* p) {                                                                \
    if (__builtin_expect(is_shared(p), 0)) entry.plain(p, bytes, write, PC);                   \
  }
#define PLAINS(bytes)                          \
  PLAIN(read##bytes, bytes, false)             \
  PLAIN(write##bytes, bytes, true)             \
  PLAIN(unaligned_read##bytes, bytes, false)   \
  PLAIN(unaligned_write##bytes, bytes, true)   \
  PLAIN(volatile_read##bytes, bytes, false)    \
  PLAIN(volatile_write##bytes, bytes, true)
PLAINS(1)
PLAINS(2)
PLAINS(4)
PLAINS(8)
PLAINS(16)

#define READ_WRITE(bytes)                                                                      \
  void __tsan_read_write##bytes(void* p) {                                                     \
    if (!is_shared(p)) return;                                                                 \
    entry.plain(p, bytes, false, PC);                                                          \
    entry.plain(p, bytes, true, PC);                                                           \
  }                                                                                            \
  void __tsan_unaligned_read_write##bytes(void* p) { __tsan_read_write##bytes(p); }
READ_WRITE(1)
READ_WRITE(2)
READ_WRITE(4)
READ_WRITE(8)
READ_WRITE(16)

void __tsan_read_range(void* p, size_t bytes) {
  if (is_shared(p)) entry.plain(p, uint32_t(bytes), false, PC);
}
void __tsan_write_range(void* p, size_t bytes) {
  if (is_shared(p)) entry.plain(p, uint32_t(bytes), true, PC);
}
void* __tsan_memcpy(void* to, const void* from, size_t bytes) {
  __tsan_read_range(const_cast<void*>(from), bytes);
  __tsan_write_range(to, bytes);
  return std::memcpy(to, from, bytes);
}
void* __tsan_memmove(void* to, const void* from, size_t bytes) {
  __tsan_read_range(const_cast<void*>(from), bytes);
  __tsan_write_range(to, bytes);
  return std::memmove(to, from, bytes);
}
void* __tsan_memset(void* to, int value, size_t bytes) {
  __tsan_write_range(to, bytes);
  return std::memset(to, value, bytes);
}

#define ATOMIC_RMW(bits, type, name, builtin, change)                                                     \
  type __tsan_atomic##bits##_##name(volatile type* p, type v, int order) {                                \
    if (!is_shared(p)) return builtin(p, v, __ATOMIC_SEQ_CST);                                            \
    return type(entry.rmw(const_cast<type*>(p), sizeof(type), change, uint32_t(v), order, PC));           \
  }

#define ATOMICS(bits, type)                                                                               \
  type __tsan_atomic##bits##_load(const volatile type* p, int order) {                                    \
    if (!is_shared(p)) return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                       \
    return type(entry.load(const_cast<type*>(p), sizeof(type), order, PC));                               \
  }                                                                                                       \
  void __tsan_atomic##bits##_store(volatile type* p, type v, int order) {                                 \
    if (!is_shared(p)) return __atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                   \
    entry.store(const_cast<type*>(p), sizeof(type), uint32_t(v), order, PC);                              \
  }                                                                                                       \
  ATOMIC_RMW(bits, type, exchange, __atomic_exchange_n, replace)                                          \
  ATOMIC_RMW(bits, type, fetch_add, __atomic_fetch_add, add)                                              \
  ATOMIC_RMW(bits, type, fetch_sub, __atomic_fetch_sub, sub)                                              \
  ATOMIC_RMW(bits, type, fetch_and, __atomic_fetch_and, both)                                             \
  ATOMIC_RMW(bits, type, fetch_or, __atomic_fetch_or, either)                                             \
  ATOMIC_RMW(bits, type, fetch_xor, __atomic_fetch_xor, differ)                                           \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile type* p, type* expected, type desired, int order, int failure) { \
    if (!is_shared(p)) return __atomic_compare_exchange_n(p, expected, desired, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);  \
    uint32_t seen = *expected;                                                                            \
    const bool done = entry.cas(const_cast<type*>(p), sizeof(type), &seen, uint32_t(desired), order, failure, true, PC);    \
    *expected = type(seen);                                                                               \
    return done;                                                                                          \
  }                                                                                                       \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile type* p, type* expected, type desired, int order, int failure) { \
    if (!is_shared(p)) return __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);   \
    uint32_t seen = *expected;                                                                            \
    const bool done = entry.cas(const_cast<type*>(p), sizeof(type), &seen, uint32_t(desired), order, failure, false, PC);     \
    *expected = type(seen);                                                                               \
    return done;                                                                                          \
  }                                                                                                       \
  /* What clang calls for both: it gives back the value and no success, so it cannot fail for nothing. */ \
  type __tsan_atomic##bits##_compare_exchange_val(volatile type* p, type expected, type desired, int order, int failure) { \
    if (!is_shared(p)) {                                                                                  \
      __atomic_compare_exchange_n(p, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);      \
      return expected;                                                                                    \
    }                                                                                                     \
    uint32_t seen = expected;                                                                             \
    entry.cas(const_cast<type*>(p), sizeof(type), &seen, uint32_t(desired), order, failure, false, PC);   \
    return type(seen);                                                                                    \
  }
ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)

// Words of 64 bits are two of 32, the lower one first: no dialect but C++ has larger ones, and shader code uses none.
uint64_t __tsan_atomic64_load(const volatile uint64_t* p, int order) {
  if (!is_shared(p)) return __atomic_load_n(p, __ATOMIC_SEQ_CST);
  auto* words = reinterpret_cast<uint32_t*>(const_cast<uint64_t*>(p));
  const uint64_t low = entry.load(words, 4, order, PC);
  return uint64_t(entry.load(words + 1, 4, order, PC)) << 32 | low;
}
void __tsan_atomic64_store(volatile uint64_t* p, uint64_t v, int order) {
  if (!is_shared(p)) return __atomic_store_n(p, v, __ATOMIC_SEQ_CST);
  auto* words = reinterpret_cast<uint32_t*>(const_cast<uint64_t*>(p));
  entry.store(words, 4, uint32_t(v), order, PC);
  entry.store(words + 1, 4, uint32_t(v >> 32), order, PC);
}

void __tsan_atomic_thread_fence(int order) {
  if (entry.arena_bytes != 0) entry.fence(order, PC);
}
void __tsan_atomic_signal_fence(int) {}

// ---- Called by name, of shared memory alone (dialect/cpu_as_cuda.h).

void warpfs_check_load_words(const uint32_t* from, uint32_t words, int order, uint32_t* to) {
  entry.load_words(const_cast<uint32_t*>(from), words, order, to, PC);
}
void warpfs_check_store_words(uint32_t* to, uint32_t words, const uint32_t* from) { entry.store_words(to, words, from, PC); }
uint32_t warpfs_check_guess(const void* from, uint32_t bytes, int order) { return entry.guess(const_cast<void*>(from), bytes, order, PC); }
void warpfs_check_fill(void* to, uint32_t word) { entry.fill(to, word, PC); }
void warpfs_check_bus_load(uint64_t from, uint32_t* to) { entry.bus_load(from, to, PC); }
void warpfs_check_bus_store(uint64_t to, const void* from, uint32_t bytes) { entry.bus_store(to, from, bytes, PC); }
void warpfs_check_bus_fence() { entry.bus_fence(PC); }

}  // extern "C"
