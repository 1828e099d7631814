// The power is lost at every moment of a workload: of what was not synced the disk has nothing, all, or a part torn at sectors. What gfsync,
// fs.sync() and unmount() promised must be there. `durability_test [WORKLOADS] [SEED]`.
#include "daemon_test.h"
#include "durability_test_workload.h"

#include <algorithm>
#include <functional>

namespace warpfs::test {

namespace {

constexpr unsigned RANDOM_DISKS = 3;  // for each moment

/// What is wrong with a file at a moment, or nothing.
std::string look(const History& history, const DiskState& disk, size_t file, uint64_t moment) {
  const Promise* promise = nullptr;
  for (const Promise& made : history.promises) {
    if (made.file == file && made.moment < moment) promise = &made;
  }
  const std::string* bytes = disk.find(history.names[file]);
  const auto before = history.before.find(history.names[file]);
  const std::string empty, *wanted = promise != nullptr ? &promise->bytes : before != history.before.end() ? &before->second.second : nullptr;
  if (bytes == nullptr) return wanted == nullptr ? "" : "is not there";
  // What was asked for since may be on the disk or not.
  bool emptied = wanted == nullptr;
  std::vector<const Issue*> later;
  for (size_t index = promise != nullptr ? promise->issues : 0; index < history.issues.size(); index++) {
    const Issue& issue = history.issues[index];
    if (issue.file != file || issue.moment >= moment) continue;
    emptied = emptied || issue.emptied;
    if (!issue.emptied) later.push_back(&issue);
  }
  if (wanted == nullptr) wanted = &empty;
  if (bytes->size() < wanted->size() && !emptied) return "has " + std::to_string(bytes->size()) + " bytes of " + std::to_string(wanted->size());
  for (size_t at = 0; at < bytes->size(); at++) {
    const uint8_t byte = uint8_t((*bytes)[at]);
    const uint8_t promised = at < wanted->size() ? uint8_t((*wanted)[at]) : 0;
    if (byte == promised || (byte == 0 && emptied)) continue;
    const bool written = std::any_of(later.begin(), later.end(), [&](const Issue* issue) { return issue->byte == byte && issue->first <= at && at < issue->end; });
    if (!written) return "byte " + std::to_string(at) + " is of write " + std::to_string(byte) + ", not " + std::to_string(promised);
  }
  return "";
}

struct Verdict {
  uint64_t disks = 0;
  std::string wrong;  // the first thing
};

/// Every moment, every kind of luck.
Verdict lose_power_everywhere(const History& history, const std::vector<CallEntry>& log, uint64_t seed) {
  const CrashDisk disk(log, history.before);
  std::mt19937_64 random(seed);
  Verdict verdict;
  for (uint64_t moment = 0; moment <= disk.moments(); moment++) {
    for (unsigned attempt = 0; attempt < 2 + RANDOM_DISKS; attempt++) {
      const Luck luck = attempt == 0 ? Luck::NONE : attempt == 1 ? Luck::ALL : Luck::RANDOM;
      const DiskState state = disk.at(moment, luck, random);
      verdict.disks++;
      for (size_t file = 0; file < history.paths.size(); file++) {
        const std::string wrong = look(history, state, file, moment);
        if (wrong.empty()) continue;
        verdict.wrong = "power lost at moment " + std::to_string(moment) + " of " + std::to_string(disk.moments()) + ": " + history.paths[file] + " " + wrong;
        return verdict;
      }
    }
  }
  return verdict;
}

std::vector<CallEntry> without(const std::vector<CallEntry>& log, const std::function<bool(const CallEntry&)>& left_out) {
  std::vector<CallEntry> rest;
  std::copy_if(log.begin(), log.end(), std::back_inserter(rest), [&](const CallEntry& call) { return call.mark || !left_out(call); });
  return rest;
}

/// The test of the test: a host that leaves out syncs of one sort must be found out.
void lies_are_found(const History& history) {
  const auto syncs_directory = [&](const CallEntry& call) {
    return call.kind == CallKind::SYNC && std::count(history.directories.begin(), history.directories.end(), call.file) != 0;
  };
  const auto syncs_data = [&](const CallEntry& call) { return call.kind == CallKind::SYNC && !call.whole_file_system && !syncs_directory(call); };
  CHECK(!lose_power_everywhere(history, without(history.log, syncs_data), 1).wrong.empty());
  CHECK(!lose_power_everywhere(history, without(history.log, syncs_directory), 1).wrong.empty());
  // Each sync said to have begun before the writes that it is for.
  std::vector<CallEntry> early = history.log;
  for (CallEntry& call : early) {
    if (call.kind == CallKind::SYNC && !call.mark) call.began = 0;
  }
  CHECK(!lose_power_everywhere(history, early, 1).wrong.empty());
}

/// The disk itself, by hand.
void names_and_bytes() {
  const FileNumber root{1, 1}, sub{1, 2}, file{1, 3};
  uint64_t now = 0;
  std::vector<CallEntry> log;
  const auto call = [&](CallEntry entry) {
    entry.began = now++;
    entry.ended = now++;
    log.push_back(std::move(entry));
  };
  const auto about_file = [&](CallKind kind, uint64_t offset = 0, const std::string& bytes = "") {
    CallEntry entry;
    entry.kind = kind;
    entry.file = file;
    entry.offset = offset;
    entry.bytes = bytes;
    entry.result = int64_t(bytes.size());
    call(entry);
  };
  const auto about_name = [&](CallKind kind, FileNumber directory, const char* name, FileNumber to_directory = {}, const char* to_name = "") {
    CallEntry entry;
    entry.kind = kind;
    entry.file = kind == CallKind::OPEN ? file : FileNumber{};
    entry.directory = directory;
    entry.name = name;
    entry.to_directory = to_directory;
    entry.to_name = to_name;
    call(entry);
  };
  const auto sync = [&](FileNumber what) {
    CallEntry entry;
    entry.kind = CallKind::SYNC;
    entry.file = what;
    entry.whole_file_system = what == FileNumber{};
    call(entry);
  };
  about_name(CallKind::OPEN, root, "a");
  about_file(CallKind::WRITE, 500, std::string(24, 'x'));  // in two sectors
  sync(file);
  sync(root);
  about_name(CallKind::RENAME, root, "a", sub, "b");
  sync(sub);
  about_file(CallKind::TRUNCATE, 10);
  about_name(CallKind::UNLINK, sub, "b");
  sync({});
  const CrashDisk disk(log, {});
  std::mt19937_64 random(1);
  const auto at = [&](uint64_t moment, Luck luck) { return disk.at(moment, luck, random); };
  CHECK(at(4, Luck::NONE).names.empty());
  CHECK_EQUAL(at(4, Luck::ALL).find({root, "a"})->size(), 524);
  CHECK_EQUAL(at(6, Luck::NONE).files[0].size(), 524);       // synced, but nothing leads to it
  CHECK(at(6, Luck::NONE).find({root, "a"}) == nullptr);
  CHECK(at(8, Luck::NONE).find({root, "a"}) != nullptr);
  CHECK(at(12, Luck::NONE).find({root, "a"}) != nullptr);    // of a rename both directories
  CHECK(at(12, Luck::ALL).find({sub, "b"}) != nullptr);
  CHECK(at(12, Luck::ALL).find({root, "a"}) == nullptr);
  CHECK_EQUAL(at(16, Luck::NONE).files[0].size(), 524);
  CHECK_EQUAL(at(18, Luck::NONE).files[0].size(), 10);
  CHECK(at(18, Luck::NONE).names.empty());
  bool torn = false;
  for (unsigned attempt = 0; attempt < 64; attempt++) torn = torn || at(4, Luck::RANDOM).files[0].size() == 512;
  CHECK(torn);
}

}  // namespace

}  // namespace warpfs::test

int main(int argc, char** argv) {
  using namespace warpfs::test;
  const uint64_t workloads = argc > 1 ? std::stoull(argv[1]) : 6;
  const uint64_t first = argc > 2 ? std::stoull(argv[2]) : 1;
  test("a disk after a loss of power, by hand", names_and_bytes);
  uint64_t disks = 0;
  for (uint64_t seed = first; seed < first + workloads; seed++) {
    std::string io = "pread";
#if defined(__linux__)
    if (seed % 2 == 0) io = "uring";
#endif
    const History history = run_workload(seed, io);
    const Verdict verdict = lose_power_everywhere(history, history.log, seed);
    disks += verdict.disks;
    if (!verdict.wrong.empty()) {
      std::printf("FAILED workload %llu, %s: %s\n", (unsigned long long)seed, io.c_str(), verdict.wrong.c_str());
      return 1;
    }
    if (seed == first) test("a host that leaves out syncs is found out", [&] { lies_are_found(history); });
  }
  std::printf("ok %llu disks of %llu workloads hold what was promised\n", (unsigned long long)disks, (unsigned long long)workloads);
  return 0;
}
