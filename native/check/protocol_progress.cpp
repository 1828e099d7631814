#include "protocol_progress.h"

#include "../host/assert.h"

#include <algorithm>
#include <cstring>

namespace warpfs {

using namespace protocol;

namespace {

// Actors. The host takes requests from each ring in order, and finishes what it has taken in any order.
constexpr uint32_t RING_ACTOR = 8, LINE_ACTOR = 16, MAIL_ACTOR = 32, ROUND_ACTOR = 40;
constexpr size_t STATES_MAX = 20'000'000;

static_assert(alignof(State) == 1, "states are compared as bytes");

class StateNumbers {
 public:
  explicit StateNumbers(std::vector<State>& states) : states_(states), table_(1 << 16) {}

  uint32_t number_of(const State& state) {
    if (states_.size() * 2 >= table_.size()) grow();
    size_t place = hash(state) & (table_.size() - 1);
    for (; table_[place] != 0; place = (place + 1) & (table_.size() - 1)) {
      if (std::memcmp(&states_[table_[place] - 1], &state, sizeof state) == 0) return table_[place] - 1;
    }
    states_.push_back(state);
    table_[place] = uint32_t(states_.size());
    return table_[place] - 1;
  }

 private:
  static size_t hash(const State& state) {
    uint64_t value = 0;
    const char* bytes = reinterpret_cast<const char*>(&state);
    for (size_t at = 0; at < sizeof state; at += 8) {
      uint64_t word = 0;
      std::memcpy(&word, bytes + at, std::min<size_t>(8, sizeof state - at));
      value = (value ^ word) * 0x9e3779b97f4a7c15ull;
      value ^= value >> 29;
    }
    return size_t(value);
  }
  void grow() {
    std::vector<uint32_t> table(table_.size() * 2);
    for (uint32_t number = 0; number < states_.size(); number++) {
      size_t place = hash(states_[number]) & (table.size() - 1);
      while (table[place] != 0) place = (place + 1) & (table.size() - 1);
      table[place] = number + 1;
    }
    table_.swap(table);
  }

  std::vector<State>& states_;
  std::vector<uint32_t> table_;  // number + 1
};

/// The host takes the request at the head of a ring.
State take_request(State state, uint32_t ring) {
  const Slot slot = state.rings[ring][0];
  std::memmove(state.rings[ring], state.rings[ring] + 1, sizeof(Slot) * (RING_SLOTS_MAX - 1));
  state.rings[ring][RING_SLOTS_MAX - 1] = {};
  for (uint32_t line = 0; line < LINES_MAX; line++) {
    if ((slot.lines >> line & 1) != 0) state.lines[line].at_host = 1;
  }
  if (slot.state == MAIL) state.mail[slot.warp] = MAIL_ASKED;
  return state;
}

State answer_line(State state, uint32_t line, Answer answer) {
  state.lines[line].at_host = 0;
  state.lines[line].unanswered = 0;
  state.lines[line].answer = answer;
  return state;
}

/// The next step of the host with a request that is not about lines.
State serve_mail(const Scenario& scenario, State state, uint32_t warp) {
  uint8_t& mail = state.mail[warp];
  const bool truncates = scenario.warps[warp][state.warps[warp].call].kind == Call::TRUNCATE;
  if (!truncates || mail == MAIL_CUT) {
    mail = MAIL_ANSWERED;
  } else if (mail == MAIL_ASKED) {
    WARPFS_ASSERT(!state.cutting);  // the gate lets one truncation through at a time
    state.cutting = 1;
    mail = MAIL_CUTTING;
  } else {
    state.cutting = 0;
    if (!scenario.truncations_fail) state.identity++;
    mail = MAIL_CUT;
  }
  return state;
}

/// Nothing is left behind where all warps have ended.
void check_end(const Scenario& scenario, const State& state) {
  for (const Line& line : state.lines) WARPFS_ASSERT(line.word.pins == 0 && line.word.hands == 0);
  WARPFS_ASSERT(state.inside == 0 && state.gate_is_closed == 0);
  uint32_t masked = 0;
  for (const Line& line : state.lines) masked += ((line.dirty | line.writing) & BYTES_MASKED) != 0;
  WARPFS_ASSERT(state.masks + masked == scenario.masks);
}

/// Whatever ends under `weaker` ends under the other.
bool is_weaker(Progress weaker, Progress model) {
  constexpr uint8_t strong = uint8_t(Progress::OBE_STRONG) - uint8_t(Progress::OBE);
  const auto base = [](Progress any) { return progress_is_strong(any) ? Progress(uint8_t(any) - strong) : any; };
  if (weaker == model || (progress_is_strong(weaker) && !progress_is_strong(model))) return false;
  const Progress from = base(weaker), to = base(model);
  if (from == to || to == Progress::WEAK_FAIR) return true;
  if (from == Progress::OBE) return to != Progress::HSA;
  if (from == Progress::HSA) return to != Progress::OBE;
  return from == Progress::HSA_OBE && to == Progress::LOBE;
}

std::string weakest(const std::vector<Progress>& enough) {
  std::string names;
  for (const Progress model : enough) {
    if (std::any_of(enough.begin(), enough.end(), [&](Progress other) { return is_weaker(other, model); })) continue;
    names += (names.empty() ? "" : " or ") + std::string(progress_name(model));
  }
  return names.empty() ? "more" : names;
}

std::set<std::string> wrong_names(uint8_t wrong) {
  std::set<std::string> names;
  if ((wrong & WRITES_NOTHING) != 0) names.insert("writes_nothing");
  return names;
}

/// Can a run go round for ever with pauses for this reason alone?
bool waits_in_vain(const ProtocolGraph& explored, const std::vector<uint32_t>& loop, Wait reason) {
  std::vector<uint32_t> kept;
  bool pauses = false;
  for (const uint32_t number : loop) {
    bool other_reason = false;
    for (const Warp& warp : explored.state(number).warps) {
      if (warp.at != At::PAUSE) continue;
      pauses = pauses || warp.why == reason;
      other_reason = other_reason || warp.why != reason;
    }
    if (!other_reason) kept.push_back(number);
  }
  if (!pauses) return false;
  const ProgressGraph& graph = explored.graph();
  ProgressGraph part;
  std::vector<ProgressEdge> edges;
  for (const uint32_t number : kept) {
    edges.clear();
    for (const ProgressEdge& edge : graph.edges_of(number)) {
      const auto to = std::lower_bound(kept.begin(), kept.end(), edge.to);
      if (to != kept.end() && *to == edge.to) edges.push_back({edge.actor, uint32_t(to - kept.begin())});
    }
    part.add_state(graph.alive_at(number), 0, graph.always_at(number), edges);
  }
  part.finish();
  return !part.unaided_loops().empty();
}

}  // namespace

ProtocolGraph::ProtocolGraph(const Scenario& scenario, bool replay) {
  StateNumbers numbers(states_);
  const uint32_t warps = uint32_t(scenario.warps.size());
  numbers.number_of(first_state(scenario, replay));
  std::vector<ProgressEdge> edges;
  for (uint32_t number = 0; number < states_.size(); number++) {
    const State state = states_[number];
    uint64_t alive = 0, always = 0, pending = 0;
    edges.clear();
    const auto edge = [&](uint32_t actor, const State& next) { edges.push_back({actor, numbers.number_of(next)}); };
    const auto host_edge = [&](uint32_t actor, const State& next) {
      always |= uint64_t(1) << actor;
      edge(actor, next);
    };
    for (uint32_t warp = 0; warp < warps; warp++) {
      const At at = state.warps[warp].at;
      if (at == At::LEFT) pending |= uint64_t(1) << warp;
      if (at == At::LEFT || at == At::DONE) continue;
      alive |= uint64_t(1) << warp;
      State next = state;
      step_warp(scenario, replay, next, warp);
      edge(warp, next);
    }
    for (uint32_t ring = 0; ring < scenario.rings; ring++) {
      if (state.rings[ring][0].state > RESERVED) host_edge(RING_ACTOR + ring, take_request(state, ring));
    }
    for (uint32_t line = 0; line < LINES_MAX; line++) {
      if (!state.lines[line].at_host) continue;
      const bool writes = state.lines[line].word.step == LineStep::WRITING, dead = state.lines[line].identity != state.identity;
      const bool fails = writes ? scenario.write_backs_fail : scenario.fills_fail;
      // Bytes of before a truncation go nowhere, and nobody gets any; while it is under way either may be.
      const Answer answer = !dead ? fails ? BROKEN : GOOD : writes ? GOOD : Answer::STALE;
      host_edge(LINE_ACTOR + line, answer_line(state, line, answer));
      if (state.cutting && !writes && !dead) host_edge(LINE_ACTOR + line, answer_line(state, line, Answer::STALE));
    }
    for (uint32_t warp = 0; warp < warps; warp++) {
      if (state.mail[warp] == MAIL_IDLE || state.mail[warp] == MAIL_ANSWERED) continue;
      host_edge(MAIL_ACTOR + warp, serve_mail(scenario, state, warp));
    }
    if (alive == 0 && pending == 0) check_end(scenario, state);
    wrong_ |= state.wrong;
    if (alive == 0 && pending != 0) {
      State next = state;
      start_round(scenario, next);
      host_edge(ROUND_ACTOR, next);
    }
    graph_.add_state(alive, state.has_run, always, edges);
    WARPFS_ASSERT(states_.size() < STATES_MAX);
  }
  graph_.finish();
}

ProtocolVerdict protocol_verdict(const Scenario& scenario, bool replay) {
  const ProtocolGraph explored(scenario, replay);
  const ProgressGraph& graph = explored.graph();
  ProtocolVerdict verdict = {scenario.name, replay, graph.state_count(), graph.edge_count(), "", "", {}, wrong_names(explored.wrong())};
  std::vector<Progress> enough;
  for (const Progress model : PROGRESS_MODELS) {
    verdict.verdicts += graph.ends(model) ? 'P' : 'F';
    // Rounds begin when all have left: whoever has not run yet runs, whatever the others among the models say of him.
    const bool counts = !replay || model == Progress::WEAK_FAIR || model == Progress::STRONG_FAIR;
    if (verdict.verdicts.back() == 'P' && counts) enough.push_back(model);
  }
  verdict.needs = graph.ends_unaided() ? "nothing" : weakest(enough);
  if (replay) return verdict;  // nobody pauses
  for (const std::vector<uint32_t>& loop : graph.unaided_loops()) {
    for (uint32_t reason = 1; reason < WAIT_COUNT; reason++) {
      const char* name = wait_name(Wait(reason));
      if (verdict.in_vain.count(name) == 0 && waits_in_vain(explored, loop, Wait(reason))) verdict.in_vain.insert(name);
    }
  }
  return verdict;
}

}  // namespace warpfs
