// Finding a page, and the ring: cache_set.h, ring.h; the accesses that all steps are made of.
#include "protocol_progress_step.h"

#include "../host/assert.h"

namespace warpfs::protocol {

void WarpStep::step() {
  if (w_.at <= At::FIND_UNPIN) return step_find();
  if (w_.at <= At::SETTLE_UNPIN) return step_look();
  if (w_.at >= At::RIVAL_TAG && w_.at <= At::RIVAL_ABANDON) return step_rival();
  if (w_.at <= At::GIVE_UP_UNPIN) return step_claim();
  if (w_.at <= At::PUBLISH) return step_ring();
  if (w_.at <= At::FINISH_MASK) return step_wait();
  if (w_.at >= At::BYPASS_CLAIM && w_.at <= At::BYPASS_DROP) return step_bypass();
  if (w_.at >= At::ENTER_HINT && w_.at <= At::ENTER_LOOK_AGAIN) return step_enter();
  if (w_.at >= At::SOIL && w_.at <= At::WHOLE_READY) return step_soil();
  if (w_.at >= At::WAY_BEGIN && w_.at <= At::LEAVE) return step_drain();
  if (w_.at >= At::BACK_LOOK && w_.at <= At::BACK_PUBLISH) return step_write_back();
  if (w_.at >= At::FLUSH_SCAN && w_.at <= At::FLUSH_UNPIN) return step_flush();
  if (w_.at >= At::GATE_LOOK && w_.at <= At::RENEW) return step_gate();
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
bool WarpStep::move(Line& line, uint32_t state, uint32_t step) { return change(line, {uint8_t(state), uint8_t(step), w_.seen.pins, w_.seen.hands}); }

void WarpStep::unpin(Line& line) {
  WARPFS_ASSERT(line.word.pins > 0);
  line.word.pins--;
}

void WarpStep::leave_line(Line& line) {
  WARPFS_ASSERT(line.word.hands > 0);
  line.word.hands--;
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
  w_.line = w_.tried = w_.waits_for = w_.waited = 0;
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
      if (!has_page(way())) return next_way();
      w_.at = At::FIND_HINT;
      return;
    case At::FIND_HINT:
      if (word.state == LineState::INVALID) return next_way();
      if (word.state == LineState::BUSY && word.step < LineStep::FILLING) return tried(AGAIN, Wait::CLAIM);
      w_.at = At::FIND_PIN;
      return;
    case At::FIND_PIN:
      w_.seen = word;
      word.pins++;
      w_.at = At::FIND_TAG_PINNED;
      return;
    case At::FIND_TAG_PINNED: {
      const bool matches = has_page(way());
      w_.line = uint8_t(first_of_set() + w_.way);
      const bool writing = w_.seen.is(LineState::BUSY, LineStep::WRITING);
      if (matches && (w_.seen.state == LineState::READY || w_.seen.state == LineState::MODIFIED || writing)) return tried(READY);
      if (matches && w_.seen.state == LineState::BUSY && w_.seen.step >= LineStep::FILLING) return tried(COMING);
      w_.at = At::FIND_UNPIN;
      w_.rival = matches;  // the tag was right
      return;
    }
    default: {  // FIND_UNPIN
      unpin(way());
      return tried(AGAIN, w_.rival && w_.seen.state == LineState::BUSY ? Wait::CLAIM : Wait::RACE);
    }
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

}  // namespace warpfs::protocol
