#include "durability_test_workload.h"

#include "daemon_test.h"
#include "programs_for_tests.h"

#include <sys/stat.h>

namespace warpfs::test {

namespace {

constexpr uint64_t FILE_BYTES_MAX = 12000;
constexpr unsigned ROUNDS = 40;
constexpr uint8_t BYTES_MAX = 250;  // as many writes can be told apart
constexpr uint8_t INITIAL = 255;    // of the files that were there

FileNumber number_of(const std::string& path) {
  struct stat found{};
  CHECK_EQUAL(stat(path.c_str(), &found), 0);
  return {uint64_t(found.st_dev), uint64_t(found.st_ino)};
}

class Workload {
 public:
  Workload(uint64_t seed, const std::string& io) : random_(seed) {
    std::filesystem::create_directory(folder_.at("sub"));
    const FileNumber root = number_of(folder_.path), sub = number_of(folder_.at("sub"));
    history_.directories = {root, sub};
    history_.paths = {"there.bin", "new.bin", "sub/new.bin", "sub/there.bin", "late.bin"};
    history_.names = {{root, "there.bin"}, {root, "new.bin"}, {sub, "new.bin"}, {sub, "there.bin"}, {root, "late.bin"}};
    models_.resize(history_.paths.size());
    for (const size_t file : {size_t(0), size_t(3)}) {
      models_[file] = std::string(5000, char(INITIAL));
      write_file(folder_.at(history_.paths[file]), models_[file]);
      history_.before[history_.names[file]] = {number_of(folder_.at(history_.paths[file])), models_[file]};
      exists_[file] = true;
    }
    MountOptions options;
    options.root = folder_.path;
    options.line_bytes = 512;
    options.line_count = 8;
    options.ring_count = 1;
    options.slot_count = 2;
    options.file_count = 4;  // fewer than there are files: closed ones are forgotten
    options.workers = 1;
    options.io = io;
    mount_ = std::make_unique<warpfs::Mount>(options);
    mount_->daemon().host_calls().record_in(&log_);
  }

  History run() {
    for (unsigned round = 0; round < ROUNDS && byte_ < BYTES_MAX - 8; round++) {
      if (round % 13 == 12) {
        CHECK_EQUAL(mount_->sync(), 0);
        promise_all();
      } else {
        one_run();
      }
    }
    CHECK_EQUAL(mount_->unmount(false), 0);
    promise_all();
    finish();
    return std::move(history_);
  }

 private:
  /// Two warps, each with a file of its own.
  void one_run() {
    const size_t first = random_() % models_.size();
    std::vector<Steps> programs;
    std::vector<size_t> files;
    bool synced[2] = {};
    for (size_t warp = 0; warp < 2; warp++) {
      const size_t file = (first + warp) % models_.size();
      const bool anew = !exists_[file] || random_() % 6 == 0;
      Steps steps = {open_step(history_.paths[file], anew ? OpenFor::STARTING_OVER : OpenFor::CHANGING)};
      if (anew) {
        models_[file].clear();
        exists_[file] = true;
        issue({.file = file, .emptied = true});
      }
      for (uint64_t writes = random_() % 3; writes != 0; writes--) write(steps, file);
      synced[warp] = random_() % 2 == 0;
      if (synced[warp]) {
        steps.push_back(sync_step(0));
        at_sync_[file] = {0, file, history_.issues.size(), models_[file]};
        if (random_() % 3 == 0) write(steps, file);  // nobody promises anything of this one
      }
      steps.push_back(close_step(0));
      programs.push_back(std::move(steps));
      files.push_back(file);
    }
    const auto results = run_programs(*mount_, programs);
    for (const auto& warp : results) {
      for (const int32_t result : warp) CHECK(result >= 0);
    }
    for (size_t warp = 0; warp < 2; warp++) {
      if (synced[warp]) promise(at_sync_[files[warp]]);
    }
  }

  void write(Steps& steps, size_t file) {
    Issue what{.file = file};
    what.first = random_() % FILE_BYTES_MAX;
    what.end = what.first + 1 + random_() % std::min<uint64_t>(4000, FILE_BYTES_MAX - what.first);
    what.byte = ++byte_;
    steps.push_back(write_step(0, what.first, std::string(what.end - what.first, char(what.byte))));
    std::string& model = models_[file];
    if (model.size() < what.end) model.resize(what.end);
    model.replace(what.first, what.end - what.first, what.end - what.first, char(what.byte));
    issue(what);
  }

  void issue(const Issue& what) {
    log_.mark("issue " + std::to_string(history_.issues.size()));
    history_.issues.push_back(what);
  }
  void promise(const Promise& made) {
    log_.mark("promise " + std::to_string(history_.promises.size()));
    history_.promises.push_back(made);
  }
  void promise_all() {
    for (size_t file = 0; file < models_.size(); file++) {
      if (exists_[file]) promise({0, file, history_.issues.size(), models_[file]});
    }
  }
  void finish() {
    history_.log = log_.entries();
    for (const CallEntry& entry : history_.log) {
      if (!entry.mark) continue;
      const size_t index = std::stoul(entry.name.substr(entry.name.find(' ')));
      (entry.name[0] == 'i' ? history_.issues[index].moment : history_.promises[index].moment) = entry.began;
    }
  }

  Folder folder_;
  std::mt19937_64 random_;
  CallLog log_;
  History history_;
  std::vector<std::string> models_;
  std::map<size_t, Promise> at_sync_;  // of the run that is being put together
  std::map<size_t, bool> exists_;
  uint8_t byte_ = 0;
  std::unique_ptr<warpfs::Mount> mount_;
};

}  // namespace

History run_workload(uint64_t seed, const std::string& io) { return Workload(seed, io).run(); }

}  // namespace warpfs::test
