// The calls of the model, and what they do with a page once it was looked for: cache.h, read.h, write.h, write_back.h, flush.h, mail.h, item.h.
#include "protocol_progress_step.h"

#include "../host/assert.h"

#include <bit>

namespace warpfs::protocol {

void WarpStep::forget_step() {
  w_.way = w_.unused = w_.clean = w_.dirty = w_.rival = w_.stale = w_.purpose = w_.then = w_.blocked = 0;
  w_.back_line = w_.back_pins = w_.back_from = 0;
  w_.seen = {};
  w_.why = Wait::NONE;
  w_.back = At::DONE;
}

void WarpStep::begin_call() {
  forget_step();
  switch (call().kind) {
    case Call::READ:
      w_.stage = CHUNK_START;
      return w_.bypass != 0 ? begin_finish() : next_of_chunk();
    case Call::WRITE:
    case Call::WRITE_WHOLE:
      w_.stage = LINE_GWRITE;
      return begin_try();
    case Call::PREFETCH:
      w_.stage = PREFETCH_PAGE;
      return begin_try();
    case Call::SYNC:
      if (w_.asked != 0) return ask_mail();
      w_.stage = FLUSH_START;
      w_.at = At::FLUSH_SCAN;
      return;
    case Call::STAT: return ask_mail();
    case Call::BARRIER: w_.at = w_.asked != 0 ? At::BARRIER_LOOK : At::BARRIER_ARRIVE; return;
  }
}

void WarpStep::end_call() {
  w_.served = w_.asked = w_.bypass = 0;
  w_.stage = w_.index = w_.line = w_.tried = w_.waits_for = w_.pending = w_.lines = 0;
  if (++w_.call < c_.warps[id_].size()) return begin_call();
  leave(false);
}

/// The item ends, or leaves until the next round: pins that were kept for this run are let go.
void WarpStep::leave(bool pending) {
  forget_step();
  w_.stage = w_.index = w_.line = w_.tried = w_.waits_for = w_.lines = 0;
  w_.pending = pending ? IS_PENDING : GOES_WELL;
  release_next();
}

void WarpStep::release_next() {
  w_.at = At::ITEM_RELEASE;
  if (w_.held != 0) return;
  w_.at = w_.pending != GOES_WELL ? At::LEFT : At::DONE;
  w_.held = w_.holds;
  w_.holds = w_.pending = 0;
}

void WarpStep::hold(uint32_t line) {
  WARPFS_ASSERT((w_.holds >> line & 1) == 0);
  w_.holds |= uint8_t(1u << line);
}

// ---- gread

void WarpStep::next_of_chunk() {
  while (w_.index < call().pages && (w_.served >> w_.index & 1) != 0) w_.index++;
  if (w_.index < call().pages) return begin_try();
  forget_step();
  w_.line = 0;
  w_.purpose = FOR_FILL;
  if (reservation(FOR_FILL) == nullptr) return begin_finish();
  w_.at = At::PUBLISH;
}

void WarpStep::begin_finish() {
  forget_step();
  w_.stage = CHUNK_FINISH;
  w_.index = 0;
  next_of_finish();
}

void WarpStep::next_of_finish() {
  forget_step();
  w_.line = w_.tried = w_.waits_for = 0;
  for (; w_.index < call().pages; w_.index++) {
    if ((w_.served >> w_.index & 1) != 0) continue;
    const uint8_t claimed = w_.claimed[w_.index];
    w_.claimed[w_.index] = 0;
    if (claimed == 0 && w_.pending == GOES_WELL) return read_page();
    if (claimed == 0) continue;
    w_.line = uint8_t(claimed - 1);
    if (w_.pending == GOES_WELL) return wait_for(ITS_PAGE);
    if (w_.pending == HAS_FAILED) return unpin_then(NEXT_OF_FINISH);
    hold(w_.line);
    w_.line = 0;
  }
  if (w_.pending == IS_PENDING) return leave(true);
  end_call();
}

void WarpStep::read_page() {
  if (w_.bypass == 0) return begin_try();
  forget_step();
  w_.line = uint8_t(w_.bypass - 1);
  wait_for(ITS_PAGE);
}

// ---- What a look for a page, and an attempt to claim a way for it, came to

void WarpStep::tried(Tried outcome, Wait why) {
  const uint8_t line = w_.line;
  forget_step();
  w_.line = line;
  if (w_.stage == CHUNK_START) {
    if (outcome == READY) return unpin_then(SERVED);
    if (outcome == COMING || outcome == LATER) return unpin_then(NEXT_PAGE);
    if (outcome == OURS) w_.claimed[w_.index] = uint8_t(line + 1);
    w_.index++;
    return next_of_chunk();
  }
  w_.tried = outcome;
  w_.why = why;
  w_.purpose = FOR_FILL;
  if (reservation(FOR_FILL) == nullptr) return tried_and_published();
  w_.at = At::PUBLISH;
}

void WarpStep::published() {
  if (w_.purpose == FOR_MAIL) {
    w_.purpose = 0;
    w_.asked = 1;
    return ask_mail();
  }
  if (w_.purpose == FOR_BYPASS) return w_.bypass != 0 ? read_page() : pause(Wait::PINS, At::FIND_TAG);
  if (w_.stage == CHUNK_START) return begin_finish();
  tried_and_published();
}

void WarpStep::tried_and_published() {
  const Wait why = w_.why;
  const Tried outcome = Tried(w_.tried);
  forget_step();
  w_.tried = 0;
  if (w_.stage == PREFETCH_PAGE) return outcome == PINNED || outcome == AGAIN ? end_call() : unpin_then(ENDED);
  if (outcome == LATER) return wait_for(WAY_OUT);
  if (outcome == AGAIN) return pause(why, At::FIND_TAG);
  if (w_.stage == CHUNK_FINISH) {
    if (outcome == READY) return unpin_then(SERVED);
    return outcome == PINNED ? reserve(FOR_BYPASS) : wait_for(ITS_PAGE);
  }
  if (outcome == PINNED) return pause(why, At::FIND_TAG);
  if (outcome == READY || (outcome == OURS && is_whole())) {
    w_.at = outcome == READY ? At::EXTEND : At::WHOLE_READY;
  } else {
    wait_for(ITS_PAGE);
  }
}

// ---- Behind a wait

void WarpStep::waited() {
  const Line& seen = line();
  w_.seen = {};
  if (w_.waits_for != ITS_PAGE) return unpin_then(seen.word.state == LineState::MODIFIED && seen.failed ? BLOCKED_WAY : MADE_WAY);
  if (seen.word.state == LineState::INVALID) return unpin_then(FAILED);
  if (w_.bypass != 0) {
    w_.at = At::BYPASS_RELEASE;
  } else if (w_.stage == LINE_GWRITE) {
    w_.blocked = seen.word.state == LineState::MODIFIED && seen.failed;
    w_.at = At::EXTEND;
  } else {
    unpin_then(SERVED);
  }
}

void WarpStep::wait_pending() {
  w_.seen = {};
  if (w_.waits_for != ITS_PAGE) return unpin_then(PENDING_WAY);
  if (w_.bypass == 0) hold(w_.line);
  if (w_.stage == LINE_GWRITE) return leave(true);
  w_.pending = IS_PENDING;
  w_.index++;
  next_of_finish();
}

void WarpStep::made_way(bool written) {
  if (w_.waits_for == FLUSH) {
    if (!written && w_.pending == GOES_WELL) w_.pending = HAS_FAILED;
    return next_to_flush();
  }
  if (w_.waits_for == WAY_OUT && w_.stage == CHUNK_FINISH) return written ? read_page() : reserve(FOR_BYPASS);
  if (!written) return end_call();
  return w_.waits_for == WAY_OUT ? begin_try() : pause(Wait::DRAIN, At::FIND_TAG);
}

void WarpStep::unpin_then(Then then) {
  w_.then = then;
  w_.at = At::UNPIN;
}

void WarpStep::then() {
  const Then then = Then(w_.then);
  w_.then = 0;
  switch (then) {
    case SERVED:
      w_.served |= uint8_t(1u << w_.index);
      w_.index++;
      return w_.stage == CHUNK_START ? next_of_chunk() : next_of_finish();
    case NEXT_PAGE: w_.index++; return next_of_chunk();
    case NEXT_OF_FINISH: w_.index++; return next_of_finish();
    case MADE_WAY: return made_way(true);
    case BLOCKED_WAY: return made_way(false);
    case FAILED:
      w_.bypass = 0;
      if (w_.stage == LINE_GWRITE) return end_call();
      w_.pending = HAS_FAILED;
      w_.index++;
      return next_of_finish();
    case PENDING_WAY:
      if (w_.stage == LINE_GWRITE) return leave(true);
      w_.pending = IS_PENDING;
      if (w_.waits_for == FLUSH) return next_to_flush();
      w_.index++;
      return next_of_finish();
    default: return end_call();
  }
}

/// Under replay the item leaves instead, with what it was waiting for kept as the code keeps it.
void WarpStep::pause(Wait why, At back) {
  forget_step();
  if (!replay_) {
    w_.why = why;
    w_.back = back;
    w_.at = At::PAUSE;
  } else if (back == At::WAIT_LOOK) {
    wait_pending();
  } else if (back == At::FLUSH_LOOK) {
    w_.pending = IS_PENDING;
    next_to_flush();
  } else if (back == At::FIND_TAG && w_.stage == CHUNK_FINISH) {
    w_.pending = IS_PENDING;
    w_.index++;
    next_of_finish();
  } else {
    leave(true);
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
      if (line.word.state != LineState::MODIFIED || line.word.pins != 0) return wrote_back(NOT_NOW);
      w_.seen = line.word;
      return reserve(FOR_WRITE_BACK);
    case At::BACK_TAKE:
      if (change(line, {LineState::BUSY, LineStep::STARTING, w_.back_pins})) {
        w_.at = At::BACK_RANGE;
      } else if (w_.seen.state != LineState::MODIFIED || w_.seen.pins != 0) {
        w_.at = At::BACK_GIVE_UP;
      }
      return;
    case At::BACK_GIVE_UP: publish(FOR_WRITE_BACK, NOP, 0); return wrote_back(NOT_NOW);
    case At::BACK_RANGE:
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
  w_.seen = {};
  w_.purpose = 0;
  switch (w_.back_from) {
    case FROM_FIND: return tried(AGAIN, why);
    case FROM_ROOM:
      if (result == STARTED) return tried(LATER);
      return tried(AGAIN, result == RING_FULL ? Wait::RING : Wait::RACE);
    case FROM_SWEEP: return tried(OURS);
    case FROM_FLUSH_START: return next_to_flush();
    default: {
      const bool flush = w_.back_from == FROM_FLUSH_WAIT;
      forget_step();
      if (result == STARTED) return wait_for(flush ? FLUSH : PIECE_OUT);
      return pause(why, flush ? At::FLUSH_LOOK : At::FIND_TAG);
    }
  }
}

}  // namespace warpfs::protocol
