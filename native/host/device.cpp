#include "device.h"

#include "host_error.h"

#include <algorithm>

namespace warpfs {

PlacedMemory Device::place_memory(const MemoryRequest&) {
  throw HostError("ERR_WARPFS_DEVICE", "this device has no memory of its own: any memory of the host is as good");
}

void fold_counters(WarpStats* records, uint32_t count, CounterTotals& totals) {
  for (uint32_t record = 0; record < count; record++) {
    for (uint32_t counter = 0; counter < COUNTER_COUNT; counter++) {
      totals[counter] += records[record].low[counter] + (uint64_t(records[record].high[counter]) << 32);
    }
    records[record] = WarpStats{};
  }
}

void collect_faults(FaultRecord& fault, DispatchResult& result) {
  result.failed_items += fault.count;
  for (uint32_t i = 0; i < std::min<uint32_t>(fault.count, FAULT_ITEMS_MAX); i++) result.failures.push_back({fault.items[i], fault.errors[i]});
  result.lane_values[0] = fault.lane_values[0];
  result.lane_values[1] = fault.lane_values[1];
  fault = FaultRecord{};
}

}  // namespace warpfs
