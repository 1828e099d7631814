// The parts of FileSlot::word.
#pragma once
#include "abi_host.h"

namespace warpfs {

constexpr uint64_t USERS = 0xffffffffu;
constexpr uint32_t GENERATION_SHIFT = 32;
constexpr uint64_t GENERATION_ONE = uint64_t(1) << GENERATION_SHIFT;
constexpr uint64_t GENERATION_MASK = ((uint64_t(1) << HANDLE_GENERATION_BITS) - 1) << GENERATION_SHIFT;
constexpr uint64_t LIVE = uint64_t(1) << (GENERATION_SHIFT + HANDLE_GENERATION_BITS);
constexpr uint32_t HANDLE_BITS = HANDLE_INDEX_BITS + HANDLE_GENERATION_BITS;
static_assert(HANDLE_WRITABLE == 1u << HANDLE_BITS, "the writable bit lies above the generation");

/// The word of a live slot that this handle names, without its users.
inline uint64_t live_word_of(uint32_t handle) {
  return LIVE | (uint64_t((handle & ~HANDLE_WRITABLE) >> HANDLE_INDEX_BITS) << GENERATION_SHIFT);
}

}  // namespace warpfs
