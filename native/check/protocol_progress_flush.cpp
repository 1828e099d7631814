// Flushes, gates, mail, barriers and the ends of waits; the first state and the rounds: flush.h, gate.h, mail.h, program.h, wait.h.
#include "protocol_progress_step.h"

#include "../host/assert.h"

#include <algorithm>
#include <bit>

namespace warpfs::protocol {

bool truncates(const Scenario& scenario) {
  return std::any_of(scenario.warps.begin(), scenario.warps.end(), [](const std::vector<Call>& calls) {
    return std::any_of(calls.begin(), calls.end(), [](const Call& call) { return call.kind == Call::TRUNCATE; });
  });
}

// ---- lines_flush

bool WarpStep::belongs(const Line& line) const {
  if (call().kind == Call::MAP_SYNC) return &line == &s_.lines[w_.mapped - 1];
  return line.identity == w_.identity && (call().kind != Call::TRUNCATE || line.page < call().page);
}

void WarpStep::begin_flush() {
  w_.stage = FLUSH_START;
  w_.at = At::FLUSH_SCAN;
}

void WarpStep::next_to_flush() {
  const uint8_t lines = w_.lines;
  forget_step();
  w_.line = w_.waits_for = w_.waited = 0;
  if (lines != 0) {
    w_.line = uint8_t(std::countr_zero(lines));
    w_.lines &= uint8_t(w_.lines - 1);
    w_.at = At::FLUSH_LOOK;
    if (w_.stage == FLUSH_WAIT) return;
    // What this call has started in an earlier run and has failed is not started again.
    const Line& line = this->line();
    const bool refused = w_.served != 0 && line.word.state == LineState::MODIFIED && line.writing != 0 && line.answer != GOOD;
    return refused ? next_to_flush() : write_back(w_.line, 0, FROM_FLUSH_START);
  }
  if (w_.stage == FLUSH_WAIT) return flushed();
  w_.stage = FLUSH_WAIT;
  w_.at = At::FLUSH_SCAN;
}

void WarpStep::flushed() {
  w_.served = 1;
  if (w_.pending == IS_PENDING) return leave(true);
  const bool failed = w_.pending == HAS_FAILED;
  w_.pending = GOES_WELL;
  if (failed && call().kind == Call::TRUNCATE) return end_call();
  ask_mail();
}

void WarpStep::step_flush() {
  Word& word = line().word;
  switch (w_.at) {
    case At::FLUSH_SCAN: {
      const Line& line = s_.lines[w_.way];
      const bool writing = line.word.state == LineState::BUSY && (line.word.step == LineStep::STARTING || line.word.step == LineStep::WRITING);
      if ((line.word.state == LineState::MODIFIED || writing) && belongs(line)) w_.lines |= uint8_t(1u << w_.way);
      if (++w_.way == cache_lines()) next_to_flush();
      return;
    }
    case At::FLUSH_LOOK:
      if (!belongs(line()) || word.state == LineState::READY || word.state == LineState::INVALID) return next_to_flush();
      if (word.state == LineState::MODIFIED) {
        w_.at = At::DRAIN_LOOK;
        if (w_.served == 0 || line().writing == 0 || line().answer == GOOD) return;
        if (w_.pending == GOES_WELL) w_.pending = HAS_FAILED;
        next_to_flush();
      } else if (word.step < LineStep::FILLING) {
        pause(Wait::CLAIM, At::FLUSH_LOOK);
      } else {
        w_.at = At::FLUSH_PIN;
      }
      return;
    case At::FLUSH_PIN: {
      const bool busy = word.state == LineState::BUSY && word.step >= LineStep::FILLING && belongs(line());
      word.pins++;
      if (busy) return wait_for(FLUSH);
      w_.at = At::FLUSH_UNPIN;
      return;
    }
    default: unpin(line()); return pause(Wait::RACE, At::FLUSH_LOOK);  // FLUSH_UNPIN
  }
}

// ---- gate_pass, gate_close, gate_leave, file_view, file_wait_renewed

void WarpStep::step_gate() {
  switch (w_.at) {
    case At::GATE_LOOK:
      if (s_.gate_is_closed != 0) return pause(Wait::GATE, At::GATE_LOOK);
      w_.at = At::GATE_ADD;
      return;
    case At::GATE_ADD:
      s_.inside++;
      if (s_.gate_is_closed == 0) w_.gate = GATE_INSIDE;
      w_.at = s_.gate_is_closed != 0 ? At::GATE_SUB : At::VIEW;
      return;
    case At::GATE_SUB: s_.inside--; return pause(Wait::GATE, At::GATE_LOOK);
    case At::GATE_CLOSE:
      if (s_.gate_is_closed != 0) return pause(Wait::GATE, At::GATE_CLOSE);
      s_.gate_is_closed = 1;
      w_.gate = GATE_IS_OURS;
      w_.at = At::GATE_WAIT;
      return;
    case At::GATE_WAIT:
      if (s_.inside != 0) return pause(Wait::GATE, At::GATE_WAIT);
      w_.at = At::VIEW;
      return;
    case At::GATE_LEAVE:
      if (w_.gate == GATE_INSIDE) s_.inside--;
      if (w_.gate == GATE_IS_OURS) s_.gate_is_closed = 0;
      w_.gate = GATE_OUTSIDE;
      return end_call();
    case At::VIEW: w_.identity = s_.identity; return viewed();
    default:  // RENEW
      if (s_.identity == w_.identity) return pause(Wait::STALE, At::VIEW);
      w_.at = At::VIEW;
      return;
  }
}

// ---- mail_ask, program_barrier, and the rest

void WarpStep::ask_mail() {
  forget_step();
  w_.stage = w_.line = w_.waits_for = w_.waited = 0;
  if (w_.asked != 0) {
    w_.at = At::MAIL_LOOK;
  } else {
    reserve(FOR_MAIL);
  }
}

void WarpStep::step_other() {
  switch (w_.at) {
    case At::UNPIN: unpin(line()); return then();
    case At::MAIL_LOOK:
      if (s_.mail[id_] != MAIL_ANSWERED) return pause(Wait::MAILBOX, At::MAIL_LOOK);
      s_.mail[id_] = MAIL_IDLE;
      return end_call();
    case At::BARRIER_ARRIVE:
      s_.arrivals++;
      w_.asked = 1;
      w_.at = At::BARRIER_LOOK;
      return;
    case At::BARRIER_LOOK:
      if (s_.arrivals < c_.warps.size()) return pause(Wait::BARRIER, At::BARRIER_LOOK);
      return end_call();
    case At::PAUSE: {
      const At back = w_.back;
      if (back == At::FIND_TAG) return begin_try();
      if (back == At::RESERVE) return ask_mail();
      forget_step();
      w_.at = back;
      return;
    }
    case At::ITEM_RELEASE: {
      const uint32_t line = uint32_t(std::countr_zero(w_.held));
      w_.held &= uint8_t(w_.held - 1);
      unpin(s_.lines[line]);
      return release_next();
    }
    case At::ITEM_UNMAP:
      unpin(s_.lines[w_.mapped - 1]);
      w_.mapped = 0;
      return release_next();
    default: WARPFS_ASSERT(false);
  }
}

// ---- The whole

State first_state(const Scenario& scenario, bool replay) {
  State state;
  state.masks = scenario.masks;
  std::vector<uint8_t> used(scenario.sets);
  const auto put = [&](uint8_t page, uint32_t line_state, uint8_t dirty) {
    const uint32_t set = page % scenario.sets;
    Line& line = state.lines[set * scenario.ways + used[set]++];
    line.word.state = uint8_t(line_state);
    line.page = page;
    line.dirty = dirty;
  };
  for (const uint8_t page : scenario.ready) put(page, LineState::READY, 0);
  for (const uint8_t page : scenario.modified) put(page, LineState::MODIFIED, 1);
  for (uint32_t warp = 0; warp < scenario.warps.size(); warp++) WarpStep(scenario, replay, state, warp).begin_call();
  return state;
}

void step_warp(const Scenario& scenario, bool replay, State& state, uint32_t warp) {
  state.has_run |= uint8_t(1u << warp);
  WarpStep(scenario, replay, state, warp).step();
}

void start_round(const Scenario& scenario, State& state) {
  state.has_run = 0;
  for (uint32_t warp = 0; warp < scenario.warps.size(); warp++) {
    if (state.warps[warp].at == At::LEFT) WarpStep(scenario, true, state, warp).begin_call();
  }
}

const char* wait_name(Wait wait) {
  static const char* const names[WAIT_COUNT] = {"none", "claim", "race",  "pins", "drain", "gate",       "stale",
                                                "ring", "fill",  "start", "write_back", "mailbox", "barrier"};
  return names[uint32_t(wait)];
}

}  // namespace warpfs::protocol
