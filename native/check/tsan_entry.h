// The way from instrumented code to the engine: where the shared memory lies, and what to call for an access to it.
#pragma once
#include <cstdint>

namespace warpfs {

constexpr uint32_t CHECK_ENTRY_VERSION = 3;

struct CheckEntry {
  uintptr_t arena;
  uintptr_t arena_bytes;  // 0: nothing is checked on this thread
  void (*plain)(void* p, uint32_t bytes, bool write, uintptr_t pc);
  uint32_t (*load)(void* p, uint32_t bytes, int order, uintptr_t pc);
  void (*store)(void* p, uint32_t bytes, uint32_t value, int order, uintptr_t pc);
  uint32_t (*rmw)(void* p, uint32_t bytes, uint32_t (*change)(uint32_t, uint32_t), uint32_t operand, int order, uintptr_t pc);
  bool (*cas)(void* p, uint32_t bytes, uint32_t* expected, uint32_t desired, int order, int failure, bool weak, uintptr_t pc);
  void (*fence)(int order, uintptr_t pc);
  // What dialect/cpu_as_cuda.h calls by name.
  void (*load_words)(void* p, uint32_t words, int order, uint32_t* to, uintptr_t pc);
  void (*store_words)(void* p, uint32_t words, const uint32_t* from, uintptr_t pc);
  uint32_t (*guess)(void* p, uint32_t bytes, int order, uintptr_t pc);
  void (*fill)(void* p, uint32_t word, uintptr_t pc);
  void (*bus_load)(uint64_t from, uint32_t* to, uintptr_t pc);
  void (*bus_store)(uint64_t to, const void* from, uint32_t bytes, uintptr_t pc);
  void (*bus_fence)(uintptr_t pc);
  uint32_t version;
};

/// Set while an engine runs on this thread.
__attribute__((tls_model("initial-exec"), visibility("hidden"))) inline constinit thread_local CheckEntry check_entry = {};

}  // namespace warpfs
