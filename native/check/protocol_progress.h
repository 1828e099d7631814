// What the waiting of the protocol needs of the device: small cases with all their interleavings, and the verdict of each progress model.
#pragma once
#include "progress.h"
#include "protocol_progress_model.h"

#include <set>
#include <string>
#include <vector>

namespace warpfs {

/// All states of a case. Warps are actors 0, 1, ...; the host is one actor for each thing that it does, and is never left alone while it has
/// something to do. Under replay so is what starts the next round, which it may do before the host has answered.
class ProtocolGraph {
 public:
  ProtocolGraph(const protocol::Scenario& scenario, bool replay);

  const ProgressGraph& graph() const { return graph_; }
  const protocol::State& state(uint32_t number) const { return states_[number]; }
  /// What went wrong in any state, whatever the device left alone: protocol::Wrong.
  uint8_t wrong() const { return wrong_; }

 private:
  ProgressGraph graph_;
  std::vector<protocol::State> states_;
  uint8_t wrong_ = 0;
};

struct ProtocolVerdict {
  std::string scenario;
  bool replay;
  size_t states, steps;
  /// P or F for each of PROGRESS_MODELS.
  std::string verdicts;
  /// "nothing" where every run ends whichever warps the device leaves alone; else the weakest of the ten under which every run ends, such as
  /// "obe"; "more" where there is none.
  std::string needs;
  /// Spin: what a warp can wait for in vain while the device leaves others alone, such as "ring".
  std::set<std::string> in_vain;
  /// What else must not happen and can, such as "writes_nothing".
  std::set<std::string> wrong;
};

std::vector<protocol::Scenario> protocol_scenarios();
ProtocolVerdict protocol_verdict(const protocol::Scenario& scenario, bool replay);

}  // namespace warpfs
