// The thread that has copy engines carry bytes of lines to the gpu and from it, so that no warp does: what is handed in goes in batches, several
// of which are in flight, and whoever handed it in is told of the end. Those who hand in never wait.
#pragma once
#include "../abi_host.h"
#include "copy_batches.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace warpfs::cuda {

/// One line.
struct PushJob {
  CourierMessage message;  // with which the gpu is told of it; of one that comes from the gpu only the index counts
  uint32_t copy_count;
  Copy copies[2];          // the line; the mask of one that comes from the gpu
};

class Pusher {
 public:
  /// Called once for each job, mostly by the thread of the pusher. False: it was not copied, and never will be.
  using Ended = std::function<void(const PushJob& job, bool copied)>;
  /// `..._copies`: to begin with, before any kernel; see CopyBatches::warm_up. Throws HostError.
  Pusher(Context& context, Ended filled, const std::vector<Copy>& fill_copies, Ended fetched, const std::vector<Copy>& fetch_copies);
  ~Pusher() { stop(); }
  Pusher(const Pusher&) = delete;
  Pusher& operator=(const Pusher&) = delete;

  /// A line to the gpu, one from it. From any thread. The ends of each kind come in the order of the beginnings.
  void fill(const PushJob& job) { hand_in(fills_, job); }
  void fetch(const PushJob& job) { hand_in(fetches_, job); }
  /// Everything that was handed in has ended. What their ends have told the gpu is seen by whoever sees this.
  bool is_idle() const { return unfinished_.load(std::memory_order_acquire) == 0; }

  /// With what a copy failed, or CUDA_SUCCESS. From then on nothing is copied.
  CUresult failure() const { return failure_.load(std::memory_order_acquire); }
  /// The gpu is lost: nothing is copied any more, and nobody looks at what is in flight.
  void break_off() { broken_.store(true, std::memory_order_relaxed); }
  /// Ends the thread. What is not copied by then never will be, and nothing is in flight.
  void stop();
  bool has_batches() const { return fills_.batches.are_calls() && fetches_.batches.are_calls(); }

 private:
  struct Lane {  // one direction
    Lane(Context& context, CopyBatches::Direction direction, Ended ended) : batches(context, direction), ended(std::move(ended)) {}
    CopyBatches batches;
    const Ended ended;
    std::vector<PushJob> handed_in;               // under the mutex
    std::deque<PushJob> waiting;                  // from here on the thread's alone
    std::deque<std::vector<PushJob>> in_flight;   // a batch each
  };

  void hand_in(Lane& lane, const PushJob& job);
  void run();
  bool take();
  bool advance(Lane& lane);
  bool end_batches(Lane& lane);
  bool begin_batches(Lane& lane);
  void drop(Lane& lane);
  void end(Lane& lane, const std::vector<PushJob>& jobs, bool copied);
  void fail(CUresult result);
  bool is_over() const { return broken_.load(std::memory_order_relaxed) || failure() != CUDA_SUCCESS; }

  Context& context_;
  Lane fills_, fetches_;
  std::mutex mutex_;
  std::condition_variable handed_in_;
  bool stopping_ = false;  // under the mutex
  bool sleeping_ = false;  // the same
  std::atomic<uint32_t> unfinished_{0};
  std::atomic<CUresult> failure_{CUDA_SUCCESS};
  std::atomic<bool> broken_{false};
  std::thread thread_;
};

}  // namespace warpfs::cuda
