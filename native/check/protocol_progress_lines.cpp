// Waiting for a line, ending what the host has answered, the lines behind the cache, write-backs: line_wait.h, cache.h, write_back.h.
#include "protocol_progress_step.h"

#include "../host/assert.h"

namespace warpfs::protocol {

// ---- line_wait, line_finish

void WarpStep::wait_for(WaitsFor what) {
  w_.waits_for = what;
  w_.waited = GOES_WELL;
  w_.at = At::WAIT_HAND;
}

/// The word as line_wait sees it now.
void WarpStep::wait_look(const Word& word) {
  if (word.state == LineState::BUSY) {
    if (word.step == LineStep::STARTING) return pause(Wait::START, At::WAIT_LOOK);
    if (word.step < LineStep::FILLING) return pause(Wait::CLAIM, At::WAIT_LOOK);
    w_.seen = word;
    return finish(w_.line, At::WAIT_LOOK);
  }
  // With the hand the answer stays what it is.
  if (word.state == LineState::INVALID) w_.waited = line().answer == STALE ? IS_STALE : HAS_FAILED;
  if (word.state == LineState::MODIFIED && line().writing != 0 && line().answer != GOOD) w_.waited = NOT_WRITTEN;
  w_.at = At::WAIT_LEAVE;
}

void WarpStep::finish(uint32_t line, At ended) {
  w_.ending = uint8_t(line);
  w_.ended = ended;
  w_.at = At::FINISH_DONE;
}

void WarpStep::step_wait() {
  Line& ending = s_.lines[w_.ending];
  switch (w_.at) {
    case At::WAIT_HAND: line().word.hands++; return wait_look(line().word);
    case At::WAIT_LOOK: return wait_look(line().word);
    case At::WAIT_LEAVE: leave_line(line()); return w_.waited == IS_PENDING ? wait_pending() : waited();
    case At::FINISH_DONE:
      w_.at = At::FINISH;
      if (!ending.unanswered) return;
      if (w_.ended == At::WAIT_LOOK) return pause(w_.seen.step == LineStep::FILLING ? Wait::FILL : Wait::WRITE_BACK, At::WAIT_LOOK);
      w_.at = w_.ended == At::BYPASS_EMPTY ? At::BYPASS_UNPIN : w_.ended;
      w_.seen = {};
      return;
    case At::FINISH: {
      const Word before = w_.seen;
      const bool fills = before.step == LineStep::FILLING, failed = ending.answer != GOOD;
      const uint32_t state = !failed ? LineState::READY : fills ? LineState::INVALID : LineState::MODIFIED;
      w_.at = w_.ended;
      if (move(ending, state, LineStep::NONE)) {
        // Put back before the move, while nobody else touches it.
        if (failed && !fills) ending.dirty = ending.writing;
        if (!failed && !fills) {
          if ((ending.writing & BYTES_MASKED) != 0) w_.at = At::FINISH_MASK;
          ending.writing = 0;
        }
      } else if (w_.seen.is(before.state, before.step)) {
        w_.at = At::FINISH;
        return;
      }
      w_.seen = {};
      return;
    }
    default:  // FINISH_MASK
      s_.masks++;
      w_.at = w_.ended;
      return;
  }
}

// ---- bypass_claim, bypass_release

void WarpStep::step_bypass() {
  const uint32_t at = w_.at <= At::BYPASS_UNPIN ? cache_lines() + w_.way : w_.bypass - 1u;
  Line& line = s_.lines[at];
  switch (w_.at) {
    case At::BYPASS_CLAIM: {
      const bool looked = w_.rival != 0;  // at what a call has left behind, already
      w_.rival = 0;
      if (!looked && line.word.state == LineState::BUSY && line.word.pins == 0) {
        w_.at = At::BYPASS_PIN;
        return;
      }
      const bool free = line.word.state == LineState::INVALID && line.word.pins == 0;
      if (!free && ++w_.way < c_.bypass_lines) return;
      if (free) {
        line.word = {LineState::BUSY, LineStep::FILLING, 1, line.word.hands};
        line.unanswered = 1;
        line.identity = w_.identity;
        w_.line = uint8_t(at);
        w_.bypass = uint8_t(at + 1);
      }
      w_.way = 0;
      w_.at = At::PUBLISH;
      return;
    }
    case At::BYPASS_PIN:
      line.word.pins++;
      w_.seen = line.word;
      w_.at = At::BYPASS_UNPIN;
      if (line.word.state == LineState::BUSY && line.word.pins == 1) finish(at, At::BYPASS_EMPTY);
      return;
    case At::BYPASS_EMPTY:
      if (line.word.state == LineState::READY) line.word.state = LineState::INVALID;
      w_.at = At::BYPASS_UNPIN;
      return;
    case At::BYPASS_UNPIN:
      unpin(line);
      w_.seen = {};
      w_.ending = 0;
      w_.ended = At::DONE;
      w_.rival = 1;
      w_.at = At::BYPASS_CLAIM;
      return;
    case At::BYPASS_RELEASE:
      line.word.state = LineState::INVALID;
      unpin(line);
      w_.bypass = 0;
      w_.then = SERVED;
      return then();
    default:  // BYPASS_DROP
      unpin(line);
      w_.bypass = 0;
      return viewed();
  }
}

// ---- line_write_back and its callers

void WarpStep::write_back(uint32_t line, uint8_t pins, BackFrom from) {
  w_.back_line = uint8_t(line);
  w_.back_pins = pins;
  w_.back_from = from;
  w_.at = At::BACK_LOOK;
}

void WarpStep::step_write_back() {
  Line& line = back_line();
  switch (w_.at) {
    case At::BACK_LOOK:
      if (line.word.state != LineState::MODIFIED || line.word.hands != 0) return wrote_back(NOT_NOW);
      w_.seen = line.word;
      return reserve(FOR_WRITE_BACK);
    case At::BACK_TAKE:
      if (change(line, {LineState::BUSY, LineStep::STARTING, uint8_t(w_.seen.pins + w_.back_pins), 0})) {
        w_.at = At::BACK_RANGE;
      } else if (w_.seen.state != LineState::MODIFIED || w_.seen.hands != 0) {
        w_.at = At::BACK_GIVE_UP;
      }
      return;
    case At::BACK_GIVE_UP: publish(FOR_WRITE_BACK, NOP, 0); return wrote_back(NOT_NOW);
    case At::BACK_RANGE:
      if (line.dirty == 0) s_.wrong |= WRITES_NOTHING;
      line.writing = line.dirty;
      line.dirty = 0;
      line.unanswered = 1;
      w_.seen = line.word;
      w_.at = At::BACK_MOVE;
      return;
    case At::BACK_MOVE:
      if (move(line, LineState::BUSY, LineStep::WRITING)) w_.at = At::BACK_PUBLISH;
      return;
    default: publish(FOR_WRITE_BACK, WRITE_BACK, uint8_t(1u << w_.back_line)); return wrote_back(STARTED);  // BACK_PUBLISH
  }
}

void WarpStep::wrote_back(BackResult result) {
  const Wait why = result == RING_FULL ? Wait::RING : Wait::DRAIN;
  const BackFrom from = BackFrom(w_.back_from);
  w_.seen = {};
  w_.purpose = 0;
  switch (from) {
    case FROM_ENTER:
      forget_step();
      w_.at = At::ENTER_LOOK_AGAIN;
      return;
    case FROM_ROOM:
      if (result == STARTED) return tried(LATER);
      return tried(AGAIN, result == RING_FULL ? Wait::RING : Wait::RACE);
    case FROM_SWEEP: return tried(OURS);
    case FROM_FLUSH_START: return next_to_flush();
    case FROM_FLUSH_WAIT:
      forget_step();
      if (result == STARTED) return wait_for(FLUSH);
      return pause(why, At::FLUSH_LOOK);
    default:  // FROM_PIECE
      forget_step();
      if (result == STARTED) return wait_for(PIECE_OUT);
      return pause(why, w_.stage == MAP_WRITE ? At::ENTER_HINT : At::FIND_TAG);
  }
}

}  // namespace warpfs::protocol
