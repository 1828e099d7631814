// One mount under check mode: its memory, its host side, and dispatches whose every interleaving belongs to an engine.
#pragma once
#include "check_link.h"
#include "engine.h"
#include "search.h"
#include "host_side.h"
#include "protocol_watch.h"

#include "../host/cpu/kernel_module.h"
#include "../host/dispatch.h"
#include "../host/mount.h"
#include "../host/shared_words.h"

#include <memory>

namespace warpfs {

struct CheckOptions {
  uint32_t lane_count = 4;
  ScheduleOptions schedule;
  HostFaults faults;
  std::string module;   // of other built-in kernels; empty: those of this build
  uint32_t mutant = 0;  // of that module
  bool cuda = false;    // the shaders as the cuda device has them, and memory that the host reaches through a courier alone
};

class CheckWorld final : private HostChoices, private HostWatch {
 public:
  /// Throws HostError.
  CheckWorld(const MountOptions& mount, const CheckOptions& check);
  ~CheckWorld();

  /// A fresh host side over the same memory.
  void make_host();
  void end_host() { host_.reset(); }
  void begin_schedule(const ScheduleOptions& options, const Decisions* replayed, bool record, bool trace, Search* search);
  /// Ends what the host has under way. False where a finding ended the schedule.
  bool drain();
  /// The host actor leaves its loop.
  void end_schedule();

  /// One dispatch within the schedule. Quiet: without decisions.
  DispatchResult run(const Dispatch& dispatch, bool quiet);
  /// Writes everything back and syncs: 0, or the first error.
  int32_t sync();
  /// Nothing may be left behind.
  void check_rest();

  /// Room for a buffer of a kernel, as long as nobody asks for all of it back.
  uint8_t* place_buffer(uint64_t bytes, bool results);
  void drop_buffers();

  Engine& engine() { return *engine_; }
  ProtocolWatch& watch() { return *watch_; }
  HostSide& host() { return *host_; }
  MountMemory& memory() { return *memory_; }
  const CheckOptions& options() const { return check_; }
  const MountOptions& mount_options() const { return mount_; }
  bool faulty() const { return host_->errors_injected() != 0; }

 private:
  uint32_t choose(uint32_t alternatives) override { return engine_->choose(alternatives); }
  bool happens(uint32_t permille) override { return engine_->happens(permille); }
  void pause() override { engine_->pause(false, 0); }
  void came_back() override;
  void turn(FileTable& files) override;
  bool is_shared(const void* p) const;
  uint64_t load(const void* word, uint32_t bytes, int order) override;
  void store(void* word, uint64_t value, uint32_t bytes, int order) override;
  void read_bytes(const void* from, void* to, size_t count) override;
  void write_bytes(void* to, const void* from, size_t count) override;

  KernelEntry kernel(const std::string& module);
  KernelModule& module(const std::string& path);
  void start_group(uint32_t place_of_group);
  void warp_done(CheckWarp& warp);
  static void lane_body(Lane& lane, const WarpId& id, void* argument);
  static void host_body(void* self);
  bool launch(const Dispatch& dispatch, KernelEntry entry, const uint32_t* slots, const uint32_t* items, uint32_t count);
  void run_replay(const Dispatch& dispatch, KernelEntry entry, DispatchResult& result);
  void collect(DispatchResult& result);
  void touch(void* p, size_t bytes);

  const MountOptions mount_;
  const CheckOptions check_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<MountMemory> memory_;
  std::unique_ptr<ProtocolWatch> watch_;
  std::unique_ptr<CheckLink> link_;  // null: host and gpu use the same memory
  std::unique_ptr<HostSide> host_;
  std::vector<std::pair<std::string, std::unique_ptr<KernelModule>>> modules_;  // as they were loaded
  const BuiltinKernels* builtins_ = nullptr;
  uint8_t* own_begin_ = nullptr;
  uint64_t own_used_ = 0, own_bytes_ = 0;
  std::vector<CheckWarp> warps_;
  std::vector<CheckGroup> groups_;
  const uint32_t resident_;

  // Of the launch in progress.
  const Dispatch* dispatch_ = nullptr;
  KernelEntry entry_ = nullptr;
  std::vector<void*> bindings_;
  const uint32_t *slots_ = nullptr, *items_ = nullptr;
  uint32_t next_warp_ = 0, warp_count_ = 0;
};

}  // namespace warpfs
