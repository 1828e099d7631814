#include "device_cuda_test_courier.h"

#include "../shared_words.h"

#include <cstring>
#include <thread>
#include <vector>

namespace warpfs::cuda::played {

namespace {

const CourierMessage* next_message(const CourierLaunch& launch, uint32_t channel) {
  const uint32_t position = launch.channel_positions[channel];
  const CourierMessage* message = launch.messages + uint64_t(channel) * launch.channel_slots + position % launch.channel_slots;
  const bool there = load_acquire(&message->sequence) == position + 1 && load_acquire(&message->sequence_again) == position + 1;
  return there ? message : nullptr;
}

class Player {
 public:
  Player(const CourierLaunch& launch, const KernelConstants& constants) : launch_(launch), constants_(constants), heads_(launch.ring_count) {
    for (uint32_t ring = 0; ring < launch.ring_count; ring++) look_at_head(ring);
  }

  bool is_stopped() const { return load_acquire(launch_.stop) != 0; }
  void look_at_head(uint32_t ring) { heads_[ring] = load_acquire(&launch_.ring_heads[ring].head); }
  void say_that_all_run() {
    for (uint32_t part = 0; part < launch_.channels + launch_.ring_count; part++) store_release(launch_.running + part * COURIER_WORDS_APART, 1u);
  }

  /// The next message of a channel; false: there is none.
  bool bring_down(uint32_t channel) {
    const uint32_t position = launch_.channel_positions[channel];
    const CourierMessage* message = next_message(launch_, channel);
    if (message == nullptr) return false;
    if (message->kind == CourierKind::LINE) bring_line(*message);
    if (message->kind == CourierKind::MAILBOX) bring_answer(*message);
    if (message->kind == CourierKind::FILE) bring_file(message->index);
    launch_.channel_positions[channel] = position + 1;
    store_release(launch_.delivered + channel * COURIER_WORDS_APART, position + 1);
    return true;
  }

  /// The next request of a ring; false: there is none, or no room for it.
  bool bring_up(uint32_t ring) {
    RingHead* own = table<RingHead>(Binding::RING_HEADS) + ring;
    const uint32_t at = own->head;
    const Request* request = table<Request>(Binding::REQUESTS) + uint64_t(ring) * launch_.ring_slots + at % launch_.ring_slots;
    if (load_acquire(&request->sequence) != at + 1 || at - heads_[ring] >= launch_.host_ring_slots) return false;
    const uint64_t slot = uint64_t(ring) * launch_.host_ring_slots + at % launch_.host_ring_slots;
    Request* to = launch_.requests + slot;
    std::memcpy(&to->opcode, &request->opcode, sizeof *to - sizeof to->sequence);
    bring_parcel(*request, launch_.parcels == nullptr ? nullptr : launch_.parcels + slot * (line_bytes() + line_bytes() / 8));
    store_release(&to->sequence, at + 1);
    store_release(&own->head, at + 1);
    return true;
  }

 private:
  template <typename T>
  T* table(uint32_t binding) const { return static_cast<T*>(constants_.tables[binding]); }
  uint64_t line_bytes() const { return uint64_t(1) << launch_.line_shift; }

  void bring_line(const CourierMessage& message) {
    if (message.bytes_at != COURIER_NO_BYTES) {
      std::memcpy(table<uint8_t>(Binding::LINES) + message.index * line_bytes(), launch_.stages + message.bytes_at * line_bytes(), line_bytes());
    }
    LineDone* done = table<LineDone>(Binding::DONES) + message.index;
    store_relaxed(&done->result, message.result);
    store_release(&done->sequence, message.answers);
  }
  void bring_answer(const CourierMessage& message) {
    Mailbox* mailbox = table<Mailbox>(Binding::MAILBOXES) + message.index;
    store_relaxed(&mailbox->result, message.result);
    store_relaxed(&mailbox->value, uint64_t(message.value_high) << 32 | message.bytes_at);
    store_release(&mailbox->sequence, message.answers);
  }
  /// The shaders of the cpu device look at the version, as the daemon writes it.
  void bring_file(uint32_t index) {
    const FileEntry* from = launch_.files + index;
    FileEntry* to = table<FileEntry>(Binding::FILES) + index;
    FileEntry copy{};
    do {
      copy.version = load_acquire(&from->version);
      std::memcpy(&copy, from, offsetof(FileEntry, version));
      std::atomic_thread_fence(std::memory_order_acquire);
    } while ((copy.version & 1) != 0 || load_relaxed(&from->version) != copy.version);
    store_relaxed(&to->version, copy.version + 1);
    const uint32_t* words = reinterpret_cast<const uint32_t*>(&copy);
    for (size_t word = 0; word < offsetof(FileEntry, version) / 4; word++) store_release(reinterpret_cast<uint32_t*>(to) + word, words[word]);
    store_release(&to->version, copy.version);
  }
  void bring_parcel(const Request& request, uint8_t* parcel) {
    if (request.opcode == Opcode::WRITE_BACK && parcel != nullptr) {
      const uint64_t first = request.offset % line_bytes();
      std::memcpy(parcel + first, table<uint8_t>(Binding::LINES) + request.lines[0] * line_bytes() + first, request.length);
      if (request.lines[1] != 0) std::memcpy(parcel + line_bytes(), table<uint8_t>(Binding::MASKS) + (request.lines[1] - 1) * (line_bytes() / 8), line_bytes() / 8);
    } else if (request.opcode == Opcode::OPEN || request.opcode == Opcode::UNLINK || request.opcode == Opcode::RENAME) {
      const uint64_t at = uint64_t(request.mailbox) * OUTBOX_BYTES;
      std::memcpy(launch_.outboxes + at, table<uint8_t>(Binding::OUTBOXES) + at, OUTBOX_BYTES);
    }
  }

  const CourierLaunch launch_;
  const KernelConstants& constants_;
  std::vector<uint32_t> heads_;  // of the rings of the host, as they were seen last
};

}  // namespace

bool has_message(const CourierLaunch& launch) {
  for (uint32_t channel = 0; channel < launch.channels; channel++) {
    if (next_message(launch, channel) != nullptr) return true;
  }
  return false;
}

void courier_alone(const CourierLaunch& launch, const KernelConstants& constants) {
  Player player(launch, constants);
  player.say_that_all_run();
  for (uint32_t channel = 0; channel < launch.channels; channel++) {
    while (player.bring_down(channel)) {
    }
  }
  for (uint32_t ring = 0; ring < launch.ring_count; ring++) {
    while (player.bring_up(ring)) {
    }
  }
}

void courier_beside(const CourierLaunch& launch, const KernelConstants& constants, const std::atomic<CUresult>& refusal) {
  Player player(launch, constants);
  player.say_that_all_run();
  for (bool idle = false; refusal == CUDA_SUCCESS && !(idle && player.is_stopped());) {
    idle = true;
    for (uint32_t channel = 0; channel < launch.channels; channel++) {
      while (player.bring_down(channel)) idle = false;
    }
    for (uint32_t ring = 0; ring < launch.ring_count; ring++) {
      player.look_at_head(ring);
      while (player.bring_up(ring)) idle = false;
    }
    if (idle) std::this_thread::yield();
  }
}

}  // namespace warpfs::cuda::played
