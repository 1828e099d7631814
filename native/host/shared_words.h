// Access to the words that the gpu reads or writes while the host runs. Every access to shared memory outside the line data
// goes through these, so that the compiler reads a word exactly once and an order is always named.
#pragma once
#include "abi_host.h"

namespace warpfs {

template <typename T>
T load_acquire(const T* word) {
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}
template <typename T>
T load_relaxed(const T* word) {
  return __atomic_load_n(word, __ATOMIC_RELAXED);
}
template <typename T>
void store_release(T* word, T value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}
template <typename T>
void store_relaxed(T* word, T value) {
  __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/// One copy of a request whose sequence was read with acquire. The gpu may change the original at any time; nobody looks at it again.
inline Request snapshot(const Request* shared) {
  typedef uint64_t __attribute__((may_alias)) Word;
  constexpr unsigned WORDS = sizeof(Request) / sizeof(Word);
  static_assert(sizeof(Request) % sizeof(Word) == 0 && alignof(Request) >= alignof(Word), "a request is whole words");
  Request copy;
  const Word* from = reinterpret_cast<const Word*>(shared);
  Word* to = reinterpret_cast<Word*>(&copy);
  for (unsigned word = 0; word < WORDS; word++) to[word] = load_relaxed(from + word);
  return copy;
}

}  // namespace warpfs
