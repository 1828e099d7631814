// The cpu device: runs warps as groups of fibers on a fixed set of threads. With nothing to run the threads sleep.
#pragma once
#include "../../shaders/dialect/cpu.h"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace warpfs {

class CpuWorker;

struct CpuExecutorOptions {
  uint32_t workers = 0;            // threads; 0: one per core
  uint32_t resident_warps = 1024;  // of all workers together
  size_t stack_bytes = 65536;      // of one lane; a lane that needs more hits a guard page
  void (*doorbell)(void*) = nullptr;  // called whenever a warp has published a request
  void* doorbell_argument = nullptr;
};

struct LaunchShape {
  uint32_t items;                   // work items; each is one warp
  uint32_t group_warps = 1;         // consecutive items that form a group; the last group may have fewer
  uint32_t lane_count = 32;         // 1 to 32
  uint32_t group_memory_bytes = 0;  // zeroed for each group
};

/// Called once per lane. It must not throw.
using WarpBody = void (*)(Lane& lane, const WarpId& id, void* argument);
/// warpfs_attach of the module that the body is in; null for bodies that are linked into the host.
using WarpAttach = bool (*)(const CpuRuntime* runtime);

/// One launch as the workers see it.
struct Launch {
  LaunchShape shape;
  WarpBody body;
  void* argument;
  WarpAttach attach;
  uint64_t groups;
  uint64_t chunk;              // groups that a worker takes at once while it has none
  uint32_t groups_per_worker;  // that may be resident
  bool slot_is_item;           // all items may be resident at once
  // Taken by fetch_add; in a block of its own because all workers write it.
  alignas(128) uint64_t next_group;
};

class CpuExecutor {
 public:
  explicit CpuExecutor(const CpuExecutorOptions& options = {});
  ~CpuExecutor();
  CpuExecutor(const CpuExecutor&) = delete;
  CpuExecutor& operator=(const CpuExecutor&) = delete;

  /// Blocks until every item has ended. Launches of several threads run one after another, in the order of the calls.
  /// Items that wait for each other need items <= resident_warps: then all of them become resident.
  /// Throws std::invalid_argument where the shape cannot run, or where the module was built with another cpu.h.
  /// Must not be called by a body.
  void launch(const LaunchShape& shape, WarpBody body, void* argument, WarpAttach attach = nullptr);

  uint32_t resident_warps() const { return options_.resident_warps; }
  void ring_doorbell() const {
    if (options_.doorbell != nullptr) options_.doorbell(options_.doorbell_argument);
  }
  uint32_t worker_count() const { return uint32_t(workers_.size()); }

 private:
  friend class CpuWorker;

  CpuExecutorOptions options_;
  std::vector<std::unique_ptr<CpuWorker>> workers_;
  std::mutex mutex_;  // guards everything below and CpuWorker::launch
  std::condition_variable turn_;
  std::condition_variable done_;
  uint64_t next_ticket_ = 0;
  uint64_t served_ticket_ = 0;
  uint32_t running_workers_ = 0;
  bool closing_ = false;
};

}  // namespace warpfs
