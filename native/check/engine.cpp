#include "engine.h"

#include "../host/assert.h"
#include "search.h"
#include "protocol_watch.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace warpfs {

namespace {

constexpr uint32_t BLOCK = 1024;           // locations of one block
constexpr size_t COMPARED_STACK_BYTES = 8192;  // of a lane; cleared before it begins

void* reserve(uint64_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "cannot reserve the memory of check mode");
  return memory;
}

void lane_main(void* argument) {
  Actor* actor = static_cast<Actor*>(argument);
  CheckWarp& warp = *actor->warp;
  warp.body(warp.lanes[actor->lane], warp.id, warp.argument);
  engine_of_thread->lane_done();
  __builtin_unreachable();
}

struct HostEntry {
  void (*body)(void*);
  void* argument;
};
thread_local HostEntry host_entry;

void host_main(void*) {
  host_entry.body(host_entry.argument);
  engine_of_thread->host_done();
  __builtin_unreachable();
}

}  // namespace

Engine::Engine(uint32_t lanes_max, uint64_t arena_bytes, size_t lane_stack_bytes, size_t host_stack_bytes)
    : arena_bytes_((arena_bytes + 4095) & ~uint64_t(4095)), lane_stacks_(lane_stack_bytes), host_stacks_(host_stack_bytes),
      actors_(lanes_max + 1), parties_(lanes_max + 1), actors_max_(lanes_max + 1), width_((lanes_max + 1 + 7) & ~7u), ready_(lanes_max + 1),
      replay_of_(lanes_max + 1) {
  arena_ = static_cast<uint8_t*>(reserve(arena_bytes_));
  shadow_ = static_cast<uint32_t*>(reserve(arena_bytes_));  // four bytes for each granule of four
  locations_.push_back(nullptr);
  location_count_ = BLOCK;
  clock_memory_.resize(size_t(width_) * 2 * (actors_max_ + 3));
  uint32_t* const clocks = clock_memory_.data();
  sc_clock_ = clocks + size_t(actors_max_) * 2 * width_;
  launch_clock_ = sc_clock_ + 2 * width_;
  joined_ = launch_clock_ + 2 * width_;
  for (uint32_t id = 0; id < actors_max_; id++) {
    actors_[id].id = id;
    actors_[id].clock = clocks + size_t(id) * 2 * width_;
    actors_[id].sc_view = actors_[id].clock + width_;
  }
  host_ = &actors_[lanes_max];
  host_->party = lanes_max;
  actor_count_ = actors_max_;
}

Engine::~Engine() {
  for (Location* block : locations_) delete[] block;
  munmap(arena_, arena_bytes_);
  munmap(shadow_, arena_bytes_);
}

void Engine::add_region(void* begin, uint64_t bytes, uint32_t element, RegionKind kind, const char* name) {
  const uint32_t first = uint32_t((static_cast<uint8_t*>(begin) - arena_) >> 2);
  const Region region = {first, first + uint32_t((bytes + 3) >> 2), bytes, element, kind, name};
  regions_.insert(std::upper_bound(regions_.begin(), regions_.end(), region, [](const Region& a, const Region& b) { return a.first < b.first; }), region);
}

void Engine::drop_regions(RegionKind kind) {
  std::erase_if(regions_, [&](const Region& region) { return region.kind == kind; });
}

Location* Engine::first_touch(uint32_t granule) {
  const auto above = std::upper_bound(regions_.begin(), regions_.end(), granule, [](uint32_t g, const Region& r) { return g < r.first; });
  if (above == regions_.begin() || granule >= (above - 1)->end) return nullptr;
  const Region& region = *(above - 1);
  if (location_count_ == locations_.size() * BLOCK) locations_.push_back(new Location[BLOCK]);
  const uint32_t place = location_count_++;
  Location* where = locations_[place / BLOCK] + place % BLOCK;
  *where = Location{};
  where->granule = granule;
  where->initial = where->hashed = value_at(*where);
  where->kind = region.kind;
  const uint32_t offset = (granule - region.first) * 4;
  where->index = offset / region.element;
  where->field = offset % region.element;
  where->writer_party = NO_SLOT;
  shadow_[granule] = place;
  if (watch != nullptr) watch->first_touch(*where);
  return where;
}

void Engine::undo() {
  for (uint32_t place = BLOCK; place < location_count_; place++) {
    const Location& where = locations_[place / BLOCK][place % BLOCK];
    reinterpret_cast<uint32_t*>(arena_)[where.granule] = where.initial;
    shadow_[where.granule] = 0;
  }
  location_count_ = BLOCK;
}

void Engine::keep() {
  for (uint32_t place = BLOCK; place < location_count_; place++) shadow_[locations_[place / BLOCK][place % BLOCK].granule] = 0;
  location_count_ = BLOCK;
}

void Engine::renew(void* begin, uint64_t bytes) {
  const uint32_t first = uint32_t((static_cast<uint8_t*>(begin) - arena_) >> 2);
  for (uint32_t granule = first; granule < first + uint32_t((bytes + 3) >> 2); granule++) {
    if (shadow_[granule] == 0) continue;
    Location& where = *location_of(granule);
    while (PlainAccess* access = where.plain) {
      where.plain = access->next;
      access->next = spare_;
      spare_ = access;
    }
    where.atomics = where.readers = nullptr;
    where.pcs = nullptr;
    where.newest = nullptr;
    where.release = nullptr;
    where.last_write = where.reads = nullptr;
    rewritten(where);
  }
}

// ---- A schedule.

void Engine::begin_schedule(const ScheduleOptions& options, const Decisions* replayed, bool record, bool trace) {
  options_ = options;
  recording_ = record;
  tracing_ = trace;
  cleaning_ = quiet_ = stopped_ = starving_ = false;
  expired_waits = 0;
  recorded_.clear();
  trace_.clear();
  finding_ = {};
  steps_ = hash_ = total_writes_ = 0;
  spin_rounds_ = 0;
  some_forgot_ = false;
  starved_ = 0;
  memory_hash_ = host_done_ = host_since_ = 0;
  rewritten_.clear();
  bus_stores_.clear();
  bump_.reset();
  spare_ = nullptr;
  random_ = SeededRandom(options.seed);
  carried_ = options.relaxed ? 2 * width_ : width_;
  kind_ = options.scheduler;
  stay_ = 1;
  if (kind_ == SchedulerKind::PORTFOLIO) {
    constexpr SchedulerKind MEMBERS[] = {SchedulerKind::RANDOM, SchedulerKind::PCT, SchedulerKind::RANDOM, SchedulerKind::POS};
    const uint32_t drawn = random_.below(16);
    kind_ = MEMBERS[drawn % 4];
    options_.depth = 1 + drawn / 4;
    // Switching at every step leaves no long stretches to anybody, which is what an atomicity bug needs.
    if (drawn % 4 == 2) stay_ = 4u << drawn / 4;
  }
  if (replayed != nullptr) {
    kind_ = SchedulerKind::REPLAY;
    for (auto& of_actor : replay_of_) of_actor.clear();
    for (const Decision& decision : *replayed) {
      if (decision.actor < replay_of_.size()) replay_of_[decision.actor].push_back(decision);
    }
  }
  // Few schedules guess: most guesses do not come true.
  speculation_.begin_schedule(options.relaxed && (replayed != nullptr || random_.below(8) == 0));
  change_points_.clear();
  if (kind_ == SchedulerKind::PCT) {
    for (uint32_t change = 1; change < options_.depth; change++) change_points_.push_back(1 + random_.below(uint32_t(length_estimate_)));
    lowest_priority_ = uint64_t(1) << 32;
  }
  starve_at_ = ~uint64_t(0);
  if (replayed != nullptr) {
    for (const Decision& decision : *replayed) {
      if (decision.kind == DecisionKind::STARVE) starve_at_ = decision.step;
    }
  }
  const bool may_starve = options.progress != Progress::FAIR && options.progress != Progress::LOCKSTEP && replayed == nullptr;
  if (may_starve) starve_at_ = 1 + random_.below(uint32_t(length_estimate_));
  ready_count_ = 0;
  unannounced_.clear();
  unannounced_at_ = 0;
  waiting_.clear();
  lockstep_.clear();
  lanes_live_ = 0;
  std::memset(clock_memory_.data(), 0, clock_memory_.size() * sizeof(uint32_t));
  for (Actor& actor : actors_) {
    actor.state = ActorState::ABSENT;
    actor.step = actor.choices = 0;
    actor.known_own = 0;
    actor.has_learned = false;
    actor.unacquired_count = 0;
    actor.fence_release = nullptr;
  }
  for (Party& party : parties_) party.reset();
}

void Engine::begin_actor(Actor& actor) {
  // What the former actor of this place knew is not handed on.
  actor.base = actor.clock[actor.id] + 1;
  if (actor.has_learned) std::memcpy(actor.clock, launch_clock_, carried_ * sizeof(uint32_t));
  actor.has_learned = false;
  actor.known_own = launch_clock_[actor.id];
  actor.clock[actor.id] = actor.base;
  actor.fence_release = nullptr;
  actor.unacquired_count = 0;
  actor.data_accesses = 0;
  actor.announced = false;
  actor.spins = false;
  actor.pauses = 0;
  actor.atomics = 0;
  actor.op = {OpKind::START, nullptr, 0};
  if (kind_ == SchedulerKind::PCT || kind_ == SchedulerKind::POS) actor.priority = random_.next() | uint64_t(1) << 63;
  make_ready(actor);
}

void Engine::add_host(void (*body)(void*), void* argument) {
  host_entry = {body, argument};
  if (host_->stack_top == nullptr) host_->stack_top = host_stacks_.reserve();
  host_stacks_.forget_frames(host_->stack_top);
  host_->context = fiber_prepare(host_->stack_top, host_main, host_);
  begin_actor(*host_);
}

void Engine::add_warp(CheckWarp& warp, uint32_t place, uint32_t lane_count) {
  warp.place = place;
  warp.first_actor = place * lane_count;
  WARPFS_ASSERT(warp.first_actor + lane_count < actors_max_);
  parties_[place].forget();
  for (uint32_t lane = 0; lane < lane_count; lane++) {
    Actor& actor = actors_[warp.first_actor + lane];
    actor.warp = &warp;
    actor.lane = lane;
    actor.party = place;
    if (actor.stack_top == nullptr) actor.stack_top = lane_stacks_.reserve();
    lane_stacks_.forget_frames(actor.stack_top);
    if (compares_states()) {
      if (actor.lane_switch.engine_top == nullptr) {
        const uintptr_t top = reinterpret_cast<uintptr_t>(host_stacks_.reserve());
        actor.lane_switch.engine_top = reinterpret_cast<void*>(top & ~uintptr_t(15));
      }
      host_stacks_.forget_frames(actor.lane_switch.engine_top);
      std::memset(actor.stack_top - COMPARED_STACK_BYTES, 0, COMPARED_STACK_BYTES);
      actor.lane_switch.kernel_at = actor.stack_top;
    }
    actor.context = fiber_prepare(actor.stack_top, lane_main, &actor);
    begin_actor(actor);
    lanes_live_++;
  }
}

void Engine::join_all() {
  std::vector<uint32_t> everybody;
  for (const Actor& actor : actors_) everybody.push_back(actor.id);
  join_actors(everybody);
  for (Actor& actor : actors_) actor.known_own = actor.clock[actor.id] - 1;
  std::memcpy(launch_clock_, host_->clock, carried_ * sizeof(uint32_t));
  launch_clock_[host_->id]--;
}

RunEnd Engine::run_lanes() {
  end_ = RunEnd::LANES_DONE;
  if (stopped_) return RunEnd::STOPPED;
  if (lanes_live_ == 0) return end_;
  Engine* const outer = engine_of_thread;
  engine_of_thread = this;
  Actor* first = pick();
  WARPFS_ASSERT(first != nullptr);
  set_current(first);
  fiber_switch(&main_context_, first->context);
  current_ = nullptr;
  engine_of_thread = outer;
  return end_;
}

void Engine::run_host(const std::function<bool()>& until) {
  if (host_->state != ActorState::READY || stopped_) return;
  Engine* const outer = engine_of_thread;
  engine_of_thread = this;
  const bool was_quiet = quiet_;
  quiet_ = true;
  host_until_ = &until;
  set_current(host_);
  if (!host_->announced) std::erase(unannounced_, host_);
  fiber_switch(&main_context_, host_->context);
  current_ = nullptr;
  host_until_ = nullptr;
  quiet_ = was_quiet;
  engine_of_thread = outer;
}

void Engine::leave_fiber() {
  Actor* self = current_;
  fiber_switch(&self->context, main_context_);
}

void Engine::lane_done() {
  Actor& self = *current_;
  if (!bus_stores_.empty()) end_bus_stores(self);
  self.state = ActorState::DONE;
  remove_ready(self);
  lanes_live_--;
  mix(self.id, OpKind::START, nullptr, 0, "returns");
  CheckWarp* warp = self.warp;
  const bool ended = warp->lane_returned(self.lane);
  if (ended && starving_) choose_starved();
  // Its place may be another warp's by now: what is left here is nobody's.
  ended_.id = self.id;
  ended_.step = ++self.step;
  ended_.state = ActorState::DONE;
  current_ = &ended_;
  if (ended && on_warp_done) on_warp_done(*warp);
  go_on_with_another();
}

void Engine::host_done() {
  current_->state = ActorState::DONE;
  remove_ready(*current_);
  go_on_with_another();
}

void Engine::report(const char* kind, std::string message, const std::vector<const Actor*>& actors) {
  if (cleaning_) return;
  if (speculation_.pending) {
    // What follows from a wrong guess is no finding.
    stopped_ = true;
    end_ = RunEnd::PRUNED;
    if (in_fiber()) leave_fiber();
    return;
  }
  if (!stopped_) {
    finding_ = {kind, std::move(message), {}};
    for (const Actor* actor : actors) finding_.actors.push_back(place_of(*actor));
    stopped_ = true;
  }
  end_ = RunEnd::STOPPED;
  if (in_fiber()) leave_fiber();
}

void Engine::prune() {
  stopped_ = true;
  end_ = RunEnd::PRUNED;
  leave_fiber();
}

void Engine::resume_for_cleanup() {
  stopped_ = false;
  cleaning_ = true;
  speculation_.pending = false;
  ready_count_ = 0;
  unannounced_.clear();
  unannounced_at_ = 0;
  waiting_.clear();
  if (host_->state != ActorState::DONE && host_->state != ActorState::ABSENT) host_->state = ActorState::WAITING;
}

FindingActor Engine::place_of(const Actor& actor) const {
  FindingActor place = {actor.id, actor.warp == nullptr ? -1 : int32_t(actor.warp->id.item), actor.lane, actor.step, {}};
  if (actor.op.pc != 0) place.pcs.push_back(actor.op.pc);
  return place;
}

void Engine::event(const char* name, std::string detail, uint64_t value) {
  if (tracing_) trace_.push_back({steps_, current_ == nullptr ? host_->id : current_->id, name, std::move(detail), value});
}

}  // namespace warpfs
