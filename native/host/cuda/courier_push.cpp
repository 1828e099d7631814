// What the courier does where copy engines move the bytes of lines.
#include "courier.h"

#include "../request_validation.h"

#include <algorithm>

namespace warpfs::cuda {

void Courier::start_pushing(Context& context) {
  const uint64_t lines = std::min<uint64_t>(CopyBatches::COPIES_MAX, uint64_t(geometry_.line_count) + geometry_.bypass_count);
  std::vector<Copy> fills, fetches;  // zeros onto zeros
  for (uint32_t i = 0; i < lines; i++) {
    const CUdeviceptr line = tables_->lines + uint64_t(i) * geometry_.line_bytes;
    fills.push_back({line, reinterpret_cast<CUdeviceptr>(stage_at(i)), geometry_.line_bytes});
    fetches.push_back({reinterpret_cast<CUdeviceptr>(kept_.line(i)), line, geometry_.line_bytes});
  }
  pusher_ = std::make_unique<Pusher>(
      context, [this](const PushJob& job, bool copied) { filled(job, copied); }, fills,
      [this](const PushJob& job, bool copied) { fetched(job, copied); }, fetches);
}

void Courier::break_off() {
  broken_.store(true, std::memory_order_relaxed);
  if (pusher_ != nullptr) pusher_->break_off();
}

void Courier::stop_pushing() {
  if (pusher_ == nullptr) return;
  break_off();  // what is left may wait for a gpu that takes nothing any more
  pusher_->stop();
}

PushJob Courier::fill_job(const CourierMessage& message) const {
  PushJob job{};
  job.message = message;
  job.copy_count = 1;
  job.copies[0] = {tables_->lines + uint64_t(message.index) * geometry_.line_bytes, reinterpret_cast<CUdeviceptr>(stage_at(message.bytes_at)), geometry_.line_bytes};
  return job;
}

/// The line is there for the copy engine: its bytes have passed a fence of system scope, that of the courier, before the host saw the request. And it stays
/// as it is, with its mask, until the host answers: it is BUSY, so nobody has a hand on it, and nobody who would write gets one. The other devices'
/// hosts write to the file straight out of the line, and so rest on the same.
PushJob Courier::fetch_job(const Request& request, uint32_t kept) const {
  const uint32_t line = request.lines[0];
  const uint32_t first = uint32_t(request.offset % geometry_.line_bytes);
  PushJob job{};
  job.message.index = line;
  const size_t bytes = std::min(request.length, geometry_.line_bytes - first);
  // Nobody has looked at the request yet: what it may not say is refused later, and only kept from doing harm here.
  if (bytes != 0) job.copies[job.copy_count++] = {reinterpret_cast<CUdeviceptr>(kept_.line(kept) + first), tables_->lines + uint64_t(line) * geometry_.line_bytes + first, bytes};
  if (has_mask(request) && mask_of(request) < geometry_.mask_count) {
    job.copies[job.copy_count++] = {reinterpret_cast<CUdeviceptr>(kept_.mask(kept)), tables_->masks + uint64_t(mask_of(request)) * kept_.mask_bytes(), kept_.mask_bytes()};
  }
  return job;
}

/// The event behind the copy is complete: the engine has read all of the stage, which is free from here on, and the line is written in L2 or behind it. Only now
/// the message goes, so whoever sees the answer that the courier makes of it, and passes a fence of the gpu's scope, as all who read a line do
/// behind its answer, loads from L2 what lies there: no L1 keeps bytes across that fence.
void Courier::filled(const PushJob& job, bool copied) {
  CourierMessage message = job.message;
  give_back(message.bytes_at);
  message.bytes_at = COURIER_NO_BYTES;
  if (copied) send(message.index % channel_count_, message);  // else the gpu is about to be lost: a line without its bytes is never called ready
}

/// Without its bytes the write-back is refused.
void Courier::fetched(const PushJob& job, bool copied) {
  std::atomic<uint32_t>& place = place_of_[job.message.index];
  uint32_t seen = place.load(std::memory_order_relaxed);
  // A gpu that lies may have asked for something else with this line meanwhile.
  if ((seen & COMING_BIT) == 0) return;
  const uint32_t wanted = copied ? seen & ~COMING_BIT : 0;
  if (place.compare_exchange_strong(seen, wanted, std::memory_order_release, std::memory_order_relaxed) && !copied) kept_.give_back(kept_of(seen));
}

}  // namespace warpfs::cuda
