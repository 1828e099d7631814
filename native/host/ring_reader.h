// The host's end of some rings: where each of them is, and what was published there. No thread of its own.
#pragma once
#include "io_engine.h"
#include "mount_memory.h"

#include <atomic>
#include <vector>

namespace warpfs {

class RingReader {
 public:
  /// Every `stride`th ring from `first` on. Rings that were used before go on where their heads say.
  RingReader(const HostView& view, const Geometry& geometry, size_t first, size_t stride);

  /// Takes what is published, some of each ring in turn, while the engine has room, and hands it to serve(request). How many.
  template <typename Serve>
  uint32_t sweep(const IoEngine& engine, Counters& counters, Serve&& serve) {
    uint32_t taken = 0;
    for (Ring& ring : rings_) {
      Request request;
      for (uint32_t i = 0; i < ring.seen && engine.has_room() && has_room() && take(ring, request, counters); i++) {
        serve(request);
        taken++;
      }
    }
    return taken;
  }
  /// From here on a sweep takes only what is published now: what comes while it serves was asked for later.
  void look();
  /// True if no published request waits. From any thread.
  bool is_empty() const;
  /// Goes on where the heads say, as a new reader would.
  void resume();

 private:
  static constexpr uint32_t SWEEP_REQUESTS = 32;  // of one ring before the next one has its turn

  struct Ring {
    std::atomic<uint32_t> position{0};  // of the next request; positions wrap around, so only differences mean anything
    uint32_t number = 0;
    uint32_t seen = SWEEP_REQUESTS;  // that a sweep takes at most
    uint32_t* head = nullptr;
    const Request* slots = nullptr;
  };

  bool has_room() const { return carrier_ == nullptr || carrier_->has_room(); }
  bool take(Ring& ring, Request& request, Counters& counters) const;

  LineCarrier* const carrier_;
  const uint32_t slot_mask_;
  std::vector<Ring> rings_;
};

}  // namespace warpfs
