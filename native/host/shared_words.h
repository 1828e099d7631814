// Access to the memory that the gpu reads or writes while the host runs. Every access of host code goes through these, so that the
// compiler reads a word exactly once, an order is always named, and a scheduler can stand between. (The kernel of the operating
// system, which moves bytes between files and lines, does not ask.)
#pragma once
#include "abi_host.h"

#include <cstring>

namespace warpfs {

/// Whoever orders the accesses of host code among those of the gpu. Words have 32 bits; wider ones come as two, the low one first.
struct HostWatch {
  /// order: __ATOMIC_RELAXED or __ATOMIC_ACQUIRE, __ATOMIC_RELAXED or __ATOMIC_RELEASE.
  virtual uint64_t load(const void* word, uint32_t bytes, int order) = 0;
  virtual void store(void* word, uint64_t value, uint32_t bytes, int order) = 0;
  /// Not atomic: a race with them is a bug. A null `from` is zeros.
  virtual void read_bytes(const void* from, void* to, size_t count) = 0;
  virtual void write_bytes(void* to, const void* from, size_t count) = 0;

 protected:
  ~HostWatch() = default;
};

/// Of this thread; null outside of check mode.
__attribute__((tls_model("initial-exec"), visibility("hidden"))) inline constinit thread_local HostWatch* host_watch = nullptr;

inline bool is_watched() { return __builtin_expect(host_watch != nullptr, 0); }

/// For looks at shared memory that are no part of what the host side does.
class Unwatched {
 public:
  Unwatched() : watch_(host_watch) { host_watch = nullptr; }
  ~Unwatched() { host_watch = watch_; }
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;

 private:
  HostWatch* const watch_;
};

template <typename T>
__attribute__((noinline, cold)) T watched_load(const T* word, int order) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "a word, or two");
  uint64_t value = uint32_t(host_watch->load(word, 4, order));
  if constexpr (sizeof(T) == 8) value |= host_watch->load(reinterpret_cast<const uint8_t*>(word) + 4, 4, order) << 32;
  return T(value);
}
template <typename T>
__attribute__((noinline, cold)) void watched_store(T* word, T value, int order) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "a word, or two");
  host_watch->store(word, uint32_t(value), 4, order);
  if constexpr (sizeof(T) == 8) host_watch->store(reinterpret_cast<uint8_t*>(word) + 4, uint32_t(uint64_t(value) >> 32), 4, order);
}

template <typename T>
T load_acquire(const T* word) {
  if (is_watched()) return watched_load(word, __ATOMIC_ACQUIRE);
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}
template <typename T>
T load_relaxed(const T* word) {
  if (is_watched()) return watched_load(word, __ATOMIC_RELAXED);
  return __atomic_load_n(word, __ATOMIC_RELAXED);
}
template <typename T>
void store_release(T* word, T value) {
  if (is_watched()) return watched_store(word, value, __ATOMIC_RELEASE);
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}
template <typename T>
void store_relaxed(T* word, T value) {
  if (is_watched()) return watched_store(word, value, __ATOMIC_RELAXED);
  __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/// What the gpu wrote, or may be writing if it lies: only the copy is looked at.
inline void copy_from_gpu(void* to, const void* from, size_t count) {
  if (is_watched()) return host_watch->read_bytes(from, to, count);
  std::memcpy(to, from, count);
}
/// The gpu learns later, from a word, that it may look.
inline void copy_to_gpu(void* to, const void* from, size_t count) {
  if (is_watched()) return host_watch->write_bytes(to, from, count);
  std::memcpy(to, from, count);
}
inline void zero_for_gpu(void* to, size_t count) {
  if (is_watched()) return host_watch->write_bytes(to, nullptr, count);
  std::memset(to, 0, count);
}

/// One copy of a request whose sequence was read with acquire. The gpu may change the original at any time; nobody looks at it again.
inline Request snapshot(const Request* shared) {
  typedef uint64_t __attribute__((may_alias)) Word;
  constexpr unsigned WORDS = sizeof(Request) / sizeof(Word);
  static_assert(sizeof(Request) % sizeof(Word) == 0 && alignof(Request) >= alignof(Word), "a request is whole words");
  Request copy;
  if (is_watched()) {
    host_watch->read_bytes(shared, &copy, sizeof copy);
    return copy;
  }
  const Word* from = reinterpret_cast<const Word*>(shared);
  Word* to = reinterpret_cast<Word*>(&copy);
  for (unsigned word = 0; word < WORDS; word++) to[word] = __atomic_load_n(from + word, __ATOMIC_RELAXED);
  return copy;
}

}  // namespace warpfs
