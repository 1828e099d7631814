// Kernels on their way to the GPU: command buffers that are cut so that none takes long, and the first of the next round committed ahead, where it waits for a
// word of the host instead of for a whole commit.
#pragma once
#include "../dispatch.h"
#include "committed.h"
#include "context.h"
#include "launch.h"
#include "quantum.h"

#include <array>
#include <chrono>
#include <vector>

namespace warpfs::metal {

/// What is the same in all launches of a dispatch.
struct Work {
  id<MTLComputePipelineState> pipeline = nil;
  std::vector<uint64_t> own{};  // addresses of the kernel's own buffers
  uint32_t group_warps = 1;
  uint32_t group_memory_bytes = 0;
};

/// What did not end as it should: the first of it.
struct Lost {
  CommandEnd end;
  uint32_t first = 0, items = 0;  // of the round: those that were in it
  bool still_runs = false;        // nobody knows what it does, and when
};

class Launches {
 public:
  /// `tables`: in the order of Binding. `patience`: for one command buffer; 0: any.
  Launches(Context& context, const std::array<uint64_t, Binding::OWN>& tables, uint32_t slot_count, std::chrono::milliseconds patience);
  ~Launches() { let_go(); }

  /// Replay: runs the items in these slots, and returns when they have left. `ahead`: a round of the same work may follow.
  std::vector<Lost> run_round(const Work& work, const std::vector<uint32_t>& slots, const std::vector<uint32_t>& items, bool ahead);
  /// Without replay: runs all items, as many at once as there are slots and never fewer, for they may wait for each other. A kernel that takes too long is
  /// told to end by `give_up`.
  std::vector<Lost> run_all(const Work& work, uint32_t items, uint32_t* give_up);
  /// No round follows. Where the GPU stands still nothing is waited for.
  void let_go(bool gpu_runs = true);

 private:
  /// Some items of a round.
  struct Part {
    Committed commands;
    uint32_t first, items;
    bool waited = false;  // for the host: its times may count that
  };
  /// Of one round, while another one may still be read.
  struct Area {
    Buffer memory;
    Committed ahead;  // waits for event_
    const void* pipeline = nullptr;
    MetalLaunch* launch() const { return reinterpret_cast<MetalLaunch*>(memory.bytes()); }
    uint32_t* groups() const;
    uint32_t* slots() const;
    uint64_t slots_address() const;
  };

  uint32_t simdgroups(const Work& work) const;
  MetalLaunch launch_of(const Work& work, uint32_t first, uint32_t items) const;
  Committed commit(const Work& work, const MetalLaunch& launch);
  void commit_ahead(const Work& work, Area& area);
  void begin_ahead(Area& area, const MetalLaunch& launch);
  void bind(id<MTLComputeCommandEncoder> encoder, const Work& work) const;
  std::vector<Lost> wait_for(const std::vector<Part>& parts, uint32_t* give_up = nullptr);

  Context& context_;
  const std::array<uint64_t, Binding::OWN> tables_;
  const uint32_t slot_count_;
  const std::chrono::milliseconds patience_;
  Quantum quantum_;
  Held<id<MTLSharedEvent>> event_;
  uint64_t value_ = 0;  // of the event, that the one ahead waits for
  Area areas_[2];
  uint32_t turn_ = 0;   // the area of the next round
};

}  // namespace warpfs::metal
