// The daemon without its threads: what takes requests, serves them and moves bytes is the same, and the work of its pool is done when an
// input says so. One thread does everything, so that an input means the same each time.
#pragma once
#include "request_server.h"
#include "ring_fuzz_memory.h"
#include "ring_reader.h"

#include <string>

namespace warpfs::fuzz {

class Host {
 public:
  Host(Memory& memory, Oracle& oracle, const std::string& root, bool read_only, PathResolver::Method method)
      : oracle_(oracle),
        geometry_(fuzz_geometry()),
        limits_(limits_of(geometry_, read_only)),
        paths_(root, method),
        files_(memory.of_host(), geometry_.file_count, paths_, read_only),
        answers_(memory.of_host(), limits_),
        transfers_(files_, answers_, bell_),
        pool_(0),
        server_(memory.of_host(), limits_, files_, pool_, answers_, bell_),
        engine_(make_pread_engine(pool_, transfers_)),
        rings_(memory.of_host(), geometry_, 0, 1) {}

  bool sweep() {
    bool taken = false;
    while (rings_.sweep(*engine_, counters_, [this](const Request& request) {
      oracle_.taken(request);
      server_.serve(request, *engine_, counters_);
    }) != 0) {
      taken = true;
    }
    return taken;
  }
  bool do_work(uint32_t index) { return pool_.waiting() != 0 && pool_.run_one(index % pool_.waiting()); }
  int32_t sync_all() { return files_.sync_all(); }
  void settle() {
    while (sweep() || do_work(0)) {
    }
  }
  bool rings_are_empty() const { return rings_.is_empty(); }
  const Counters& counters() const { return counters_; }
  size_t waiting() const { return pool_.waiting(); }

 private:
  Oracle& oracle_;
  const Geometry geometry_;
  const RequestLimits limits_;
  PathResolver paths_;
  FileTable files_;
  Answers answers_;
  FinishedBell bell_;
  TransferEnd transfers_;
  Counters counters_;
  WorkPool pool_;
  RequestServer server_;
  std::unique_ptr<IoEngine> engine_;
  RingReader rings_;
};

}  // namespace warpfs::fuzz
