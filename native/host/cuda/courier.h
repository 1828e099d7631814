// The host's end of what the courier (shaders/entry/cuda_courier.h) carries: channels of messages to the gpu with the bytes of filled lines,
// and what requests bring along for the host. With a pusher the bytes of lines go both ways without the courier.
#pragma once
#include "../gpu_link.h"
#include "../mount_memory.h"
#include "../../shaders/entry/cuda_launch.h"
#include "context.h"
#include "kept_bytes.h"
#include "pusher.h"
#include "windows.h"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace warpfs::cuda {

/// Tables of the gpu that copy engines read and write.
struct PushTables {
  CUdeviceptr lines, masks;
};

class Courier final : public GpuLink, public LineCarrier {
 public:
  static constexpr uint32_t CHANNEL_SLOTS = 1024;

  /// `geometry`: of the rings of the host. `channels`: as many as threads answer at the same time. `tables`: copy engines move the bytes of
  /// lines; without them the courier does.
  Courier(Context& context, const Geometry& geometry, uint32_t channels, const std::optional<PushTables>& tables);
  ~Courier() override { stop_pushing(); }

  bool has_room() override;
  uint8_t* fill_place(uint32_t line) override;
  void keep_bytes(const Request& request, uint32_t ring, uint32_t slot) override;
  bool is_coming(uint32_t line) const override;
  uint8_t* kept_line(uint32_t line) override;
  const uint32_t* kept_mask(uint32_t line) override;
  void line_done(uint32_t line, const LineDone& done) override;
  void mailbox_done(uint32_t slot) override;
  void file_changed(uint32_t index) override;
  void wait_until_told() override;
  void moves(FileTable& files, uint32_t handle, uint32_t file_id, uint64_t offset, bool writes) override {
    if (windows_ != nullptr) windows_->moves(files, handle, file_id, offset, writes);
  }

  /// Where mailboxes are. Before any of them changes.
  void set_mailboxes(const Mailbox* mailboxes) { mailboxes_ = mailboxes; }
  /// Null: no file is read where it lies.
  void set_windows(Windows* windows) { windows_ = windows; }
  /// Everything but the tables of the gpu and the rings of the host.
  void describe(CourierLaunch& launch) const;
  /// One for each channel and each ring.
  uint32_t parts() const { return channel_count_ + geometry_.ring_count; }
  uint32_t blocks() const { return (parts() + COURIER_PARTS - 1) / COURIER_PARTS; }

  /// A kernel is about to be launched, and to run until it is stopped. One that is stopped before carries what there is, and ends.
  void begin();
  bool is_running() const;
  /// All that was sent has come to the gpu. Waits for nobody, also where a channel is full.
  bool is_delivered() const;
  void stop();
  /// The gpu takes nothing any more: whoever waits for it goes on, and what is sent is dropped.
  void break_off();

  /// Null where the courier moves the bytes of lines.
  const Pusher* pusher() const { return pusher_.get(); }
  /// Nothing is copied from here on.
  void stop_pushing();

 private:
  static constexpr uint32_t SHARDS = 16;  // of the stages: daemon threads do not meet over them
  static constexpr uint32_t KEPT_BIT = 0x80000000u;
  static constexpr uint32_t COMING_BIT = 0x40000000u;

  struct alignas(128) Channel {
    std::mutex mutex;
    std::atomic<uint32_t> sent{0};  // changes under the mutex
    uint32_t reaped = 0;  // messages whose stages were given back
    std::vector<uint32_t> stage_of;
  };
  struct alignas(128) Shard {
    std::mutex mutex;
    std::vector<uint32_t> free;
  };

  uint32_t delivered(uint32_t channel) const;
  uint32_t take_stage();
  void give_back(uint32_t stage);
  void reap(Channel& channel, uint32_t index);
  bool reap_all();
  /// Of the calling thread: daemon threads do not meet over them. Nobody needs an order between the answers about two lines, and a line is
  /// asked about again only behind its answer.
  uint32_t own_channel() const;
  void send(uint32_t channel, CourierMessage message);
  static uint32_t kept_of(uint32_t place) { return (place & ~(KEPT_BIT | COMING_BIT)) - 1; }
  uint8_t* stage_at(uint32_t stage) const { return stage_memory_.bytes() + uint64_t(stage) * geometry_.line_bytes; }

  // With a pusher.
  void start_pushing(Context& context);
  PushJob fill_job(const CourierMessage& message) const;
  PushJob fetch_job(const Request& request, uint32_t kept) const;
  void filled(const PushJob& job, bool copied);
  void fetched(const PushJob& job, bool copied);

  const Geometry geometry_;
  const uint32_t parcel_bytes_;  // a line, then its mask
  const uint32_t stages_;
  const uint32_t channel_count_;
  const std::optional<PushTables> tables_;
  PinnedMemory messages_, delivered_, stage_memory_, flags_;
  std::unique_ptr<PinnedMemory> parcels_;  // without a pusher
  const std::unique_ptr<Channel[]> channels_;
  std::array<Shard, SHARDS> shards_;
  KeptBytes kept_;
  // Of each line: its stage + 1, or what was kept for it + 1 | KEPT_BIT, and COMING_BIT until all of that is there.
  std::vector<std::atomic<uint32_t>> place_of_;
  const Mailbox* mailboxes_ = nullptr;
  Windows* windows_ = nullptr;
  std::atomic<bool> broken_{false};
  std::unique_ptr<Pusher> pusher_;  // the last one: its thread uses all the others
};

}  // namespace warpfs::cuda
