// Claiming a way for a page that is not there: cache_set.h.
#include "protocol_progress_step.h"

#include <bit>

namespace warpfs::protocol {

// ---- set_look, set_make_room, way_take, set_claim

/// What a way is good for, and on to the next one.
void WarpStep::vote(const Word& word, uint8_t pins) {
  const uint8_t bit = pins == 0 ? uint8_t(1u << w_.way) : 0;
  if (word.state == LineState::INVALID) w_.unused |= bit;
  if (word.state == LineState::READY) w_.clean |= bit;
  if (word.state == LineState::MODIFIED) w_.dirty |= bit;
  w_.seen = {};
  w_.ending = 0;
  w_.ended = At::DONE;
  w_.at = At::LOOK;
  if (++w_.way == c_.ways) choose_way();
}

void WarpStep::step_look() {
  Word& word = way().word;
  switch (w_.at) {
    case At::LOOK:
      if (word.pins != 0 || !word.is(LineState::BUSY, LineStep::WRITING)) return vote(word, word.pins);
      w_.at = At::SETTLE_DONE;
      return;
    case At::SETTLE_DONE:
      if (way().unanswered || way().answer != GOOD) return vote({LineState::BUSY}, 0);  // whoever waits for it hears of a failure
      w_.at = At::SETTLE_PIN;
      return;
    case At::SETTLE_PIN:
      word.pins++;
      word.hands++;
      w_.seen = word;
      w_.at = At::SETTLE_UNPIN;
      if (word.is(LineState::BUSY, LineStep::WRITING)) finish(first_of_set() + w_.way, At::SETTLE_UNPIN);
      return;
    default:  // SETTLE_UNPIN: the state that it leaves counts, whoever else has it pinned
      unpin(way());
      leave_line(way());
      return vote(word, 0);
  }
}

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
      if (!change(line(), {LineState::BUSY, LineStep::CLAIMING, 1, 0})) return tried(AGAIN, Wait::RACE);
      w_.at = At::TAKE_TAG;
      return;
    case At::TAKE_TAG:
      line().page = page();
      line().identity = w_.identity;
      w_.seen = {};
      w_.way = uint8_t(~0u);
      return next_rival();
    case At::GO:  // the ticket may be raised here: nobody looks at it until the step says FILLING
      w_.seen = word;
      line().writing = 0;
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
      if (!has_page(way())) return next_rival();
      w_.at = At::RIVAL_LOOK;
      return;
    case At::RIVAL_LOOK:
      w_.seen = way().word;
      w_.at = At::RIVAL_TAG_AGAIN;
      return;
    case At::RIVAL_TAG_AGAIN:
      if (w_.seen.state == LineState::INVALID || !has_page(way())) return next_rival();
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

}  // namespace warpfs::protocol
