#include "cam_batches.h"

#include "../host_error.h"
#include "../shared_words.h"

#include <algorithm>
#include <string>

namespace warpfs {

CamBatches::CamBatches(const CamShape& shape, const PeerOptions& options) : shape_(shape), shared_(options.shared), threads_(options.threads), batches_(shape.groups * ARRAYS) {
  const uint64_t needed = at(shape.groups);
  if (needed > options.shared_bytes) {
    throw HostError(-Errno::einval, "batches of " + std::to_string(shape.groups) + " groups with " + std::to_string(shape.entries) + " entries take " + std::to_string(needed) +
                                        " bytes, and there are " + std::to_string(options.shared_bytes));
  }
  for (Thread& thread : threads_) {
    thread.taken.resize(shape.groups);
    thread.shares.resize(size_t(shape.groups) * ARRAYS);
  }
}

uint32_t CamBatches::serve(uint32_t thread, PeerHost& host) {
  uint32_t served = 0;
  for (uint32_t group = 0; group < shape_.groups; group++) {
    uint32_t& taken = threads_[thread].taken[group];
    for (const uint32_t bell = load_acquire(word(at(group) + CAM_BELL)); taken != bell; served++) begin_share(thread, group, ++taken, host);
  }
  return served;
}

void CamBatches::begin_share(uint32_t thread, uint32_t group, uint32_t number, PeerHost& host) {
  const uint32_t post = load_relaxed(word(cam_post_at(at(group), number)));
  const uint32_t kind = post & 1, buffer = std::min((post >> 1) & 0x7f, CAM_BUFFERS - 1);
  const uint32_t array = group * ARRAYS + kind * CAM_BUFFERS + buffer;
  Thread& own = threads_[thread];
  own.entries.clear();
  for (uint32_t index = thread; index < std::min(post >> 8, shape_.entries); index += uint32_t(threads_.size())) {
    uint32_t words[CAM_ENTRY_BYTES / 4];
    copy_from_gpu(words, shared_ + cam_entry_at(at(group), shape_.entries, kind, buffer, index), sizeof words);
    if (words[CAM_BLOCKS] == 0) continue;
    own.entries.push_back({uint64_t(words[CAM_BLOCK]) * CAM_BLOCK_BYTES, uint64_t(words[CAM_BLOCKS]) * CAM_BLOCK_BYTES, words[CAM_PLACE] | uint64_t(words[CAM_PLACE + 1]) << 32});
  }
  own.shares[array] = {number, uint32_t(own.entries.size())};
  if (own.entries.empty()) return end_share(thread, array);
  const MediumKind medium_kind = kind == CamKind::READ ? MediumKind::READ : MediumKind::WRITE;
  for (const Entry& entry : own.entries) {
    const MediumTime time = host.ask(medium_kind, entry.bytes);
    host.answer(thread, {medium_kind, time, host.move(medium_kind, entry.offset, entry.bytes, entry.place), array});
  }
}

void CamBatches::tell(uint32_t thread, const PeerAnswer& answer) {
  const uint32_t array = uint32_t(answer.what);
  if (answer.result != 0) batches_[array].status.store(answer.result, std::memory_order_relaxed);
  if (--threads_[thread].shares[array].left == 0) end_share(thread, array);
}

/// What the other threads moved is in place before the last of them says so.
void CamBatches::end_share(uint32_t thread, uint32_t array) {
  Batch& batch = batches_[array];
  if (batch.shares_done.fetch_add(1, std::memory_order_acq_rel) + 1 != threads_.size()) return;
  batch.shares_done.store(0, std::memory_order_relaxed);
  const uint64_t done = cam_done_at(at(array / ARRAYS), array % ARRAYS / CAM_BUFFERS, array % CAM_BUFFERS);
  store_relaxed(word(done + 4), uint32_t(batch.status.exchange(0, std::memory_order_relaxed)));
  store_release(word(done), threads_[thread].shares[array].number);
}

}  // namespace warpfs
