// From instrumented code to the engine of the thread.
#pragma once
#include "engine.h"
#include "tsan_entry.h"

#include "../host/shared_words.h"

namespace warpfs {

/// For the time that instrumented code may run on this thread.
class Attached {
 public:
  Attached(Engine& engine, HostWatch* watch);
  ~Attached();
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  Engine* const engine_before_;
  const CheckEntry entry_before_;
  HostWatch* const watch_before_;
  const CpuRuntime* const runtime_before_;
};

}  // namespace warpfs
