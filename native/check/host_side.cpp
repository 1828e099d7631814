#include "host_side.h"

#include "../host/assert.h"
#include "../host/request_server.h"
#include "../host/ring_reader.h"
#include "../host/shared_words.h"
#include "check_io.h"
#include "file_disturbance.h"

#include <vector>

namespace warpfs {

/// As in the daemon, in the order of construction.
struct HostSide::Parts {
  explicit Parts(HostSide& host)
      : limits(limits_of(*host.view_.geometry, host.read_only_)),
        paths(host.root_, PathResolver::Method::REPEATABLE),
        files(host.view_, host.view_.geometry->file_count, paths, limits.read_only),
        answers(host.view_, limits),
        transfers(files, answers, bell),
        pool(0),
        server(host.view_, limits, files, pool, answers, bell),
        io(host, pool, transfers),
        rings(host.view_, *host.view_.geometry, 0, 1) {}

  const RequestLimits limits;
  PathResolver paths;
  FileTable files;
  Answers answers;
  FinishedBell bell;
  TransferEnd transfers;
  Counters counters;
  WorkPool pool;
  RequestServer server;
  CheckIo io;
  RingReader rings;
};

HostSide::HostSide(const HostView& view, const std::string& root, bool read_only, const HostFaults& faults, HostChoices& choices)
    : view_(view), root_(root), read_only_(read_only || view.geometry->read_only != 0), faults_(faults), choices_(choices) {
  const Unwatched unwatched;
  parts_ = std::make_unique<Parts>(*this);
}

HostSide::~HostSide() = default;

/// Nothing that is called from here waits for another thread, because there is none:
/// - The mutexes of the file table, the pool and the bell are never held when anything is chosen or paused for.
/// - FileTable::stop_writes waits for writes under way: CheckIo ends or puts off each before anything else of the host runs.
/// - FileTable::wait_for_truncation is called by move_blocking alone, which CheckIo does not use; a truncation begins and ends in one
///   piece of pool work, so that no transfer meets it.
/// - FinishedBell::wait is otherwise for those who wait for the daemon, and WorkPool(0) has no run().
void HostSide::run() {
  while (!dead_) {
    disturb_files();
    choices_.turn(parts_->files);
    if (happens(faults_.die, true)) parts_->io.die();
    const bool taken = sweep();
    const bool moved = end_one();
    if (parts_->io.died()) {
      come_back_or_not();
    } else if (!taken && !moved) {
      if (!stopping_) choices_.pause();
      if (stopping_) return;
    }
  }
}

bool HostSide::sweep() {
  Parts& parts = *parts_;
  if (!parts.io.has_room() || (parts.io.in_flight() != 0 && happens(faults_.delay, false))) return false;
  return parts.rings.sweep(parts.io, parts.counters, [&](const Request& request) {
    if (happens(faults_.die, true)) parts.io.die();
    else parts.server.serve(request, parts.io, parts.counters);
  }) != 0;
}

bool HostSide::end_one() { return !parts_->io.died() && parts_->io.advance(); }

/// What died leaves its files as they are. Another one knows neither its handles nor what it had taken.
void HostSide::come_back_or_not() {
  parts_->files.abandon();
  dead_ = true;
  if (!happens(faults_.revive, true)) return;
  completions_before_ = completions();
  parts_.reset();
  parts_ = std::make_unique<Parts>(*this);
  dead_ = false;
  choices_.came_back();
}

void HostSide::disturb_files() {
  const bool truncates = happens(faults_.truncate, true);
  const bool replaces = happens(faults_.replace, true);
  if (!truncates && !replaces) return;
  std::vector<int> open;
  for (uint32_t index = 0; index < view_.geometry->file_count; index++) {
    const FileRef file = parts_->files.acquire(__atomic_load_n(&view_.files[index].handle, __ATOMIC_RELAXED));
    if (file.slot == nullptr) continue;
    open.push_back(file.fd);
    parts_->files.release(file);  // nobody else closes it meanwhile
  }
  if (open.empty()) return;
  const int fd = open[open.size() == 1 ? 0 : choices_.choose(uint32_t(open.size()))];
  if (truncates) truncate_to_a_third(fd);
  if (replaces) replace_by_another(fd);
}

bool HostSide::happens(uint32_t permille, bool is_error) {
  if (permille == 0 || !choices_.happens(permille)) return false;
  faults_injected_++;
  errors_injected_ += is_error;
  return true;
}

bool HostSide::idle() const {
  const Unwatched unwatched;
  return parts_->io.in_flight() == 0 && parts_->rings.is_empty();
}

uint32_t HostSide::in_flight() const { return parts_->io.in_flight(); }

uint64_t HostSide::completions() const {
  return completions_before_ + parts_->counters.finished.load(std::memory_order_relaxed);
}

int HostSide::sync_all() { return dead_ ? -int(Errno::eio) : parts_->files.sync_all(); }

void HostSide::restart() {
  faults_injected_ = errors_injected_ = 0;  // the schedules before excuse nothing
  const Unwatched unwatched;
  WARPFS_ASSERT(!dead_ && parts_->io.in_flight() == 0);
  stopping_ = false;
  parts_->rings.resume();
}

}  // namespace warpfs
