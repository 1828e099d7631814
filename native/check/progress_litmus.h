// The litmus programs of forward progress: a few threads of a few atomic instructions each, and whether they end under each model.
#pragma once
#include "progress.h"

#include <map>
#include <string>
#include <vector>

namespace warpfs {

/// All interleavings of a program. `threads` holds the instructions of each thread:
///   atomic_store(location, value)
///   atomic_chk_branch(location, value, target)              goes on at `target` if the location holds the value
///   atomic_exch_branch(location, value, stored, target)     the same, and stores `stored` in the same step
/// Locations begin as 0. A target is the number of an instruction of the thread, or END.
/// Throws HostError EINVAL that names an instruction that is none of these.
ProgressGraph progress_litmus_graph(const std::vector<std::vector<std::string>>& threads);

/// "OBE", "HSA_OBE_STRONG", ...: true where every run of the program ends.
std::map<std::string, bool> progress_verdicts(const std::vector<std::vector<std::string>>& threads);

}  // namespace warpfs
