// Accesses of several words that are one step, and of files where they lie: what only kernels as those of the cuda device make.
#include "engine.h"
#include "protocol_watch.h"

#include "../host/assert.h"

#include <algorithm>
#include <cstring>

namespace warpfs {

/// The words are written by store_words alone, so each of them has as many stores as the others, and those of one moment stand in the same place.
void Engine::load_words(void* p, uint32_t words, int order, uint32_t* to, uintptr_t pc) {
  Actor& self = *current_;
  Location* where[WIDE_WORDS_MAX] = {};
  for (uint32_t word = 0; word < words; word++) where[word] = &inside(static_cast<uint32_t*>(p) + word, pc);
  spend(self, pc);
  point(OpKind::LOAD, where[0], pc);
  const bool relaxed = options_.relaxed && where[0]->newest != nullptr && !quiet_;
  uint32_t older = 0;
  if (relaxed) {
    uint32_t in_sight = stores_in_sight(self, *where[0]);
    for (uint32_t word = 1; word < words; word++) in_sight = std::min(in_sight, stores_in_sight(self, *where[word]));
    older = choose_store(self, in_sight);
  }
  for (uint32_t word = 0; word < words; word++) {
    FrozenClock release = where[word]->release;
    to[word] = value_at(*where[word]);
    if (relaxed) {
      const WordStore& store = see_store(self, *where[word], older);
      to[word] = store.value;
      release = store.release;
    }
    acquired(self, release, order);
    note_atomic(self, *where[word], false, pc);
    parties_[self.party].note(self.party, where[word], where[word]->writes - older);
    mix(self.id, OpKind::LOAD, where[word], to[word], nullptr);
  }
}

void Engine::store_words(void* p, uint32_t words, const uint32_t* from, uintptr_t pc) {
  Actor& self = *current_;
  point(OpKind::STORE, &inside(p, pc), pc);
  for (uint32_t word = 0; word < words; word++) {
    Location& where = inside(static_cast<uint32_t*>(p) + word, pc);
    note_atomic(self, where, true, pc);
    mix(self.id, OpKind::STORE, &where, from[word], nullptr);
    put(self, where, from[word], released(self, __ATOMIC_RELAXED));
  }
}

void Engine::fill(void* p, uint32_t word, uintptr_t pc) { store(p, sizeof word, word, __ATOMIC_RELAXED, pc, true); }

/// What the host has done to the file before it said so (`bus_word`) is in what is read; who makes a fence then knows what the host had told it.
void Engine::bus_load(uint64_t from, uint32_t* to, uintptr_t pc) {
  Actor& self = *current_;
  WARPFS_ASSERT(bus != nullptr);
  Location& where = inside(bus_word, pc);
  point(OpKind::LOAD, &where, pc);
  bus->read(from, to);
  see_bus_word(self, where, pc);
  for (uint32_t word = 0; word < 4; word++) mix(self.id, OpKind::LOAD, &where, to[word], "bus");
}

void Engine::see_bus_word(Actor& self, Location& where, uintptr_t pc) {
  if (where.newest != nullptr) see(self, *where.newest);
  acquired(self, where.release, __ATOMIC_RELAXED);
  note_atomic(self, where, false, pc);
}

/// Under relaxed memory nobody sees it before the lane makes its fence, or ends. What the host had said before it landed that fence lets the lane know.
void Engine::bus_store(uint64_t to, const void* from, uint32_t bytes, uintptr_t pc) {
  Actor& self = *current_;
  WARPFS_ASSERT(bus != nullptr && bytes <= sizeof BusStore::from);
  Location& where = inside(bus_word, pc);
  point(OpKind::STORE, &where, pc);
  BusStore store{self.id, to, bytes, {}};
  std::memcpy(store.from, from, bytes);
  const Bus::Place place = bus->place_of(to);
  watch->bus_stored(place.file_id, place.offset, bytes, self);
  bus_stores_.push_back(store);
  mix(self.id, OpKind::STORE, &where, store.from[0], "bus");
  if (options_.relaxed) return;
  end_bus_stores(self);
  see_bus_word(self, where, pc);
}

void Engine::end_bus_stores(const Actor& self) {
  const auto is_ours = [&](const BusStore& store) { return store.actor == self.id; };
  for (const BusStore& store : bus_stores_) {
    if (is_ours(store)) bus->write(store.to, store.from, store.bytes);
  }
  std::erase_if(bus_stores_, is_ours);
}

void Engine::bus_fence(uintptr_t pc) {
  Actor& self = *current_;
  Location& where = inside(bus_word, pc);
  point(OpKind::LOAD, &where, pc);
  end_bus_stores(self);
  see_bus_word(self, where, pc);
  fence(__ATOMIC_ACQ_REL, pc);
}

}  // namespace warpfs
