// Stands in for io_uring.cpp on systems that have no io_uring.
#include "io_engine.h"

namespace warpfs {

std::string io_uring_obstacle() { return "this system has no io_uring"; }

std::unique_ptr<IoEngine> make_uring_engine(WorkPool&, TransferEnd&, std::string& why) {
  why = io_uring_obstacle();
  return nullptr;
}

}  // namespace warpfs
