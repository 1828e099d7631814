#include "ring_reader.h"

#include "shared_words.h"

#include <algorithm>

namespace warpfs {

RingReader::RingReader(const HostView& view, const Geometry& geometry, size_t first, size_t stride)
    : carrier_(view.carrier), slot_mask_(geometry.ring_slots - 1), rings_((geometry.ring_count + stride - 1 - first) / stride) {
  for (size_t i = 0; i < rings_.size(); i++) {
    const size_t ring = first + i * stride;
    rings_[i].number = uint32_t(ring);
    rings_[i].head = &view.ring_heads[ring].head;
    rings_[i].slots = view.requests + ring * geometry.ring_slots;
  }
  resume();
}

void RingReader::resume() {
  // Nobody else writes the heads.
  for (Ring& ring : rings_) ring.position.store(load_relaxed(ring.head), std::memory_order_relaxed);
}

void RingReader::look() {
  for (Ring& ring : rings_) {
    const uint32_t position = ring.position.load(std::memory_order_relaxed);
    const auto is_published = [&](uint32_t at) { return load_acquire(&ring.slots[at & slot_mask_].sequence) == at + 1; };
    for (ring.seen = 0; ring.seen < std::min(SWEEP_REQUESTS, slot_mask_ + 1) && is_published(position + ring.seen);) ring.seen++;
  }
}

bool RingReader::is_empty() const {
  for (const Ring& ring : rings_) {
    const uint32_t position = ring.position.load(std::memory_order_acquire);
    if (load_acquire(&ring.slots[position & slot_mask_].sequence) == position + 1) return false;
  }
  return true;
}

bool RingReader::take(Ring& ring, Request& request, Counters& counters) const {
  const uint32_t position = ring.position.load(std::memory_order_relaxed);
  const Request* shared = &ring.slots[position & slot_mask_];
  if (load_acquire(&shared->sequence) != position + 1) return false;
  request = snapshot(shared);
  if (carrier_ != nullptr && request.opcode == Opcode::WRITE_BACK) carrier_->keep_bytes(request, ring.number, position & slot_mask_);
  Counters::bump(counters.accepted);  // before the position moves: whoever sees an empty ring sees its requests as accepted
  ring.position.store(position + 1, std::memory_order_release);
  store_release(ring.head, position + 1);  // the slot is free again: from here on only the snapshot counts
  return true;
}

}  // namespace warpfs
