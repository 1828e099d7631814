// What lanes reach over the bus, past the memory that the engine owns.
#pragma once
#include <cstdint>

namespace warpfs {

/// Files where they lie in the memory of the host, by the addresses that it has granted.
class Bus {
 public:
  struct Place {
    uint32_t file_id;
    uint64_t offset;
  };
  virtual ~Bus() = default;
  virtual Place place_of(uint64_t address) const = 0;
  virtual void read(uint64_t from, uint32_t* to) const = 0;  // 16 bytes
  virtual void write(uint64_t to, const uint8_t* from, uint32_t bytes) const = 0;
};

/// On its way.
struct BusStore {
  uint32_t actor;
  uint64_t to;
  uint32_t bytes;
  uint8_t from[16];
};

}  // namespace warpfs
