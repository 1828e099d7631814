// Who goes on: one scheduler after the other, and the usual rule where nothing is decided.
#include "engine.h"
#include "search.h"

#include <algorithm>
#include <bit>

namespace warpfs {

void Engine::make_ready(Actor& actor) {
  if (actor.state == ActorState::READY) return;
  if (is_starved(actor)) {
    actor.state = ActorState::STARVED;
    return;
  }
  actor.state = ActorState::READY;
  actor.ready_place = ready_count_;
  ready_[ready_count_++] = &actor;
  if (!actor.announced) unannounced_.push_back(&actor);
}

/// Out of a collective: what it does next is not known before it has run on. The lane that came last never stopped being ready.
void Engine::let_on(Actor& actor) {
  actor.announced = false;
  if (actor.state == ActorState::READY) unannounced_.push_back(&actor);
  else make_ready(actor);
}

void Engine::remove_ready(Actor& actor) {
  if (actor.ready_place < ready_count_ && ready_[actor.ready_place] == &actor) {
    Actor* last = ready_[--ready_count_];
    ready_[actor.ready_place] = last;
    last->ready_place = actor.ready_place;
  }
}

void Engine::block_current(ActorState state) {
  Actor& self = *current_;
  self.step++;
  self.atomics = 0;
  if (state != ActorState::READY) {
    remove_ready(self);
    self.state = state;
  }
  go_on_with_another();
}

void Engine::switch_to(Actor& next) {
  Actor* self = current_;
  set_current(&next);
  fiber_switch(&self->context, next.context);
}

void Engine::go_on_with_another() {
  for (;;) {
    Actor* next = pick();
    if (next == current_) return;
    if (next != nullptr) return switch_to(*next);
    if (!stalled()) return leave_fiber();
  }
}

Actor* Engine::next_unannounced() {
  while (unannounced_at_ < unannounced_.size()) {
    Actor* next = unannounced_[unannounced_at_++];
    if (next->state == ActorState::READY && !next->announced) return next;
  }
  unannounced_.clear();
  unannounced_at_ = 0;
  return nullptr;
}

/// The running actor, else the next one that can.
Actor* Engine::usual(uint32_t after) {
  const bool lockstep = lanes_share(options_.progress) && !quiet_ && kind_ != SchedulerKind::EXHAUSTIVE;
  const auto can = [&](const Actor& actor) { return actor.state == ActorState::READY && !(lockstep && is_held(actor)); };
  if (can(actors_[after])) return &actors_[after];
  for (uint32_t step = 1; step < actors_max_; step++) {
    Actor& next = actors_[(after + step) % actors_max_];
    if (can(next)) return &next;
  }
  return nullptr;
}

Actor* Engine::pick() {
  if (unannounced_at_ < unannounced_.size()) {
    if (Actor* next = next_unannounced()) return next;
  }
  if (steps_ >= starve_at_) starve_some();
  if (ready_count_ == 0) return nullptr;
  const uint32_t from = current_ == nullptr ? 0 : current_->id;
  if (quiet_) return usual(from);
  Actor* next = nullptr;
  if (lanes_share(options_.progress) && kind_ != SchedulerKind::REPLAY && kind_ != SchedulerKind::EXHAUSTIVE) {
    next = pick_lockstep();
  } else {
    switch (kind_) {
      case SchedulerKind::RANDOM: next = pick_random(); break;
      case SchedulerKind::PCT: next = pick_by_priority(); break;
      case SchedulerKind::POS: next = pick_pos(); break;
      case SchedulerKind::EXHAUSTIVE:
        next = search->pick(*this);
        if (next == nullptr) return host_;  // pruned, and here again only for the host to get to its end
        break;
      default: {
        uint32_t value = 0;
        if (current_ != nullptr && find_decision(*current_, current_->step, DecisionKind::SWITCH, value) && value < actors_max_ &&
            actors_[value].state == ActorState::READY) {
          next = &actors_[value];
        } else {
          next = usual(from);
        }
      }
    }
  }
  if (recording_ && current_ != nullptr && next != nullptr && next != usual(from)) recorded_.push_back({from, current_->step, DecisionKind::SWITCH, next->id});
  return next;
}

bool Engine::find_decision(const Actor& actor, uint32_t step, DecisionKind kind, uint32_t& value) {
  for (const Decision& decision : replay_of_[actor.id]) {
    if (decision.step == step && decision.kind == kind) {
      value = decision.value;
      return true;
    }
  }
  return false;
}

Actor* Engine::pick_random() {
  if (ready_count_ == 1) return ready_[0];
  if (stay_ != 1 && current_ != nullptr && current_->state == ActorState::READY && random_.below(stay_) != 0) return current_;
  return ready_[random_.below(ready_count_)];
}

Actor* Engine::pick_by_priority() {
  for (uint64_t& change : change_points_) {
    if (steps_ < change || change == 0 || current_ == nullptr) continue;
    change = 0;
    current_->priority = --lowest_priority_;
  }
  Actor* best = ready_[0];
  for (uint32_t place = 1; place < ready_count_; place++) {
    if (ready_[place]->priority > best->priority) best = ready_[place];
  }
  return best;
}

/// Partial-order sampling: every access has a priority of its own; those that conflict with the one that happens draw another.
Actor* Engine::pick_pos() {
  Actor* best = ready_[0];
  for (uint32_t place = 1; place < ready_count_; place++) {
    if (ready_[place]->priority > best->priority) best = ready_[place];
  }
  for (uint32_t place = 0; place < ready_count_; place++) {
    Actor& other = *ready_[place];
    const bool conflicts = other.op.where != nullptr && other.op.where == best->op.where && (other.op.writes() || best->op.writes());
    if (conflicts) other.priority = random_.next();
  }
  best->priority = random_.next();
  return best;
}

/// Lanes of a warp that share one program counter: does another one stand at an earlier place? It may be one that waits.
bool Engine::is_held(const Actor& actor) const {
  if (actor.warp == nullptr) return false;
  for (uint32_t lane = 0; lane < actor.warp->lane_count; lane++) {
    const Actor& sibling = actors_[actor.warp->first_actor + lane];
    const bool stands = sibling.state == ActorState::READY || sibling.state == ActorState::WAITING;
    if (stands && sibling.op.pc < actor.op.pc) return true;
  }
  return false;
}

/// The lanes of a warp share one program counter: those that stand at the same place take one step each, in their order; lanes that
/// stand further on wait for them. Null where all that are ready do.
Actor* Engine::pick_lockstep() {
  while (!lockstep_.empty()) {
    Actor* next = lockstep_.back();
    lockstep_.pop_back();
    if (next->state == ActorState::READY) return next;
  }
  const uint32_t begin = random_.below(ready_count_);
  Actor* drawn = nullptr;
  for (uint32_t tried = 0; tried < ready_count_ && drawn == nullptr; tried++) {
    Actor* const candidate = ready_[(begin + tried) % ready_count_];
    if (!is_held(*candidate)) drawn = candidate;
  }
  if (drawn == nullptr || drawn->warp == nullptr) return drawn;
  const CheckWarp& warp = *drawn->warp;
  for (uint32_t lane = warp.lane_count; lane-- > 0;) {
    Actor& sibling = actors_[warp.first_actor + lane];
    if (sibling.state == ActorState::READY && sibling.op.pc == drawn->op.pc) lockstep_.push_back(&sibling);
  }
  Actor* next = lockstep_.back();
  lockstep_.pop_back();
  return next;
}

/// From here on those warps get no turn that the progress model does not promise one, until all others have ended.
void Engine::starve_some() {
  starve_at_ = steps_;
  starving_ = true;
  choose_starved();
  if (!starving_) {
    starve_at_ = steps_ + 1;  // nobody has run who could be promised anything
    return;
  }
  if (recording_) recorded_.push_back({host_->id, uint32_t(starve_at_), DecisionKind::STARVE, 0});
  starve_at_ = ~uint64_t(0);
}

namespace {

/// One of the bits that are set; none where none is.
uint64_t nth_bit(uint64_t bits, uint64_t n) {
  if (bits == 0) return 0;
  for (n %= uint64_t(std::popcount(bits)); n > 0; n--) bits &= bits - 1;
  return bits & (~bits + 1);
}

}  // namespace

void Engine::choose_starved() {
  uint64_t alive = 0, has_run = 0;
  for (const Actor& actor : actors_) {
    if (actor.warp == nullptr || actor.state == ActorState::ABSENT || actor.state == ActorState::DONE || actor.party >= 64) continue;
    alive |= uint64_t(1) << actor.party;
    // The access that it has announced is a step that it has not made yet.
    if (actor.step > (actor.announced ? 1 : 0)) has_run |= uint64_t(1) << actor.party;
  }
  uint64_t fair = fair_set(options_.progress, alive, has_run);
  // Somebody runs, whoever that is: one of those that are left, to its end.
  if (options_.progress == Progress::APPLE) fair = nth_bit(alive, starve_at_);
  if (fair == 0 && starved_ == 0) starving_ = false;
  starved_ = starving_ ? alive & ~fair : 0;
  for (Actor& actor : actors_) {
    if (actor.state == ActorState::READY && is_starved(actor)) {
      remove_ready(actor);
      actor.state = ActorState::STARVED;
    } else if (actor.state == ActorState::STARVED && !is_starved(actor)) {
      make_ready(actor);
    }
  }
}

}  // namespace warpfs
