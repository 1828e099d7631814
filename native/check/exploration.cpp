#include "exploration.h"

#include "../host/host_error.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace warpfs {

namespace {

/// The built-in program: its own buffers are warps, steps, results, data, barrier.
constexpr size_t PROGRAM_WARPS = 0, PROGRAM_RESULTS = 2;

uint64_t hash_bytes(uint64_t hash, const void* bytes, size_t count) {
  const uint8_t* at = static_cast<const uint8_t*>(bytes);
  for (; count >= 8; count -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  for (; count > 0; count--, at++) hash = (hash ^ *at) * 0x9e3779b97f4a7c15u;
  return hash;
}

std::optional<std::vector<uint8_t>> read_file(const std::string& path) {
  std::vector<uint8_t> bytes;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::nullopt;
  struct stat found;
  if (fstat(fd, &found) == 0) {
    bytes.resize(size_t(found.st_size));
    const ssize_t got = pread(fd, bytes.data(), bytes.size(), 0);
    bytes.resize(got < 0 ? 0 : size_t(got));
  }
  close(fd);
  return bytes;
}

}  // namespace

Exploration::Exploration(CheckWorld& world, const Scenario& scenario) : world_(world), scenario_(scenario), keep_host_(scenario.keep_host && !world.options().cuda), loop_(*this, world.options().schedule) {
  is_results_.resize(scenario.buffers.size());
  for (const ScenarioDispatch& part : scenario.dispatches) {
    const bool program = part.dispatch.module.empty() && part.buffers.size() > PROGRAM_RESULTS;
    if (program) is_results_[part.buffers[PROGRAM_RESULTS]] = true;
  }
}

void Exploration::reset_files() {
  const std::string& root = world_.mount_options().root;
  if (DIR* folder = opendir(root.c_str())) {
    while (const dirent* entry = readdir(folder)) {
      const std::string name = entry->d_name;
      const bool known = std::any_of(scenario_.files.begin(), scenario_.files.end(), [&](const ScenarioFile& file) { return file.path == name; });
      if (name != "." && name != ".." && !known) unlinkat(dirfd(folder), name.c_str(), 0);
    }
    closedir(folder);
  }
  for (const ScenarioFile& file : scenario_.files) {
    const std::string path = root + "/" + file.path;
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    const bool written = fd >= 0 && ftruncate(fd, off_t(file.bytes.size())) == 0 &&
                         pwrite(fd, file.bytes.data(), file.bytes.size(), 0) == ssize_t(file.bytes.size());
    if (fd >= 0) close(fd);
    if (!written) throw HostError(-Errno::eio, "cannot write " + path + ": " + std::strerror(errno));
  }
}

void Exploration::set_up() {
  set_up_ = true;
  world_.drop_buffers();
  for (size_t index = 0; index < scenario_.buffers.size(); index++) {
    const std::vector<uint8_t>& bytes = scenario_.buffers[index];
    places_.push_back(world_.place_buffer(bytes.size(), is_results_[index]));
    std::memcpy(places_.back(), bytes.data(), bytes.size());
  }
  world_.end_host();  // as it ends it gives files the size that it knows of
  reset_files();
  world_.make_host();
  if (!keep_host_) return;
  ScheduleOptions usual = world_.options().schedule;
  usual.scheduler = SchedulerKind::REPLAY;
  const Decisions none;
  world_.begin_schedule(usual, &none, false, false, nullptr);
  run_dispatches(false);
  world_.drain();
  const bool stopped = world_.engine().stopped();
  const Finding finding = world_.engine().finding();
  world_.end_schedule();
  if (stopped) throw HostError(-Errno::eio, "the steps before the exploration failed: " + finding.kind + ": " + finding.message);
  world_.watch().keep();
  world_.engine().keep();
}

void Exploration::run_dispatches(bool explored_ones) {
  for (const ScenarioDispatch& part : scenario_.dispatches) {
    if (keep_host_ && part.explored != explored_ones) continue;
    if (world_.engine().stopped()) return;
    Dispatch dispatch = part.dispatch;
    for (uint32_t buffer : part.buffers) {
      dispatch.buffers.push_back(places_[buffer]);
      dispatch.buffer_bytes.push_back(scenario_.buffers[buffer].size());
    }
    const DispatchResult result = world_.run(dispatch, !part.explored);
    failures_.insert(failures_.end(), result.failures.begin(), result.failures.end());
  }
}

void Exploration::attempt(const ScheduleOptions& options, const Decisions* replayed, bool record, bool trace, Search* search) {
  if (keep_host_) {
    world_.host().restart();
  } else {
    world_.end_host();
    reset_files();
    world_.make_host();
  }
  failures_.clear();
  world_.begin_schedule(options, replayed, record, trace, search);
  run_dispatches(true);
  if (!world_.drain()) return;
  world_.check_rest();
  if (!scenario_.finish || engine().stopped() || world_.host().dead()) return;
  const int32_t synced = world_.sync();
  if (synced == 0 && !engine().stopped() && !world_.faulty()) world_.watch().all_written();
}

void Exploration::take_back() {
  world_.end_schedule();
  engine().undo();
}

ExplorationResult Exploration::run(const ExploreLimits& limits) {
  ExplorationResult result;
  if (!set_up_) set_up();
  limits_ = &limits;
  outcomes_.clear();
  known_.clear();
  loop_.run(limits, result);
  result.outcomes = std::move(outcomes_);
  return result;
}

// ---- Outcomes.

void Exploration::mask_times() {
  // They say when a step ran, which every schedule has of its own.
  for (size_t index = 0; index < places_.size(); index++) {
    if (!is_results_[index]) continue;
    ProgramResult* results = reinterpret_cast<ProgramResult*>(places_[index]);
    for (size_t result = 0; result < scenario_.buffers[index].size() / sizeof(ProgramResult); result++) results[result].nanoseconds = 0;
  }
}

std::vector<StepOrder> Exploration::order_of_steps() {
  std::vector<StepOrder> order;
  for (const ScenarioDispatch& part : scenario_.dispatches) {
    if (!part.explored || !part.dispatch.module.empty() || part.buffers.size() <= PROGRAM_RESULTS) continue;
    const ProgramWarp* warps = reinterpret_cast<const ProgramWarp*>(places_[part.buffers[PROGRAM_WARPS]]);
    for (const StepEnd& end : world_.watch().step_ends()) {
      for (uint32_t warp = 0; warp < part.dispatch.items; warp++) {
        const uint32_t step = end.result - warps[warp].first_step;
        if (end.result >= warps[warp].first_step && step < warps[warp].step_count) order.push_back({warp, step, end.time});
      }
    }
    break;
  }
  return order;
}

uint64_t Exploration::outcome_hash() {
  uint64_t hash = 0;
  for (size_t index = 0; index < places_.size(); index++) hash = hash_bytes(hash, places_[index], scenario_.buffers[index].size());
  if (scenario_.order_matters) {
    for (const StepEnd& end : world_.watch().step_ends()) hash = hash_bytes(hash, &end.result, sizeof end.result);
  }
  for (const FailedItem& failure : failures_) hash = hash_bytes(hash, &failure, sizeof failure);
  return hash_bytes(hash, &scenario_, world_.faulty() ? 1 : 0);
}

void Exploration::came_out(uint64_t schedule) {
  mask_times();
  uint64_t hash = outcome_hash();
  std::vector<std::optional<std::vector<uint8_t>>> files;
  if (scenario_.finish || scenario_.files_matter) {
    for (const ScenarioFile& file : scenario_.files) {
      files.push_back(read_file(world_.mount_options().root + "/" + file.path));
      const std::optional<std::vector<uint8_t>>& bytes = files.back();
      hash = bytes ? hash_bytes(hash, bytes->data(), bytes->size()) + bytes->size() : hash * 31 + 1;
    }
  }
  const auto [found, is_new] = known_.try_emplace(hash, outcomes_.size());
  if (!is_new) {
    if (found->second < outcomes_.size()) outcomes_[found->second].count++;
    return;
  }
  if (outcomes_.size() >= limits_->outcomes_max) return;
  Outcome outcome;
  outcome.schedule = schedule;
  outcome.count = 1;
  for (size_t index = 0; index < places_.size(); index++) outcome.buffers.emplace_back(places_[index], places_[index] + scenario_.buffers[index].size());
  outcome.order = order_of_steps();
  outcome.files = std::move(files);
  outcome.failures = failures_;
  outcome.faults = world_.host().errors_injected();
  if (limits_->has_decisions || limits_->schedules == 1) outcome.decisions = world_.engine().decisions();
  outcomes_.push_back(std::move(outcome));
}

}  // namespace warpfs
