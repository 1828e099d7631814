#include "speculation.h"

#include "engine.h"

namespace warpfs {

/// True where the load takes `value` from a store that is still to come.
bool Engine::speculates(Actor& self, const Location& where, int order, uint32_t& value) {
  if (speculation_.pending) {
    if (!speculation_.is_about(where.granule)) return false;
    if (self.id == speculation_.actor) {
      value = speculation_.value;
      return true;
    }
    // Whoever knows of that load may not see less than it did.
    if (happened(self, speculation_.actor, speculation_.epoch)) prune();
    return false;
  }
  if (speculation_.made || order != __ATOMIC_RELAXED) return false;
  const auto known = speculation_.known.find(where.granule);
  if (known == speculation_.known.end()) return false;
  uint32_t guess = 0;
  if (kind_ == SchedulerKind::REPLAY) {
    if (!find_decision(self, self.step, DecisionKind::SPECULATE, guess)) return false;
  } else {
    if (random_.below(4) != 0) return false;
    guess = known->second[random_.below(uint32_t(known->second.size()))];
  }
  if (guess == value) return false;
  if (recording_) recorded_.push_back({self.id, self.step, DecisionKind::SPECULATE, guess});
  speculation_.made = speculation_.pending = true;
  speculation_.actor = self.id;
  speculation_.epoch = self.clock[self.id];
  speculation_.granule = where.granule;
  speculation_.deadline = steps_ + length_estimate_;
  speculation_.value = value = guess;
  return true;
}

/// A store to the word that a load has guessed about. Does the guess come true with it?
void Engine::meet_speculation(const Actor& actor, const Location& where, uint32_t value, FrozenClock release) {
  if (actor.id == speculation_.actor) return prune();  // its own store would have to come before the one that it has read
  if (value != speculation_.value || happened(actor, speculation_.actor, speculation_.epoch)) return;
  if (speculation_.acquired && release != nullptr) return;  // the two synchronize: what comes before the store happens before the fence
  speculation_.pending = false;
  acquired(actors_[speculation_.actor], release, __ATOMIC_RELAXED);  // its next acquire fence finds what came with the store
  StoreReader* reader = static_cast<StoreReader*>(bump_.take(sizeof(StoreReader)));
  *reader = {where.newest->readers, speculation_.actor, speculation_.epoch};
  where.newest->readers = reader;
}

void Engine::end_speculation() {
  if (!speculation_.pending) return;
  stopped_ = true;
  end_ = RunEnd::PRUNED;
  finding_ = {};
}

}  // namespace warpfs
