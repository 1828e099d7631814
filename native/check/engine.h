// The scheduler of check mode: one thread that owns every interleaving of lanes and host. Instrumented code calls in before each access to
// shared memory (the arena); here it is decided who goes on, what a load sees, and whether the access was allowed.
#pragma once
#include "actor.h"
#include "bus.h"
#include "check_warp.h"
#include "finding.h"
#include "schedule.h"
#include "speculation.h"

#include "../host/cpu/fiber_stacks.h"
#include "../host/cpu/fiber_switch.h"

#include <functional>
#include <string>
#include <vector>

namespace warpfs {

class Search;
class ProtocolWatch;

/// One allocation within the arena. What lies between allocations belongs to nobody.
struct Region {
  uint32_t first, end;  // granules
  uint64_t bytes;
  uint32_t element;     // bytes of one element
  RegionKind kind;
  const char* name;
};

struct TraceEvent {
  uint64_t time;
  uint32_t actor;
  const char* name;
  std::string detail;
  uint64_t value;
};

enum class RunEnd : uint8_t { LANES_DONE, STOPPED, PRUNED };

class Engine {
 public:
  Engine(uint32_t actors_max, uint64_t arena_bytes, size_t lane_stack_bytes, size_t host_stack_bytes);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // ---- The arena.
  uint8_t* arena() const { return arena_; }
  uint64_t arena_bytes() const { return arena_bytes_; }
  void add_region(void* begin, uint64_t bytes, uint32_t element, RegionKind kind, const char* name);
  void drop_regions(RegionKind kind);
  /// Other memory from now on, in the same place: what happened to the former one concerns nobody.
  void renew(void* begin, uint64_t bytes);
  std::string describe(const Location& where) const;

  // ---- One schedule: begin, any number of runs, end.
  void begin_schedule(const ScheduleOptions& options, const Decisions* replayed, bool record, bool trace);
  /// Takes back every store of the schedule.
  void undo();
  /// What was stored stays; the next schedule starts from it.
  void keep();
  void set_quiet(bool quiet) { quiet_ = quiet; }
  void add_host(void (*body)(void*), void* argument);
  /// Adds the lanes of a warp that is to run; its place among the actors is warp * lanes.
  void add_warp(CheckWarp& warp, uint32_t place, uint32_t lane_count);
  /// Runs until all lanes are done, or the schedule has ended for another reason.
  RunEnd run_lanes();
  /// Runs the host alone until it waits, or `until` says so.
  void run_host(const std::function<bool()>& until);
  /// All that was done so far happened before what comes now.
  void join_all();

  /// Ends the schedule where it is. Does not return when a lane or the host calls it.
  void report(const char* kind, std::string message, const std::vector<const Actor*>& actors = {});
  void prune();
  /// After a schedule was stopped: lets the host get to its end, whatever it does.
  void resume_for_cleanup();
  const Finding& finding() const { return finding_; }
  bool stopped() const { return stopped_; }
  bool was_pruned() const { return stopped_ && end_ == RunEnd::PRUNED; }
  FindingActor place_of(const Actor& actor) const;

  /// After the last run of a schedule: one whose guess did not come true was none.
  void end_speculation();
  void set_learning(bool learning) { speculation_.learning = learning; }

  uint64_t steps() const { return steps_; }
  uint64_t trace_hash() const { return hash_; }
  const Decisions& decisions() const { return recorded_; }
  const std::vector<TraceEvent>& trace() const { return trace_; }
  void event(const char* name, std::string detail, uint64_t value);
  bool tracing() const { return tracing_; }

  // ---- Called by instrumented code, on the stack of the actor. `p` lies in the arena.
  void plain(void* p, uint32_t bytes, bool write, uintptr_t pc);
  /// guesses: line data without a pin. fills: line data that comes from the file.
  uint32_t load(void* p, uint32_t bytes, int order, uintptr_t pc, bool guesses = false);
  void store(void* p, uint32_t bytes, uint32_t value, int order, uintptr_t pc, bool fills = false);
  static constexpr uint32_t WIDE_WORDS_MAX = 4;
  void load_words(void* p, uint32_t words, int order, uint32_t* to, uintptr_t pc);
  void store_words(void* p, uint32_t words, const uint32_t* from, uintptr_t pc);
  void fill(void* p, uint32_t word, uintptr_t pc);
  void bus_load(uint64_t from, uint32_t* to, uintptr_t pc);
  void bus_store(uint64_t to, const void* from, uint32_t bytes, uintptr_t pc);
  void bus_fence(uintptr_t pc);
  void data_changed(Location& where, uint32_t mask, Actor& self, uintptr_t pc);
  uint32_t rmw(void* p, uint32_t bytes, uint32_t (*change)(uint32_t, uint32_t), uint32_t operand, int order, uintptr_t pc);
  bool cas(void* p, uint32_t bytes, uint32_t& expected, uint32_t desired, int order, int failure_order, bool weak, uintptr_t pc);
  void fence(int order, uintptr_t pc);
  void host_bytes(void* p, size_t bytes, bool write, uintptr_t pc);

  // ---- Waiting and meeting.
  void pause(bool spins, uintptr_t pc);
  void block_current(ActorState state);
  void make_ready(Actor& actor);
  void let_on(Actor& actor);
  void lane_done();
  void host_done();
  uint32_t choose(uint32_t alternatives);
  bool happens(uint32_t permille);

  void join_lanes(CheckWarp& warp, uint32_t lanes, bool orders_memory);
  void join_actors(const std::vector<uint32_t>& ids);

  Actor& current() { return *current_; }
  Actor& actor(uint32_t id) { return actors_[id]; }
  uint32_t actor_count() const { return actor_count_; }
  Actor* host() { return host_; }
  bool in_fiber() const { return current_ != nullptr; }
  uint64_t now() const { return steps_; }
  SeededRandom& random() { return random_; }
  bool quiet() const { return quiet_; }
  const ScheduleOptions& options() const { return options_; }
  Location* location(void* p) { return location_of(uint32_t((static_cast<uint8_t*>(p) - arena_) >> 2)); }
  uint32_t value_at(const Location& where) const { return reinterpret_cast<uint32_t*>(arena_)[where.granule]; }
  Bump& bump() { return bump_; }
  uint32_t ready_count() const { return ready_count_; }
  Actor* ready_actor(uint32_t place) { return ready_[place]; }
  bool is_changed(const Party& party, uint32_t party_id) const;
  Party& party(uint32_t id) { return parties_[id]; }
  /// Equal for states from which the same can follow (only while the exhaustive search compares states).
  uint64_t state_hash();
  bool last_contends() const { return contends_; }
  bool compares_states() const { return compares_states_; }
  void set_compares_states(bool compares) { compares_states_ = compares; }
  uint64_t outer_state = 0;  // what whoever launches has in hand
  void set_length_estimate(uint64_t steps) { length_estimate_ = steps; }

  ProtocolWatch* watch = nullptr;
  Search* search = nullptr;
  /// Nobody can go on: may waits end because time has passed? Where a fault has taken requests away.
  std::function<bool()> may_time_pass;
  uint64_t expired_waits = 0;
  Bus* bus = nullptr;
  uint32_t* bus_word = nullptr;  // in the arena: the host stores there when it is about to change what was granted
  /// A warp has ended: its place may be given to another one at once.
  std::function<void(CheckWarp&)> on_warp_done;

 private:
  friend class Search;

  void see_bus_word(Actor& self, Location& where, uintptr_t pc);
  void end_bus_stores(const Actor& self);
  void point(OpKind kind, Location* where, uintptr_t pc);
  void spend(Actor& self, uintptr_t pc);
  void set_current(Actor* actor) {
    current_ = actor;
#if WARPFS_LANE_SWITCH
    warpfs_lane_switch = &actor->lane_switch;
#endif
  }
  void switch_to(Actor& next);
  void rewritten(Location& where) {
    if (compares_states_) rewritten_.push_back(&where);
  }
  void host_moved(const void* p, size_t bytes, bool write, const Location& first);
  void host_did(const Operation& op, uint64_t value, bool stays);
  void go_on_with_another();
  Actor* pick();
  Actor* pick_random();
  Actor* pick_by_priority();
  Actor* pick_pos();
  Actor* pick_lockstep();
  bool is_held(const Actor& actor) const;
  Actor* usual(uint32_t after);
  Actor* next_unannounced();
  bool stalled();
  void report_stall();
  std::string waited_for(const Actor& actor) const;
  void choose_starved();
  bool is_starved(const Actor& actor) const {
    return starving_ && actor.warp != nullptr && actor.party < 64 && (starved_ >> actor.party & 1) != 0;
  }
  void leave_fiber();
  void remove_ready(Actor& actor);
  void starve_some();
  bool find_decision(const Actor& actor, uint32_t step, DecisionKind kind, uint32_t& value);
  void begin_actor(Actor& actor);

  Location* location_of(uint32_t granule) {
    const uint32_t known = shadow_[granule];
    if (__builtin_expect(known != 0, 1)) return locations_[known >> 10] + (known & 1023);
    return first_touch(granule);
  }
  Location* first_touch(uint32_t granule);
  Location& inside(void* p, uintptr_t pc);
  bool happened(const Actor& actor, uint32_t slot, uint32_t epoch) const {
    if (slot != actor.id) return epoch <= actor.clock[slot];
    return epoch >= actor.base || epoch <= actor.known_own;
  }
  void learn(Actor& actor, FrozenClock from);
  static void hear_of_place(Actor& actor, uint32_t epoch);
  void join_clocks(const uint32_t* ids, uint32_t count);
  FrozenClock released(Actor& actor, int order);
  void acquired(Actor& actor, FrozenClock release, int order);
  void note_pc(Location& where, uint32_t slot, uintptr_t pc);
  void race_with_slot(Actor& actor, Location& where, bool write, uintptr_t pc, uint32_t slot, bool other_write);
  void check_readers(Actor& actor, Location& where, uintptr_t pc);
  void plain_word(Actor& self, Location& where, uint8_t mask, bool write, uintptr_t pc);
  bool fails_spuriously(Actor& self);
  bool contends(const Actor& actor, const Location& where, bool write) const;
  void note_atomic(Actor& actor, Location& where, bool write, uintptr_t pc);
  void race(Actor& actor, Location& where, bool write, uintptr_t pc, uint32_t slot, uint32_t step, uintptr_t other_pc, bool other_write);
  void put(Actor& actor, Location& where, uint32_t value, FrozenClock release);
  uint32_t stores_in_sight(const Actor& actor, const Location& where) const;
  uint32_t choose_store(Actor& actor, uint32_t count);
  WordStore& see_store(Actor& actor, Location& where, uint32_t older);
  void see(Actor& actor, WordStore& store);
  bool speculates(Actor& self, const Location& where, int order, uint32_t& value);
  void meet_speculation(const Actor& actor, const Location& where, uint32_t value, FrozenClock release);
  void mix(uint32_t actor, OpKind kind, const Location* where, uint32_t value, const char* name);
  void wake_waiters(Location& where);

  uint8_t* arena_ = nullptr;
  uint64_t arena_bytes_;
  uint32_t* shadow_ = nullptr;  // for each granule its location + 1024, or 0
  std::vector<Location*> locations_;  // blocks of 1024; the first is empty
  uint32_t location_count_ = 0;
  std::vector<Region> regions_;

  FiberStacks lane_stacks_, host_stacks_;
  std::vector<Actor> actors_;
  std::vector<uint32_t> clock_memory_;  // of all that are named here and of the actors
  std::vector<Party> parties_;
  uint32_t actors_max_, width_, actor_count_ = 0;
  uint32_t carried_;  // words of what is handed on with a release: the clock, and under relaxed memory the sc_view behind it
  Actor* host_ = nullptr;
  std::vector<Actor*> ready_;
  uint32_t ready_count_ = 0;
  std::vector<Actor*> unannounced_;
  size_t unannounced_at_ = 0;
  std::vector<Actor*> waiting_;
  std::vector<Actor*> lockstep_;
  uint32_t lanes_live_ = 0;
  Actor* current_ = nullptr;
  Actor ended_;
  void* main_context_ = nullptr;
  const std::function<bool()>* host_until_ = nullptr;
  RunEnd end_ = RunEnd::LANES_DONE;

  ScheduleOptions options_;
  SchedulerKind kind_ = SchedulerKind::REPLAY;
  uint32_t stay_ = 1;  // RANDOM: of so many steps the running actor makes all but one, as long as it can
  SeededRandom random_;
  Bump bump_;
  PlainAccess* spare_ = nullptr;
  std::vector<std::vector<Decision>> replay_of_;  // by actor
  Decisions recorded_;
  bool cleaning_ = false, recording_ = false, tracing_ = false, quiet_ = false, stopped_ = false, starving_ = false;
  bool some_forgot_ = false;  // a waiting party has forgotten some of what it had read: every store may concern it
  std::vector<TraceEvent> trace_;
  Finding finding_;
  Speculation speculation_;
  uint64_t steps_ = 0, hash_ = 0, total_writes_ = 0, length_estimate_ = 100;
  uint64_t lowest_priority_ = 0;
  uint64_t starve_at_ = ~uint64_t(0), starved_ = 0;
  uint32_t spin_rounds_ = 0;
  std::vector<uint64_t> change_points_;
  bool compares_states_ = false;
  bool contends_ = false;  // the access that was just made
  uint64_t memory_hash_ = 0;
  // The host: what it did to files, and what it has read and done since it last had nothing to do.
  uint64_t host_done_ = 0, host_since_ = 0;
  std::vector<BusStore> bus_stores_;  // of all lanes, each in its order
  std::vector<Location*> rewritten_;  // words whose value may differ from the one in memory_hash_
  uint32_t* sc_clock_;
  uint32_t* launch_clock_;  // what happened before every actor of the launch
  uint32_t* joined_;
};

/// The engine of this thread, while it runs a schedule.
__attribute__((tls_model("initial-exec"), visibility("hidden"))) inline constinit thread_local Engine* engine_of_thread = nullptr;

}  // namespace warpfs
