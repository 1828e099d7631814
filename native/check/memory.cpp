// What atomic accesses do, and which store a load sees (C++20, [atomics.order]).
#include "engine.h"
#include "search.h"
#include "protocol_watch.h"

namespace warpfs {

namespace {

const char* name_of(OpKind kind) {
  switch (kind) {
    case OpKind::LOAD: return "load";
    case OpKind::STORE: return "store";
    case OpKind::RMW: return "rmw";
    case OpKind::CAS: return "cas";
    case OpKind::FENCE: return "fence";
    case OpKind::HOST_READ: return "host reads";
    case OpKind::HOST_WRITE: return "host writes";
    default: return "step";
  }
}

uint32_t shift_of(const void* p) { return uint32_t(reinterpret_cast<uintptr_t>(p) & 3) * 8; }
uint32_t mask_of(uint32_t bytes) { return bytes == 4 ? ~0u : (1u << bytes * 8) - 1; }

// Lanes copy lines in pieces of 16 bytes, each of four of these accesses: a switch at each would drown those at the protocol's words.
constexpr uint32_t DATA_ACCESSES_PER_POINT = 16;

constexpr uint32_t OLDER_STORES_MAX = 8;

}  // namespace

void Engine::mix(uint32_t actor, OpKind kind, const Location* where, uint32_t value, const char* name) {
  const uint64_t what = uint64_t(actor) << 56 ^ uint64_t(kind) << 48 ^ uint64_t(where == nullptr ? 0 : where->granule) << 8;
  hash_ = (hash_ ^ what) * 0x9e3779b97f4a7c15u;
  hash_ = (hash_ ^ (hash_ >> 29) ^ value) * 0xbf58476d1ce4e5b9u;
  if (__builtin_expect(tracing_, 0)) event(name != nullptr ? name : name_of(kind), where == nullptr ? std::string() : describe(*where), value);
}

void Engine::point(OpKind kind, Location* where, uintptr_t pc) {
  Actor& self = *current_;
  self.step++;
  steps_++;
  self.op = {kind, where, pc};
  if (__builtin_expect(steps_ > options_.step_limit, 0)) {
    report("livelock", "more than " + std::to_string(options_.step_limit) + " steps", {&self});
  }
  if (__builtin_expect(speculation_.pending, 0) && steps_ > speculation_.deadline) prune();
  if (quiet_) {
    if (host_until_ != nullptr && (*host_until_)()) {
      self.announced = true;
      end_ = RunEnd::LANES_DONE;
      leave_fiber();
      self.announced = false;
    }
    return;
  }
  self.announced = true;
  Actor* next = pick();
  if (__builtin_expect(next == nullptr, 0)) go_on_with_another();  // the progress model has stopped this lane as well
  else if (next != &self) switch_to(*next);
  self.announced = false;
}

/// A lane that makes so many atomic accesses without a wait or a collective may be spinning (cpu_spend of the dialect, which counts for a thread:
/// here it is counted for each lane, so that the count is part of the schedule).
void Engine::spend(Actor& self, uintptr_t pc) {
  if (__builtin_expect(++self.atomics > CPU_SPIN_BUDGET, 0) && self.warp != nullptr) pause(true, pc);
}

Location& Engine::inside(void* p, uintptr_t pc) {
  Location* where = location_of(uint32_t((static_cast<uint8_t*>(p) - arena_) >> 2));
  if (__builtin_expect(where != nullptr, 1)) return *where;
  current_->op.pc = pc;
  report("out_of_allocation", "an access outside of every allocation, at byte " + std::to_string(static_cast<uint8_t*>(p) - arena_) + " of the shared memory",
         {current_});
  __builtin_unreachable();
}

// ---- Relaxed memory: which of the stores a load may see.

/// How many of the newest stores the actor may see: down to the one that it may not look behind. That one happened before, or somebody saw it in
/// what happened before, or a sequentially consistent fence makes it visible.
uint32_t Engine::stores_in_sight(const Actor& actor, const Location& where) const {
  const auto visible = [&](uint32_t slot, uint32_t epoch) {
    return slot == NO_SLOT || happened(actor, slot, epoch) || epoch <= actor.sc_view[slot];
  };
  uint32_t count = 0;
  for (const WordStore* store = where.newest; store != nullptr && count < OLDER_STORES_MAX; store = store->older) {
    count++;
    bool floor = visible(store->slot, store->epoch);
    for (const StoreReader* reader = store->readers; reader != nullptr && !floor; reader = reader->next) floor = visible(reader->slot, reader->epoch);
    if (floor) break;
  }
  return count;
}

/// Which of `count` stores a load sees, the newest first.
uint32_t Engine::choose_store(Actor& actor, uint32_t count) {
  uint32_t older = 0;
  if (count > 1) {
    if (kind_ == SchedulerKind::REPLAY) find_decision(actor, actor.step, DecisionKind::OLDER, older);
    else if ((random_.next() & 1) != 0) older = random_.below(count);
    if (older >= count) older = 0;
    if (recording_ && older != 0) recorded_.push_back({actor.id, actor.step, DecisionKind::OLDER, older});
  }
  return older;
}

/// A store that is `older` places behind the newest.
WordStore& Engine::see_store(Actor& actor, Location& where, uint32_t older) {
  WordStore* store = where.newest;
  for (; older > 0; older--) store = store->older;
  see(actor, *store);
  return *store;
}

void Engine::see(Actor& actor, WordStore& store) {
  const uint32_t epoch = actor.clock[actor.id];
  for (StoreReader* reader = store.readers; reader != nullptr; reader = reader->next) {
    if (reader->slot == actor.id && reader->epoch == epoch) return;
  }
  StoreReader* reader = static_cast<StoreReader*>(bump_.take(sizeof(StoreReader)));
  *reader = {store.readers, actor.id, epoch};
  store.readers = reader;
}

// ---- Atomic accesses.

void Engine::put(Actor& actor, Location& where, uint32_t value, FrozenClock release) {
  const uint32_t old = value_at(where);
  if (options_.relaxed) {
    if (where.newest == nullptr) {
      where.newest = static_cast<WordStore*>(bump_.take(sizeof(WordStore)));
      *where.newest = {nullptr, nullptr, where.release, old, NO_SLOT, 0};
    }
    WordStore* store = static_cast<WordStore*>(bump_.take(sizeof(WordStore)));
    *store = {where.newest, nullptr, release, value, actor.id, actor.clock[actor.id]};
    // A release raised the epoch: the store itself belongs to the epoch before.
    where.newest = store;
    if (speculation_.learning && where.kind != RegionKind::LINES && !quiet_) speculation_.learn(where.granule, value);
    if (speculation_.is_about(where.granule)) meet_speculation(actor, where, value, release);
  }
  reinterpret_cast<uint32_t*>(arena_)[where.granule] = value;
  rewritten(where);
  if (&actor == host_) host_did(actor.op, value, false);
  where.release = release;
  where.writes++;
  total_writes_++;
  parties_[actor.party].own_writes++;
  where.writer_run = where.writer_party == actor.party ? where.writer_run + 1 : 1;
  where.writer_party = actor.party;
  if (where.has_waiters || some_forgot_) wake_waiters(where);
  if (where.watched) watch->stored(where, old, value, actor);
}

/// A single element that is guessed is a point like the look at the tag behind it.
uint32_t Engine::load(void* p, uint32_t bytes, int order, uintptr_t pc, bool guesses) {
  Location& where = inside(p, pc);
  Actor& self = *current_;
  const bool data = where.kind == RegionKind::LINES;
  const bool visible = !data || (guesses && order == __ATOMIC_ACQUIRE) || (kind_ != SchedulerKind::EXHAUSTIVE && ++self.data_accesses % DATA_ACCESSES_PER_POINT == 0);
  if (!data) spend(self, pc);
  if (visible) point(OpKind::LOAD, &where, pc);
  uint32_t value = value_at(where);
  FrozenClock release = where.release;
  uint32_t older = 0;
  if (speculation_.allowed && !data && !quiet_ && speculates(self, where, order, value)) {
    release = nullptr;
  } else if (options_.relaxed && where.newest != nullptr && !quiet_) {
    older = choose_store(self, stores_in_sight(self, where));
    const WordStore& store = see_store(self, where, older);
    value = store.value;
    release = store.release;
  }
  acquired(self, release, order);
  note_atomic(self, where, false, pc);
  if (data && !guesses) watch->data_read(where, self, pc);
  else if (!data) parties_[self.party].note(self.party, &where, where.writes - older);
  if (visible) mix(self.id, OpKind::LOAD, &where, value, nullptr);
  if (&self == host_) host_did(self.op, value, false);
  if (kind_ == SchedulerKind::EXHAUSTIVE && !data && !quiet_) search->executed(*this, self, where, false, false);
  return value >> shift_of(p) & mask_of(bytes);
}

void Engine::store(void* p, uint32_t bytes, uint32_t value, int order, uintptr_t pc, bool fills) {
  Location& where = inside(p, pc);
  Actor& self = *current_;
  const bool data = where.kind == RegionKind::LINES;
  const bool visible = !data || (kind_ != SchedulerKind::EXHAUSTIVE && ++self.data_accesses % DATA_ACCESSES_PER_POINT == 0);
  if (visible) point(OpKind::STORE, &where, pc);
  const uint32_t mask = mask_of(bytes) << shift_of(p);
  const uint32_t merged = (value_at(where) & ~mask) | (value << shift_of(p) & mask);
  note_atomic(self, where, true, pc);
  if (visible) mix(self.id, OpKind::STORE, &where, merged, nullptr);
  if (data && fills) watch->data_filled(where);
  else if (data) watch->data_written(where, mask, self);
  const bool changes = merged != value_at(where);
  put(self, where, merged, released(self, order));
  if (kind_ == SchedulerKind::EXHAUSTIVE && !data && !quiet_) search->executed(*this, self, where, true, changes);
}

/// An addition to an element of a file: what it was has to be there, and it will have to be written back.
void Engine::data_changed(Location& where, uint32_t mask, Actor& self, uintptr_t pc) {
  watch->data_read(where, self, pc);
  watch->data_written(where, mask, self);
}

uint32_t Engine::rmw(void* p, uint32_t bytes, uint32_t (*change)(uint32_t, uint32_t), uint32_t operand, int order, uintptr_t pc) {
  Location& where = inside(p, pc);
  Actor& self = *current_;
  spend(self, pc);
  point(OpKind::RMW, &where, pc);
  const uint32_t mask = mask_of(bytes) << shift_of(p);
  const uint32_t word = value_at(where), old = word >> shift_of(p) & mask_of(bytes);
  const uint32_t merged = (word & ~mask) | (change(old, operand) << shift_of(p) & mask);
  if (where.newest != nullptr) see(self, *where.newest);
  acquired(self, where.release, order);
  note_atomic(self, where, true, pc);
  mix(self.id, OpKind::RMW, &where, merged, nullptr);
  if (where.kind == RegionKind::LINES) data_changed(where, mask, self, pc);
  put(self, where, merged, clock_both(bump_, where.release, released(self, order), carried_));
  parties_[self.party].note(self.party, &where, where.writes);
  if (kind_ == SchedulerKind::EXHAUSTIVE && !quiet_) search->executed(*this, self, where, true, merged != word);
  return old;
}

bool Engine::fails_spuriously(Actor& self) {
  if (quiet_ || kind_ == SchedulerKind::EXHAUSTIVE) return false;
  uint32_t fails = 0;
  if (kind_ == SchedulerKind::REPLAY) find_decision(self, self.step, DecisionKind::SPURIOUS, fails);
  else fails = random_.below(32) == 0 ? 1 : 0;
  if (fails != 0) {
    // Who waits now waits for nobody: it only has to try again.
    parties_[self.party].own_writes++;
    parties_[self.party].idle_pauses = 0;
  }
  if (recording_ && fails != 0) recorded_.push_back({self.id, self.step, DecisionKind::SPURIOUS, 1});
  return fails != 0;
}

bool Engine::cas(void* p, uint32_t bytes, uint32_t& expected, uint32_t desired, int order, int failure_order, bool weak, uintptr_t pc) {
  Location& where = inside(p, pc);
  Actor& self = *current_;
  spend(self, pc);
  self.expected = expected;
  point(OpKind::CAS, &where, pc);
  const uint32_t mask = mask_of(bytes) << shift_of(p);
  const uint32_t word = value_at(where), old = word >> shift_of(p) & mask_of(bytes);
  const bool succeeds = old == expected && !(weak && fails_spuriously(self));
  if (where.newest != nullptr) see(self, *where.newest);
  acquired(self, where.release, succeeds ? order : failure_order);
  note_atomic(self, where, succeeds, pc);
  mix(self.id, OpKind::CAS, &where, old, succeeds ? "cas" : "cas fails");
  if (succeeds) {
    if (where.kind == RegionKind::LINES) data_changed(where, mask, self, pc);
    put(self, where, (word & ~mask) | (desired << shift_of(p) & mask), clock_both(bump_, where.release, released(self, order), carried_));
  } else {
    expected = old;
  }
  parties_[self.party].note(self.party, &where, where.writes);
  if (kind_ == SchedulerKind::EXHAUSTIVE && !quiet_) search->executed(*this, self, where, succeeds, succeeds);
  return succeeds;
}

void Engine::host_bytes(void* p, size_t bytes, bool write, uintptr_t pc) {
  Location& first = inside(p, pc);
  Actor& self = *current_;
  const bool data = first.kind == RegionKind::LINES;
  if (kind_ != SchedulerKind::EXHAUSTIVE || !data) point(write ? OpKind::HOST_WRITE : OpKind::HOST_READ, &first, pc);
  // The sequence of a request was read before, and is not looked at again: the fence that orders the fields comes before its store.
  const uint32_t skipped = first.kind == RegionKind::REQUESTS && !write && first.field == 0 ? 4 : 0;
  plain(static_cast<uint8_t*>(p) + skipped, uint32_t(bytes) - skipped, write, pc);
  if (data) watch->host_data(p, bytes, write, self);
  if (compares_states_) host_moved(p, bytes, write, first);
  mix(self.id, write ? OpKind::HOST_WRITE : OpKind::HOST_READ, &first, uint32_t(bytes), nullptr);
  if (kind_ == SchedulerKind::EXHAUSTIVE && !data && !quiet_) search->executed(*this, self, first, write, write);
}

std::string Engine::describe(const Location& where) const {
  for (const Region& region : regions_) {
    if (where.granule < region.first || where.granule >= region.end) continue;
    std::string text = std::string(region.name) + "[" + std::to_string(where.index) + "]";
    if (region.element > 4) text += "+" + std::to_string(where.field);
    return text;
  }
  return "byte " + std::to_string(uint64_t(where.granule) * 4);
}

}  // namespace warpfs
