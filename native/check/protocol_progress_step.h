// One warp of the model while it makes a step: the access that it is at, then what its code does without another one.
#pragma once
#include "protocol_progress_model.h"

namespace warpfs::protocol {

// Whose look for a page, and whose waits.
enum Stage : uint8_t { CHUNK_START, CHUNK_FINISH, LINE_GWRITE, PREFETCH_PAGE, FLUSH_START, FLUSH_WAIT };
enum Tried : uint8_t { OURS, READY, COMING, LATER, PINNED, AGAIN };  // PAGE_*
// page_wait, and page_make_way for its three callers.
enum WaitsFor : uint8_t { ITS_PAGE, WAY_OUT, PIECE_OUT, FLUSH };
enum Purpose : uint8_t { FOR_FILL = 1, FOR_BYPASS, FOR_WRITE_BACK, FOR_MAIL };  // of a reservation
// What follows an unpin.
enum Then : uint8_t { NOTHING, SERVED, NEXT_PAGE, NEXT_OF_FINISH, FAILED, MADE_WAY, BLOCKED_WAY, PENDING_WAY, ENDED };
// The callers of line_write_back, and what it says: WRITE_BACK_*.
enum BackFrom : uint8_t { FROM_FIND, FROM_ROOM, FROM_SWEEP, FROM_PIECE, FROM_FLUSH_START, FROM_FLUSH_WAIT };
enum BackResult : uint8_t { STARTED, NOT_NOW, RING_FULL };
enum : uint8_t { GOES_WELL, IS_PENDING, HAS_FAILED };  // Warp::pending

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
  uint8_t all_pages() const { return uint8_t((1u << call().pages) - 1); }

  // Accesses.
  bool change(Line& line, Word wanted);
  bool move(Line& line, uint32_t state, uint32_t step);
  void unpin(Line& line);
  void publish(uint8_t purpose, uint8_t request, uint8_t lines);

  // The steps, by what they are part of.
  void step_find();
  void step_claim();
  void step_rival();
  void step_ring();
  void step_wait();
  void step_write();
  void step_write_back();
  void step_flush();
  void step_other();

  // What follows without an access.
  void forget_step();
  void begin_try();
  void next_way();
  void choose_way();
  void room_next();
  void next_rival();
  void tried(Tried tried, Wait why = Wait::NONE);
  void tried_and_published();
  void next_of_chunk();
  void begin_finish();
  void next_of_finish();
  void read_page();
  void reserve(uint8_t purpose);
  void reserved(bool taken);
  void published();
  void wait_for(WaitsFor what);
  void waited();
  void wait_pending();
  void unpin_then(Then then);
  void then();
  void made_way(bool written);
  void write_back(uint32_t line, uint8_t pins, BackFrom from);
  void wrote_back(BackResult result);
  void next_to_flush();
  void ask_mail();
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
