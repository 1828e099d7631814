#include "divergence.h"

#include <cstring>

namespace warpfs {

namespace {

int compare_files(const char* a, const char* b) {
  // Within one module a file has one name and the addresses are equal; only the barrier, which is everywhere, has none.
  return a == b || a == nullptr || b == nullptr ? 0 : std::strcmp(a, b);
}

/// A lane inside a call goes before those that may wait for it after the call, and a line before the lines that follow it: the lanes
/// then meet again behind the end of an if or of a loop. The barrier of the group is last, because other warps depend on it being whole.
bool goes_before(const CollectiveSite* sites, const ptrdiff_t* depths, uint a, uint b) {
  const CollectiveSite &site_a = sites[a], &site_b = sites[b];
  const bool barrier_a = site_a.line_and_kind == CPU_BARRIER, barrier_b = site_b.line_and_kind == CPU_BARRIER;
  if (barrier_a != barrier_b) return barrier_b;
  if (depths[a] != depths[b]) return depths[a] > depths[b];
  const int files = compare_files(site_a.file, site_b.file);
  if (files != 0) return files < 0;
  return site_a.line_and_kind < site_b.line_and_kind;
}

}  // namespace

uint choose_site(uint blocked, const CollectiveSite* sites, const ptrdiff_t* depths) {
  uint best = uint(__builtin_ctz(blocked));
  for (uint rest = blocked; rest != 0; rest &= rest - 1) {
    const uint lane = uint(__builtin_ctz(rest));
    if (goes_before(sites, depths, lane, best)) best = lane;
  }
  uint lanes = 0;
  for (uint rest = blocked; rest != 0; rest &= rest - 1) {
    const uint lane = uint(__builtin_ctz(rest));
    const CollectiveSite &site = sites[lane], &chosen = sites[best];
    if (site.line_and_kind == chosen.line_and_kind && compare_files(site.file, chosen.file) == 0) lanes |= 1u << lane;
  }
  return lanes;
}

}  // namespace warpfs
