// How many items one command buffer is given: so many that it takes long enough to be worth it, and never so long that the system ends it or the screen stands
// still. What items took so far says how long they will take.
#pragma once
#include <cstdint>

namespace warpfs::metal {

constexpr double QUANTUM_SECONDS = 0.05;      // what it aims at
constexpr double QUANTUM_SECONDS_MAX = 0.5;   // and the most that the slowest item seen so far lets it take

class Quantum {
 public:
  /// `first`: items, before anything is known. `most`: that it ever is.
  Quantum(uint32_t first, uint32_t most);
  uint32_t items() const { return items_; }
  void took(uint32_t items, double seconds);
  /// The system has ended one: no more than a quarter of that from here on, for a while.
  void was_ended(uint32_t items);

 private:
  const uint32_t most_;
  uint32_t items_;
  uint32_t careful_ = 0;  // so many command buffers have to end well before it grows again
};

/// For a GPU that may use so many bytes at once, which tells the small ones from the large ones: Metal does not say how many cores there are.
uint32_t first_quantum(uint64_t working_set_bytes);

}  // namespace warpfs::metal
