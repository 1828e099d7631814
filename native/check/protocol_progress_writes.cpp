// Writing into a line that is there: write.h, dirty.h, map.h.
#include "protocol_progress_step.h"

namespace warpfs::protocol {

// ---- page_enter, and the beginning of map_write; the line is pinned

void WarpStep::step_enter() {
  Word& word = line().word;
  const bool enters = word.state == LineState::READY || (word.state == LineState::MODIFIED && word.step != LineStep::DRAINING);
  switch (w_.at) {
    case At::ENTER_HINT:  // a hand that comes and goes would keep others from starting the write-back
      w_.at = enters ? At::ENTER : At::ENTER_LOOK;
      return;
    case At::ENTER:
      word.hands++;
      w_.at = enters ? At::SOIL : At::ENTER_UNDO;
      return;
    case At::ENTER_UNDO:
      leave_line(line());
      w_.at = At::ENTER_LOOK;
      return;
    case At::ENTER_LOOK:
      if (word.state == LineState::MODIFIED) return write_back(w_.line, 0, FROM_ENTER);
      return wait_for(w_.stage == MAP_WRITE ? MAP_OUT : ITS_PAGE);
    default:  // ENTER_LOOK_AGAIN: it stays pinned while it drains
      if (word.state == LineState::MODIFIED) return pause(Wait::DRAIN, At::ENTER_HINT);
      return wait_for(w_.stage == MAP_WRITE ? MAP_OUT : ITS_PAGE);
  }
}

// ---- line_soil: dirty_add, line_write; the warp has a hand on the line

void WarpStep::step_soil() {
  Line& line = this->line();
  const uint8_t bytes = is_whole() ? uint8_t(BYTES_WHOLE) : call().piece;
  const auto soiled = [&] {
    w_.range = 0;
    w_.at = At::WRITE;
  };
  const auto make_way = [&] {
    w_.range = 0;
    // line_write_back_error, of a call that has had these bytes written back before.
    w_.refused = w_.served != 0 && line.writing != 0 && line.answer != GOOD;
    w_.at = w_.stage == MAP_WRITE ? At::WAY_BEGIN : At::DRAIN_LOOK;
  };
  const auto add_to = [&](uint8_t range) {
    w_.range = range;
    if ((range & BYTES_MASKED) != 0) {
      line.dirty |= bytes;
      soiled();
    } else if (range != 0 && range != bytes && (range | bytes) == 3) {
      w_.at = At::MASK_LOOK;
      if (c_.masks == 0) make_way();
    } else if ((range | bytes) == range) {
      soiled();
    } else {
      w_.at = At::SOIL_CHANGE;
    }
  };
  switch (w_.at) {
    case At::SOIL: return add_to(line.dirty);
    case At::SOIL_CHANGE:
      if (line.dirty != w_.range) return add_to(line.dirty);
      line.dirty |= bytes;
      return soiled();
    case At::MASK_LOOK:
      w_.at = At::MASK_TAKE;
      if (s_.masks == 0) make_way();
      return;
    case At::MASK_TAKE:
      if (s_.masks == 0) return make_way();
      s_.masks--;
      w_.at = At::MASK_PUT;
      return;
    case At::MASK_PUT:
      if (line.dirty == w_.range) {
        line.dirty |= bytes | BYTES_MASKED;
        return soiled();
      }
      w_.range = line.dirty;
      if ((line.dirty & BYTES_MASKED) != 0) w_.at = At::MASK_FREE;
      return;
    case At::MASK_FREE:
      s_.masks++;
      line.dirty |= bytes;
      return soiled();
    case At::WHOLE_READY:  // its claimer alone moves a line that is STARTING; others may pin it meanwhile
      line.dirty = BYTES_WHOLE;
      line.word.state = LineState::MODIFIED;
      line.word.step = LineStep::NONE;
      return unpin_then(ENDED);
    default:  // WRITE: one atomic_or
      line.word.state |= 1;
      if (line.word.state == LineState::MODIFIED && line.dirty == 0) s_.wrong |= WRITES_NOTHING;
      return leave_then(w_.stage == MAP_WRITE ? MAP_WRITTEN : ENDED);
  }
}

// ---- line_make_way, line_drain

void WarpStep::step_drain() {
  Line& line = this->line();
  const auto drained = [&] {
    w_.seen = {};
    if (w_.stage == FLUSH_WAIT) return write_back(w_.line, 1, FROM_FLUSH_WAIT);
    leave_then(w_.refused != 0 ? NOT_MADE : START_IT);
  };
  switch (w_.at) {
    case At::WAY_BEGIN:  // map_write: one more pin, for line_make_way lets go of one
      line.word.pins++;
      w_.at = At::DRAIN_LOOK;
      return;
    case At::DRAIN_LOOK:
      w_.seen = line.word;
      w_.at = At::DRAIN;
      if (!line.word.is(LineState::MODIFIED, LineStep::NONE)) drained();
      return;
    case At::DRAIN:
      if (!move(line, LineState::MODIFIED, LineStep::DRAINING) && w_.seen.is(LineState::MODIFIED, LineStep::NONE)) return;
      return drained();
    default:  // LEAVE
      leave_line(line);
      w_.at = At::UNPIN;
      if (w_.then == MAP_WRITTEN) then();
      return;
  }
}

void WarpStep::leave_then(Then then) {
  w_.then = then;
  w_.at = At::LEAVE;
}

// ---- map_write

void WarpStep::begin_map_write() {
  w_.stage = MAP_WRITE;
  w_.line = uint8_t(w_.mapped - 1);
  w_.at = At::ENTER_HINT;
  if (line().identity != w_.identity) map_written(true);  // the pin keeps the tag
}

void WarpStep::map_written(bool stale) {
  forget_step();
  if (call().kind == Call::UNMAP) return unpin_then(UNMAPPED);
  if (stale) return end_call();
  w_.soiled = 1;
  w_.served = 0;
  begin_flush();
}

}  // namespace warpfs::protocol
