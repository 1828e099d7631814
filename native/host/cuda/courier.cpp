#include "courier.h"

#include "../assert.h"
#include "../request_validation.h"
#include "../shared_words.h"

#include <algorithm>
#include <cstring>
#include <thread>

namespace warpfs::cuda {

namespace {

constexpr uint64_t STAGE_BYTES = uint64_t(8) << 20;  // more than the bus moves while a message is on its way
constexpr uint32_t STAGES_MIN = 256;
constexpr uint32_t NO_STAGE = COURIER_NO_BYTES;
constexpr uint32_t REAPED_AT_ONCE = 32;

uint32_t stages_for(uint32_t line_bytes) { return std::max(STAGES_MIN, uint32_t(STAGE_BYTES / line_bytes)); }

/// Threads that ask for stages at the same time mostly have different numbers.
uint32_t number_of_thread() {
  static std::atomic<uint32_t> next{0};
  thread_local const uint32_t number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
}

}  // namespace

Courier::Courier(Context& context, const Geometry& geometry, uint32_t channels, const std::optional<PushTables>& tables)
    : geometry_(geometry),
      parcel_bytes_(geometry.line_bytes + geometry.line_bytes / 8),
      stages_(stages_for(geometry.line_bytes)),
      channel_count_(channels),
      tables_(tables),
      messages_(context, uint64_t(channels) * CHANNEL_SLOTS * sizeof(CourierMessage), "the messages to the GPU"),
      delivered_(context, channels * COURIER_WORDS_APART * sizeof(uint32_t), "the messages to the GPU"),
      stage_memory_(context, uint64_t(stages_) * geometry.line_bytes, "bytes on their way to the GPU"),
      flags_(context, uint64_t(1 + parts()) * COURIER_WORDS_APART * sizeof(uint32_t), "the courier"),
      channels_(new Channel[channels]),
      kept_(context, geometry.line_bytes, tables.has_value()),
      place_of_(uint64_t(geometry.line_count) + geometry.bypass_count) {
  for (uint32_t channel = 0; channel < channel_count_; channel++) channels_[channel].stage_of.assign(CHANNEL_SLOTS, NO_STAGE);
  for (uint32_t stage = stages_; stage-- > 0;) shards_[stage % SHARDS].free.push_back(stage);
  if (tables_) {
    start_pushing(context);
  } else {
    const uint64_t parcels = uint64_t(geometry.ring_count) * geometry.ring_slots;
    parcels_ = std::make_unique<PinnedMemory>(context, parcels * parcel_bytes_, "bytes on their way from the GPU");
  }
}

void Courier::describe(CourierLaunch& launch) const {
  launch.messages = messages_.at<CourierMessage>();
  launch.delivered = delivered_.at<uint32_t>();
  launch.stages = stage_memory_.bytes();
  launch.parcels = parcels_ == nullptr ? nullptr : parcels_->bytes();
  launch.stop = flags_.at<uint32_t>();
  launch.running = flags_.at<uint32_t>() + COURIER_WORDS_APART;
  launch.channels = channel_count_;
  launch.channel_slots = CHANNEL_SLOTS;
  launch.ring_count = geometry_.ring_count;
  launch.host_ring_slots = geometry_.ring_slots;
  launch.line_shift = geometry_.line_shift;
}

void Courier::begin() {
  uint32_t* flags = flags_.at<uint32_t>();
  for (uint32_t word = 0; word <= parts(); word++) store_relaxed(flags + word * COURIER_WORDS_APART, 0u);
}

bool Courier::is_running() const {
  for (uint32_t part = 1; part <= parts(); part++) {
    if (load_acquire(flags_.at<uint32_t>() + part * COURIER_WORDS_APART) == 0) return false;
  }
  return true;
}

void Courier::wait_until_told() {
  while (!is_delivered() && !broken_.load(std::memory_order_relaxed)) std::this_thread::yield();
}

void Courier::stop() { store_release(flags_.at<uint32_t>(), 1u); }

uint32_t Courier::delivered(uint32_t channel) const { return load_acquire(delivered_.at<uint32_t>() + channel * COURIER_WORDS_APART); }

bool Courier::is_delivered() const {
  if (pusher_ != nullptr && !pusher_->is_idle()) return false;
  for (uint32_t channel = 0; channel < channel_count_; channel++) {
    if (delivered(channel) != channels_[channel].sent.load(std::memory_order_acquire)) return false;
  }
  return true;
}

// ---- Stages.

/// With the mutex of the channel. The gpu has copied what the delivered messages spoke of.
void Courier::reap(Channel& channel, uint32_t index) {
  const uint32_t end = delivered(index);
  for (; channel.reaped != end; channel.reaped++) {
    uint32_t& stage = channel.stage_of[channel.reaped % CHANNEL_SLOTS];
    if (stage != NO_STAGE) give_back(stage);
    stage = NO_STAGE;
  }
}

bool Courier::reap_all() {
  for (uint32_t index = 0; index < channel_count_; index++) {
    std::lock_guard lock(channels_[index].mutex);
    reap(channels_[index], index);
  }
  std::lock_guard lock(shards_[number_of_thread() % SHARDS].mutex);
  return shards_[number_of_thread() % SHARDS].free.size() >= REQUEST_LINES_MAX;
}

void Courier::give_back(uint32_t stage) {
  Shard& shard = shards_[stage % SHARDS];
  std::lock_guard lock(shard.mutex);
  shard.free.push_back(stage);
}

bool Courier::has_room() {
  if (!kept_.has_room()) return false;
  if (broken_.load(std::memory_order_relaxed)) return true;
  {
    Shard& shard = shards_[number_of_thread() % SHARDS];
    std::lock_guard lock(shard.mutex);
    if (shard.free.size() >= REQUEST_LINES_MAX) return true;
  }
  return reap_all();
}

/// has_room() was true: the stages of this thread may have gone to another since, but they come back.
uint32_t Courier::take_stage() {
  for (uint32_t tries = 0;; tries++) {
    Shard& shard = shards_[(number_of_thread() + tries) % SHARDS];
    {
      std::lock_guard lock(shard.mutex);
      if (!shard.free.empty()) {
        const uint32_t stage = shard.free.back();
        shard.free.pop_back();
        return stage;
      }
    }
    if (broken_.load(std::memory_order_relaxed)) return 0;  // nobody looks there any more
    if (tries % SHARDS == SHARDS - 1 && !reap_all()) std::this_thread::yield();
  }
}

uint8_t* Courier::fill_place(uint32_t line) {
  uint32_t place = place_of_[line].load(std::memory_order_relaxed);
  if (place == 0 || (place & KEPT_BIT) != 0) {  // a gpu that lies may have a line filled twice
    place = take_stage() + 1;
    place_of_[line].store(place, std::memory_order_relaxed);
  }
  return stage_at(place - 1);
}

// ---- What write-backs bring along.

void Courier::keep_bytes(const Request& request, uint32_t ring, uint32_t slot) {
  const uint32_t line = request.lines[0];
  if (line >= place_of_.size() || request.length == 0 || place_of_[line].load(std::memory_order_relaxed) != 0) return;
  const uint32_t kept = kept_.take();
  if (pusher_ != nullptr) {
    place_of_[line].store((kept + 1) | KEPT_BIT | COMING_BIT, std::memory_order_relaxed);
    return pusher_->fetch(fetch_job(request, kept));
  }
  const uint8_t* parcel = parcels_->bytes() + (uint64_t(ring) * geometry_.ring_slots + slot) * parcel_bytes_;
  const uint32_t first = uint32_t(request.offset % geometry_.line_bytes);
  const uint32_t bytes = std::min(request.length, geometry_.line_bytes - first);
  copy_from_gpu(kept_.line(kept) + first, parcel + first, bytes);
  if (has_mask(request)) copy_from_gpu(kept_.mask(kept), parcel + geometry_.line_bytes, kept_.mask_bytes());
  place_of_[line].store((kept + 1) | KEPT_BIT, std::memory_order_relaxed);
}

bool Courier::is_coming(uint32_t line) const {
  return line < place_of_.size() && (place_of_[line].load(std::memory_order_acquire) & COMING_BIT) != 0;
}

uint8_t* Courier::kept_line(uint32_t line) {
  const uint32_t place = place_of_[line].load(std::memory_order_relaxed);
  return (place & KEPT_BIT) != 0 ? kept_.line(kept_of(place)) : nullptr;
}

const uint32_t* Courier::kept_mask(uint32_t line) { return reinterpret_cast<const uint32_t*>(kept_line(line) + geometry_.line_bytes); }

// ---- Messages.

uint32_t Courier::own_channel() const { return number_of_thread() % channel_count_; }

void Courier::send(uint32_t index, CourierMessage message) {
  Channel& channel = channels_[index];
  std::lock_guard lock(channel.mutex);
  const uint32_t position = channel.sent.load(std::memory_order_relaxed);
  // The word of the gpu is not looked at for each message: it is in this processor's cache no more whenever the gpu has written it.
  if (position - channel.reaped >= REAPED_AT_ONCE) reap(channel, index);
  while (position - channel.reaped == CHANNEL_SLOTS) {
    if (broken_.load(std::memory_order_relaxed)) return;
    std::this_thread::yield();
    reap(channel, index);
  }
  CourierMessage* slot = messages_.at<CourierMessage>() + uint64_t(index) * CHANNEL_SLOTS + position % CHANNEL_SLOTS;
  channel.stage_of[position % CHANNEL_SLOTS] = message.kind == CourierKind::LINE ? message.bytes_at : NO_STAGE;
  channel.sent.store(position + 1, std::memory_order_release);
  store_relaxed(&slot->answers, message.answers);
  store_relaxed(&slot->bytes_at, message.bytes_at);
  store_relaxed(&slot->value_high, message.value_high);
  store_relaxed(&slot->kind, message.kind);
  store_relaxed(&slot->index, message.index);
  store_relaxed(&slot->result, message.result);
  store_release(&slot->sequence_again, position + 1);
  store_release(&slot->sequence, position + 1);
}

void Courier::line_done(uint32_t line, const LineDone& done) {
  const uint32_t place = place_of_[line].exchange(0, std::memory_order_relaxed);
  CourierMessage message{};
  message.kind = CourierKind::LINE;
  message.index = line;
  message.result = done.result;
  message.answers = done.sequence;
  message.bytes_at = NO_STAGE;
  if ((place & KEPT_BIT) != 0) {
    kept_.give_back(kept_of(place));
  } else if (place != 0 && done.result >= 0) {
    message.bytes_at = place - 1;
    if (pusher_ != nullptr) return pusher_->fill(fill_job(message));
  } else if (place != 0) {
    give_back(place - 1);
  }
  send(own_channel(), message);
}

void Courier::mailbox_done(uint32_t slot) {
  const Mailbox& mailbox = mailboxes_[slot];
  CourierMessage message{};
  message.kind = CourierKind::MAILBOX;
  message.index = slot;
  message.result = mailbox.result;
  message.answers = mailbox.sequence;
  message.bytes_at = uint32_t(mailbox.value);
  message.value_high = uint32_t(mailbox.value >> 32);
  send(0, message);
}

/// Through the channel of the mailboxes: who gets an answer finds the entry that it is about.
void Courier::file_changed(uint32_t index) {
  CourierMessage message{};
  message.kind = CourierKind::FILE;
  message.index = index;
  message.bytes_at = NO_STAGE;
  send(0, message);
}

}  // namespace warpfs::cuda
