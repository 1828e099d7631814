// A search through all schedules, by running again and again from the start. It is told of every access and says who goes on.
#pragma once
#include "actor.h"
#include "schedule.h"

#include <vector>

namespace warpfs {

class Engine;

class Search {
 public:
  static constexpr uint32_t ACTORS_MAX = 64;
  virtual ~Search() = default;

  virtual void begin_execution(uint32_t actors) = 0;
  /// Who goes on. Null after it has pruned the execution: all that can follow was seen before.
  virtual Actor* pick(Engine& engine) = 0;
  virtual uint32_t choose(Engine& engine, uint32_t alternatives) = 0;
  /// An access has happened. `writes`: it is a store; `changes`: of another value.
  virtual void executed(Engine& engine, Actor& actor, Location& where, bool writes, bool changes) = 0;
  /// A wait is over: it depends on all that the party had read.
  virtual void awaited(Engine& engine, Actor& actor, const Party& party) = 0;
  /// Lanes have met in a collective, or a launch has begun or ended.
  virtual void meet(uint32_t first_actor, uint32_t lanes) = 0;
  virtual void meet_all(const std::vector<uint32_t>& ids) = 0;
  /// After an execution: false where the space is exhausted.
  virtual bool next_execution() = 0;
  /// States that were told apart; 0 where the search does not look at states.
  virtual uint64_t states() const { return 0; }
};

}  // namespace warpfs
