#include "progress.h"

#include "../host/assert.h"

#include <algorithm>
#include <bit>

namespace warpfs {

namespace {

constexpr std::array<const char*, 13> NAMES = {"fair",       "obe",        "hsa",            "hsa_obe",     "lobe",        "weak_fair",
                                               "obe_strong", "hsa_strong", "hsa_obe_strong", "lobe_strong", "strong_fair", "lockstep",
                                               "apple"};
static_assert(NAMES.size() == size_t(Progress::APPLE) + 1);

constexpr uint32_t UNSEEN = ~0u;

}  // namespace

const char* progress_name(Progress model) { return NAMES[size_t(model)]; }

std::optional<Progress> progress_named(std::string_view name) {
  const auto found = std::find(NAMES.begin(), NAMES.end(), name);
  if (found == NAMES.end()) return std::nullopt;
  return Progress(found - NAMES.begin());
}

bool progress_is_strong(Progress model) { return model >= Progress::OBE_STRONG && model <= Progress::STRONG_FAIR; }

void fair_set(Progress model, std::span<const uint64_t> alive, std::span<const uint64_t> has_run, std::span<uint64_t> fair) {
  bool all = false, have_run = false, lowest = false, up_to_highest = false;
  switch (model) {
    case Progress::OBE:
    case Progress::OBE_STRONG: have_run = true; break;
    case Progress::HSA:
    case Progress::HSA_STRONG: lowest = true; break;
    case Progress::HSA_OBE:
    case Progress::HSA_OBE_STRONG: have_run = lowest = true; break;
    case Progress::LOBE:
    case Progress::LOBE_STRONG: up_to_highest = true; break;
    case Progress::FAIR:
    case Progress::WEAK_FAIR:
    case Progress::STRONG_FAIR:
    case Progress::LOCKSTEP: all = true; break;
    case Progress::APPLE: break;
  }
  bool below = all;  // the words from here down hold only ids below the highest one that has run
  for (size_t word = alive.size(); word-- > 0;) {
    uint64_t reached = below ? ~uint64_t(0) : 0;
    if (up_to_highest && !below && has_run[word] != 0) {
      reached = ~uint64_t(0) >> std::countl_zero(has_run[word]);
      below = true;
    }
    if (have_run) reached |= has_run[word];
    fair[word] = alive[word] & reached;
  }
  for (size_t word = 0; lowest && word < alive.size(); word++) {
    if (alive[word] == 0) continue;
    fair[word] |= alive[word] & (~alive[word] + 1);
    break;
  }
}

uint64_t fair_set(Progress model, uint64_t alive, uint64_t has_run) {
  uint64_t fair = 0;
  fair_set(model, {&alive, 1}, {&has_run, 1}, {&fair, 1});
  return fair;
}

void ProgressGraph::add_state(uint64_t alive, uint64_t has_run, uint64_t always, std::span<const ProgressEdge> edges) {
  if (edges.empty() && alive != 0) deadlocks_ = true;
  states_.push_back({alive, has_run, always, edges_.size(), uint32_t(edges.size()), UNSEEN});
  edges_.insert(edges_.end(), edges.begin(), edges.end());
}

// Tarjan's algorithm, without recursion: runs are long.
void ProgressGraph::finish() {
  struct Visit {
    uint32_t state, next_edge;
  };
  std::vector<uint32_t> order(states_.size(), UNSEEN), low(states_.size());
  std::vector<uint32_t> open;
  std::vector<Visit> visits;
  uint32_t count = 0;
  const auto enter = [&](uint32_t state) {
    order[state] = low[state] = count++;
    open.push_back(state);
    visits.push_back({state, 0});
  };
  for (uint32_t root = 0; root < states_.size(); root++) {
    if (order[root] == UNSEEN) enter(root);
    while (!visits.empty()) {
      const uint32_t state = visits.back().state;
      if (visits.back().next_edge < states_[state].edge_count) {
        const uint32_t to = edges_of(state)[visits.back().next_edge++].to;
        WARPFS_ASSERT(to < states_.size());
        if (order[to] == UNSEEN) {
          enter(to);
        } else if (states_[to].component == UNSEEN) {
          low[state] = std::min(low[state], order[to]);
        }
        continue;
      }
      visits.pop_back();
      if (!visits.empty()) low[visits.back().state] = std::min(low[visits.back().state], low[state]);
      if (low[state] != order[state]) continue;
      uint32_t member = 0;
      do {
        member = open.back();
        open.pop_back();
        states_[member].component = uint32_t(components_.size());
      } while (member != state);
      components_.emplace_back();
    }
  }
  for (uint32_t state = 0; state < states_.size(); state++) {
    for (const ProgressEdge& edge : edges_of(state)) {
      if (states_[edge.to].component != states_[state].component) continue;
      Component& component = components_[states_[state].component];
      component.steps |= uint64_t(1) << edge.actor;
      component.loops = true;
    }
  }
}

uint64_t ProgressGraph::fair_at(const State& state, const Progress* model) const {
  return state.always | (model == nullptr ? 0 : fair_set(*model, state.alive, state.has_run));
}

// By component: may a run go round in it for ever? It may if nobody who has a right to his turn in all its states is left out.
std::vector<bool> ProgressGraph::livelocks(const Progress* model) const {
  std::vector<uint64_t> fair(components_.size(), ~uint64_t(0));
  for (const State& state : states_) {
    if (components_[state.component].loops) fair[state.component] &= fair_at(state, model);
  }
  std::vector<bool> found(components_.size());
  for (size_t i = 0; i < components_.size(); i++) found[i] = components_[i].loops && (fair[i] & ~components_[i].steps) == 0;
  return found;
}

bool ProgressGraph::ends_weakly(const Progress* model) const {
  const std::vector<bool> found = livelocks(model);
  return !deadlocks_ && std::find(found.begin(), found.end(), true) == found.end();
}

// From every state some way of fair steps leads to where nobody has a right to go on: the end, or a place where all the others are left alone.
bool ProgressGraph::ends_strongly(Progress model) const {
  if (deadlocks_) return false;
  std::vector<uint64_t> fair(states_.size());
  std::vector<uint32_t> first_of(states_.size() + 1);  // the fair steps backwards, by the state that they lead to
  for (uint32_t state = 0; state < states_.size(); state++) {
    fair[state] = fair_at(states_[state], &model);
    for (const ProgressEdge& edge : edges_of(state)) first_of[edge.to + 1] += uint32_t(fair[state] >> edge.actor & 1);
  }
  for (size_t state = 0; state < states_.size(); state++) first_of[state + 1] += first_of[state];
  std::vector<uint32_t> from(first_of.back()), filled(first_of.begin(), first_of.end() - 1);
  for (uint32_t state = 0; state < states_.size(); state++) {
    for (const ProgressEdge& edge : edges_of(state)) {
      if ((fair[state] >> edge.actor & 1) != 0) from[filled[edge.to]++] = state;
    }
  }
  std::vector<uint32_t> ends;
  for (uint32_t state = 0; state < states_.size(); state++) {
    if (fair[state] == 0) ends.push_back(state);
  }
  std::vector<bool> seen(states_.size());
  for (const uint32_t state : ends) seen[state] = true;
  for (size_t next = 0; next < ends.size(); next++) {
    for (uint32_t i = first_of[ends[next]]; i < first_of[ends[next] + 1]; i++) {
      if (seen[from[i]]) continue;
      seen[from[i]] = true;
      ends.push_back(from[i]);
    }
  }
  return ends.size() == states_.size();
}

std::vector<std::vector<uint32_t>> ProgressGraph::unaided_loops() const {
  const std::vector<bool> found = livelocks(nullptr);
  std::vector<uint32_t> place(components_.size(), UNSEEN);
  std::vector<std::vector<uint32_t>> loops;
  for (uint32_t state = 0; state < states_.size(); state++) {
    const uint32_t component = states_[state].component;
    if (!found[component]) continue;
    if (place[component] == UNSEEN) {
      place[component] = uint32_t(loops.size());
      loops.emplace_back();
    }
    loops[place[component]].push_back(state);
  }
  return loops;
}

std::vector<uint32_t> ProgressGraph::way_to(uint32_t state) const {
  struct Arrival {
    uint32_t from = UNSEEN, actor = 0;
  };
  std::vector<Arrival> arrivals(states_.size());
  std::vector<uint32_t> queue = {0};
  for (size_t next = 0; next < queue.size() && arrivals[state].from == UNSEEN; next++) {
    for (const ProgressEdge& edge : edges_of(queue[next])) {
      if (edge.to == 0 || arrivals[edge.to].from != UNSEEN) continue;
      arrivals[edge.to] = {queue[next], edge.actor};
      queue.push_back(edge.to);
    }
  }
  WARPFS_ASSERT(state == 0 || arrivals[state].from != UNSEEN);
  std::vector<uint32_t> actors;
  for (; state != 0; state = arrivals[state].from) actors.push_back(arrivals[state].actor);
  std::reverse(actors.begin(), actors.end());
  return actors;
}

}  // namespace warpfs
