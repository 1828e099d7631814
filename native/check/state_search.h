// The search through all states: where memory, lanes and host are as they were once before, everything that can follow has been seen, and the
// execution ends. Accesses to words that nobody changes, or whose accesses are all ordered by what happens before what, are no points to choose at: it makes
// no difference when they happen. Which words those are is learned, and the search begins again where it was wrong about one.
//
// A state is: the shared memory, the stacks of the lanes with all that they still need, what the warps that wait have read, and what the host has
// done since it last had nothing to do. What happened before what is not part of it: races are found in the executions that are made.
#pragma once
#include "search.h"

#include <unordered_map>
#include <vector>

namespace warpfs {

class StateSearch final : public Search {
 public:
  explicit StateSearch(uint32_t preemptions) : bound_(preemptions) {}

  void begin_execution(uint32_t actors) override;
  Actor* pick(Engine& engine) override;
  uint32_t choose(Engine& engine, uint32_t alternatives) override;
  void executed(Engine& engine, Actor& actor, Location& where, bool writes, bool changes) override;
  void awaited(Engine&, Actor&, const Party&) override {}
  void meet(uint32_t, uint32_t) override {}
  void meet_all(const std::vector<uint32_t>&) override {}
  bool next_execution() override;
  uint64_t states() const override { return seen_.size(); }

 private:
  struct Node {
    uint64_t enabled = 0, done = 0;
    uint32_t chosen = 0, previous = 0, preemptions = 0;
    uint32_t alternatives = 0;  // a choice of the host: how many
  };
  struct Use {
    bool changed = false, contended = false;
    bool is_point() const { return changed && contended; }
  };

  bool is_bounded() const { return bound_ != NO_BOUND; }
  static uint64_t use_key(const Location& where);
  bool is_point(const Actor& actor) const;
  uint32_t preemptions_with(const Node& node, uint32_t before, uint32_t chosen) const;
  bool enter(Engine& engine, Node& node);

  const uint32_t bound_;
  // At first executions are drawn, to learn which words are shared: each that becomes known later costs a new beginning.
  uint32_t learning_ = 500;
  SeededRandom random_{1};
  bool wrong_ = false;
  std::vector<Node> nodes_;
  uint32_t depth_ = 0, prefix_ = 0, last_actor_ = 0;
  std::unordered_map<uint64_t, uint32_t> seen_;  // and with how few preemptions
  std::unordered_map<uint64_t, Use> uses_;
};

}  // namespace warpfs
