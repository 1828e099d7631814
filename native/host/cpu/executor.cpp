#include "executor.h"

#include "../assert.h"
#include "collectives.h"
#include "worker.h"

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace warpfs {

namespace {
// Enough that taking a group costs nothing, few enough that the workers end at about the same time.
constexpr uint64_t CHUNK_MAX = 64;
constexpr uint64_t CHUNKS_PER_WORKER = 16;
}  // namespace

CpuExecutor::CpuExecutor(const CpuExecutorOptions& options) : options_(options) {
  if (options_.workers == 0) options_.workers = std::max(1u, std::thread::hardware_concurrency());
  if (options_.resident_warps == 0) throw std::invalid_argument("resident_warps must be at least 1");
  if (options_.stack_bytes < 16384) throw std::invalid_argument("stack_bytes must be at least 16384");
  for (uint32_t index = 0; index < options_.workers; index++) {
    workers_.push_back(std::make_unique<CpuWorker>(*this, index, options_.stack_bytes));
  }
}

CpuExecutor::~CpuExecutor() {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    turn_.wait(lock, [&] { return served_ticket_ == next_ticket_; });
    closing_ = true;
    for (auto& worker : workers_) worker->wake.notify_one();
  }
  workers_.clear();
}

void CpuExecutor::launch(const LaunchShape& shape, WarpBody body, void* argument, WarpAttach attach) {
  if (shape.lane_count == 0 || shape.lane_count > 32) throw std::invalid_argument("lane_count must be 1 to 32");
  if (shape.group_warps == 0 || shape.group_warps > options_.resident_warps) {
    throw std::invalid_argument("group_warps must be 1 to " + std::to_string(options_.resident_warps) + ", the warps that can be resident");
  }
  if (attach != nullptr && !attach(cpu_runtime())) {
    throw std::invalid_argument("the kernel was built with another version of cpu.h than this device");
  }
  WARPFS_ASSERT(CpuWorker::of_this_thread() == nullptr);
  if (shape.items == 0) return;

  Launch launch{};
  launch.shape = shape;
  launch.body = body;
  launch.argument = argument;
  launch.attach = attach;
  launch.groups = (uint64_t(shape.items) + shape.group_warps - 1) / shape.group_warps;
  launch.slot_is_item = shape.items <= options_.resident_warps;
  // Whoever takes part can hold at least one group. Where all items fit, a worker holds its share at most: one whose first warps wait for a
  // moment would otherwise start everything, and the others would have nothing.
  const uint64_t resident_groups = options_.resident_warps / shape.group_warps;
  const uint64_t workers = std::min<uint64_t>({workers_.size(), launch.groups, resident_groups});
  launch.groups_per_worker = uint32_t(launch.slot_is_item ? (launch.groups + workers - 1) / workers : resident_groups / workers);
  // A worker takes a chunk only while it holds no group, so a chunk that fits is never left over while the worker is full.
  launch.chunk = std::clamp<uint64_t>(launch.groups / (workers * CHUNKS_PER_WORKER), 1, CHUNK_MAX);
  launch.chunk = std::min<uint64_t>(launch.chunk, launch.groups_per_worker);

  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t ticket = next_ticket_++;
  turn_.wait(lock, [&] { return served_ticket_ == ticket; });
  running_workers_ = uint32_t(workers);
  for (uint64_t index = 0; index < workers; index++) {
    workers_[index]->launch = &launch;
    workers_[index]->wake.notify_one();
  }
  done_.wait(lock, [&] { return running_workers_ == 0; });
  served_ticket_++;
  turn_.notify_all();
}

}  // namespace warpfs
