// The copy engine of a played driver, and what a test says to it: a batch is made, from its end on, when its event was looked at in vain some
// times and it is not held. Who looks at bytes sooner, or takes copies to be made in order, sees that it is wrong.
#pragma once
#include "driver_api.h"

#include <deque>
#include <map>
#include <mutex>
#include <vector>

namespace warpfs::cuda {

enum class Way { TO_GPU, FROM_GPU };

class PlayedEngine {
 public:
  static constexpr uint32_t ALL = 1u << 30;

  /// As it was at first.
  void reset();
  /// Copies nothing more this way, but so many batches.
  void hold(Way way, uint32_t but = 0);
  void let_all(Way way) { hold(way, ALL); }
  /// How the next copies begin, and what the next looks at events give.
  void fail(CUresult at_begin, CUresult at_event);
  /// Begun: batches, copies of the largest of them, calls of cuMemcpyBatchAsync.
  uint32_t batches(Way way) const;
  uint32_t largest(Way way) const;
  uint32_t calls() const;

  // What the driver calls.
  CUresult copy(CUstream stream, CUdeviceptr to, CUdeviceptr from, size_t bytes);
  void count_call();
  CUresult record(CUevent event, CUstream stream);
  CUresult look(CUevent event);
  CUresult settle(CUstream stream);
  void got(CUdeviceptr place, size_t bytes);
  void gave_back(CUdeviceptr place);

 private:
  struct Piece {
    CUdeviceptr to, from;
    size_t bytes;
  };
  struct Batch {
    CUevent event;
    std::vector<Piece> pieces;
  };
  struct Side {
    uint32_t may = ALL, begun = 0, largest = 0;
  };

  bool is_of_gpu(CUdeviceptr place) const;
  bool make_first(CUstream stream, bool in_any_case);
  Side& side(Way way) { return sides_[way == Way::TO_GPU ? 0 : 1]; }
  const Side& side(Way way) const { return sides_[way == Way::TO_GPU ? 0 : 1]; }

  mutable std::mutex mutex_;
  std::map<CUdeviceptr, size_t> memory_;                 // of the gpu
  std::map<CUstream, std::deque<Batch>> begun_;          // with an event behind them
  std::map<CUstream, std::vector<Piece>> without_event_;
  std::map<CUevent, uint32_t> looks_;                    // at events that are not complete
  std::map<CUevent, CUstream> streams_;                  // of those
  Side sides_[2];
  uint32_t calls_ = 0;
  CUresult at_begin_ = CUDA_SUCCESS, at_event_ = CUDA_SUCCESS;
};

PlayedEngine& played_engine();
/// The calls that are about it, and about events.
void add_copies(DriverApi& api, bool has_batches);

}  // namespace warpfs::cuda
