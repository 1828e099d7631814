// What the waiting of the protocol needs: the table.
#include "progress_test.h"
#include "protocol_progress.h"

#include "../host/cpu/test_check.h"

#include <chrono>
#include <iterator>

namespace warpfs {
namespace {

struct ProtocolRow {
  const char* scenario;
  const char* spin;
  const char* in_vain;
  const char* replay;
  const char* wrong = "";
};

/// What the protocol needs. Spin: that a warp which has begun gets its turn again (occupancy-bound execution), for it may have claimed a line,
/// pinned one, or hold a place in the ring; nothing at all where warps share neither ring nor page, and each finds a line.
/// A barrier waits for warps that have not begun. Replay: nothing, but that the host answers.
const ProtocolRow PROTOCOL_NEEDS[] = {
    {"3 warps, a page that is here", "nothing", "", "nothing"},
    {"one page", "obe", "claim fill ring", "nothing"},
    {"one page, two ways", "obe", "claim fill ring", "nothing"},
    {"one page, two ways, rings of their own", "obe", "claim fill", "nothing"},
    {"3 warps, one page, a ring of one slot", "obe", "claim fill ring", "nothing"},
    {"two pages of one line", "obe", "fill ring", "nothing"},
    {"two pages of one line, rings of their own", "nothing", "", "nothing"},
    {"two pages of two lines", "obe", "fill", "nothing"},
    {"two pages of two lines, rings of their own", "nothing", "", "nothing"},
    {"two pages of two lines, a ring of one slot", "obe", "ring", "nothing"},
    {"3 warps, three pages of one line", "obe", "fill pins ring", "nothing"},
    {"3 warps, three pages of one line, rings of their own", "obe", "pins", "nothing"},
    {"two pages each, in opposite order", "obe", "fill ring", "nothing"},
    {"a page and what the other reads ahead", "obe or hsa", "fill ring", "nothing"},
    {"a page and a write of the whole line", "obe", "claim fill start", "nothing"},
    {"a page and a write to it", "obe", "claim fill pins ring", "nothing"},
    {"two writes that touch", "obe", "claim fill pins", "nothing"},
    {"two writes that do not touch", "obe", "claim drain fill pins", "nothing"},
    {"3 warps, two writes that do not touch and a reader", "obe", "drain start write_back", "nothing"},
    {"two pages, the line modified", "obe", "claim fill ring write_back", "nothing"},
    {"3 warps, a sync, a reader and another page", "obe", "claim fill mailbox ring start write_back", "nothing"},
    {"a sync and a write", "obe", "drain mailbox start write_back", "nothing"},
    {"two syncs", "obe", "mailbox ring start write_back", "nothing"},
    {"two writes that do not touch, a mask", "obe", "claim fill pins", "nothing"},
    {"3 warps, two writes that do not touch, a mask, a sync", "obe", "drain mailbox start write_back", "nothing"},
    {"two pages of two pieces each, one mask", "nothing", "", "nothing"},
    {"3 warps, a write of the whole line, one to it, a sync", "obe", "claim drain fill mailbox pins start write_back", "nothing"},
    {"3 warps, two writes and a truncation behind them", "obe", "claim drain fill gate pins", "nothing"},
    {"the same, the line modified, a mask", "obe", "claim fill gate pins", "nothing"},
    {"a write and a truncation of all", "obe", "gate", "nothing"},
    {"a write to two lines and a truncation between them", "obe", "gate", "nothing"},
    {"a page and a truncation", "obe", "fill mailbox", "nothing"},
    {"two pages and a truncation between them", "obe", "fill mailbox start write_back", "nothing"},
    {"two pages of one line, one after the other, and a truncation", "obe", "fill mailbox", "nothing"},
    {"3 warps, a page that is here twice and a truncation", "obe", "claim fill ring", "nothing"},
    {"two truncations", "obe", "gate", "nothing"},
    {"3 warps, two truncations and a write", "obe", "gate", "nothing"},
    {"3 warps, two truncations and a page", "obe", "fill gate mailbox start write_back", "nothing"},
    {"a map and a page of its line", "obe", "fill ring", "nothing"},
    {"a map and a write to another page of its line", "obe", "fill pins", "nothing"},
    {"two maps of one line", "obe", "fill", "nothing"},
    {"a map that writes and a write", "obe", "claim drain fill pins", "nothing"},
    {"a map that writes and a write, a mask", "obe", "claim fill pins", "nothing"},
    {"a map that writes and a sync", "obe", "drain start write_back", "nothing"},
    {"a map that is synced and a write", "obe", "claim drain fill mailbox pins start write_back", "nothing"},
    {"3 warps, a map over a read, a write, a sync", "obe", "claim drain fill mailbox ring start write_back", "nothing"},
    {"3 warps, a map, another page, a write of a third", "obe", "fill pins ring write_back", "nothing"},
    {"a map that writes and a truncation", "obe", "fill gate mailbox", "nothing"},
    {"3 warps, a map, a page past the cache, a truncation", "obe", "claim fill mailbox ring", "nothing"},
    {"a map and a write of one warp, one line", "more", "pins", "more"},
    {"two stats", "obe", "mailbox", "nothing"},
    {"two stats, rings of their own", "nothing", "", "nothing"},
    {"two barriers", "weak_fair", "barrier", "nothing"},
    {"3 warps, three barriers", "weak_fair", "barrier", "nothing"},
    {"fills fail: one page", "obe", "claim fill ring", "nothing"},
    {"write-backs fail: a page", "nothing", "", "nothing"},
    {"write-backs fail: two pages", "obe", "fill pins ring write_back", "nothing"},
    {"write-backs fail: two syncs", "obe", "drain mailbox start write_back", "nothing"},
    {"write-backs fail: two writes of one warp", "nothing", "", "nothing"},
    {"write-backs fail: two writes, a mask", "obe", "claim fill pins", "nothing"},
    {"write-backs fail: two maps that write", "obe", "claim drain fill", "nothing"},
    {"write-backs fail: a write and a truncation behind it", "obe", "gate", "nothing"},
    {"fills fail: 3 warps, a page, a write of it, a sync", "obe", "claim drain fill mailbox pins ring start write_back", "nothing"},
    {"truncations fail: 3 warps, a page, a write", "obe", "claim fill gate mailbox pins ring write_back", "nothing"},
};

std::string listed(const std::set<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : " ") + name;
  return list;
}

}  // namespace

void print_protocol_table(std::string_view named) {
  std::printf("%-60s %-6s %8s %9s %6s  %-10s  %s\n", "case", "wait", "states", "steps", "s", "ten models", "needs; waits in vain");
  for (const protocol::Scenario& scenario : protocol_scenarios()) {
    if (std::string_view(scenario.name).find(named) == std::string_view::npos) continue;
    for (const bool replay : {false, true}) {
      const auto begin = std::chrono::steady_clock::now();
      const ProtocolVerdict verdict = protocol_verdict(scenario, replay);
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      std::printf("%-60s %-6s %8zu %9zu %6.2f  %s  %s;", scenario.name, replay ? "replay" : "spin", verdict.states, verdict.steps, seconds,
                  verdict.verdicts.c_str(), verdict.needs.c_str());
      std::printf(" %s", listed(verdict.in_vain).c_str());
      if (!verdict.wrong.empty()) std::printf("; wrong: %s", listed(verdict.wrong).c_str());
      std::printf("\n");
      std::fflush(stdout);
    }
  }
}

void test_what_the_protocol_needs() {
  const std::vector<protocol::Scenario> scenarios = protocol_scenarios();
  CHECK(scenarios.size() == std::size(PROTOCOL_NEEDS));
  bool as_expected = true;
  for (size_t i = 0; i < scenarios.size(); i++) {
    const ProtocolRow& row = PROTOCOL_NEEDS[i];
    CHECK(scenarios[i].name == std::string_view(row.scenario));
    const ProtocolVerdict spin = protocol_verdict(scenarios[i], false), replay = protocol_verdict(scenarios[i], true);
    std::set<std::string> all_wrong = spin.wrong;
    all_wrong.insert(replay.wrong.begin(), replay.wrong.end());
    const std::string in_vain = listed(spin.in_vain), wrong = listed(all_wrong);
    if (spin.needs == row.spin && in_vain == row.in_vain && replay.needs == row.replay && wrong == row.wrong) continue;
    std::printf("%s: spin needs %s, in vain '%s', replay needs %s, wrong '%s'\n", row.scenario, spin.needs.c_str(), in_vain.c_str(),
                replay.needs.c_str(), wrong.c_str());
    as_expected = false;
  }
  CHECK(as_expected);
}

}  // namespace warpfs
