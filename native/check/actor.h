// Whatever a schedule orders: a lane, or the host.
#pragma once
#include "lane_switch.h"
#include "location.h"

#include "../shaders/dialect/cpu.h"

namespace warpfs {

enum class ActorState : uint8_t {
  ABSENT,      // no lane has this place
  READY,       // its next access may happen
  COLLECTIVE,  // waits for other lanes
  WAITING,     // waits for a change of what its warp has read
  STARVED,     // ready, and left alone, as the progress model allows
  DONE
};

enum class OpKind : uint8_t { NONE, LOAD, STORE, RMW, CAS, FENCE, AWAIT, HOST_READ, HOST_WRITE, START };

/// The access that an actor is about to make.
struct Operation {
  OpKind kind = OpKind::NONE;
  Location* where = nullptr;
  uintptr_t pc = 0;
  bool writes() const { return kind == OpKind::STORE || kind == OpKind::RMW || kind == OpKind::CAS || kind == OpKind::HOST_WRITE; }
};

struct CheckWarp;

constexpr uint32_t UNACQUIRED_MAX = 8;

struct Actor {
  void* context = nullptr;
  unsigned char* stack_top = nullptr;
  LaneSwitch lane_switch;     // only where stacks are compared
  CheckWarp* warp = nullptr;  // null: the host
  uint32_t id = 0, lane = 0;
  uint32_t party = 0;         // the warp, or one more than the last: who waits does not wait for its own party
  ActorState state = ActorState::ABSENT;
  bool announced = false;     // `op` says what it does next
  bool spins = false;         // WAITING because of many atomics, not because it said that it waits
  uint32_t ready_place = 0;
  uint32_t step = 0;          // scheduling points so far
  uint32_t choices = 0;       // other choices so far
  uint32_t data_accesses = 0;
  uint32_t pauses = 0;        // in the wait that it is in
  uint32_t atomics = 0;       // since it waited last or met other lanes
  uint64_t priority = 0;
  Operation op;
  uint32_t expected = 0;      // of the compare-exchange that it is about to make

  uint32_t* clock = nullptr;
  uint32_t base = 0;          // epoch at which this actor began in its slot
  bool has_learned = false;   // something from somebody since it began
  uint32_t known_own = 0;     // last epoch of the slot's former actors that happened before
  FrozenClock fence_release = nullptr;
  FrozenClock unacquired[UNACQUIRED_MAX];    // what relaxed loads have seen since the last acquire fence
  uint32_t unacquired_count = 0;
  uint32_t* sc_view = nullptr;               // what sequentially consistent fences make visible (relaxed memory)
};

/// Words that the lanes of a warp have read since it waited last: it goes on waiting until somebody else writes to one of them.
struct SeenWord {
  Location* where;
  uint32_t writes;

  /// Somebody else than this party has written to it.
  bool is_changed(uint32_t party) const {
    const uint32_t since = where->writes - writes;
    return since != 0 && !(where->writer_party == party && since <= where->writer_run);
  }
};
constexpr uint32_t SEEN_MAX = 64;

/// A party that waits as one: a warp, or the host.
struct Party {
  SeenWord seen[SEEN_MAX];
  uint32_t seen_count = 0;     // more than SEEN_MAX: some were forgotten
  bool forgot_changed = false;    // one of these had changed by then: under relaxed memory long before it was read
  uint64_t writes_by_others = 0;  // as of its last wait, in case some were forgotten
  uint64_t own_writes = 0;
  uint64_t own_writes_before = 0;  // as of its last wait
  uint32_t idle_pauses = 0;        // waits in a row after which nobody else had changed anything

  void reset() {
    forget();
    idle_pauses = 0;
    writes_by_others = own_writes = own_writes_before = 0;
  }
  void forget() {
    seen_count = 0;
    forgot_changed = false;
  }
  /// `id`: of this party. `writes`: the stores that it has seen, which under relaxed memory may be fewer than there were.
  void note(uint32_t id, Location* where, uint32_t writes) {
    // The first look counts: what has changed since may have mattered to what was done in between.
    if (seen_count != 0 && seen[(seen_count - 1) % SEEN_MAX].where == where) return;
    SeenWord& place = seen[seen_count % SEEN_MAX];
    if (seen_count >= SEEN_MAX && place.is_changed(id)) forgot_changed = true;
    place = {where, writes};
    seen_count++;
  }
};

}  // namespace warpfs
