// One warp of the model while it makes a step: the access that it is at, then what its code does without another one.
#pragma once
#include "protocol_progress_model.h"

namespace warpfs::protocol {

// Whose look for a page, and whose waits.
enum Stage : uint8_t { CHUNK_START, CHUNK_FINISH, LINE_GWRITE, PREFETCH_PAGE, FLUSH_START, FLUSH_WAIT, MAP_PAGE, MAP_WRITE };
enum Tried : uint8_t { OURS, READY, COMING, LATER, PINNED, AGAIN };  // PAGE_*
// page_wait, page_make_way for its three callers, and line_wait of map_write.
enum WaitsFor : uint8_t { ITS_PAGE, WAY_OUT, PIECE_OUT, FLUSH, MAP_OUT };
enum Waited : uint8_t { GOES_WELL, IS_PENDING, HAS_FAILED, IS_STALE, NOT_WRITTEN };  // Warp::waited; Warp::pending: all but the last
enum Purpose : uint8_t { FOR_FILL = 1, FOR_BYPASS, FOR_WRITE_BACK, FOR_MAIL };       // of a reservation
// What follows the end of a hand (LEAVE), or of a pin (UNPIN).
enum Then : uint8_t {
  NOTHING, SERVED, NEXT_PAGE, NEXT_OF_FINISH, FAILED, MADE_WAY, BLOCKED_WAY, PENDING_WAY, ENDED,
  START_IT,     // line_make_way
  NOT_MADE,     // the same, where the older bytes cannot be written back
  MAP_WRITTEN,  // map_write: no pin goes with the hand
  UNMAPPED,
};
// The callers of line_write_back, and what it says: WRITE_BACK_*.
enum BackFrom : uint8_t { FROM_ENTER, FROM_ROOM, FROM_SWEEP, FROM_PIECE, FROM_FLUSH_START, FROM_FLUSH_WAIT };
enum BackResult : uint8_t { STARTED, NOT_NOW, RING_FULL };

bool truncates(const Scenario& scenario);

class WarpStep {
 public:
  WarpStep(const Scenario& scenario, bool replay, State& state, uint32_t warp)
      : c_(scenario), replay_(replay), s_(state), w_(state.warps[warp]), id_(warp) {}

  void step();
  void begin_call();

 private:
  // Places.
  const Call& call() const { return c_.warps[id_][w_.call]; }
  uint8_t page() const { return uint8_t(call().page + w_.index); }
  uint32_t cache_lines() const { return uint32_t(c_.sets) * c_.ways; }
  uint32_t first_of_set() const { return page() % c_.sets * c_.ways; }
  Line& way() { return s_.lines[first_of_set() + w_.way]; }
  Line& line() { return s_.lines[w_.line]; }
  Line& back_line() { return s_.lines[w_.back_line]; }
  Slot* ring() { return s_.rings[id_ % c_.rings]; }
  Slot* reservation(uint8_t purpose);
  bool is_whole() const { return call().kind == Call::WRITE_WHOLE; }
  bool has_page(const Line& line) const { return line.page == page() && line.identity == w_.identity; }
  bool writes_map() const { return (call().kind == Call::UNMAP || call().kind == Call::MAP_SYNC) && call().piece != 0 && w_.mapped != 0; }

  // Accesses.
  bool change(Line& line, Word wanted);
  bool move(Line& line, uint32_t state, uint32_t step);
  void unpin(Line& line);
  void leave_line(Line& line);
  void publish(uint8_t purpose, uint8_t request, uint8_t lines);

  // The steps, by what they are part of.
  void step_find();
  void step_look();
  void step_claim();
  void step_rival();
  void step_ring();
  void step_wait();
  void step_bypass();
  void step_enter();
  void step_soil();
  void step_drain();
  void step_write_back();
  void step_flush();
  void step_gate();
  void step_other();

  // What follows without an access.
  void forget_step();
  void begin_try();
  void next_way();
  void vote(const Word& word, uint8_t pins);
  void choose_way();
  void room_next();
  void next_rival();
  void tried(Tried tried, Wait why = Wait::NONE);
  void tried_and_published();
  void next_of_chunk();
  void begin_finish();
  void next_of_finish();
  void read_page();
  void restart_read();
  void reserve(uint8_t purpose);
  void reserved(bool taken);
  void published();
  void wait_for(WaitsFor what);
  void wait_look(const Word& word);
  void finish(uint32_t line, At ended);
  void waited();
  void wait_pending();
  void unpin_then(Then then);
  void leave_then(Then then);
  void then();
  void made_way(bool written);
  void write_back(uint32_t line, uint8_t pins, BackFrom from);
  void wrote_back(BackResult result);
  bool belongs(const Line& line) const;
  void begin_flush();
  void next_to_flush();
  void flushed();
  void begin_map_write();
  void map_written(bool stale);
  void ask_mail();
  void viewed();
  void pause(Wait why, At back);
  void hold(uint32_t line);
  void end_call();
  void leave(bool pending);
  void release_next();

  const Scenario& c_;
  bool replay_;
  State& s_;
  Warp& w_;
  uint32_t id_;
};

}  // namespace warpfs::protocol
