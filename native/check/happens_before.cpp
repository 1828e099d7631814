// What happened before what, and which plain accesses race (C++20, [intro.races], [atomics.fences]).
#include "engine.h"
#include "protocol_watch.h"
#include "search.h"

namespace warpfs {

namespace {

bool acquires(int order) { return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME || order >= __ATOMIC_ACQ_REL; }
bool releases(int order) { return order >= __ATOMIC_RELEASE; }

constexpr uint8_t WHOLE_WORD = 15;

}  // namespace

/// Somebody handed on an epoch of this actor's place: its own, or one of those that had the place before. Its own hides how much is known of them;
/// then all that they did counts as known, so that no race is reported where there may be none.
void Engine::hear_of_place(Actor& actor, uint32_t epoch) {
  if (epoch >= actor.base) epoch = actor.base - 1;
  if (epoch > actor.known_own) actor.known_own = epoch;
}

void Engine::learn(Actor& actor, FrozenClock from) {
  const uint32_t own = actor.clock[actor.id];
  hear_of_place(actor, from[actor.id]);
  clock_join(actor.clock, from, carried_);
  actor.clock[actor.id] = own;
  actor.has_learned = true;
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
    if (speculation_.pending && self.id == speculation_.actor) speculation_.acquired = true;
    for (uint32_t at = 0; at < self.unacquired_count; at++) learn(self, self.unacquired[at]);
    self.unacquired_count = 0;
  }
  if (order == __ATOMIC_SEQ_CST && options_.relaxed) {
    // Of two such fences one comes first; what happened before it is visible behind the other. That orders no plain accesses.
    clock_join(sc_clock_, self.clock, width_);
    std::memcpy(self.sc_view, sc_clock_, width_ * sizeof(uint32_t));
    self.has_learned = true;
  }
  if (releases(order)) {
    self.fence_release = clock_freeze(bump_, self.clock, carried_);
    self.clock[self.id]++;
  }
  mix(self.id, OpKind::FENCE, nullptr, uint32_t(order), nullptr);
}

/// Everybody knows what anybody knew.
void Engine::join_clocks(const uint32_t* ids, uint32_t count) {
  uint32_t* const both = joined_;
  std::memset(both, 0, carried_ * sizeof(uint32_t));
  for (uint32_t at = 0; at < count; at++) {
    uint32_t* const clock = actors_[ids[at]].clock;
    const uint32_t own = clock[ids[at]];
    clock[ids[at]] = 0;  // what the others know of its place is to be seen
    clock_join(both, clock, carried_);
    clock[ids[at]] = own;
  }
  for (uint32_t at = 0; at < count; at++) {
    hear_of_place(actors_[ids[at]], both[ids[at]]);
    both[ids[at]] = actors_[ids[at]].clock[ids[at]];
  }
  for (uint32_t at = 0; at < count; at++) {
    Actor& actor = actors_[ids[at]];
    std::memcpy(actor.clock, both, carried_ * sizeof(uint32_t));
    actor.clock[actor.id]++;
    actor.has_learned = true;
  }
}

void Engine::join_lanes(CheckWarp& warp, uint32_t lanes, bool orders_memory) {
  mix(warp.first_actor, OpKind::NONE, nullptr, lanes, "lanes meet");
  if (kind_ == SchedulerKind::EXHAUSTIVE && !quiet_) search->meet(warp.first_actor, lanes);
  if (!orders_memory || (lanes & (lanes - 1)) == 0) return;
  uint32_t ids[32], count = 0;
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) ids[count++] = warp.first_actor + uint32_t(__builtin_ctz(rest));
  join_clocks(ids, count);
}

void Engine::join_actors(const std::vector<uint32_t>& ids) {
  join_clocks(ids.data(), uint32_t(ids.size()));
  if (kind_ == SchedulerKind::EXHAUSTIVE && !quiet_) search->meet_all(ids);
}

// ---- Races.

void Engine::race(Actor& actor, Location& where, bool write, uintptr_t pc, uint32_t slot, uint32_t step, uintptr_t other_pc, bool other_write) {
  // What a kernel stores into a line that it has mapped may go to the host half done: it goes there once more when the map is given back.
  const bool host_reads = actor.warp == nullptr ? !write : actors_[slot].warp == nullptr && !other_write;
  if (host_reads && where.kind == RegionKind::LINES && watch->is_mapped(where.index)) return;
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

void Engine::note_pc(Location& where, uint32_t slot, uintptr_t pc) {
  if (!recording_) return;
  if (where.pcs == nullptr) where.pcs = reinterpret_cast<uintptr_t*>(bump_.zeros(2 * width_));
  where.pcs[slot] = pc;
}

void Engine::race_with_slot(Actor& actor, Location& where, bool write, uintptr_t pc, uint32_t slot, bool other_write) {
  race(actor, where, write, pc, slot, actors_[slot].step, where.pcs == nullptr ? 0 : where.pcs[slot], other_write);
}

/// A write behind plain reads of the word.
void Engine::check_readers(Actor& actor, Location& where, uintptr_t pc) {
  for (uint32_t slot = 0; slot < width_; slot++) {
    if (where.readers[slot] != 0 && !happened(actor, slot, where.readers[slot])) race_with_slot(actor, where, true, pc, slot, false);
  }
}

/// Would this access race with an earlier one, if both were plain? If none does to a word, it does not matter when they happen.
bool Engine::contends(const Actor& actor, const Location& where, bool write) const {
  for (uint32_t slot = 0; slot < actors_max_; slot++) {
    if (slot == actor.id) continue;
    const uint32_t stored = where.atomics[slot], loaded = write ? where.atomics[width_ + slot] : 0;
    if ((stored != 0 && !happened(actor, slot, stored)) || (loaded != 0 && !happened(actor, slot, loaded))) return true;
  }
  return false;
}

void Engine::note_atomic(Actor& actor, Location& where, bool write, uintptr_t pc) {
  for (const PlainAccess* other = where.plain; other != nullptr; other = other->next) {
    if ((write || other->write) && !happened(actor, other->slot, other->epoch)) {
      race(actor, where, write, pc, other->slot, other->step, other->pc, other->write);
    }
  }
  if (write && where.readers != nullptr) check_readers(actor, where, pc);
  if (where.atomics == nullptr) where.atomics = bump_.zeros(2 * width_);
  contends_ = compares_states_ && contends(actor, where, write);
  where.atomics[(write ? 0 : width_) + actor.id] = actor.clock[actor.id];
  note_pc(where, actor.id, pc);
}

void Engine::plain_word(Actor& self, Location& where, uint8_t mask, bool write, uintptr_t pc) {
  const uint32_t epoch = self.clock[self.id];
  const PlainAccess* const last = where.plain;
  const bool whole_read = !write && mask == WHOLE_WORD;
  // It has done the same in this epoch before. Whoever has been here since then and does not go well with it has reported that.
  if (last != nullptr && last->slot == self.id && last->epoch == epoch && (last->write || !write) && (mask & ~last->mask) == 0) return;
  if (whole_read && where.readers != nullptr && where.readers[self.id] == epoch) return;

  PlainAccess* mine = nullptr;
  PlainAccess** link = &where.plain;
  while (PlainAccess* other = *link) {
    const bool ordered = happened(self, other->slot, other->epoch);
    if (!ordered && (other->mask & mask) != 0 && (write || other->write)) {
      race(self, where, write, pc, other->slot, other->step, other->pc, other->write);
    }
    // What happened before this access, and is covered by it, can race with nothing that this one does not race with.
    const bool covered = ordered && (other->mask & ~mask) == 0 && (write || !other->write);
    // Its own bytes of an earlier epoch stay what they were: others may have met the one and not the other.
    const bool same = other->epoch == epoch || (other->mask & ~mask) == 0;
    if (other->slot == self.id && other->write == write && other->epoch >= self.base && same) {
      mine = other;
    } else if (covered || (whole_read && !other->write && other->mask == WHOLE_WORD)) {
      if (!covered) {
        if (where.readers == nullptr) where.readers = bump_.zeros(width_);
        where.readers[other->slot] = other->epoch;
        note_pc(where, other->slot, other->pc);
      }
      *link = other->next;
      other->next = spare_;
      spare_ = other;
      continue;
    }
    link = &other->next;
  }
  if (where.atomics != nullptr) {
    for (uint32_t slot = 0; slot < width_; slot++) {
      const bool stored = where.atomics[slot] != 0 && !happened(self, slot, where.atomics[slot]);
      const bool loaded = write && where.atomics[width_ + slot] != 0 && !happened(self, slot, where.atomics[width_ + slot]);
      if (stored || loaded) race_with_slot(self, where, write, pc, slot, stored);
    }
  }
  if (where.readers != nullptr) {
    if (whole_read) {
      where.readers[self.id] = epoch;
      return note_pc(where, self.id, pc);
    }
    if (write) check_readers(self, where, pc);
    if (write && mask == WHOLE_WORD) where.readers = nullptr;
  }
  if (mine == nullptr) {
    mine = spare_ != nullptr ? spare_ : static_cast<PlainAccess*>(bump_.take(sizeof(PlainAccess)));
    if (mine == spare_) spare_ = mine->next;
    *mine = {where.plain, 0, self.id, 0, 0, 0, write};
    where.plain = mine;
  }
  mine->pc = pc;
  mine->epoch = epoch;
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
