// What runs the kernels of one mount. One thread at a time calls it.
#pragma once
#include "dispatch.h"
#include "kernel_memory.h"

#include <array>

namespace warpfs {

using CounterTotals = std::array<uint64_t, COUNTER_COUNT>;

class Device {
 public:
  virtual ~Device() = default;
  /// Runs all items to their end. Throws HostError where it cannot start, or where the device has failed.
  virtual DispatchResult run(const Dispatch& dispatch) = 0;
  /// Writes back every modified line: 0 or the first error.
  virtual int32_t sweep() = 0;
  /// Adds what kernels have counted since the last time.
  virtual void add_counters(CounterTotals& totals) = 0;

  /// Makes a kernel ready before it is asked for, where that takes long or can fail. `module`: as in Dispatch. Throws HostError.
  virtual void load(const std::string&) {}

  /// Memory that lasts, of a device that has some of its own. Throws HostError.
  virtual PlacedMemory place_memory(const MemoryRequest& request);
  virtual void free_memory(const void*) {}
  /// From any thread, beside a run(). Returns when it is done.
  virtual void copy_memory(const MemoryCopy&) {}

  virtual uint32_t worker_count() const = 0;
  virtual uint32_t resident_warps() const = 0;
  virtual uint64_t line_data_bytes() const = 0;
  /// Bytes of everything but the line data: what the cache costs.
  virtual uint64_t overhead_bytes() const = 0;
  /// How bytes of files get into the lines, and why not otherwise.
  virtual std::string fill_note() const { return "the host reads into the lines"; }
};

/// Folds the records into `totals`, and clears them.
void fold_counters(WarpStats* records, uint32_t count, CounterTotals& totals);
/// Adds what a dispatch left in its record to the result, and clears it.
void collect_faults(FaultRecord& fault, DispatchResult& result);

}  // namespace warpfs
