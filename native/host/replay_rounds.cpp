#include "replay_rounds.h"

#include "assert.h"

#include <algorithm>

namespace warpfs {

void ReplayRounds::run(uint32_t item_count, uint32_t slot_count, Daemon& daemon, std::chrono::nanoseconds wait, DispatchResult& result) {
  std::vector<uint32_t> items(slot_count);  // the item in each slot
  std::vector<uint32_t> active;             // slots that are launched in this round
  std::vector<uint32_t> free_slots(slot_count);
  for (uint32_t slot = 0; slot < slot_count; slot++) free_slots[slot] = slot_count - 1 - slot;
  uint32_t next_item = 0;
  bool abandon = false;
  auto last_progress = std::chrono::steady_clock::now();

  while (next_item < item_count || !active.empty()) {
    while (next_item < item_count && !free_slots.empty()) {
      const uint32_t slot = free_slots.back();
      free_slots.pop_back();
      begin_item(slot);
      items[slot] = next_item++;
      active.push_back(slot);
    }
    const uint64_t completions = daemon.completions();
    const auto begin = std::chrono::steady_clock::now();
    launch(active, items, abandon);
    const auto cost = std::chrono::steady_clock::now() - begin;
    result.rounds++;

    const auto first_done = std::stable_partition(active.begin(), active.end(), [&](uint32_t slot) { return !is_done(slot); });
    const bool finished_some = first_done != active.end();
    free_slots.insert(free_slots.end(), first_done, active.end());
    active.erase(first_done, active.end());
    if (active.empty()) continue;

    // A round is only worth its cost once the host has answered: some of what it was asked for, and all of it where that takes no longer than a round.
    // So no more than twice the time is spent that would have been with the answers known beforehand.
    const bool answered = daemon.wait_for_completion(completions, std::chrono::milliseconds(20));
    if (answered) daemon.wait_for_the_rest(std::min<std::chrono::nanoseconds>(cost, std::chrono::milliseconds(20)));
    const auto now = std::chrono::steady_clock::now();
    if (finished_some || answered) {
      last_progress = now;
    } else if (now - last_progress > wait) {
      WARPFS_ASSERT(!abandon);
      abandon = true;
      // Items that never had their turn fail as well.
      result.failed_items = item_count - next_item;
      for (; next_item < item_count; next_item++) {
        if (result.failures.size() < FAULT_ITEMS_MAX) result.failures.push_back({next_item, -Errno::etimedout});
      }
    }
  }
}

}  // namespace warpfs
