// Copies between pinned memory of the host and the memory of the gpu that a copy engine makes, in batches, in one direction. One thread at a
// time calls it, in the context of the mount.
#pragma once
#include "context.h"

#include <array>
#include <vector>

namespace warpfs::cuda {

/// Pinned memory has one address for both sides.
struct Copy {
  CUdeviceptr to, from;
  size_t bytes;
};

class CopyBatches {
 public:
  static constexpr uint32_t COPIES_MAX = 64;      // of a batch: of 4 KB each, 64 at once are copied 1.5 times as fast as 1024 at once
  static constexpr uint32_t IN_FLIGHT_MAX = 8;    // batches: the engine has the next one when it is done with one

  enum class Direction { TO_GPU, FROM_GPU };
  CopyBatches(Context& context, Direction direction);
  ~CopyBatches();
  CopyBatches(const CopyBatches&) = delete;
  CopyBatches& operator=(const CopyBatches&) = delete;

  /// Makes these copies, COPIES_MAX at most, as often as batches can be in flight. Before any kernel: what the driver gets for itself with the
  /// first copies of a stream it may get only when no kernel runs. Throws HostError.
  void warm_up(const std::vector<Copy>& copies);

  bool has_room() const { return begun_ - ended_ < IN_FLIGHT_MAX; }
  /// Has room. CUDA_SUCCESS: it is in flight.
  CUresult begin(const std::vector<Copy>& copies);
  /// There is one in flight. CUDA_SUCCESS: all copies of the oldest are made, and it is in flight no more. CUDA_ERROR_NOT_READY: not yet.
  CUresult end_oldest();
  /// Waits until none is in flight.
  void settle();
  /// True where the driver takes a batch in one call.
  bool are_calls() const { return batched_; }

 private:
  CUresult copy_at_once(const std::vector<Copy>& copies);
  CUresult copy_one_by_one(const std::vector<Copy>& copies);

  Context& context_;
  const Direction direction_;
  bool batched_;
  Stream stream_;
  std::array<CUevent, IN_FLIGHT_MAX> events_{};  // behind each batch that is in flight
  uint32_t begun_ = 0, ended_ = 0;
};

}  // namespace warpfs::cuda
