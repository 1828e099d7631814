// Finding a page, claiming a way, the ring, the first and last step of a fill: cache_set.h, ring.h, line_wait.h.
#include "protocol_progress_step.h"

#include "../host/assert.h"

#include <bit>

namespace warpfs::protocol {

void WarpStep::step() {
  if (w_.at <= At::FIND_UNPIN) return step_find();
  if (w_.at >= At::RIVAL_TAG && w_.at <= At::RIVAL_ABANDON) return step_rival();
  if (w_.at <= At::GIVE_UP_UNPIN) return step_claim();
  if (w_.at <= At::PUBLISH) return step_ring();
  if (w_.at <= At::FINISH) return step_wait();
  if (w_.at >= At::EXTEND && w_.at <= At::DRAIN_UNPIN) return step_write();
  if (w_.at >= At::BACK_LOOK && w_.at <= At::BACK_PUBLISH) return step_write_back();
  if (w_.at >= At::FLUSH_SCAN && w_.at <= At::FLUSH_UNPIN) return step_flush();
  step_other();
}

// ---- Accesses

/// A compare-and-swap that expects `seen`, and leaves there what it found.
bool WarpStep::change(Line& line, Word wanted) {
  if (line.word == w_.seen) {
    line.word = wanted;
    return true;
  }
  w_.seen = line.word;
  return false;
}

/// One turn of the loop of line_move.
bool WarpStep::move(Line& line, uint32_t state, uint32_t step) { return change(line, {uint8_t(state), uint8_t(step), w_.seen.pins}); }

void WarpStep::unpin(Line& line) {
  WARPFS_ASSERT(line.word.pins > 0);
  line.word.pins--;
}

Slot* WarpStep::reservation(uint8_t purpose) {
  for (uint32_t i = 0; i < c_.ring_slots; i++) {
    Slot& slot = ring()[i];
    if (slot.state == RESERVED && slot.warp == id_ && slot.purpose == purpose) return &slot;
  }
  return nullptr;
}

void WarpStep::publish(uint8_t purpose, uint8_t request, uint8_t lines) {
  Slot* slot = reservation(purpose);
  WARPFS_ASSERT(slot != nullptr);
  *slot = {request, uint8_t(id_), 0, lines};
}

// ---- set_find

void WarpStep::begin_try() {
  forget_step();
  w_.line = w_.tried = w_.waits_for = 0;
  w_.at = At::FIND_TAG;
}

void WarpStep::next_way() {
  w_.seen = {};
  w_.at = At::FIND_TAG;
  if (++w_.way < c_.ways) return;
  w_.way = 0;
  w_.at = At::LOOK;
}

void WarpStep::step_find() {
  Word& word = way().word;
  switch (w_.at) {
    case At::FIND_TAG:
      if (way().page != page()) return next_way();
      w_.at = At::FIND_HINT;
      return;
    case At::FIND_HINT:
      if (word.state == LineState::INVALID) return next_way();
      if (word.is(LineState::MODIFIED, LineStep::DRAINING)) return write_back(first_of_set() + w_.way, 0, FROM_FIND);
      if (word.state == LineState::BUSY && word.step < LineStep::FILLING) return tried(AGAIN, Wait::CLAIM);
      w_.at = At::FIND_PIN;
      return;
    case At::FIND_PIN:
      w_.seen = word;
      word.pins++;
      w_.at = At::FIND_TAG_PINNED;
      return;
    case At::FIND_TAG_PINNED: {
      const bool matches = way().page == page();
      w_.line = uint8_t(first_of_set() + w_.way);
      const bool ready = w_.seen.state == LineState::READY || w_.seen.is(LineState::MODIFIED, LineStep::NONE);
      if (matches && ready) return tried(READY);
      if (matches && w_.seen.state == LineState::BUSY && w_.seen.step >= LineStep::FILLING) return tried(COMING);
      w_.at = At::FIND_UNPIN;
      w_.rival = matches;  // the tag was right: what was seen of the word says what comes next
      return;
    }
    default: {  // FIND_UNPIN
      unpin(way());
      if (w_.rival && w_.seen.is(LineState::MODIFIED, LineStep::DRAINING)) return write_back(w_.line, 0, FROM_FIND);
      return tried(AGAIN, w_.rival && w_.seen.state == LineState::BUSY ? Wait::CLAIM : Wait::RACE);
    }
  }
}

// ---- set_look, set_make_room, way_take, set_claim

void WarpStep::choose_way() {
  w_.way = 0;
  w_.seen = {};
  if ((w_.unused | w_.clean) != 0) {
    if (is_whole() || reservation(FOR_FILL) != nullptr) {
      w_.line = uint8_t(first_of_set() + std::countr_zero(w_.unused != 0 ? w_.unused : w_.clean));
      w_.at = At::TAKE_LOOK;
    } else {
      reserve(FOR_FILL);
    }
  } else if (w_.dirty != 0) {
    w_.line = uint8_t(first_of_set() + std::countr_zero(w_.dirty));
    write_back(w_.line, 1, FROM_ROOM);
  } else {
    w_.at = At::ROOM_LOOK;
  }
}

void WarpStep::room_next() {
  w_.at = At::ROOM_LOOK;
  if (++w_.way == c_.ways) tried(PINNED, Wait::PINS);
}

void WarpStep::step_claim() {
  Word& word = line().word;
  switch (w_.at) {
    case At::LOOK: {
      const Word& seen = way().word;
      const uint8_t bit = uint8_t(1u << w_.way);
      if (seen.pins == 0 && seen.state == LineState::INVALID) w_.unused |= bit;
      if (seen.pins == 0 && seen.state == LineState::READY) w_.clean |= bit;
      if (seen.pins == 0 && seen.state == LineState::MODIFIED) w_.dirty |= bit;
      if (++w_.way == c_.ways) choose_way();
      return;
    }
    case At::ROOM_LOOK:
      if (way().word.state != LineState::BUSY || way().word.step == LineStep::CLAIMING || way().word.pins != 0) return room_next();
      w_.at = At::ROOM_PIN;
      return;
    case At::ROOM_PIN: {
      const bool busy = way().word.state == LineState::BUSY;
      way().word.pins++;
      w_.line = uint8_t(first_of_set() + w_.way);
      if (busy) return tried(LATER);
      w_.at = At::ROOM_UNPIN;
      return;
    }
    case At::ROOM_UNPIN: unpin(line()); return tried(AGAIN, Wait::RACE);
    case At::TAKE_LOOK:
      if ((word.state != LineState::READY && word.state != LineState::INVALID) || word.pins != 0) return tried(AGAIN, Wait::RACE);
      w_.seen = word;
      w_.at = At::TAKE;
      return;
    case At::TAKE:
      if (!change(line(), {LineState::BUSY, LineStep::CLAIMING, 1})) return tried(AGAIN, Wait::RACE);
      w_.at = At::TAKE_TAG;
      return;
    case At::TAKE_TAG:
      line().page = page();
      w_.seen = {};
      w_.way = uint8_t(~0u);
      return next_rival();
    case At::GO:  // the ticket may be raised here: nobody looks at it until the step says FILLING
      w_.seen = word;
      w_.at = w_.rival || !word.is(LineState::BUSY, LineStep::CLAIMING) ? At::GIVE_UP : At::GO_MOVE;
      return;
    case At::GO_MOVE:
      if (move(line(), LineState::BUSY, is_whole() ? LineStep::STARTING : LineStep::FILLING)) {
        if (!is_whole()) line().unanswered = 1;
        w_.seen = {};
        if (w_.unused == 0 && w_.dirty != 0) return write_back(first_of_set() + uint32_t(std::countr_zero(w_.dirty)), 0, FROM_SWEEP);
        return tried(OURS);
      }
      if (!w_.seen.is(LineState::BUSY, LineStep::CLAIMING)) w_.at = At::GIVE_UP;
      return;
    case At::GIVE_UP:
      w_.seen = word;
      w_.at = At::GIVE_UP_MOVE;
      return;
    case At::GIVE_UP_MOVE:
      if (move(line(), LineState::INVALID, LineStep::NONE)) w_.at = At::GIVE_UP_UNPIN;
      return;
    default: unpin(line()); return tried(AGAIN, Wait::RACE);  // GIVE_UP_UNPIN
  }
}

void WarpStep::next_rival() {
  do {
    w_.way++;
  } while (w_.way < c_.ways && first_of_set() + w_.way == w_.line);
  w_.seen = {};
  w_.at = w_.way < c_.ways ? At::RIVAL_TAG : At::GO;
  if (w_.at == At::GO) w_.way = 0;
}

void WarpStep::step_rival() {
  switch (w_.at) {
    case At::RIVAL_TAG:
      if (way().page != page()) return next_rival();
      w_.at = At::RIVAL_LOOK;
      return;
    case At::RIVAL_LOOK:
      w_.seen = way().word;
      w_.at = At::RIVAL_TAG_AGAIN;
      return;
    case At::RIVAL_TAG_AGAIN:
      if (w_.seen.state == LineState::INVALID || way().page != page()) return next_rival();
      if (!w_.seen.is(LineState::BUSY, LineStep::CLAIMING)) {
        if (!w_.seen.is(LineState::BUSY, LineStep::ABANDONED)) w_.rival = 1;
        return next_rival();
      }
      if (first_of_set() + w_.way < w_.line) {
        w_.rival = 1;
        return next_rival();
      }
      w_.at = At::RIVAL_ABANDON;
      return;
    default:  // RIVAL_ABANDON
      if (move(way(), LineState::BUSY, LineStep::ABANDONED)) return next_rival();
      w_.at = At::RIVAL_TAG_AGAIN;
      return;
  }
}

// ---- ring_reserve, ring_publish

void WarpStep::reserve(uint8_t purpose) {
  w_.purpose = purpose;
  w_.at = At::RESERVE;
}

void WarpStep::step_ring() {
  if (w_.at == At::RESERVE) {
    w_.stale = 0;
    if (ring()[c_.ring_slots - 1].state != FREE) return reserved(false);
    w_.at = At::RESERVE_TAIL;
  } else if (w_.at == At::RESERVE_TAIL) {
    if (w_.stale != 0) {
      w_.at = At::RESERVE;
      return;
    }
    uint32_t next = 0;
    while (ring()[next].state != FREE) next++;
    ring()[next] = {RESERVED, uint8_t(id_), w_.purpose, 0};
    for (uint32_t other = 0; other < c_.warps.size(); other++) {
      Warp& rival = s_.warps[other];
      if (other != id_ && other % c_.rings == id_ % c_.rings && rival.at == At::RESERVE_TAIL) rival.stale = 1;
    }
    reserved(true);
  } else {  // PUBLISH
    uint8_t lines = 0;
    if (w_.purpose == FOR_FILL && w_.stage == CHUNK_START) {
      for (const uint8_t claimed : w_.claimed) lines |= claimed != 0 ? uint8_t(1u << (claimed - 1)) : 0;
    } else if ((w_.purpose == FOR_FILL && w_.tried == OURS) || (w_.purpose == FOR_BYPASS && w_.bypass != 0)) {
      lines = uint8_t(1u << w_.line);
    }
    const uint8_t purpose = w_.purpose;
    publish(purpose, purpose == FOR_MAIL ? MAIL : lines != 0 ? FILL : NOP, lines);
    published();
  }
}

void WarpStep::reserved(bool taken) {
  const uint8_t purpose = w_.purpose;
  if (purpose == FOR_FILL) {
    if (taken) return choose_way();
    return tried(AGAIN, Wait::RING);
  }
  if (purpose == FOR_WRITE_BACK) {
    if (!taken) return wrote_back(RING_FULL);
    w_.at = At::BACK_TAKE;
  } else if (purpose == FOR_BYPASS) {
    if (!taken) return pause(Wait::RING, At::FIND_TAG);
    w_.way = 0;
    w_.at = At::BYPASS_CLAIM;
  } else {
    if (!taken) return pause(Wait::RING, At::RESERVE);
    w_.at = At::PUBLISH;
  }
}

// ---- line_wait, line_finish

void WarpStep::wait_for(WaitsFor what) {
  w_.waits_for = what;
  w_.at = At::WAIT_LOOK;
}

void WarpStep::step_wait() {
  const Word& word = line().word;
  switch (w_.at) {
    case At::WAIT_LOOK:
      if (word.state != LineState::BUSY) return waited();
      if (word.step == LineStep::STARTING) return pause(Wait::START, At::WAIT_LOOK);
      if (word.step < LineStep::FILLING) return pause(Wait::CLAIM, At::WAIT_LOOK);
      w_.seen = word;
      w_.at = At::WAIT_DONE;
      return;
    case At::WAIT_DONE: {
      const Wait what = w_.seen.step == LineStep::FILLING ? Wait::FILL : Wait::WRITE_BACK;
      if (line().unanswered) return pause(what, At::WAIT_LOOK);
      w_.at = At::FINISH;
      return;
    }
    default: {  // FINISH
      const Word before = w_.seen;
      const bool fills = before.step == LineStep::FILLING;
      const uint32_t state = !line().failed ? LineState::READY : fills ? LineState::INVALID : LineState::MODIFIED;
      if (move(line(), state, LineStep::NONE)) {
        if (line().failed && !fills) line().dirty |= line().writing;
        if (!fills) line().writing = 0;
      } else if (w_.seen.is(before.state, before.step)) {
        return;
      }
      w_.seen = {};
      w_.at = At::WAIT_LOOK;
      return;
    }
  }
}

}  // namespace warpfs::protocol
