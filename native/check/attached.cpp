#include "attached.h"

namespace warpfs {

// What instrumented code calls, on whichever stack.
extern "C" {
#define WARPFS_ENGINE_CALL __attribute__((visibility("hidden")))
WARPFS_ENGINE_CALL void warpfs_engine_plain(void* p, uint32_t bytes, bool write, uintptr_t pc) { engine_of_thread->plain(p, bytes, write, pc); }
WARPFS_ENGINE_CALL uint32_t warpfs_engine_load(void* p, uint32_t bytes, int order, uintptr_t pc) { return engine_of_thread->load(p, bytes, order, pc); }
WARPFS_ENGINE_CALL void warpfs_engine_store(void* p, uint32_t bytes, uint32_t value, int order, uintptr_t pc) {
  engine_of_thread->store(p, bytes, value, order, pc);
}
WARPFS_ENGINE_CALL uint32_t warpfs_engine_rmw(void* p, uint32_t bytes, uint32_t (*change)(uint32_t, uint32_t), uint32_t operand, int order, uintptr_t pc) {
  return engine_of_thread->rmw(p, bytes, change, operand, order, pc);
}
WARPFS_ENGINE_CALL bool warpfs_engine_cas(void* p, uint32_t bytes, uint32_t* expected, uint32_t desired, int order, int failure, bool weak, uintptr_t pc) {
  return engine_of_thread->cas(p, bytes, *expected, desired, order, failure, weak, pc);
}
WARPFS_ENGINE_CALL void warpfs_engine_fence(int order, uintptr_t pc) { engine_of_thread->fence(order, pc); }
}

namespace {

// The exhaustive search, which needs the other stack, has no use for these.
void load_words(void* p, uint32_t words, int order, uint32_t* to, uintptr_t pc) { engine_of_thread->load_words(p, words, order, to, pc); }
void store_words(void* p, uint32_t words, const uint32_t* from, uintptr_t pc) { engine_of_thread->store_words(p, words, from, pc); }
uint32_t guess(void* p, uint32_t bytes, int order, uintptr_t pc) { return engine_of_thread->load(p, bytes, order, pc, true); }
void fill(void* p, uint32_t word, uintptr_t pc) { engine_of_thread->fill(p, word, pc); }
void bus_load(uint64_t from, uint32_t* to, uintptr_t pc) { engine_of_thread->bus_load(from, to, pc); }
void bus_store(uint64_t to, const void* from, uint32_t bytes, uintptr_t pc) { engine_of_thread->bus_store(to, from, bytes, pc); }
void bus_fence(uintptr_t pc) { engine_of_thread->bus_fence(pc); }

CheckEntry entry_of(const Engine& engine) {
#if WARPFS_LANE_SWITCH
  if (engine.compares_states()) {
    return {uintptr_t(engine.arena()), engine.arena_bytes(), warpfs_leave_plain, warpfs_leave_load, warpfs_leave_store,
            warpfs_leave_rmw, warpfs_leave_cas, warpfs_leave_fence, load_words, store_words, guess, fill, bus_load, bus_store, bus_fence, CHECK_ENTRY_VERSION};
  }
#endif
  return {uintptr_t(engine.arena()), engine.arena_bytes(), warpfs_engine_plain, warpfs_engine_load, warpfs_engine_store,
          warpfs_engine_rmw, warpfs_engine_cas, warpfs_engine_fence, load_words, store_words, guess, fill, bus_load, bus_store, bus_fence, CHECK_ENTRY_VERSION};
}

}  // namespace

Attached::Attached(Engine& engine, HostWatch* watch)
    : engine_before_(engine_of_thread), entry_before_(check_entry), watch_before_(host_watch), runtime_before_(cpu_attachment.runtime) {
  engine_of_thread = &engine;
  host_watch = watch;
  check_entry = entry_of(engine);
  cpu_attachment.runtime = check_runtime(engine.compares_states());
}

Attached::~Attached() {
  engine_of_thread = engine_before_;
  check_entry = entry_before_;
  host_watch = watch_before_;
  cpu_attachment.runtime = runtime_before_;
}

}  // namespace warpfs
