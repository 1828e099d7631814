// Load buffering: a relaxed load may take a value that another actor stores only later, as long as nothing orders the load before the store. The
// load guesses among values that were stored to the word in other executions, none of which guessed (so no value comes out of thin air), and the
// execution counts only where the guess comes true.
#pragma once
#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace warpfs {

struct Speculation {
  std::unordered_map<uint32_t, std::vector<uint32_t>> known;  // values that were stored, by granule
  bool learning = false;
  bool allowed = false;     // in this schedule
  bool made = false;        // one for each schedule
  bool pending = false;     // nobody has stored it yet
  bool acquired = false;    // its actor has passed an acquire fence since
  uint32_t actor = 0, epoch = 0, granule = 0, value = 0;
  uint64_t deadline = 0;    // the step at which a guess that has not come true is given up: it may have led anywhere

  void begin_schedule(bool may) {
    allowed = may && !learning && !known.empty();
    made = pending = acquired = false;
  }
  bool is_about(uint32_t of_granule) const { return pending && granule == of_granule; }
  void learn(uint32_t of_granule, uint32_t stored) {
    constexpr size_t VALUES_MAX = 8;
    std::vector<uint32_t>& values = known[of_granule];
    if (values.size() < VALUES_MAX && std::find(values.begin(), values.end(), stored) == values.end()) values.push_back(stored);
  }
};

}  // namespace warpfs
