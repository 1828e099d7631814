// The system calls that move and sync the bytes of files, as the host of the fuzzer sees them: each may fail as the input says, and those
// that move bytes reach lines only where a request asked for it.
#pragma once
#include "ring_fuzz_memory.h"

#include <deque>

namespace warpfs::fuzz {

enum class Fault : uint8_t { NONE, EIO_, ENOSPC_, EINTR_, SHORT, NOTHING, AGAIN, COUNT };

struct System {
  Memory* memory = nullptr;    // null: calls are made as they are
  std::deque<Fault> faults;    // of the calls to come, in their order
  bool wrote = false;          // bytes or the size of a file changed
  bool read_only = false;      // nothing may change
  Fault next();
};

System& fuzz_system();

}  // namespace warpfs::fuzz
