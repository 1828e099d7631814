// An engine whose transfers wait until they are chosen. They end in the order that a schedule says, with the faults that it says.
#pragma once
#include "../host/io_engine.h"
#include "host_side.h"

#include <vector>

namespace warpfs {

class CheckIo : public IoEngine {
 public:
  CheckIo(HostSide& host, WorkPool& pool, TransferEnd& end) : host_(host), pool_(pool), end_(end) {}

  bool has_room() const override { return !died_ && waiting_.size() + pool_.waiting() < POOL_WORK_MAX; }
  void start(Transfer& transfer) override;
  /// Moves one transfer on, or does one piece of pool work. False if there is neither.
  bool advance() override;
  /// Also what waits in the pool.
  uint32_t in_flight() const override { return uint32_t(waiting_.size() + pool_.waiting()); }

  /// The host stops here: nothing is taken or ended any more.
  void die() { died_ = true; }
  bool died() const { return died_; }

 private:
  struct Waiting {
    Transfer transfer;
    size_t work_before;      // how much of what waits in the pool was submitted earlier
    uint32_t hindrances = 0; // delays and interruptions: a few, so that a fault of chance 1000 ends as well
  };
  enum class Death { NONE, BEFORE, DURING, AFTER };

  bool hinders(Waiting& waiting, uint32_t permille);
  Death death();
  void move(size_t index);
  int64_t injected_error(Waiting& waiting);
  uint32_t bytes_to_move(uint32_t remaining);
  int64_t read(const Transfer& transfer, uint32_t count, bool dies);
  int64_t write(const Transfer& transfer, uint32_t count, bool dies);

  HostSide& host_;
  WorkPool& pool_;
  TransferEnd& end_;
  std::vector<Waiting> waiting_;  // oldest first
  std::unique_ptr<uint8_t[]> bounce_;
  size_t bounce_bytes_ = 0;
  bool died_ = false;
};

}  // namespace warpfs
