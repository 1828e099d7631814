// What the kernels of the yardsticks are given: the host fills it in, and they get it by value.
#pragma once

namespace warpfs {

// What a launch found; cleared by the host before it.
struct YardstickTally {
  uint64_t wrong_words;  // at least so many
  uint64_t pieces;       // that were read, written or copied: shows that the work was done
  uint64_t nanoseconds;  // ring: of all round trips
  uint64_t ticks;        // ring: the same, in cycles
};

struct YardstickLaunch {
  const uint32_t* source;
  uint32_t* target;
  uint32_t* pins;        // a word for each piece of the source
  YardstickTally* tally;
  uint64_t count;        // pieces to go to, by all warps together; of random_4: words, by all lanes together
  uint32_t mask;         // the area has mask + 1 pieces, a power of two
  uint32_t half_bits;    // of the number of a piece
  uint32_t seed;         // the word at index i is i * 2654435761 + seed
  uint32_t start;        // turns the order of the pieces into another one
  uint32_t zero;
  // Of the ring alone.
  uint32_t* post;        // in pinned memory, written by the gpu
  const uint32_t* answer;  // in pinned memory, written by the host
  uint32_t* ticks;       // of each round trip
};

enum : uint32_t {
  YARDSTICK_FACTOR = 2654435761u,
  YARDSTICK_WAIT_S = 5,  // longer than this the ring waits for no answer
};

}  // namespace warpfs
