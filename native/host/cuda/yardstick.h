// The yardsticks of the benchmarks on a GPU: what this machine reaches with plain kernels and copies, in a context of its own beside that of the
// mount that is measured. Every word that was moved is compared, on the GPU or here.
#pragma once
#include "../abi_host.h"
#include "../../shaders/bench/yardstick_launch.h"
#include "yardstick_areas.h"

#include <functional>
#include <string>

namespace warpfs::cuda {

constexpr uint32_t YARDSTICK_TRIPS_MAX = 1u << 20;
constexpr uint64_t YARDSTICK_ANSWER_AT = 4096;  // in the memory of the ring; the post is at its beginning

struct YardstickRequest {
  std::string what;         // a kernel of yardsticks_cuda.h, or copy (to the GPU), ring, pread
  std::string place;        // what is read or written: pinned, device, file
  std::string path;         // of the file; also of the one that pread reads
  uint64_t bytes = 0;       // of the area
  uint32_t piece_bytes = 0; // a power of two that goes into the area a power of two of times
  uint64_t count = 0;       // pieces, round trips or reads
  uint32_t blocks = 0;      // 0: as many as fit
  uint32_t threads = 256;   // of a block; of pread: threads of the host
  uint32_t seed = 0;
  uint32_t start = 0;       // turns the order of the pieces into another one
};

struct YardstickResult {
  uint64_t nanoseconds = 0;  // ring: the median of the round trips
  uint64_t wrong_words = 0;  // at least so many
  uint64_t pieces = 0;       // that were gone to
  uint32_t blocks = 0;
};

class Yardstick {
 public:
  /// `cubin`: path of the compiled yardsticks. Throws HostError.
  Yardstick(int device_index, const std::string& cubin);
  ~Yardstick();
  Yardstick(const Yardstick&) = delete;
  Yardstick& operator=(const Yardstick&) = delete;

  /// One measurement, after an equal one that is not counted. One at a time. Throws HostError, which says what was being done.
  YardstickResult measure(const YardstickRequest& request);

 private:
  YardstickResult run_kernel(const YardstickRequest& request);
  YardstickResult run_copy(const YardstickRequest& request);
  YardstickResult run_ring(const YardstickRequest& request);
  YardstickResult run_pread(const YardstickRequest& request);
  CUfunction function(const std::string& name) const;
  uint32_t blocks_of(CUfunction function, const YardstickRequest& request) const;
  struct Prepared {
    YardstickLaunch launch;
    uint32_t* words;  // of the area, where the host sees it
  };
  Prepared prepare(const YardstickRequest& request);
  /// Nanoseconds between two events around what `enqueue` puts into the stream.
  uint64_t timed(const std::string& what, const std::function<void()>& enqueue);
  /// `meanwhile` is called again and again until the GPU is done.
  void wait(const std::string& what, const std::function<void()>& meanwhile);
  void launch(const std::string& what, CUfunction function, const YardstickLaunch& launch, uint32_t blocks, uint32_t threads);
  YardstickTally take_tally(const std::string& what);
  void clear_tally();

  Context context_;
  CUmodule module_ = nullptr;
  Stream stream_;
  CUevent begin_ = nullptr, end_ = nullptr;
  DeviceMemory tally_, ticks_;
  PinnedMemory words_;  // of the ring
  YardstickAreas areas_;
};

}  // namespace warpfs::cuda
