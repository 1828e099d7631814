// A schedule as data, and how one is made from a seed.
#pragma once
#include "progress.h"

#include <cstdint>
#include <vector>

namespace warpfs {

enum class DecisionKind : uint32_t {
  SWITCH = 0,     // before its `step`-th access the actor stops and actor `value` goes on
  OLDER = 1,      // a relaxed load takes the store `value` places behind the newest
  SPURIOUS = 2,   // a weak compare-exchange fails although the value is the expected one
  HOST = 3,       // alternative `value` of the `step`-th choice of the host
  SPECULATE = 4,  // a relaxed load takes a value that is stored later
  STARVE = 5,     // from step `step` of all on, those that the progress model promises nothing get no turn
};

/// Where a schedule differs from the usual one: the running actor goes on; where it cannot, the next that can.
struct Decision {
  uint32_t actor, step;
  DecisionKind kind;
  uint32_t value;
  bool operator==(const Decision&) const = default;
};
using Decisions = std::vector<Decision>;

enum class SchedulerKind : uint8_t { RANDOM, PCT, POS, PORTFOLIO, EXHAUSTIVE, REPLAY };

constexpr uint32_t NO_BOUND = ~0u;

struct ScheduleOptions {
  SchedulerKind scheduler = SchedulerKind::PORTFOLIO;
  uint32_t depth = 3;               // of PCT
  uint32_t preemptions = NO_BOUND;  // of EXHAUSTIVE
  bool relaxed = false;
  Progress progress = Progress::FAIR;
  uint64_t seed = 1;
  uint64_t step_limit = 200000;
};

/// splitmix64: small, and the same everywhere.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed = 0) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  uint32_t below(uint32_t bound) { return uint32_t(((next() >> 32) * bound) >> 32); }

 private:
  uint64_t state_;
};

}  // namespace warpfs
