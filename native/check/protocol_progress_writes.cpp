// Writes, flushes, mail, barriers and the ends of waits; the first state and the rounds: write.h, flush.h, mail.h, program.h, wait.h.
#include "protocol_progress_step.h"

#include "../host/assert.h"

#include <bit>

namespace warpfs::protocol {

// ---- gwrite

void WarpStep::step_write() {
  Line& line = this->line();
  switch (w_.at) {
    case At::EXTEND: {
      const uint8_t bytes = is_whole() ? 3 : call().piece;
      // Pieces 1 and 2 do not touch each other; all other ranges overlap.
      const bool fits = line.dirty == 0 || (line.dirty & bytes) != 0;
      if (fits) line.dirty |= bytes;
      if (!fits && w_.blocked != 0) return unpin_then(ENDED);
      w_.at = fits ? At::WRITE : At::DRAIN_LOOK;
      return;
    }
    case At::WHOLE_READY:  // its claimer alone moves a line that is STARTING; others may pin it meanwhile
      line.dirty = 3;
      line.word.state = LineState::READY;
      line.word.step = LineStep::NONE;
      w_.at = At::WRITE;
      return;
    case At::WRITE:  // one atomic_or
      line.word.state = LineState::MODIFIED;
      return unpin_then(ENDED);
    case At::DRAIN_LOOK:
      w_.seen = line.word;
      w_.at = line.word.is(LineState::MODIFIED, LineStep::NONE) ? At::DRAIN : At::DRAIN_UNPIN;
      break;
    case At::DRAIN:
      if (!move(line, LineState::MODIFIED, LineStep::DRAINING) && w_.seen.is(LineState::MODIFIED, LineStep::NONE)) return;
      w_.at = At::DRAIN_UNPIN;
      break;
    default:  // DRAIN_UNPIN
      unpin(line);
      return write_back(w_.line, 1, FROM_PIECE);
  }
  if (w_.at != At::DRAIN_UNPIN) return;
  w_.seen = {};
  if (w_.stage == FLUSH_WAIT) write_back(w_.line, 1, FROM_FLUSH_WAIT);
}

// ---- gfsync

void WarpStep::next_to_flush() {
  const uint8_t line = w_.lines;
  forget_step();
  w_.line = w_.waits_for = 0;
  if (line != 0) {
    w_.line = uint8_t(std::countr_zero(line));
    w_.lines &= uint8_t(w_.lines - 1);
    if (w_.stage == FLUSH_START) return write_back(w_.line, 0, FROM_FLUSH_START);
    w_.at = At::FLUSH_LOOK;
  } else if (w_.stage == FLUSH_START) {
    w_.stage = FLUSH_WAIT;
    w_.at = At::FLUSH_SCAN;
  } else if (w_.pending == IS_PENDING) {
    leave(true);
  } else if (w_.pending == HAS_FAILED) {
    end_call();
  } else {
    ask_mail();
  }
}

void WarpStep::step_flush() {
  Word& word = line().word;
  switch (w_.at) {
    case At::FLUSH_SCAN: {
      const Word& seen = s_.lines[w_.way].word;
      const bool writing = seen.state == LineState::BUSY && (seen.step == LineStep::STARTING || seen.step == LineStep::WRITING);
      if (seen.state == LineState::MODIFIED || writing) w_.lines |= uint8_t(1u << w_.way);
      if (++w_.way == cache_lines()) next_to_flush();
      return;
    }
    case At::FLUSH_LOOK:
      if (word.state == LineState::READY || word.state == LineState::INVALID) return next_to_flush();
      if (word.state == LineState::MODIFIED) {
        w_.at = At::DRAIN_LOOK;
      } else if (word.step < LineStep::FILLING) {
        pause(Wait::CLAIM, At::FLUSH_LOOK);
      } else {
        w_.at = At::FLUSH_PIN;
      }
      return;
    case At::FLUSH_PIN: {
      const bool busy = word.state == LineState::BUSY && word.step >= LineStep::FILLING;
      word.pins++;
      if (busy) return wait_for(FLUSH);
      w_.at = At::FLUSH_UNPIN;
      return;
    }
    default: unpin(line()); return pause(Wait::RACE, At::FLUSH_LOOK);  // FLUSH_UNPIN
  }
}

// ---- mail_ask, program_barrier, and the rest

void WarpStep::ask_mail() {
  forget_step();
  w_.stage = w_.line = w_.waits_for = 0;
  if (w_.asked != 0) {
    w_.at = At::MAIL_LOOK;
  } else {
    reserve(FOR_MAIL);
  }
}

void WarpStep::step_other() {
  switch (w_.at) {
    case At::UNPIN: unpin(line()); return then();
    case At::BYPASS_CLAIM: {
      const uint32_t at = cache_lines() + w_.way;
      if (w_.way < c_.bypass_lines && (s_.lines[at].word.state != LineState::INVALID || s_.lines[at].word.pins != 0)) {
        w_.way++;
        return;
      }
      if (w_.way < c_.bypass_lines) {
        s_.lines[at].word = {LineState::BUSY, LineStep::FILLING, 1};
        s_.lines[at].unanswered = 1;
        w_.line = uint8_t(at);
        w_.bypass = uint8_t(at + 1);
      }
      w_.way = 0;
      w_.at = At::PUBLISH;
      return;
    }
    case At::BYPASS_RELEASE:
      line().word.state = LineState::INVALID;
      unpin(line());
      w_.bypass = 0;
      w_.then = SERVED;
      return then();
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
    default: WARPFS_ASSERT(false);
  }
}

// ---- The whole

State first_state(const Scenario& scenario, bool replay) {
  State state;
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
  static const char* const names[WAIT_COUNT] = {"none", "claim", "race",       "pins",    "drain",  "ring",
                                                "fill", "start", "write_back", "mailbox", "barrier"};
  return names[uint32_t(wait)];
}

}  // namespace warpfs::protocol
