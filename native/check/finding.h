// Something wrong that one schedule showed.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace warpfs {

struct FindingActor {
  uint32_t actor;
  int32_t warp;  // -1: the host
  uint32_t lane, step;
  std::vector<uintptr_t> pcs;
};

struct Finding {
  std::string kind;  // empty: nothing was found
  std::string message;
  std::vector<FindingActor> actors;
};

}  // namespace warpfs
