// The waiting of the protocol as a small machine: what warps, lines, rings and the host do, one access to shared words a step, so that all
// interleavings can be looked at. The steps are those of cache_set.h, cache.h, line_wait.h, write_back.h, read.h, write.h, dirty.h, flush.h,
// gate.h, file.h, open.h, map.h, ring.h, mail.h and item.h, taken by the leader of each warp.
//
// Left out: versions and reference bits (no waiting depends on them; the victim is the lowest way), counters, bytes, sizes (a file that was cut
// off is as long as before, with other bytes), the limit of dirty lines, elements (they write as gwrite does), and bounds of time: the question
// is what would be waited for for ever. Accesses to words that only one warp can touch at the moment, or that nobody can change at the moment,
// are one step with the next; a flush looks at the tag of a line together with its word. There is one file. Where no call of a case truncates
// it, nobody waits at its gate and its identity stays: both are left out then.
#pragma once
#include "../host/abi_host.h"

#include <cstdint>
#include <string>
#include <vector>

namespace warpfs::protocol {

constexpr uint32_t WARPS_MAX = 3, LINES_MAX = 4, RING_SLOTS_MAX = 3, PAGES_OF_READ_MAX = 2;

/// One call of one warp.
struct Call {
  enum Kind : uint8_t { READ, WRITE, WRITE_WHOLE, PREFETCH, SYNC, STAT, BARRIER, TRUNCATE, MAP, UNMAP, MAP_SYNC };
  Kind kind;
  uint8_t page = 0;   // from 1 on; of READ, WRITE, WRITE_WHOLE, PREFETCH and MAP; TRUNCATE: the first one that is cut off
  uint8_t pages = 1;  // READ: as many consecutive ones
  uint8_t piece = 0;  // WRITE: 1 or 2, bytes that do not touch those of the other; UNMAP, MAP_SYNC: the same, or 0: nothing was stored
};

struct Scenario {
  const char* name;
  std::vector<std::vector<Call>> warps;
  uint8_t sets = 1, ways = 1, bypass_lines = 1;
  uint8_t rings = 1, ring_slots = 2;
  uint8_t masks = 0;                   // of dirty bytes
  std::vector<uint8_t> ready = {};     // pages that are in the cache at the beginning
  std::vector<uint8_t> modified = {};  // the same, with bytes that are not in the file (piece 1)
  bool fills_fail = false, write_backs_fail = false, truncations_fail = false;  // all of them
};

/// Why a warp looks again later.
enum class Wait : uint8_t {
  NONE,
  CLAIM,       // the page is in a line that another warp has claimed: BUSY, CLAIMING or ABANDONED
  RACE,        // somebody was faster
  PINS,        // every line where the page could lie is pinned, and those behind the cache are in use
  DRAIN,       // the line has to be written back, and that could not be started or has just been
  GATE,        // of the file: closed, or somebody is inside
  STALE,       // the host gave no bytes, for the file is being truncated or has been
  RING,        // no room in the ring
  FILL,        // BUSY, FILLING
  START,       // BUSY, STARTING: a write of a whole line, or a write-back that is being put together
  WRITE_BACK,  // BUSY, WRITING
  MAILBOX,
  BARRIER,
};
constexpr uint32_t WAIT_COUNT = uint32_t(Wait::BARRIER) + 1;
const char* wait_name(Wait wait);

/// The access that a warp makes next.
enum class At : uint8_t {
  FIND_TAG, FIND_HINT, FIND_PIN, FIND_TAG_PINNED, FIND_UNPIN,                       // way_find
  LOOK, SETTLE_DONE, SETTLE_PIN, SETTLE_UNPIN,                                      // way_votes, line_settle
  ROOM_LOOK, ROOM_PIN, ROOM_UNPIN,                                                  // set_make_room
  TAKE_LOOK, TAKE, TAKE_TAG,                                                        // way_take
  RIVAL_TAG, RIVAL_LOOK, RIVAL_TAG_AGAIN, RIVAL_ABANDON,                            // way_is_rival
  GO, GO_MOVE, GIVE_UP, GIVE_UP_MOVE, GIVE_UP_UNPIN,                                // set_claim
  RESERVE, RESERVE_TAIL,                                                            // ring_reserve
  PUBLISH,                                                                          // fill_publish, ring_give_up, mail_ask
  WAIT_HAND, WAIT_LOOK, WAIT_LEAVE,                                                 // line_wait
  FINISH_DONE, FINISH, FINISH_MASK,                                                 // line_finish
  UNPIN,                                                                            // page_release, line_unpin
  BYPASS_CLAIM, BYPASS_PIN, BYPASS_EMPTY, BYPASS_UNPIN,                             // bypass_claim
  BYPASS_RELEASE, BYPASS_DROP,                                                      // bypass_release; read_restart, call_end
  ENTER_HINT, ENTER, ENTER_UNDO, ENTER_LOOK, ENTER_LOOK_AGAIN,                      // page_enter, line_enter
  SOIL, SOIL_CHANGE, MASK_LOOK, MASK_TAKE, MASK_PUT, MASK_FREE, WRITE,              // line_soil: dirty_add, dirty_to_mask, line_write
  WHOLE_READY,                                                                      // piece_write_whole
  WAY_BEGIN, DRAIN_LOOK, DRAIN, LEAVE,                                              // line_make_way, line_drain, line_leave
  BACK_LOOK, BACK_TAKE, BACK_GIVE_UP, BACK_RANGE, BACK_MOVE, BACK_PUBLISH,          // line_write_back
  FLUSH_SCAN, FLUSH_LOOK, FLUSH_PIN, FLUSH_UNPIN,                                   // lines_flush, line_flush_look
  MAIL_LOOK,                                                                        // mail_ask
  BARRIER_ARRIVE, BARRIER_LOOK,                                                     // program_barrier
  GATE_LOOK, GATE_ADD, GATE_SUB, GATE_CLOSE, GATE_WAIT, GATE_LEAVE,                 // gate_pass, gate_close, gate_leave
  VIEW, RENEW,                                                                      // file_view, file_wait_renewed
  PAUSE,                                                                            // wait_again, under spin
  ITEM_RELEASE, ITEM_UNMAP, LEFT,                                                   // item_end; pending until the next round, under replay
  DONE,
};

// All fields are bytes: states are compared and hashed as memory.
struct Word {
  uint8_t state = LineState::INVALID, step = LineStep::NONE, pins = 0, hands = 0;
  bool operator==(const Word&) const = default;
  bool is(uint32_t wanted_state, uint32_t wanted_step) const { return state == wanted_state && step == wanted_step; }
};

enum Answer : uint8_t { GOOD, BROKEN, STALE };  // LineDone.result: 0, EIO, ESTALE

// Dirty bytes: pieces 1 and 2 do not touch each other, 4 is what lies between. As a range, or in a mask.
enum : uint8_t { BYTES_WHOLE = 7, BYTES_MASKED = 8 };

struct Line {
  Word word;
  uint8_t page = 0;            // tag; 0: none
  uint8_t identity = 0;        // the same, and what a request says of it
  uint8_t unanswered = 0;      // the ticket is ahead of LineDone.sequence
  uint8_t at_host = 0;         // the host has taken the request
  uint8_t answer = GOOD;       // LineDone.result
  uint8_t dirty = 0;
  uint8_t writing = 0;         // 0 as well once these bytes are in the file: no error of theirs can follow
};

enum SlotState : uint8_t { FREE, RESERVED, NOP, FILL, WRITE_BACK, MAIL };
struct Slot {
  uint8_t state = FREE, warp = 0;
  uint8_t purpose = 0;  // while RESERVED: what for
  uint8_t lines = 0;    // a bit for each line
};

// A truncation: from MAIL_CUTTING on the host refuses fills of the old bytes, from MAIL_CUT on the file has its new identity.
enum MailState : uint8_t { MAIL_IDLE, MAIL_ASKED, MAIL_CUTTING, MAIL_CUT, MAIL_ANSWERED };

struct Warp {
  // Of the item: kept over rounds.
  At at = At::DONE;
  uint8_t call = 0, served = 0, asked = 0, bypass = 0;  // bypass: line + 1
  uint8_t read_of = 0;                                  // READ: identity + 1 of the bytes that it began with
  uint8_t soiled = 0;                                   // MAP_SYNC: past map_write
  uint8_t gate = 0;                                     // GATE_INSIDE, GATE_IS_OURS
  uint8_t mapped = 0;                                   // line + 1
  uint8_t held = 0;                                     // pins of the last run, a bit for each line
  // Of the call.
  uint8_t identity = 0;  // of the file, as it was looked up
  uint8_t stage = 0, index = 0, line = 0, tried = 0, waits_for = 0, waited = 0, pending = 0, holds = 0, lines = 0;
  uint8_t claimed[PAGES_OF_READ_MAX] = {};  // line + 1 of each page that goes into the request
  // Of the step: cleared when a look at a set begins.
  uint8_t way = 0, unused = 0, clean = 0, dirty = 0, rival = 0, stale = 0, purpose = 0, then = 0;
  uint8_t range = 0;    // dirty bytes as last seen
  uint8_t refused = 0;  // the write-back that this call has had done has failed
  uint8_t back_line = 0, back_pins = 0, back_from = 0;
  uint8_t ending = 0;  // line_finish: the line
  At ended = At::DONE;  // and where it goes on
  Word seen;
  Wait why = Wait::NONE;
  At back = At::DONE;
};

enum : uint8_t { GATE_OUTSIDE, GATE_INSIDE, GATE_IS_OURS };  // Warp::gate

/// What must never happen: bits of State::wrong.
enum Wrong : uint8_t {
  WRITES_NOTHING = 1,  // a line is MODIFIED, and none of its bytes is dirty
};

struct State {
  Line lines[LINES_MAX];
  Slot rings[WARPS_MAX][RING_SLOTS_MAX];  // of each ring, from RingHead.head on
  uint8_t mail[WARPS_MAX] = {};
  uint8_t arrivals = 0, has_run = 0;
  uint8_t masks = 0;                       // that are free
  uint8_t inside = 0, gate_is_closed = 0;  // the gate of the file
  uint8_t identity = 0, cutting = 0;       // of the file: FileEntry.file_id; a truncation is under way
  uint8_t wrong = 0;
  Warp warps[WARPS_MAX];
};

State first_state(const Scenario& scenario, bool replay);
/// One step of a warp that is neither LEFT nor DONE.
void step_warp(const Scenario& scenario, bool replay, State& state, uint32_t warp);
/// Replay: all items that are pending run again.
void start_round(const Scenario& scenario, State& state);

}  // namespace warpfs::protocol
