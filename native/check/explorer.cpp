#include "explorer.h"

#include "../host/assert.h"
#include "engine.h"

#include <algorithm>

namespace warpfs {

namespace {
uint64_t bit(uint32_t actor) { return uint64_t(1) << actor; }
}  // namespace

void Explorer::begin_execution(uint32_t actors) {
  WARPFS_ASSERT(actors <= ACTORS_MAX);
  actors_ = actors;
  depth_ = 0;
  prefix_ = uint32_t(nodes_.size());
  last_actor_ = 0;
  actor_clocks_.assign(size_t(actors) * actors, 0);
}

uint32_t Explorer::preemptions_with(const Node& node, uint32_t before, uint32_t chosen) const {
  const bool preempts = chosen != node.previous && (node.enabled & bit(node.previous)) != 0;
  return before + (preempts ? 1 : 0);
}

/// Would the pending access of an actor give or mean something else behind that event?
bool Explorer::conflicts(Engine& engine, const Actor& pending, const Node& with) const {
  if (!with.accesses) return false;
  const Operation& op = pending.op;
  if (op.kind == OpKind::AWAIT) {
    const Party& party = engine.party(pending.party);
    const uint32_t kept = std::min(party.seen_count, SEEN_MAX);
    for (uint32_t at = 0; at < kept; at++) {
      if (with.awaits || (party.seen[at].where->granule == with.granule && with.writes)) return with.writes;
    }
    return false;
  }
  if (with.awaits) return op.writes();
  if (op.where == nullptr || op.where->granule != with.granule) return false;
  const bool would_write = op.kind == OpKind::CAS ? engine.value_at(*op.where) == pending.expected : op.writes();
  return with.writes || would_write;
}

Actor* Explorer::pick(Engine& engine) {
  if (depth_ < prefix_) {
    const Node& node = nodes_[depth_++];
    WARPFS_ASSERT(node.alternatives == 0 && engine.actor(node.chosen).state == ActorState::READY);
    last_actor_ = node.chosen;
    grow();
    return &engine.actor(node.chosen);
  }
  Node node;
  node.previous = last_actor_;
  for (uint32_t place = 0; place < engine.ready_count(); place++) node.enabled |= bit(engine.ready_actor(place)->id);
  uint32_t before = 0;
  if (!nodes_.empty()) {
    const Node& parent = nodes_.back();
    before = parent.preemptions;
    if (parent.alternatives != 0) {
      node.sleep = parent.sleep;
    } else if (!is_bounded()) {
      for (uint64_t rest = parent.sleep | (parent.done & ~bit(parent.chosen)); rest != 0; rest &= rest - 1) {
        const Actor& sleeper = engine.actor(uint32_t(__builtin_ctzll(rest)));
        if ((node.enabled & bit(sleeper.id)) != 0 && sleeper.id != parent.chosen && !conflicts(engine, sleeper, parent)) node.sleep |= bit(sleeper.id);
      }
    }
  }
  const uint64_t awake = node.enabled & ~node.sleep;
  if (awake == 0) {
    engine.prune();
    return nullptr;
  }
  // The running one goes on where it can: it costs no preemption, and executions that are alike stay together.
  node.chosen = (awake & bit(last_actor_)) != 0 ? last_actor_ : uint32_t(__builtin_ctzll(awake));
  node.actor = node.chosen;
  node.preemptions = preemptions_with(node, before, node.chosen);
  node.backtrack = bit(node.chosen);
  nodes_.push_back(node);
  depth_++;
  last_actor_ = node.chosen;
  grow();
  return &engine.actor(node.chosen);
}

void Explorer::grow() {
  if (event_clocks_.size() < size_t(depth_) * actors_) event_clocks_.resize(size_t(depth_ + 64) * actors_ * 2);
}

uint32_t Explorer::choose(Engine& engine, uint32_t alternatives) {
  const uint32_t host = engine.current().id;
  if (depth_ == nodes_.size()) {
    Node node;
    node.alternatives = alternatives;
    node.actor = host;
    node.previous = last_actor_;
    if (!nodes_.empty()) {
      const Node& parent = nodes_.back();
      node.preemptions = parent.preemptions;
      node.sleep = parent.sleep | (parent.alternatives == 0 ? parent.done & ~bit(parent.chosen) : 0);
      // Whoever sleeps is looked at again behind the choice; to be safe those that the last access concerned are woken here.
      for (uint64_t rest = node.sleep; rest != 0; rest &= rest - 1) {
        const Actor& sleeper = engine.actor(uint32_t(__builtin_ctzll(rest)));
        if (sleeper.state != ActorState::READY || conflicts(engine, sleeper, parent) || sleeper.id == parent.chosen) node.sleep &= ~bit(sleeper.id);
      }
      if (is_bounded()) node.sleep = 0;
    }
    nodes_.push_back(node);
  }
  Node& node = nodes_[depth_++];
  WARPFS_ASSERT(node.alternatives == alternatives);
  grow();
  // The choice is the host's own: nobody else's access depends on it.
  uint32_t* clock = clock_of(host);
  clock[host] = depth_;
  std::copy_n(clock, actors_, event_clock(depth_ - 1));
  return node.chosen;
}

void Explorer::depend(uint32_t event, Actor& actor) {
  if (nodes_[event].actor == actor.id) return;
  const uint32_t* clock = clock_of(actor.id);
  if (!happened(event, clock)) races_.push_back(event);
}

void Explorer::executed(Engine& engine, Actor& actor, Location& where, bool writes, bool) {
  const uint32_t event = depth_ - 1;
  Node& node = nodes_[event];
  node.granule = where.granule;
  node.accesses = true;
  node.writes = writes;
  node.awaits = false;
  races_.clear();
  if (where.last_write != nullptr) depend(where.last_write->event, actor);
  if (writes) {
    for (const DependencyMark* read = where.reads; read != nullptr; read = read->next) depend(read->event, actor);
  }
  // A write behind reads need not be compared with the write before them: those reads happened between the two, or race themselves.
  uint32_t* clock = clock_of(actor.id);
  const auto join = [&](const DependencyMark* mark) { clock_join(clock, event_clock(mark->event), actors_); };
  const std::vector<uint32_t> races = races_;
  if (where.last_write != nullptr) join(where.last_write);
  if (writes) {
    for (const DependencyMark* read = where.reads; read != nullptr; read = read->next) join(read);
  }
  clock[actor.id] = event + 1;
  std::copy_n(clock, actors_, event_clock(event));
  for (uint32_t earlier : races) {
    if (!is_between(earlier, races)) reverse(earlier, event, actor.id);
  }
  DependencyMark* mark = static_cast<DependencyMark*>(engine.bump().take(sizeof(DependencyMark)));
  if (writes) {
    *mark = {nullptr, event, actor.id};
    where.last_write = mark;
    where.reads = nullptr;
  } else {
    *mark = {where.reads, event, actor.id};
    where.reads = mark;
  }
}

/// Another event that races with the access in progress lies behind this one: this one is no immediate race.
bool Explorer::is_between(uint32_t earlier, const std::vector<uint32_t>& races) {
  return std::any_of(races.begin(), races.end(), [&](uint32_t other) { return other != earlier && happened(earlier, event_clock(other)); });
}

void Explorer::awaited(Engine& engine, Actor& actor, const Party& party) {
  const uint32_t event = depth_ - 1;
  Node& node = nodes_[event];
  if (node.alternatives != 0 || node.chosen != actor.id) return;
  node.accesses = true;
  node.writes = false;
  node.awaits = true;
  races_.clear();
  uint32_t* clock = clock_of(actor.id);
  const uint32_t kept = std::min(party.seen_count, SEEN_MAX);
  for (uint32_t at = 0; at < kept; at++) {
    if (party.seen[at].where->last_write != nullptr) depend(party.seen[at].where->last_write->event, actor);
  }
  const std::vector<uint32_t> races = races_;
  for (uint32_t at = 0; at < kept; at++) {
    Location& where = *party.seen[at].where;
    if (where.last_write != nullptr) clock_join(clock, event_clock(where.last_write->event), actors_);
    DependencyMark* mark = static_cast<DependencyMark*>(engine.bump().take(sizeof(DependencyMark)));
    *mark = {where.reads, event, actor.id};
    where.reads = mark;
  }
  clock[actor.id] = event + 1;
  std::copy_n(clock, actors_, event_clock(event));
  for (uint32_t earlier : races) {
    if (!is_between(earlier, races)) reverse(earlier, event, actor.id);
  }
}

void Explorer::meet(uint32_t first_actor, uint32_t lanes) {
  std::vector<uint32_t> ids;
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) ids.push_back(first_actor + uint32_t(__builtin_ctz(rest)));
  meet_all(ids);
}

void Explorer::meet_all(const std::vector<uint32_t>& ids) {
  std::vector<uint32_t> all(actors_);
  for (uint32_t id : ids) clock_join(all.data(), clock_of(id), actors_);
  for (uint32_t id : ids) std::copy(all.begin(), all.end(), clock_of(id));
}

/// Two accesses raced: somewhere an execution must have them the other way round. Makes the choice before the earlier one try an actor with
/// which such an execution can begin.
void Explorer::reverse(uint32_t earlier, uint32_t later, uint32_t actor) {
  Node& node = nodes_[earlier];
  if (node.alternatives != 0) return;
  // v: what lies between the two and does not depend on the earlier one, and then the later one. Its initials can come first.
  uint64_t initials = 0, seen = 0;
  std::vector<uint32_t>& between = between_;
  between.clear();
  for (uint32_t event = earlier + 1; event <= later; event++) {
    const bool is_later = event == later;
    if (!is_later && happened(earlier, event_clock(event))) continue;
    const uint32_t who = is_later ? actor : nodes_[event].alternatives != 0 ? ACTORS_MAX : nodes_[event].chosen;
    if (who != ACTORS_MAX && (seen & bit(who)) == 0) {
      seen |= bit(who);
      const bool first = std::none_of(between.begin(), between.end(), [&](uint32_t before) { return happened(before, event_clock(event)); });
      if (first) initials |= bit(who);
    }
    between.push_back(event);
  }
  initials &= node.enabled;
  if (initials == 0 || (initials & node.backtrack) != 0) {
    if (!is_bounded() || initials == 0) return;
  }
  const uint32_t added = (initials & bit(actor)) != 0 ? actor : uint32_t(__builtin_ctzll(initials));
  node.backtrack |= bit(added);
  if (!is_bounded()) return;
  // With a bound the switch may be affordable only where the running actor was switched to.
  for (uint32_t block = earlier; block > 0; block--) {
    Node& start = nodes_[block];
    if (start.alternatives != 0 || start.chosen == start.previous) continue;
    if ((start.enabled & bit(added)) != 0) start.backtrack |= bit(added);
    break;
  }
}

bool Explorer::next_execution() {
  while (!nodes_.empty()) {
    Node& node = nodes_.back();
    if (node.alternatives != 0) {
      if (++node.chosen < node.alternatives) return true;
      nodes_.pop_back();
      continue;
    }
    node.done |= bit(node.chosen);
    const uint32_t before = nodes_.size() > 1 ? nodes_[nodes_.size() - 2].preemptions : 0;
    for (uint64_t rest = node.backtrack & ~node.done & ~node.sleep; rest != 0; rest &= rest - 1) {
      const uint32_t next = uint32_t(__builtin_ctzll(rest));
      const uint32_t preemptions = preemptions_with(node, before, next);
      if (is_bounded() && preemptions > bound_) {
        node.done |= bit(next);
        continue;
      }
      node.chosen = node.actor = next;
      node.preemptions = preemptions;
      node.accesses = node.writes = node.awaits = false;
      return true;
    }
    nodes_.pop_back();
  }
  return false;
}

}  // namespace warpfs
