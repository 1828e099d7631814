#include "check_world.h"

#include "attached.h"

#include "../host/host_error.h"

#include <algorithm>
#include <cstring>

namespace warpfs {

namespace {

constexpr uint64_t OWN_BYTES = uint64_t(1) << 32;  // of address space, for the kernels' own buffers
constexpr uint64_t BUFFER_GAP = 256;               // belongs to nobody, so that a step beside a buffer is seen
constexpr size_t LANE_STACK_BYTES = 65536;
constexpr size_t HOST_STACK_BYTES = 262144;
constexpr uint32_t WAIT_POLLS_MAX = 2000;          // a wait that looks so often without an end is a finding
constexpr uint32_t IDLE_ROUNDS_MAX = 64;           // rounds of a replay in which nothing moves
constexpr uint32_t HINTS = 4;                      // so few that pages meet in them
constexpr uint64_t BUS_BYTES = 64;

/// Time belongs to the schedule: waits count polls.
Geometry checked_geometry(const MountOptions& mount, bool cuda) {
  Geometry geometry = mount_geometry(mount);
  geometry.hint_count = cuda ? HINTS : 0;
  geometry.wait_ns = 0;
  geometry.wait_polls = WAIT_POLLS_MAX;
  return geometry;
}

}  // namespace

CheckWorld::CheckWorld(const MountOptions& mount, const CheckOptions& check) : mount_(mount), check_(check), warps_(mount.slot_count), groups_(mount.slot_count), resident_(mount.slot_count) {
  const Geometry geometry = checked_geometry(mount, check.cuda);
  const uint64_t lanes = uint64_t(check.lane_count) * mount.slot_count;
  if (check.lane_count < 1 || check.lane_count > 32) throw HostError(-Errno::einval, "laneCount: " + std::to_string(check.lane_count) + " is not from 1 to 32");
  if (check.schedule.scheduler == SchedulerKind::EXHAUSTIVE && lanes >= Search::ACTORS_MAX) {
    throw HostError(-Errno::einval, "the exhaustive search takes at most " + std::to_string(Search::ACTORS_MAX - 1) + " lanes, and " +
                                        std::to_string(mount.slot_count) + " resident warps of " + std::to_string(check.lane_count) + " are " + std::to_string(lanes));
  }
  if (check.schedule.scheduler == SchedulerKind::EXHAUSTIVE && check.schedule.relaxed) {
    throw HostError(-Errno::einval, "the exhaustive search knows memory 'sc' only");
  }
  if (check.schedule.scheduler == SchedulerKind::EXHAUSTIVE && check.cuda) {
    throw HostError(-Errno::einval, "the exhaustive search does not know the accesses of the cuda device: use another scheduler");
  }
  const bool compares_states = check.schedule.scheduler == SchedulerKind::EXHAUSTIVE;
  if (compares_states && !WARPFS_LANE_SWITCH) throw HostError(-Errno::enosys, "the exhaustive search of programs needs x86-64 and Linux");
  const uint64_t mount_bytes = MountMemory::bytes_needed(geometry);
  engine_ = std::make_unique<Engine>(uint32_t(lanes), mount_bytes + OWN_BYTES, LANE_STACK_BYTES, HOST_STACK_BYTES);
  engine_->set_compares_states(compares_states);
  memory_ = std::make_unique<MountMemory>(geometry, engine_->arena());
  engine_->bus_word = reinterpret_cast<uint32_t*>(engine_->arena() + mount_bytes);
  engine_->add_region(engine_->bus_word, sizeof(uint32_t), sizeof(uint32_t), RegionKind::NOWHERE, "bus");
  own_begin_ = engine_->arena() + mount_bytes + BUS_BYTES;
  own_bytes_ = OWN_BYTES - BUS_BYTES;
  const struct {
    const char* name;
    uint32_t element;
  } PARTS[Binding::OWN] = {{"geometry", 0}, {"ring_tails", sizeof(RingTail)}, {"ring_heads", sizeof(RingHead)}, {"requests", sizeof(Request)},
                           {"words", 4}, {"tags", sizeof(LineTag)}, {"auxes", sizeof(LineAux)}, {"dones", sizeof(LineDone)}, {"sets", sizeof(SetState)},
                           {"lines", 0}, {"files", sizeof(FileEntry)}, {"mailboxes", sizeof(Mailbox)}, {"outboxes", OUTBOX_BYTES},
                           {"records", sizeof(ItemRecord)}, {"stats", sizeof(WarpStats)}, {"fault", sizeof(FaultRecord)},
                           {"logs", sizeof(LogEntry)}, {"loads", 4}, {"gates", 4}, {"dirty", 4}, {"masks", geometry.line_bytes / 8}, {"hints", sizeof(Hint)}};
  for (uint32_t binding = 0; binding < Binding::OWN; binding++) {
    if (memory_->bytes_of(binding) == 0) continue;
    const uint32_t element = binding == Binding::LINES ? geometry.line_bytes : binding == Binding::GEOMETRY ? uint32_t(sizeof(Geometry)) : PARTS[binding].element;
    engine_->add_region(memory_->binding(binding), memory_->bytes_of(binding), element, RegionKind(binding), PARTS[binding].name);
  }
  watch_ = std::make_unique<ProtocolWatch>(*engine_, *memory_);
  watch_->counts_all_dirty = check.cuda && !mount.replay;
  engine_->watch = watch_.get();
  engine_->may_time_pass = [this] { return host_->dead() || faulty(); };
  engine_->on_warp_done = [this](CheckWarp& warp) { warp_done(warp); };
  if (check.module.empty()) {
    builtins_ = checked_kernels(mount.policy, mount.replay, check.cuda);
  } else {
    builtins_ = module(check.module).builtins(mount.policy, mount.replay, check.cuda, check.mutant);
  }
  if (builtins_ == nullptr) throw HostError(-Errno::einval, "no built-in kernels for policy " + std::to_string(mount.policy));
  make_host();
}

CheckWorld::~CheckWorld() {
  host_.reset();
  // The last first: a C library takes thread-local memory of modules back in that order alone, and has little of it.
  while (!modules_.empty()) modules_.pop_back();
}

void CheckWorld::make_host() {
  host_.reset();
  if (check_.cuda) {
    HostChoices& choices = *this;
    link_ = std::make_unique<CheckLink>(*engine_, *memory_, choices);
  }
  host_.reset(new HostSide(link_ != nullptr ? link_->host_view() : memory_->host_view(), mount_.root, mount_.read_only, check_.faults, *this));
}

void CheckWorld::came_back() {
  watch_->host_came_back();
  if (link_ != nullptr) link_->host_came_back();
}

void CheckWorld::turn(FileTable& files) {
  if (link_ != nullptr) link_->turn(files);
}

KernelModule& CheckWorld::module(const std::string& path) {
  for (auto& [loaded_path, loaded] : modules_) {
    if (loaded_path == path) return *loaded;
  }
  return *modules_.emplace_back(path, std::make_unique<KernelModule>(path, true)).second;
}

KernelEntry CheckWorld::kernel(const std::string& path) { return path.empty() ? builtins_->program : module(path).entry(); }

// ---- The host actor.

void CheckWorld::host_body(void* self) {
  CheckWorld& world = *static_cast<CheckWorld*>(self);
  world.host_->run();
}

void CheckWorld::begin_schedule(const ScheduleOptions& options, const Decisions* replayed, bool record, bool trace, Search* search) {
  engine_->search = search;
  engine_->begin_schedule(options, replayed, record, trace);
  if (search != nullptr) search->begin_execution(engine_->actor_count());
  watch_->begin_schedule();
  engine_->outer_state = 0;
  engine_->add_host(host_body, this);
}

bool CheckWorld::drain() {
  const Attached attached(*engine_, this);
  engine_->run_host([] { return false; });
  return !engine_->stopped();
}

void CheckWorld::end_schedule() {
  if (engine_->stopped()) engine_->resume_for_cleanup();
  host_->stop();
  Actor& actor = *engine_->host();
  if (actor.state == ActorState::DONE || actor.state == ActorState::ABSENT) return;
  const Attached attached(*engine_, this);
  engine_->make_ready(actor);
  engine_->run_host([] { return false; });
}

void CheckWorld::touch(void* p, size_t bytes) {
  for (size_t at = 0; at < bytes; at += 4) engine_->location(static_cast<uint8_t*>(p) + at);
}

/// With a courier between them the host has words and bytes of its own.
bool CheckWorld::is_shared(const void* p) const { return uintptr_t(p) - uintptr_t(engine_->arena()) < engine_->arena_bytes(); }

uint64_t CheckWorld::load(const void* word, uint32_t bytes, int order) {
  void* p = const_cast<void*>(word);
  if (engine_->in_fiber() && is_shared(p)) return engine_->load(p, bytes, order, uintptr_t(__builtin_return_address(0)));
  return *static_cast<const uint32_t*>(word);
}

void CheckWorld::store(void* word, uint64_t value, uint32_t bytes, int order) {
  if (is_shared(word)) {
    if (engine_->in_fiber()) return engine_->store(word, bytes, uint32_t(value), order, uintptr_t(__builtin_return_address(0)));
    touch(word, bytes);
  }
  *static_cast<uint32_t*>(word) = uint32_t(value);
}

void CheckWorld::read_bytes(const void* from, void* to, size_t count) {
  if (engine_->in_fiber() && is_shared(from)) engine_->host_bytes(const_cast<void*>(from), count, false, uintptr_t(__builtin_return_address(0)));
  std::memcpy(to, from, count);
}

void CheckWorld::write_bytes(void* to, const void* from, size_t count) {
  if (is_shared(to)) {
    if (engine_->in_fiber()) engine_->host_bytes(to, count, true, uintptr_t(__builtin_return_address(0)));
    else touch(to, count);
  }
  if (from == nullptr) std::memset(to, 0, count);
  else std::memcpy(to, from, count);
}

// ---- Buffers.

uint8_t* CheckWorld::place_buffer(uint64_t bytes, bool results) {
  const uint64_t needed = ((bytes + 15) & ~uint64_t(15)) + BUFFER_GAP;
  if (own_used_ + needed > own_bytes_) throw HostError(-Errno::enomem, "the buffers of one dispatch may have " + std::to_string(own_bytes_) + " bytes under check mode");
  uint8_t* place = own_begin_ + own_used_;
  own_used_ += needed;
  if (bytes == 0) return place;
  engine_->add_region(place, bytes, results ? uint32_t(sizeof(ProgramResult)) : 4, results ? RegionKind::RESULTS : RegionKind::OWN, results ? "results" : "buffer");
  return place;
}

void CheckWorld::drop_buffers() {
  own_used_ = 0;
  for (RegionKind kind : {RegionKind::OWN, RegionKind::RESULTS, RegionKind::GROUP}) engine_->drop_regions(kind);
}

// ---- Dispatches.

void CheckWorld::lane_body(Lane& lane, const WarpId& id, void* argument) {
  CheckWorld& world = *static_cast<CheckWorld*>(argument);
  world.entry_(lane, id.item, id.slot, world.bindings_.data());
}

void CheckWorld::start_group(uint32_t group_place) {
  const uint32_t size = std::min(dispatch_->group_warps, warp_count_ - next_warp_);
  CheckGroup& group = groups_[group_place];
  const uint32_t first_place = group_place * dispatch_->group_warps;
  group.warps.clear();
  group.live_warps = size;
  group.waiting = 0;
  if (dispatch_->group_memory_bytes != 0) {
    std::memset(group.memory, 0, dispatch_->group_memory_bytes);
    engine_->renew(group.memory, dispatch_->group_memory_bytes);
  }
  for (uint32_t index = 0; index < size; index++) {
    CheckWarp& warp = warps_[first_place + index];
    const uint32_t next = next_warp_++;
    warp.id = {items_ == nullptr ? next : items_[slots_[next]], slots_ == nullptr ? first_place + index : slots_[next]};
    warp.body = lane_body;
    warp.argument = this;
    group.warps.push_back(&warp);
    warp.begin(*engine_, check_runtime(engine_->compares_states()), group, check_.lane_count);
  }
  for (uint32_t index = 0; index < size; index++) engine_->add_warp(warps_[first_place + index], first_place + index, check_.lane_count);
}

void CheckWorld::warp_done(CheckWarp& warp) {
  if (warp.group->live_warps != 0 || next_warp_ == warp_count_) return;
  start_group(uint32_t(warp.group - groups_.data()));
}

/// One launch to its end. False where the schedule was stopped.
bool CheckWorld::launch(const Dispatch& dispatch, KernelEntry entry, const uint32_t* slots, const uint32_t* items, uint32_t count) {
  dispatch_ = &dispatch;
  entry_ = entry;
  slots_ = slots;
  items_ = items;
  next_warp_ = 0;
  warp_count_ = count;
  const uint32_t places = resident_ / dispatch.group_warps;
  engine_->join_all();
  for (uint32_t place = 0; place < places && next_warp_ < count; place++) start_group(place);
  const bool ended = engine_->run_lanes() == RunEnd::LANES_DONE;
  if (ended) engine_->join_all();
  return ended;
}

DispatchResult CheckWorld::run(const Dispatch& dispatch, bool quiet) {
  DispatchResult result;
  engine_->outer_state += uint64_t(1) << 60;
  if (dispatch.all_resident && dispatch.items > resident_) {
    throw HostError(-Errno::erange, std::to_string(dispatch.items) + " work items wait for each other, but only " + std::to_string(resident_) + " can be resident");
  }
  if (mount_.replay && dispatch.group_warps > 1) {
    throw HostError(-Errno::einval, "groups of several warps cannot be replayed one warp at a time: use wait 'spin'");
  }
  if (dispatch.group_warps > resident_) throw HostError(-Errno::erange, "a group of " + std::to_string(dispatch.group_warps) + " warps does not fit: " + std::to_string(resident_) + " can be resident");
  const KernelEntry entry = kernel(dispatch.module);
  if (dispatch.group_memory_bytes != 0) {
    for (uint32_t place = 0; place < resident_ / dispatch.group_warps; place++) {
      const uint64_t needed = ((dispatch.group_memory_bytes + 15u) & ~15u) + BUFFER_GAP;
      groups_[place].memory = own_begin_ + own_used_;
      engine_->add_region(groups_[place].memory, dispatch.group_memory_bytes, 4, RegionKind::GROUP, "group_memory");
      own_used_ += needed;
    }
  }
  bindings_.clear();
  for (uint32_t index = 0; index < Binding::OWN; index++) bindings_.push_back(memory_->binding(index));
  bindings_.insert(bindings_.end(), dispatch.buffers.begin(), dispatch.buffers.end());
  const Attached attached(*engine_, this);
  for (auto& [path, loaded] : modules_) loaded->check_attach(check_entry, check_runtime(engine_->compares_states()));
  engine_->set_quiet(quiet);
  const uint64_t steps = engine_->steps();
  if (mount_.replay) {
    run_replay(dispatch, entry, result);
  } else {
    launch(dispatch, entry, nullptr, nullptr, dispatch.items);
    result.rounds = 1;
  }
  engine_->set_quiet(false);
  result.nanoseconds = engine_->steps() - steps;
  if (!engine_->stopped()) {
    engine_->run_host([] { return false; });
    uint32_t exceeded = 0;
    for (const CheckWarp& warp : warps_) exceeded += warp.waits_exceeded;
    if (exceeded != 0 && !faulty()) engine_->report("wait_exceeded", "a wait looked " + std::to_string(WAIT_POLLS_MAX) + " times and was not over");
  }
  collect(result);
  return result;
}

void CheckWorld::run_replay(const Dispatch& dispatch, KernelEntry entry, DispatchResult& result) {
  ItemRecord* records = memory_->at<ItemRecord>(Binding::RECORDS);
  std::vector<uint32_t> items(resident_), active, free_slots(resident_);
  for (uint32_t slot = 0; slot < resident_; slot++) free_slots[slot] = resident_ - 1 - slot;
  uint32_t next_item = 0, idle_rounds = 0;
  bool abandoned = false;
  while (next_item < dispatch.items || !active.empty()) {
    while (next_item < dispatch.items && !free_slots.empty()) {
      const uint32_t slot = free_slots.back();
      free_slots.pop_back();
      touch(&records[slot], sizeof(ItemRecord));
      const uint32_t asked = records[slot].mail_sequence;  // the mailbox goes on counting
      records[slot] = ItemRecord{};
      records[slot].mail_sequence = asked;
      items[slot] = next_item++;
      active.push_back(slot);
    }
    const uint64_t completions = host_->completions();
    engine_->outer_state = (uint64_t(next_item) << 32 | idle_rounds) * 0x9e3779b97f4a7c15u;
    for (uint32_t slot : active) engine_->outer_state = (engine_->outer_state ^ (uint64_t(slot) << 32 | items[slot])) * 0x9e3779b97f4a7c15u;
    if (!launch(dispatch, entry, active.data(), items.data(), uint32_t(active.size()))) return;
    result.rounds++;
    const size_t before = active.size();
    for (size_t at = 0; at < active.size();) {
      if (records[active[at]].status != ItemStatus::DONE) {
        at++;
        continue;
      }
      free_slots.push_back(active[at]);
      active.erase(active.begin() + std::ptrdiff_t(at));
    }
    if (active.empty()) continue;
    // A round is worth its cost once the host has answered something.
    engine_->run_host([&] { return host_->completions() > completions; });
    if (engine_->stopped()) return;
    const bool moved = active.size() != before || host_->completions() > completions;
    idle_rounds = moved ? 0 : idle_rounds + 1;
    if (idle_rounds < IDLE_ROUNDS_MAX) continue;
    if (!host_->dead() && !faulty()) {
      return engine_->report("livelock", std::to_string(active.size()) + " pending items, and " + std::to_string(IDLE_ROUNDS_MAX) + " rounds in which neither they nor the host got anywhere");
    }
    if (abandoned) return;
    abandoned = true;
    idle_rounds = 0;
    entry = builtins_->abandon;
    result.failed_items = dispatch.items - next_item;
    for (; next_item < dispatch.items; next_item++) {
      if (result.failures.size() < FAULT_ITEMS_MAX) result.failures.push_back({next_item, -Errno::etimedout});
    }
  }
}

void CheckWorld::collect(DispatchResult& result) {
  FaultRecord* fault = memory_->at<FaultRecord>(Binding::FAULT);
  result.failed_items += fault->count;
  for (uint32_t i = 0; i < std::min<uint32_t>(fault->count, FAULT_ITEMS_MAX); i++) result.failures.push_back({fault->items[i], fault->errors[i]});
  result.lane_values[0] = fault->lane_values[0];
  result.lane_values[1] = fault->lane_values[1];
  touch(fault, sizeof(FaultRecord));
  *fault = FaultRecord{};
}

int32_t CheckWorld::sync() {
  Dispatch dispatch;
  dispatch.items = (memory_->geometry().line_count + builtins_->sweep_lines - 1) / builtins_->sweep_lines;
  const BuiltinKernels* const kernels = builtins_;
  DispatchResult result;
  {
    const Attached attached(*engine_, this);
    for (auto& [path, loaded] : modules_) loaded->check_attach(check_entry, check_runtime(engine_->compares_states()));
    bindings_.clear();
    for (uint32_t index = 0; index < Binding::OWN; index++) bindings_.push_back(memory_->binding(index));
    engine_->set_quiet(true);
    if (mount_.replay) run_replay(dispatch, kernels->sweep, result);
    else launch(dispatch, kernels->sweep, nullptr, nullptr, dispatch.items);
    if (!engine_->stopped()) engine_->run_host([] { return false; });
    collect(result);
    engine_->set_quiet(false);
  }
  if (engine_->stopped()) return -Errno::eio;
  const Attached attached(*engine_, this);
  const int32_t synced = host_->sync_all();
  return result.failures.empty() ? synced : result.failures.front().error;
}

void CheckWorld::check_rest() {
  if (engine_->stopped()) return;
  if (!host_->idle() && !host_->dead()) return engine_->report("completion_lost", "the host has left requests unanswered");
  watch_->at_rest(faulty() || host_->dead());
}

}  // namespace warpfs
