// Many schedules of one scenario: runs them from the same start, collects what came out of them, and stops at the first finding.
#pragma once
#include "check_world.h"
#include "schedule_loop.h"

#include <optional>
#include <unordered_map>

namespace warpfs {

struct ScenarioFile {
  std::string path;
  std::vector<uint8_t> bytes;
};

struct ScenarioDispatch {
  Dispatch dispatch;             // its buffers are filled in by the exploration
  std::vector<uint32_t> buffers; // indices of Scenario::buffers
  bool explored = true;          // false: with the usual schedule
};

struct Scenario {
  std::vector<ScenarioFile> files;
  std::vector<std::vector<uint8_t>> buffers;  // as they are at the beginning
  std::vector<ScenarioDispatch> dispatches;
  bool keep_host = false;     // nothing in it changes files or the file table
  bool order_matters = false;
  bool finish = false;        // sweep and sync at the end; then files belong to an outcome
  bool files_matter = false;  // they belong to it as they lie there, whether anything was finished or not
};

struct ExploreLimits : LoopLimits {
  uint32_t outcomes_max = 1000;
};

struct StepOrder {
  uint32_t warp, step;
  uint64_t time;
};

struct Outcome {
  uint64_t schedule = 0, count = 0;
  std::vector<std::vector<uint8_t>> buffers;  // all of the scenario
  std::vector<StepOrder> order;
  std::vector<std::optional<std::vector<uint8_t>>> files;  // of the scenario; none: it is gone
  std::vector<FailedItem> failures;
  uint64_t faults = 0;
  Decisions decisions;
};

struct ExplorationResult : LoopResult {
  std::vector<Outcome> outcomes;
};

class Exploration final : private Scheduled {
 public:
  Exploration(CheckWorld& world, const Scenario& scenario);
  ExplorationResult run(const ExploreLimits& limits);

 private:
  Engine& engine() override { return world_.engine(); }
  void attempt(const ScheduleOptions& options, const Decisions* replayed, bool record, bool trace, Search* search) override;
  void came_out(uint64_t schedule) override;
  void take_back() override;

  void set_up();
  void reset_files();
  void run_dispatches(bool explored_ones);
  uint64_t outcome_hash();
  std::vector<StepOrder> order_of_steps();
  void mask_times();

  CheckWorld& world_;
  const Scenario& scenario_;
  const bool keep_host_;  // what is granted of files changes the file table
  ScheduleLoop loop_;
  std::vector<uint8_t*> places_;
  std::vector<bool> is_results_;
  std::vector<FailedItem> failures_;
  bool set_up_ = false;

  // Of the run in progress.
  const ExploreLimits* limits_ = nullptr;
  std::vector<Outcome> outcomes_;
  std::unordered_map<uint64_t, size_t> known_;
};

}  // namespace warpfs
