// The rounds of a replayed dispatch on an Apple GPU.
#include "../host_error.h"
#include "../replay_rounds.h"
#include "device_metal.h"

#include <utility>

namespace warpfs::metal {

namespace {
constexpr uint32_t LOSSES_MAX = 16;  // command buffers: their items were made fewer each time, and it did not help
}

class MetalDevice::Rounds final : public ReplayRounds {
 public:
  Rounds(MetalDevice& device, Work work) : device_(device), work_(std::move(work)), records_(device.gpu().at<ItemRecord>(Binding::RECORDS)) {}
  ~Rounds() override { device_.launches_.let_go(); }

 protected:
  void begin_item(uint32_t slot) override { records_[slot] = new_record(records_[slot]); }
  void launch(const std::vector<uint32_t>& slots, const std::vector<uint32_t>& items, bool abandon) override {
    Exchange& exchange = *device_.memory_.exchange();
    exchange.tell_gpu();
    if (abandon) work_.pipeline = device_.kernels_.find(device_.options_.builtin, "warpfs_abandon");  // from here on, for all that are left
    const std::vector<Lost> lost = device_.launches_.run_round(work_, slots, items, !abandon);
    if (!lost.empty()) return device_.recover(lost, slots, items);
    device_.losses_ = 0;
    if (exchange.tell_host()) device_.daemon_.doorbell();
  }
  bool is_done(uint32_t slot) const override { return records_[slot].status == ItemStatus::DONE; }

 private:
  MetalDevice& device_;
  Work work_;
  ItemRecord* const records_;
};

void MetalDevice::recover(const std::vector<Lost>& lost, const std::vector<uint32_t>& slots, const std::vector<uint32_t>& items) {
  for (const Lost& one : lost) {
    if (one.still_runs || one.end.for_good || ++losses_ > LOSSES_MAX) lose(one);
  }
  Exchange& exchange = *memory_.exchange();
  if (exchange.tell_host_all()) daemon_.doorbell();
  daemon_.wait_until_drained();
  exchange.tell_gpu();
  for (const Lost& one : lost) fail_mapped(gpu(), slots.data() + one.first, one.items, items.data());
  repair_tables(gpu());
  const std::lock_guard lock(loss_mutex_);
  recovered_++;
  last_loss_ = lost.front().end.text;
}

void MetalDevice::run_replay(Work work, const Dispatch& dispatch, DispatchResult& result) {
  Rounds rounds(*this, std::move(work));
  rounds.run(dispatch.items, gpu().geometry().slot_count, daemon_, options_.wait, result);
}

}  // namespace warpfs::metal
