// Schedules of one small kernel on words of shared memory: no mount, no files, no host.
#pragma once
#include "schedule_loop.h"

#include <functional>

namespace warpfs {

struct CheckedKernel {
  WarpBody body = nullptr;  // instrumented; its argument is the memory
  uint32_t warps = 1;
  uint32_t lane_count = 1;
  uint32_t group_warps = 1;
  uint32_t group_memory_bytes = 0;  // zeroed for each group
  uint32_t resident_warps = 0;      // whole groups of them; 0: all
  std::vector<uint32_t> memory;     // as it is at the start
  /// Looks at the memory behind each schedule that ended; false: the result is wrong. It may also just note what came out.
  std::function<bool(const uint32_t* memory)> is_right;
};

class KernelExplorer final : private Scheduled {
 public:
  explicit KernelExplorer(CheckedKernel kernel);
  LoopResult explore(const ScheduleOptions& options, const LoopLimits& limits);
  /// One given schedule.
  LoopResult replay(const ScheduleOptions& options, const Decisions& decisions);

 private:
  Engine& engine() override { return engine_; }
  void attempt(const ScheduleOptions& options, const Decisions* replayed, bool record, bool trace, Search* search) override;
  void came_out(uint64_t) override {}
  void take_back() override { engine_.undo(); }

  void start_group(CheckGroup& group);

  const CheckedKernel kernel_;
  Engine engine_;
  std::vector<CheckWarp> warps_;
  std::vector<CheckGroup> groups_;
  uint32_t next_warp_ = 0;
};

}  // namespace warpfs
