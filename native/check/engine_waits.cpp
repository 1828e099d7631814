// Waiting: until something that was read has changed; what happens where nobody can go on; and the choices that are not about who goes on.
#include "engine.h"
#include "search.h"

#include <algorithm>

namespace warpfs {

namespace {
constexpr size_t STUCK_SHOWN = 6;
constexpr uint32_t SPIN_ROUNDS_MAX = 2000;  // times that lanes which spin are let on although nothing changed
constexpr uint32_t IDLE_PAUSES_MAX = 2;  // of a warp that does something itself between one and the next
}  // namespace

bool Engine::is_changed(const Party& party, uint32_t id) const {
  const uint32_t kept = std::min(party.seen_count, SEEN_MAX);
  for (uint32_t at = 0; at < kept; at++) {
    if (party.seen[at].is_changed(id)) return true;
  }
  return party.forgot_changed || (party.seen_count > SEEN_MAX && total_writes_ - party.own_writes != party.writes_by_others);
}

void Engine::pause(bool spins, uintptr_t pc) {
  Actor& self = *current_;
  Party& party = parties_[self.party];
  self.step++;
  steps_++;
  self.pauses++;
  self.atomics = 0;
  self.spins = spins;
  self.op = {OpKind::AWAIT, nullptr, pc};
  self.announced = true;
  if (&self == host_) host_since_ = 0;  // it has nothing in hand: only what it did to files stays
  if (steps_ > options_.step_limit) report("livelock", "more than " + std::to_string(options_.step_limit) + " steps", {&self});
  if (kind_ == SchedulerKind::PCT) self.priority = --lowest_priority_;
  // A warp that has itself done something since it waited last may find more to do without anybody's help.
  party.idle_pauses = is_changed(party, self.party) ? 0 : party.idle_pauses + 1;
  const bool did_something = party.own_writes != party.own_writes_before && party.idle_pauses <= IDLE_PAUSES_MAX;
  party.own_writes_before = party.own_writes;
  if (party.idle_pauses != 0 && !did_something) {
    remove_ready(self);
    self.state = ActorState::WAITING;
    const uint32_t kept = std::min(party.seen_count, SEEN_MAX);
    for (uint32_t at = 0; at < kept; at++) party.seen[at].where->has_waiters = true;
    if (party.seen_count > SEEN_MAX) some_forgot_ = true;
    waiting_.push_back(&self);
  } else if (quiet_ && host_until_ == nullptr) {
    // Without decisions nobody else would ever go on.
    Actor* next = usual((self.id + 1) % actors_max_);
    if (next != &self && next != nullptr) switch_to(*next);
    self.announced = false;
    party.forget();
    party.writes_by_others = total_writes_ - party.own_writes;
    return;
  }
  go_on_with_another();
  self.announced = false;
  if (kind_ == SchedulerKind::EXHAUSTIVE && !quiet_) search->awaited(*this, self, party);
  party.forget();
  party.writes_by_others = total_writes_ - party.own_writes;
}

void Engine::wake_waiters(Location& where) {
  bool still = false;
  for (size_t at = 0; at < waiting_.size();) {
    Actor& actor = *waiting_[at];
    Party& party = parties_[actor.party];
    if (is_changed(party, actor.party)) {
      party.idle_pauses = 0;  // what it does from here on it had not tried before
      waiting_.erase(waiting_.begin() + std::ptrdiff_t(at));
      make_ready(actor);
      continue;
    }
    still = true;
    at++;
  }
  if (!still) where.has_waiters = false;
}

// ---- Choices that are not about who goes on.

uint32_t Engine::choose(uint32_t alternatives) {
  if (alternatives < 2 || quiet_) return 0;
  Actor& self = *current_;
  const uint32_t place = ++self.choices;
  uint32_t value = 0;
  if (kind_ == SchedulerKind::REPLAY) find_decision(self, place, DecisionKind::HOST, value);
  else if (kind_ == SchedulerKind::EXHAUSTIVE) value = search->choose(*this, alternatives);
  else if ((random_.next() & 1) != 0) value = random_.below(alternatives);
  if (value >= alternatives) value = 0;
  if (recording_ && value != 0) recorded_.push_back({self.id, place, DecisionKind::HOST, value});
  return value;
}

bool Engine::happens(uint32_t permille) {
  if (permille == 0 || quiet_) return false;
  Actor& self = *current_;
  const uint32_t place = ++self.choices;
  uint32_t value = 0;
  if (kind_ == SchedulerKind::REPLAY) find_decision(self, place, DecisionKind::HOST, value);
  else if (kind_ != SchedulerKind::EXHAUSTIVE) value = random_.below(1000) < permille ? 1 : 0;
  if (recording_ && value != 0) recorded_.push_back({self.id, place, DecisionKind::HOST, value});
  return value != 0;
}

/// Nobody can go on. True where somebody can by now.
bool Engine::stalled() {
  if (lanes_live_ == 0 || host_until_ != nullptr) {
    end_ = RunEnd::LANES_DONE;
    return false;
  }
  if (starving_) {
    bool starved_lane = false, waiting_lane = false;
    for (const Actor& actor : actors_) {
      if (actor.warp != nullptr && actor.state == ActorState::STARVED) starved_lane = true;
      if (actor.warp != nullptr && actor.state == ActorState::WAITING) waiting_lane = true;
    }
    if (starved_lane && !waiting_lane) {
      starving_ = false;  // everybody else has ended: now they have their turn
      for (Actor& actor : actors_) {
        if (actor.state == ActorState::STARVED) make_ready(actor);
      }
      return ready_count_ != 0;
    }
  }
  bool woken = false;
  for (size_t at = 0; at < waiting_.size();) {
    Actor& actor = *waiting_[at];
    if (!actor.spins || spin_rounds_ >= SPIN_ROUNDS_MAX) {
      at++;
      continue;
    }
    waiting_.erase(waiting_.begin() + std::ptrdiff_t(at));
    make_ready(actor);
    woken = true;
  }
  if (woken) {
    spin_rounds_++;
    return true;
  }
  if (speculation_.pending) {  // a guess that keeps everybody waiting: it comes true at most because time has passed
    end_speculation();
    return false;
  }
  if (may_time_pass && may_time_pass()) {
    for (Actor* actor : waiting_) {
      if (actor->warp == nullptr) continue;
      actor->warp->expired = 1;
      expired_waits++;
      make_ready(*actor);
      woken = true;
    }
    std::erase_if(waiting_, [](const Actor* actor) { return actor->state == ActorState::READY; });
    if (woken) return true;
  }
  report_stall();
  return false;
}

void Engine::report_stall() {
  std::vector<const Actor*> stuck;
  std::string message;
  uint32_t more = 0;
  for (const Actor& actor : actors_) {
    if (actor.warp == nullptr || (actor.state != ActorState::WAITING && actor.state != ActorState::COLLECTIVE)) continue;
    const bool waits = actor.state == ActorState::WAITING;
    // Of many lanes that wait for the same sibling a few say enough.
    if (stuck.size() == STUCK_SHOWN && !waits) {
      more++;
      continue;
    }
    stuck.push_back(&actor);
    const CollectiveSite& site = actor.warp->sites[actor.lane];
    message += (message.empty() ? "warp " : "; warp ") + std::to_string(actor.warp->id.item) + " lane " + std::to_string(actor.lane) +
               (waits ? std::string(" waits for ") + waited_for(actor)
                      : std::string(" waits for its siblings at ") + (site.file == nullptr ? "the barrier" : site.file) + ":" + std::to_string(site.line_and_kind >> 8));
  }
  if (more != 0) message += "; and " + std::to_string(more) + " more lanes for their siblings";
  bool waits_for_starved = false;
  for (const Actor& actor : actors_) waits_for_starved |= actor.state == ActorState::STARVED;
  if (waits_for_starved) message += "; the progress model lets the warps starve that could end this";
  const bool holds_others = ready_count_ != 0;
  if (holds_others) message += "; the other lanes share its program counter and cannot go on";
  const char* kind = waits_for_starved || holds_others || spin_rounds_ >= SPIN_ROUNDS_MAX ? "livelock" : "deadlock";
  report(kind, std::move(message), stuck);
}

std::string Engine::waited_for(const Actor& actor) const {
  const Party& party = parties_[actor.party];
  if (party.seen_count == 0) return "nothing that anybody could write";
  std::string names;
  const uint32_t shown = std::min(party.seen_count, 3u);
  for (uint32_t back = 1; back <= shown; back++) {
    names += (back == 1 ? "" : ", ") + describe(*party.seen[(party.seen_count - back) % SEEN_MAX].where);
  }
  return "a change of " + names;
}

}  // namespace warpfs
