// Forward progress: who may be starved for ever, and whether a program ends although they may be.
//
// The models are those of Sorensen et al., "Specifying and Testing GPU Workgroup Progress Models" (OOPSLA 2021). Each names, for every moment,
// the threads that get their turn again (the fair set); all others may be left alone for ever. Weak: a thread that stays in the fair set
// is not left alone for ever. Strong: what a thread of the fair set can do again and again, it does at last.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace warpfs {

enum class Progress : uint8_t {
  FAIR,  // no thread is left alone
  OBE,
  HSA,
  HSA_OBE,
  LOBE,
  WEAK_FAIR,
  OBE_STRONG,
  HSA_STRONG,
  HSA_OBE_STRONG,
  LOBE_STRONG,
  STRONG_FAIR,
  LOCKSTEP,  // of the lanes of a warp, which share one program counter; no warp is left alone
  APPLE,     // the same, and no warp is promised a turn while another one runs: what is known of Apple's GPUs
};

/// The lanes of a warp share one program counter.
inline bool lanes_share(Progress model) { return model == Progress::LOCKSTEP || model == Progress::APPLE; }

/// The ten of the paper.
constexpr std::array<Progress, 10> PROGRESS_MODELS = {
    Progress::OBE,        Progress::HSA,        Progress::HSA_OBE,        Progress::LOBE,        Progress::WEAK_FAIR,
    Progress::OBE_STRONG, Progress::HSA_STRONG, Progress::HSA_OBE_STRONG, Progress::LOBE_STRONG, Progress::STRONG_FAIR};

/// "obe", "hsa_obe_strong", ...
const char* progress_name(Progress model);
std::optional<Progress> progress_named(std::string_view name);
bool progress_is_strong(Progress model);

/// The one definition of who may not be starved, for any number of threads: 64 of them in each word, the lowest id in the lowest bit.
///   WEAK_FAIR, STRONG_FAIR  all that are alive
///   OBE                     those that have run (occupancy-bound execution)
///   HSA                     the one with the lowest id
///   LOBE                    those whose id is not above the highest one that has run, be that thread alive or not (linear occupancy-bound)
///   HSA_OBE                 OBE and HSA together
///   APPLE                   none
/// FAIR and LOCKSTEP are about warps as WEAK_FAIR is.
/// It changes only when a thread runs for the first time or ends, so a scheduler need not ask at every step.
void fair_set(Progress model, std::span<const uint64_t> alive, std::span<const uint64_t> has_run, std::span<uint64_t> fair);

/// The same for up to 64 threads.
uint64_t fair_set(Progress model, uint64_t alive, uint64_t has_run);

inline bool may_starve(Progress model, uint64_t alive, uint64_t has_run, unsigned thread) {
  return (fair_set(model, alive, has_run) >> thread & 1) == 0;
}

/// What an actor does in one step of an explored program.
struct ProgressEdge {
  uint32_t actor;
  uint32_t to;
};

/// All states of a program and all steps between them, and the question whether every run ends. State 0 is where it begins.
/// Actors are bits of a word: threads, and others (a host) that are never left alone while they can do something.
class ProgressGraph {
 public:
  /// States are added in the order of their numbers, each with all its steps; a step may lead to a state that is added later.
  /// `alive`, `has_run`: threads. `always`: those of the other actors that can do something here.
  /// A state without steps is the end if no thread is alive in it, else a deadlock.
  void add_state(uint64_t alive, uint64_t has_run, uint64_t always, std::span<const ProgressEdge> edges);
  /// Once all states are there.
  void finish();

  /// Does every run end under this model?
  bool ends(Progress model) const { return progress_is_strong(model) ? ends_strongly(model) : ends_weakly(&model); }
  /// The same where no thread has a right to its turn.
  bool ends_unaided() const { return ends_weakly(nullptr); }

  /// States in which a run can go round for ever where no thread has a right to its turn, loop by loop.
  std::vector<std::vector<uint32_t>> unaided_loops() const;
  /// The actors whose steps lead from state 0 to this one, on a shortest way.
  std::vector<uint32_t> way_to(uint32_t state) const;

  size_t state_count() const { return states_.size(); }
  size_t edge_count() const { return edges_.size(); }
  std::span<const ProgressEdge> edges_of(uint32_t state) const {
    return std::span(edges_).subspan(states_[state].first_edge, states_[state].edge_count);
  }
  uint64_t alive_at(uint32_t state) const { return states_[state].alive; }
  uint64_t always_at(uint32_t state) const { return states_[state].always; }

 private:
  struct State {
    uint64_t alive, has_run, always;
    size_t first_edge;
    uint32_t edge_count;
    uint32_t component;
  };
  struct Component {
    uint64_t steps = 0;  // actors whose steps stay within it
    bool loops = false;
  };

  uint64_t fair_at(const State& state, const Progress* model) const;
  bool ends_weakly(const Progress* model) const;
  bool ends_strongly(Progress model) const;
  std::vector<bool> livelocks(const Progress* model) const;

  std::vector<State> states_;
  std::vector<ProgressEdge> edges_;
  std::vector<Component> components_;
  bool deadlocks_ = false;
};

}  // namespace warpfs
