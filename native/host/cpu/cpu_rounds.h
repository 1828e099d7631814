// Kernels on the executor: what a launch gives its lanes, and the rounds of replay.
#pragma once
#include "../mount_memory.h"
#include "../replay_rounds.h"
#include "builtin.h"
#include "executor.h"

namespace warpfs {

struct LaunchArgument {
  KernelEntry entry;
  void* const* buffers;
  const uint32_t* slots;  // replay: the slot of each launched item; null: the slot of the resident warp
  const uint32_t* items;  // replay: the item in each slot
};

inline void launch_lane(Lane& lane, const WarpId& id, void* argument) {
  const auto* launch = static_cast<const LaunchArgument*>(argument);
  if (launch->slots == nullptr) {
    launch->entry(lane, id.item, id.slot, launch->buffers);
  } else {
    const uint32_t slot = launch->slots[id.item];
    launch->entry(lane, launch->items[slot], slot, launch->buffers);
  }
}

class CpuRounds : public ReplayRounds {
 public:
  CpuRounds(CpuExecutor& executor, MountMemory& memory, const BuiltinKernels& builtins, KernelEntry entry, WarpAttach attach, void* const* buffers,
            uint32_t group_memory_bytes)
      : executor_(executor), records_(memory.at<ItemRecord>(Binding::RECORDS)), abandon_(builtins.abandon), entry_(entry), attach_(attach), buffers_(buffers),
        group_memory_bytes_(group_memory_bytes) {}

 protected:
  void begin_item(uint32_t slot) override { records_[slot] = new_record(records_[slot]); }
  void launch(const std::vector<uint32_t>& slots, const std::vector<uint32_t>& items, bool abandon) override {
    LaunchArgument argument = {abandon ? abandon_ : entry_, buffers_, slots.data(), items.data()};
    LaunchShape shape;
    shape.items = uint32_t(slots.size());
    shape.group_memory_bytes = group_memory_bytes_;
    executor_.launch(shape, launch_lane, &argument, abandon ? nullptr : attach_);
  }
  bool is_done(uint32_t slot) const override { return records_[slot].status == ItemStatus::DONE; }

 private:
  CpuExecutor& executor_;
  ItemRecord* const records_;
  const KernelEntry abandon_, entry_;
  const WarpAttach attach_;
  void* const* const buffers_;
  const uint32_t group_memory_bytes_;
};

}  // namespace warpfs
