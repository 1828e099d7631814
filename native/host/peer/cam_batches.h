// The host's side of CAM: every thread does its share of every batch, and the last one says that the batch is done.
#pragma once
#include "host_peer.h"

#include "../../shaders/baselines/cam_batch.h"

namespace warpfs {

struct CamShape {
  uint32_t groups = 1;
  uint32_t entries = 1;  // of a batch, at most
};

class CamBatches final : public PeerProtocol {
 public:
  /// Throws HostError where the batches do not fit into the shared memory.
  CamBatches(const CamShape& shape, const PeerOptions& options);

  uint32_t serve(uint32_t thread, PeerHost& host) override;
  void tell(uint32_t thread, const PeerAnswer& answer) override;

 private:
  static constexpr uint32_t ARRAYS = CAM_KINDS * CAM_BUFFERS;  // of a group
  struct Entry {
    uint64_t offset;
    uint64_t bytes;
    uint64_t place;
  };
  /// What one thread knows of one array.
  struct Share {
    uint32_t number = 0;
    uint32_t left = 0;
  };
  struct Thread {
    std::vector<uint32_t> taken;  // posts, by group
    std::vector<Share> shares;    // by array
    std::vector<Entry> entries;   // of the share that it begins
  };
  /// What the threads know of one array together.
  struct Batch {
    std::atomic<uint32_t> shares_done{0};
    std::atomic<int32_t> status{0};
  };
  void begin_share(uint32_t thread, uint32_t group, uint32_t number, PeerHost& host);
  void end_share(uint32_t thread, uint32_t array);
  uint64_t at(uint32_t group) const { return group * cam_group_bytes(shape_.entries); }
  uint32_t* word(uint64_t at) const { return reinterpret_cast<uint32_t*>(shared_ + at); }

  const CamShape shape_;
  uint8_t* const shared_;
  std::vector<Thread> threads_;
  std::vector<Batch> batches_;  // of all groups
};

}  // namespace warpfs
