#include "state_search.h"

#include "../host/assert.h"
#include "engine.h"

#include <algorithm>

namespace warpfs {

namespace {

uint64_t bit(uint32_t actor) { return uint64_t(1) << actor; }
bool is_range(const Operation& op) { return op.kind == OpKind::HOST_READ || op.kind == OpKind::HOST_WRITE; }

}  // namespace

void StateSearch::begin_execution(uint32_t actors) {
  WARPFS_ASSERT(actors <= ACTORS_MAX);
  depth_ = 0;
  prefix_ = uint32_t(nodes_.size());
  last_actor_ = 0;
}

/// What holds for one line, one request, one file holds for all of them; of the kernel's own words each is looked at by itself.
uint64_t StateSearch::use_key(const Location& where) {
  const bool is_own = where.kind == RegionKind::OWN || where.kind == RegionKind::GROUP;
  return uint64_t(where.kind) << 32 | (is_own ? where.granule : where.field);
}

bool StateSearch::is_point(const Actor& actor) const {
  if (actor.op.kind == OpKind::AWAIT) return true;
  if (actor.op.where == nullptr || is_range(actor.op)) return false;  // a race with one of these would be a finding
  const auto use = uses_.find(use_key(*actor.op.where));
  return use != uses_.end() && use->second.is_point();
}

uint32_t StateSearch::preemptions_with(const Node& node, uint32_t before, uint32_t chosen) const {
  return before + (chosen != node.previous && (node.enabled & bit(node.previous)) != 0 ? 1 : 0);
}

/// False where the state was seen before with nothing left to try.
bool StateSearch::enter(Engine& engine, Node& node) {
  uint64_t key = engine.state_hash();
  if (is_bounded()) key = (key ^ (node.previous + 1)) * 0x9e3779b97f4a7c15u;
  const auto [found, is_new] = seen_.try_emplace(key, node.preemptions);
  if (is_new) return true;
  if (!is_bounded() || found->second <= node.preemptions) return false;
  found->second = node.preemptions;
  return true;
}

Actor* StateSearch::pick(Engine& engine) {
  if (learning_ != 0) return engine.ready_actor(random_.below(engine.ready_count()));
  for (uint32_t place = 0; place < engine.ready_count(); place++) {
    Actor& actor = *engine.ready_actor(place);
    if (!is_point(actor)) return &actor;
  }
  if (depth_ < prefix_) {
    const Node& node = nodes_[depth_++];
    if (node.alternatives != 0 || engine.actor(node.chosen).state != ActorState::READY) {
      wrong_ = true;  // another word became shared on the way here: the path is not the same any more
      engine.prune();
      return nullptr;
    }
    last_actor_ = node.chosen;
    return &engine.actor(node.chosen);
  }
  if (wrong_) {
    engine.prune();
    return nullptr;
  }
  Node node;
  node.previous = last_actor_;
  for (uint32_t place = 0; place < engine.ready_count(); place++) node.enabled |= bit(engine.ready_actor(place)->id);
  if (!nodes_.empty()) node.preemptions = nodes_.back().preemptions;
  if (!enter(engine, node)) {
    engine.prune();
    return nullptr;
  }
  node.chosen = (node.enabled & bit(last_actor_)) != 0 ? last_actor_ : uint32_t(__builtin_ctzll(node.enabled));
  node.preemptions = preemptions_with(node, node.preemptions, node.chosen);
  nodes_.push_back(node);
  depth_++;
  last_actor_ = node.chosen;
  return &engine.actor(node.chosen);
}

uint32_t StateSearch::choose(Engine&, uint32_t alternatives) {
  if (learning_ != 0) return random_.below(alternatives);
  if (depth_ == nodes_.size()) {
    Node node;
    node.alternatives = alternatives;
    node.previous = last_actor_;
    if (!nodes_.empty()) node.preemptions = nodes_.back().preemptions;
    nodes_.push_back(node);
  }
  Node& node = nodes_[depth_++];
  if (node.alternatives != alternatives) wrong_ = true;
  return node.chosen < alternatives ? node.chosen : 0;
}

void StateSearch::executed(Engine& engine, Actor&, Location& where, bool, bool changes) {
  Use& use = uses_[use_key(where)];
  const bool was_point = use.is_point();
  use.changed |= changes;
  use.contended |= engine.last_contends();
  if (use.is_point() != was_point) wrong_ = true;
}

bool StateSearch::next_execution() {
  if (learning_ != 0) {
    learning_--;
    wrong_ = false;
    return true;
  }
  if (wrong_) {
    // What was passed over as nobody's concern is somebody's: from the beginning, with what is known now.
    wrong_ = false;
    nodes_.clear();
    seen_.clear();
    return true;
  }
  while (!nodes_.empty()) {
    Node& node = nodes_.back();
    if (node.alternatives != 0) {
      if (++node.chosen < node.alternatives) return true;
      nodes_.pop_back();
      continue;
    }
    node.done |= bit(node.chosen);
    const uint32_t before = nodes_.size() > 1 ? nodes_[nodes_.size() - 2].preemptions : 0;
    for (uint64_t rest = node.enabled & ~node.done; rest != 0; rest &= rest - 1) {
      const uint32_t next = uint32_t(__builtin_ctzll(rest));
      const uint32_t preemptions = preemptions_with(node, before, next);
      if (is_bounded() && preemptions > bound_) {
        node.done |= bit(next);
        continue;
      }
      node.chosen = next;
      node.preemptions = preemptions;
      return true;
    }
    nodes_.pop_back();
  }
  return false;
}

}  // namespace warpfs
