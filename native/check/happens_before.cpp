// What happened before what, and which plain accesses race (C++20, [intro.races], [atomics.fences]).
#include "engine.h"
#include "protocol_watch.h"
#include "search.h"

namespace warpfs {

namespace {

bool acquires(int order) { return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME || order >= __ATOMIC_ACQ_REL; }
bool releases(int order) { return order >= __ATOMIC_RELEASE; }

}  // namespace

void Engine::learn(Actor& actor, FrozenClock from) {
  const uint32_t own = actor.clock[actor.id];
  if (from[actor.id] < actor.base && from[actor.id] > actor.known_own) actor.known_own = from[actor.id];
  clock_join(actor.clock, from, carried_);
  actor.clock[actor.id] = own;
}

/// What a store of this order carries with it.
FrozenClock Engine::released(Actor& actor, int order) {
  if (!releases(order)) return actor.fence_release;
  const FrozenClock frozen = clock_freeze(bump_, actor.clock, carried_);
  actor.clock[actor.id]++;
  return frozen;
}

void Engine::acquired(Actor& actor, FrozenClock release, int order) {
  if (release == nullptr) return;
  if (acquires(order)) return learn(actor, release);
  for (uint32_t at = 0; at < actor.unacquired_count; at++) {
    if (actor.unacquired[at] == release) return;
  }
  if (actor.unacquired_count == UNACQUIRED_MAX) {
    actor.unacquired[0] = clock_both(bump_, actor.unacquired[0], release, carried_);
  } else {
    actor.unacquired[actor.unacquired_count++] = release;
  }
}

void Engine::fence(int order, uintptr_t) {
  Actor& self = *current_;
  if (acquires(order)) {
    for (uint32_t at = 0; at < self.unacquired_count; at++) learn(self, self.unacquired[at]);
    self.unacquired_count = 0;
  }
  if (order == __ATOMIC_SEQ_CST && options_.relaxed) {
    // Of two such fences one comes first; what happened before it is visible behind the other. That orders no plain accesses.
    clock_join(sc_clock_.data(), self.clock, width_);
    std::memcpy(self.sc_view, sc_clock_.data(), width_ * sizeof(uint32_t));
  }
  if (releases(order)) {
    self.fence_release = clock_freeze(bump_, self.clock, carried_);
    self.clock[self.id]++;
  }
  mix(self.id, OpKind::FENCE, nullptr, uint32_t(order), nullptr);
}

void Engine::join_lanes(CheckWarp& warp, uint32_t lanes, bool orders_memory) {
  mix(warp.first_actor, OpKind::NONE, nullptr, lanes, "lanes meet");
  if (kind_ == SchedulerKind::EXHAUSTIVE && !quiet_) search->meet(warp.first_actor, lanes);
  if (!orders_memory || (lanes & (lanes - 1)) == 0) return;
  uint32_t* both = bump_.zeros(carried_);
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) clock_join(both, actors_[warp.first_actor + uint32_t(__builtin_ctz(rest))].clock, carried_);
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
    Actor& lane = actors_[warp.first_actor + uint32_t(__builtin_ctz(rest))];
    learn(lane, both);
    lane.clock[lane.id]++;
  }
}

void Engine::join_actors(const std::vector<uint32_t>& ids) {
  uint32_t* both = bump_.zeros(carried_);
  for (uint32_t id : ids) clock_join(both, actors_[id].clock, carried_);
  for (uint32_t id : ids) {
    learn(actors_[id], both);
    actors_[id].clock[id]++;
  }
  if (kind_ == SchedulerKind::EXHAUSTIVE && !quiet_) search->meet_all(ids);
}

// ---- Races.

void Engine::race(Actor& actor, Location& where, bool write, uintptr_t pc, uint32_t slot, uint32_t step, uintptr_t other_pc, bool other_write) {
  actor.op.pc = pc;
  Actor other = actors_[slot];
  other.step = step;
  other.op.pc = other_pc;
  const auto verb = [](bool writes) { return std::string(writes ? "writes" : "reads"); };
  const auto who = [](const Actor& a) {
    return a.warp == nullptr ? std::string("the host") : "warp " + std::to_string(a.warp->id.item) + " lane " + std::to_string(a.lane);
  };
  report("race", who(actor) + " " + verb(write) + " " + describe(where) + ", which " + who(other) + " " + verb(other_write) + ", and neither happens before the other",
         {&actor, &other});
}

void Engine::note_atomic(Actor& actor, Location& where, bool write, uintptr_t pc) {
  for (const PlainAccess* other = where.plain; other != nullptr; other = other->next) {
    if ((write || other->write) && !happened(actor, other->slot, other->epoch)) {
      race(actor, where, write, pc, other->slot, other->step, other->pc, other->write);
    }
  }
  if (where.atomics == nullptr) where.atomics = bump_.zeros(2 * width_);
  where.atomics[(write ? 0 : width_) + actor.id] = actor.clock[actor.id];
  if (recording_) {
    if (where.atomic_pcs == nullptr) where.atomic_pcs = reinterpret_cast<uintptr_t*>(bump_.zeros(2 * width_));
    where.atomic_pcs[actor.id] = pc;
  }
}

void Engine::plain_word(Actor& self, Location& where, uint8_t mask, bool write, uintptr_t pc) {
  PlainAccess* mine = nullptr;
  PlainAccess** link = &where.plain;
  while (PlainAccess* other = *link) {
    const bool ordered = happened(self, other->slot, other->epoch);
    if (!ordered && (other->mask & mask) != 0 && (write || other->write)) {
      race(self, where, write, pc, other->slot, other->step, other->pc, other->write);
    }
    // What happened before this access, and is covered by it, can race with nothing that this one does not race with.
    const bool covered = ordered && (other->mask & ~mask) == 0 && (write || !other->write);
    if (other->slot == self.id && other->write == write && other->epoch >= self.base) {
      mine = other;
    } else if (covered) {
      *link = other->next;
      continue;
    }
    link = &other->next;
  }
  if (where.atomics != nullptr) {
    for (uint32_t slot = 0; slot < width_; slot++) {
      const bool stored = where.atomics[slot] != 0 && !happened(self, slot, where.atomics[slot]);
      const bool loaded = write && where.atomics[width_ + slot] != 0 && !happened(self, slot, where.atomics[width_ + slot]);
      if (!stored && !loaded) continue;
      race(self, where, write, pc, slot, actors_[slot].step, where.atomic_pcs == nullptr ? 0 : where.atomic_pcs[slot], stored);
    }
  }
  if (mine == nullptr) {
    mine = static_cast<PlainAccess*>(bump_.take(sizeof(PlainAccess)));
    *mine = {where.plain, 0, self.id, 0, 0, 0, write};
    where.plain = mine;
  }
  mine->pc = pc;
  mine->epoch = self.clock[self.id];
  mine->step = self.step;
  mine->mask |= mask;
}

void Engine::plain(void* p, uint32_t bytes, bool write, uintptr_t pc) {
  Actor& self = *current_;
  uintptr_t at = reinterpret_cast<uintptr_t>(p);
  const uintptr_t end = at + bytes;
  while (at < end) {
    const uint32_t first = uint32_t(at & 3);
    const uint32_t count = uint32_t(end - at) < 4 - first ? uint32_t(end - at) : 4 - first;
    Location& where = inside(reinterpret_cast<void*>(at), pc);
    plain_word(self, where, uint8_t(((1u << count) - 1) << first), write, pc);
    if (__builtin_expect(where.watched && write, 0)) watch->plain_write(where, self);
    if (write) {
      rewritten(where);
      // What was stored before lies behind it for everybody: whoever could still see it otherwise would race with this access.
      where.newest = nullptr;
      where.release = nullptr;
    }
    at += count;
  }
}

}  // namespace warpfs
