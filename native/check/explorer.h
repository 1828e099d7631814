// The search through all schedules: dynamic partial-order reduction with source sets and sleep sets (Abdulla et al., "Optimal Dynamic Partial
// Order Reduction", POPL 2014, their source-DPOR), by running again from the start. Of executions that differ only in the order of accesses that
// do not depend on each other, one is run. With a bound on preemptions sleep sets are left out and switches are tried earlier as well
// (Coons et al., "Bounded Partial-Order Reduction", OOPSLA 2013).
#pragma once
#include "search.h"

#include <cstdint>
#include <vector>

namespace warpfs {

class Explorer final : public Search {
 public:
  explicit Explorer(uint32_t preemptions) : bound_(preemptions) {}

  void begin_execution(uint32_t actors) override;
  Actor* pick(Engine& engine) override;
  uint32_t choose(Engine& engine, uint32_t alternatives) override;
  void executed(Engine& engine, Actor& actor, Location& where, bool writes, bool changes) override;
  void awaited(Engine& engine, Actor& actor, const Party& party) override;
  void meet(uint32_t first_actor, uint32_t lanes) override;
  void meet_all(const std::vector<uint32_t>& ids) override;
  bool next_execution() override;

 private:
  struct Node {
    uint64_t enabled = 0, backtrack = 0, done = 0, sleep = 0;
    uint32_t chosen = 0;        // an actor; of a choice of the host: the alternative
    uint32_t actor = 0;         // who made the step
    uint32_t previous = 0;      // who ran before
    uint32_t preemptions = 0;   // up to and with this choice
    uint32_t alternatives = 0;  // a choice of the host: how many; 0: a choice of who goes on
    uint32_t granule = 0;       // what the chosen one accessed
    bool accesses = false, writes = false, awaits = false;
  };

  bool is_bounded() const { return bound_ != NO_BOUND; }
  bool happened(uint32_t event, const uint32_t* clock) const { return clock[nodes_[event].actor] > event; }
  uint32_t* clock_of(uint32_t actor) { return &actor_clocks_[size_t(actor) * actors_]; }
  uint32_t* event_clock(uint32_t event) { return &event_clocks_[size_t(event) * actors_]; }
  void depend(uint32_t event, Actor& actor);
  void grow();
  bool is_between(uint32_t earlier, const std::vector<uint32_t>& races);
  void reverse(uint32_t earlier, uint32_t later, uint32_t actor);
  bool conflicts(Engine& engine, const Actor& pending, const Node& with) const;
  uint32_t preemptions_with(const Node& node, uint32_t before, uint32_t chosen) const;

  const uint32_t bound_;
  uint32_t actors_ = 0;
  std::vector<Node> nodes_;
  uint32_t depth_ = 0;        // nodes that this execution has passed
  uint32_t prefix_ = 0;       // nodes whose choice is given
  uint32_t last_actor_ = 0;
  std::vector<uint32_t> actor_clocks_;  // for each actor, for each other: last event + 1 that happened before
  std::vector<uint32_t> event_clocks_;
  std::vector<uint32_t> between_;
  std::vector<uint32_t> races_;         // earlier events that the access in progress races with
};

}  // namespace warpfs
