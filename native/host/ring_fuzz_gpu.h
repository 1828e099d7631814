// The gpu of the fuzzer: makes requests out of an input, from quite right to quite random, and publishes them.
#pragma once
#include "ring_fuzz_input.h"
#include "ring_fuzz_memory.h"

namespace warpfs::fuzz {

class FuzzGpu {
 public:
  FuzzGpu(Memory& memory, const Oracle& oracle) : memory_(memory), oracle_(oracle), geometry_(fuzz_geometry()) {}
  void reset(uint32_t first_position) { tails_[0] = tails_[1] = first_position; }
  /// Goes on where the host is.
  void follow() {
    for (uint32_t ring = 0; ring < 2; ring++) tails_[ring] = oracle_.position(ring);
  }
  /// A request whose fields are nearly all what they may be: only such ones get past the first checks.
  Request nearly_right(Input& input) const;
  static Request raw(Input& input) { return input.number<Request>(); }
  bool has_room(uint32_t ring) const { return tails_[ring] - oracle_.position(ring) < geometry_.ring_slots; }
  void publish(uint32_t ring, Request request);
  void write_path(uint32_t slot, const std::string& path);
  /// Behind the NUL of the path that is there.
  void write_second_path(uint32_t slot, const std::string& path);
  /// Some runs of bytes.
  void write_mask(Input& input, uint32_t mask);
  Request open_request(uint32_t slot, uint32_t flags) const;

 private:
  uint64_t offset(Input& input) const;
  uint32_t path_bytes(uint32_t slot, uint32_t from) const;
  void put_path(uint32_t slot, uint32_t from, const std::string& path);

  Memory& memory_;
  const Oracle& oracle_;
  const Geometry geometry_;
  uint32_t tails_[2] = {};
};

}  // namespace warpfs::fuzz
