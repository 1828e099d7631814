// The rounds of a replayed dispatch, the same on every device: pending items are launched again once the host has answered.
#pragma once
#include "daemon.h"
#include "dispatch.h"

#include <chrono>
#include <vector>

namespace warpfs {

class ReplayRounds {
 public:
  virtual ~ReplayRounds() = default;
  /// Runs all items to their end. Items that make no progress for `wait` are given up.
  void run(uint32_t item_count, uint32_t slot_count, Daemon& daemon, std::chrono::nanoseconds wait, DispatchResult& result);

 protected:
  /// The record of the slot is for a new item.
  virtual void begin_item(uint32_t slot) = 0;
  /// As it is for one: the mailbox of its slot goes on counting.
  static ItemRecord new_record(const ItemRecord& former) {
    ItemRecord record{};
    record.mail_sequence = former.mail_sequence;
    return record;
  }
  /// Launches the items in these slots, and returns when all of them have left. With `abandon` they let go of what they hold instead.
  virtual void launch(const std::vector<uint32_t>& slots, const std::vector<uint32_t>& items, bool abandon) = 0;
  virtual bool is_done(uint32_t slot) const = 0;
};

}  // namespace warpfs
