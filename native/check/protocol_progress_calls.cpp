// The calls of the model, and what they do with a page once it was looked for: cache.h, read.h, write.h, flush.h, open.h, map.h, item.h.
#include "protocol_progress_step.h"

#include "../host/assert.h"

#include <bit>

namespace warpfs::protocol {

void WarpStep::forget_step() {
  w_.way = w_.unused = w_.clean = w_.dirty = w_.rival = w_.stale = w_.purpose = w_.then = w_.range = w_.refused = 0;
  w_.back_line = w_.back_pins = w_.back_from = w_.ending = 0;
  w_.ended = At::DONE;
  w_.seen = {};
  w_.why = Wait::NONE;
  w_.back = At::DONE;
}

void WarpStep::begin_call() {
  forget_step();
  const Call::Kind kind = call().kind;
  if (kind == Call::STAT || ((kind == Call::SYNC || kind == Call::MAP_SYNC) && w_.asked != 0)) return ask_mail();
  if (kind == Call::BARRIER) {
    w_.at = w_.asked != 0 ? At::BARRIER_LOOK : At::BARRIER_ARRIVE;
    return;
  }
  if ((kind == Call::UNMAP || kind == Call::MAP_SYNC) && !writes_map()) {
    if (w_.mapped == 0 || kind == Call::MAP_SYNC) return end_call();
    w_.line = uint8_t(w_.mapped - 1);
    return unpin_then(UNMAPPED);
  }
  if (kind == Call::MAP_SYNC && w_.soiled != 0) return begin_flush();
  if (!truncates(c_)) return viewed();
  w_.at = At::VIEW;
  if (kind == Call::TRUNCATE) {
    w_.at = w_.gate != GATE_OUTSIDE ? At::GATE_WAIT : At::GATE_CLOSE;
  } else if (kind == Call::WRITE || kind == Call::WRITE_WHOLE || writes_map()) {
    w_.at = w_.gate != GATE_OUTSIDE ? At::VIEW : At::GATE_LOOK;
  }
}

/// The file was looked up.
void WarpStep::viewed() {
  forget_step();
  switch (call().kind) {
    case Call::READ:
      if (w_.read_of != 0 && w_.read_of != w_.identity + 1) {
        if (w_.bypass != 0) {
          w_.at = At::BYPASS_DROP;
          return;
        }
        w_.served = w_.read_of = 0;
      }
      w_.read_of = uint8_t(w_.identity + 1);
      w_.stage = CHUNK_START;
      return w_.bypass != 0 ? begin_finish() : next_of_chunk();
    case Call::WRITE:
    case Call::WRITE_WHOLE:
      w_.stage = LINE_GWRITE;
      return begin_try();
    case Call::PREFETCH:
      w_.stage = PREFETCH_PAGE;
      return begin_try();
    case Call::MAP:
      w_.stage = MAP_PAGE;
      return begin_try();
    case Call::UNMAP:
    case Call::MAP_SYNC: return begin_map_write();
    default: return w_.asked != 0 ? ask_mail() : begin_flush();  // SYNC, TRUNCATE
  }
}

void WarpStep::end_call() {
  WARPFS_ASSERT(w_.bypass == 0);
  if (w_.gate != GATE_OUTSIDE) {
    forget_step();
    w_.at = At::GATE_LEAVE;
    return;
  }
  w_.served = w_.asked = w_.read_of = w_.soiled = w_.identity = 0;
  w_.stage = w_.index = w_.line = w_.tried = w_.waits_for = w_.waited = w_.pending = w_.lines = 0;
  if (++w_.call < c_.warps[id_].size()) return begin_call();
  leave(false);
}

/// The item ends, or leaves until the next round: pins that were kept for this run are let go.
void WarpStep::leave(bool pending) {
  forget_step();
  w_.identity = w_.stage = w_.index = w_.line = w_.tried = w_.waits_for = w_.waited = w_.lines = 0;
  w_.pending = pending ? IS_PENDING : GOES_WELL;
  release_next();
}

void WarpStep::release_next() {
  w_.at = At::ITEM_RELEASE;
  if (w_.held != 0) return;
  w_.at = At::ITEM_UNMAP;
  if (w_.pending == GOES_WELL && w_.mapped != 0) return;
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
  w_.line = w_.tried = w_.waits_for = w_.waited = 0;
  for (; w_.index < call().pages; w_.index++) {
    if ((w_.served >> w_.index & 1) != 0) continue;
    const uint8_t claimed = w_.claimed[w_.index];
    w_.claimed[w_.index] = 0;
    if (claimed == 0 && w_.pending == GOES_WELL) return read_page();
    if (claimed == 0) continue;
    w_.line = uint8_t(claimed - 1);
    if (w_.pending == GOES_WELL) return wait_for(ITS_PAGE);
    if (w_.pending != IS_PENDING) return unpin_then(NEXT_OF_FINISH);
    hold(w_.line);
    w_.line = 0;
  }
  if (w_.pending == IS_PENDING) return leave(true);
  if (w_.pending == IS_STALE) return restart_read();
  end_call();
}

void WarpStep::restart_read() {
  w_.served = w_.read_of = w_.index = w_.pending = 0;
  w_.at = At::RENEW;
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
  if (w_.stage == MAP_PAGE) {
    if (outcome == PINNED) return end_call();  // EAGAIN
    if (outcome == READY) return waited();
    return wait_for(ITS_PAGE);
  }
  if (outcome == PINNED) return pause(why, At::FIND_TAG);
  if (outcome == READY) {
    w_.tried = READY;
    w_.at = At::ENTER_HINT;
  } else if (outcome == OURS && is_whole()) {
    w_.at = At::WHOLE_READY;
  } else {
    w_.tried = READY;
    wait_for(ITS_PAGE);
  }
}

// ---- Behind a wait

void WarpStep::waited() {
  w_.seen = {};
  w_.ending = 0;
  w_.ended = At::DONE;
  if (w_.waits_for == MAP_OUT) return pause(Wait::DRAIN, At::ENTER_HINT);
  if (w_.waits_for != ITS_PAGE) return unpin_then(w_.waited == NOT_WRITTEN ? BLOCKED_WAY : MADE_WAY);
  if (w_.waited == HAS_FAILED || w_.waited == IS_STALE) return unpin_then(FAILED);
  if (w_.bypass != 0) {
    w_.at = At::BYPASS_RELEASE;
  } else if (w_.stage == LINE_GWRITE) {
    w_.waited = GOES_WELL;
    w_.at = At::ENTER_HINT;
  } else if (w_.stage == MAP_PAGE) {
    w_.mapped = uint8_t(w_.line + 1);
    end_call();
  } else {
    unpin_then(SERVED);
  }
}

void WarpStep::wait_pending() {
  w_.seen = {};
  if (w_.waits_for == MAP_OUT) return leave(true);
  if (w_.waits_for != ITS_PAGE) return unpin_then(PENDING_WAY);
  if (w_.bypass == 0) hold(w_.line);
  if (w_.stage == LINE_GWRITE || w_.stage == MAP_PAGE) return leave(true);
  w_.pending = IS_PENDING;
  w_.index++;
  next_of_finish();
}

void WarpStep::made_way(bool written) {
  // Only a write-back can fail.
  if (w_.waits_for == FLUSH) {
    if (!written && w_.pending == GOES_WELL) w_.pending = HAS_FAILED;
    return next_to_flush();
  }
  if (w_.waits_for == WAY_OUT && w_.stage == CHUNK_FINISH) return written ? read_page() : reserve(FOR_BYPASS);
  if (!written) return end_call();
  if (w_.waits_for == WAY_OUT) return begin_try();
  pause(Wait::DRAIN, w_.stage == MAP_WRITE ? At::ENTER_HINT : At::FIND_TAG);
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
      if ((w_.stage == MAP_PAGE || w_.stage == LINE_GWRITE) && w_.waited == IS_STALE) {
        w_.at = At::RENEW;
        return;
      }
      if (w_.stage == LINE_GWRITE || w_.stage == MAP_PAGE) return end_call();
      w_.pending = w_.waited;
      w_.index++;
      return next_of_finish();
    case START_IT:
      w_.served = 1;
      return write_back(w_.line, 1, FROM_PIECE);
    case MAP_WRITTEN: return map_written(false);
    case UNMAPPED:
      w_.mapped = 0;
      return end_call();
    case PENDING_WAY:
      if (w_.stage == LINE_GWRITE || w_.stage == MAP_PAGE || w_.stage == MAP_WRITE) return leave(true);
      w_.pending = IS_PENDING;
      if (w_.waits_for == FLUSH) return next_to_flush();
      w_.index++;
      return next_of_finish();
    default: return end_call();  // ENDED, NOT_MADE
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
    w_.waited = IS_PENDING;
    w_.at = At::WAIT_LEAVE;
  } else if (back == At::ENTER_HINT && w_.stage == LINE_GWRITE) {
    hold(w_.line);
    leave(true);
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

}  // namespace warpfs::protocol
