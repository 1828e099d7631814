// JavaScript values of check mode to what the engine takes, and back.
#pragma once
#include "../../check/exploration.h"

#include <napi.h>

namespace warpfs {

CheckOptions check_options(const Napi::Object& config);
Scenario scenario_of(const Napi::Object& object);
ExploreLimits limits_of(const Napi::Object& object);
Napi::Object finding_value(Napi::Env env, const Finding& finding, uint64_t schedule, const Decisions& decisions, uint64_t trace_hash);
Napi::Object exploration_value(Napi::Env env, const ExplorationResult& result, const Scenario& scenario);

}  // namespace warpfs
