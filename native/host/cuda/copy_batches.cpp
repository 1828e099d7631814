#include "copy_batches.h"

#include "../assert.h"

namespace warpfs::cuda {

CopyBatches::CopyBatches(Context& context, Direction direction)
    : context_(context), direction_(direction), batched_(driver().cuMemcpyBatchAsync != nullptr), stream_(context) {
  for (CUevent& event : events_) check(driver().cuEventCreate(&event, EVENT_DISABLE_TIMING), "making an event");
}

CopyBatches::~CopyBatches() {
  if (!context_.enter_to_free()) return;
  for (const CUevent event : events_) driver().cuEventDestroy(event);
}

void CopyBatches::warm_up(const std::vector<Copy>& copies) {
  constexpr const char* WHAT = "trying the copy engines";
  CUresult result = begin(copies);
  if (result == CUDA_ERROR_NOT_SUPPORTED && batched_) {  // on this GPU
    batched_ = false;
    result = begin(copies);
  }
  check(result, WHAT);
  while (has_room()) check(begin(copies), WHAT);
  check(driver().cuStreamSynchronize(stream_.get()), WHAT);
  while (begun_ != ended_) check(end_oldest(), WHAT);
}

CUresult CopyBatches::begin(const std::vector<Copy>& copies) {
  WARPFS_ASSERT(has_room() && !copies.empty() && copies.size() <= COPIES_MAX);
  CUresult result = batched_ ? copy_at_once(copies) : copy_one_by_one(copies);
  if (result == CUDA_SUCCESS) result = driver().cuEventRecord(events_[begun_ % IN_FLIGHT_MAX], stream_.get());
  if (result == CUDA_SUCCESS) begun_++;
  return result;
}

CUresult CopyBatches::end_oldest() {
  WARPFS_ASSERT(begun_ != ended_);
  const CUresult result = driver().cuEventQuery(events_[ended_ % IN_FLIGHT_MAX]);
  if (result == CUDA_SUCCESS) ended_++;
  return result;
}

void CopyBatches::settle() { driver().cuStreamSynchronize(stream_.get()); }

CUresult CopyBatches::copy_at_once(const std::vector<Copy>& copies) {
  CUdeviceptr to[COPIES_MAX], from[COPIES_MAX];
  size_t bytes[COPIES_MAX];
  for (size_t i = 0; i < copies.size(); i++) {
    to[i] = copies[i].to;
    from[i] = copies[i].from;
    bytes[i] = copies[i].bytes;
  }
  CUmemcpyAttributes attributes{};
  attributes.source_order = MEMCPY_SRC_ACCESS_ORDER_STREAM;
  attributes.flags = MEMCPY_FLAG_PREFER_OVERLAP_WITH_COMPUTE;
  size_t first_copy = 0, failed = 0;
  return driver().cuMemcpyBatchAsync(to, from, bytes, copies.size(), &attributes, &first_copy, 1, &failed, stream_.get());
}

/// Consecutive pages lie in consecutive sets, so that hardly ever two lines lie side by side and could go as one.
CUresult CopyBatches::copy_one_by_one(const std::vector<Copy>& copies) {
  CUresult result = CUDA_SUCCESS;
  for (size_t i = 0; i < copies.size() && result == CUDA_SUCCESS; i++) {
    const Copy& copy = copies[i];
    result = direction_ == Direction::TO_GPU ? driver().cuMemcpyHtoDAsync(copy.to, reinterpret_cast<const void*>(copy.from), copy.bytes, stream_.get())
                                             : driver().cuMemcpyDtoHAsync(reinterpret_cast<void*>(copy.to), copy.from, copy.bytes, stream_.get());
  }
  return result;
}

}  // namespace warpfs::cuda
