#include "exchange.h"

#include "../shared_words.h"

namespace warpfs::metal {

namespace {

Request& slot_of(MountMemory& memory, uint32_t ring, uint32_t position) {
  const uint32_t slots = memory.geometry().ring_slots;
  return memory.at<Request>(Binding::REQUESTS)[uint64_t(ring) * slots + (position & (slots - 1))];
}

}  // namespace

Exchange::Exchange(MountMemory& gpu, MountMemory& host) : gpu_(gpu), host_(host), copied_(gpu.geometry().ring_count) {}

HostView Exchange::host_view() {
  HostView view = host_.host_view();
  view.lines = gpu_.at<uint8_t>(Binding::LINES);
  // Paths and masks lie still from the request to its answer.
  view.outboxes = gpu_.at<uint8_t>(Binding::OUTBOXES);
  view.masks = gpu_.at<uint32_t>(Binding::MASKS);
  view.link = this;
  return view;
}

void Exchange::tell_gpu() {
  {
    const std::lock_guard lock(mutex_);
    std::swap(told_, taken_);
  }
  auto* const dones = gpu_.at<LineDone>(Binding::DONES);
  for (const auto& [line, done] : taken_.lines) dones[line] = done;
  auto* const mailboxes = gpu_.at<Mailbox>(Binding::MAILBOXES);
  for (const auto& [slot, mailbox] : taken_.mailboxes) mailboxes[slot] = mailbox;
  auto* const files = gpu_.at<FileEntry>(Binding::FILES);
  for (const auto& [index, entry] : taken_.files) files[index] = entry;
  taken_.lines.clear();
  taken_.mailboxes.clear();
  taken_.files.clear();
  for (uint32_t ring = 0; ring < copied_.size(); ring++) {
    gpu_.at<RingHead>(Binding::RING_HEADS)[ring].head = load_acquire(&host_.at<RingHead>(Binding::RING_HEADS)[ring].head);
  }
}

bool Exchange::tell_host_all() {
  for (uint32_t ring = 0; ring < copied_.size(); ring++) {
    const uint32_t tail = gpu_.at<RingTail>(Binding::RING_TAILS)[ring].tail;
    for (uint32_t position = copied_[ring]; position != tail; position++) {
      Request& request = slot_of(gpu_, ring, position);
      if (request.sequence == position + 1) continue;
      request = Request{};
      request.opcode = Opcode::NOP;
      request.sequence = position + 1;
    }
  }
  return tell_host();
}

bool Exchange::tell_host() {
  bool any = false;
  for (uint32_t ring = 0; ring < copied_.size(); ring++) {
    const uint32_t tail = gpu_.at<RingTail>(Binding::RING_TAILS)[ring].tail;
    for (uint32_t& position = copied_[ring]; position != tail; position++, any = true) {
      const Request& from = slot_of(gpu_, ring, position);
      if (from.sequence != position + 1) break;  // of a warp that has not come to an end
      Request request = from;
      request.sequence = 0;
      Request& to = slot_of(host_, ring, position);
      to = request;
      store_release(&to.sequence, position + 1);
    }
  }
  return any;
}

void Exchange::line_done(uint32_t line, const LineDone& done) {
  const std::lock_guard lock(mutex_);
  told_.lines.push_back({line, done});
}

/// The host writes it again only behind the next request of this slot.
void Exchange::mailbox_done(uint32_t slot) {
  const std::lock_guard lock(mutex_);
  told_.mailboxes.push_back({slot, host_.at<Mailbox>(Binding::MAILBOXES)[slot]});
}

/// Whoever tells it holds the lock of the entry.
void Exchange::file_changed(uint32_t index) {
  const std::lock_guard lock(mutex_);
  told_.files.push_back({index, host_.at<FileEntry>(Binding::FILES)[index]});
}

}  // namespace warpfs::metal
