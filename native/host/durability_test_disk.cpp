#include "durability_test_disk.h"

#include <algorithm>

namespace warpfs::test {

namespace {

constexpr size_t SECTOR = 512;

void put(std::string& file, uint64_t offset, const char* bytes, size_t count) {
  if (file.size() < offset + count) file.resize(offset + count);
  file.replace(offset, count, bytes, count);
}

}  // namespace

CrashDisk::CrashDisk(const std::vector<CallEntry>& log, const std::map<Name, std::pair<FileNumber, std::string>>& before) {
  std::map<FileNumber, size_t> files;  // a number is used again once its file is gone: each creation makes another file of it
  for (const auto& [name, file] : before) {
    files[file.first] = before_.names[name] = before_.files.size();
    before_.files.push_back(file.second);
  }
  for (const CallEntry& call : log) {
    moments_ = std::max(moments_, call.ended == NOT_ENDED ? call.began + 1 : call.ended + 1);
    if (call.kind == CallKind::SYNC && !call.mark && call.ended != NOT_ENDED && call.result == 0) syncs_.push_back(call);
  }
  file_count_ = before_.files.size();
  for (const CallEntry& call : log) {
    if (call.mark || call.kind == CallKind::SYNC || (call.ended != NOT_ENDED && call.result < 0)) continue;
    Change change{call};
    const bool about_names = call.kind == CallKind::OPEN || call.kind == CallKind::UNLINK || call.kind == CallKind::RENAME;
    if (call.kind == CallKind::OPEN) files[call.file] = file_count_++;
    if (call.kind == CallKind::OPEN || !about_names) change.file = files.at(call.file);
    if (call.kind == CallKind::WRITE && call.ended != NOT_ENDED) change.call.bytes.resize(size_t(call.result));
    change.safe = safe_from(call, about_names ? call.directory : call.file);
    if (call.kind == CallKind::RENAME) change.safe = std::max(change.safe, safe_from(call, call.to_directory));
    changes_.push_back(std::move(change));
  }
}

uint64_t CrashDisk::safe_from(const CallEntry& call, const FileNumber& synced) const {
  uint64_t first = NOT_ENDED;
  if (call.ended == NOT_ENDED) return first;
  for (const CallEntry& sync : syncs_) {
    if (sync.began > call.ended && (sync.whole_file_system || sync.file == synced)) first = std::min(first, sync.ended + 1);
  }
  return first;
}

DiskState CrashDisk::at(uint64_t moment, Luck luck, std::mt19937_64& random) const {
  DiskState disk = before_;
  disk.files.resize(file_count_);
  const auto lucky = [&] { return luck == Luck::ALL || (luck == Luck::RANDOM && random() % 2 == 0); };
  for (const Change& change : changes_) {
    const CallEntry& call = change.call;
    if (call.began >= moment) break;
    const bool safe = change.safe <= moment;
    if (call.kind == CallKind::WRITE) {
      for (size_t at = 0, next = 0; at < call.bytes.size(); at = next) {
        next = std::min(call.bytes.size(), size_t((call.offset + at) / SECTOR + 1) * SECTOR - size_t(call.offset));
        if (safe || lucky()) put(disk.files[change.file], call.offset + at, call.bytes.data() + at, next - at);
      }
    } else if (safe || lucky()) {
      if (call.kind == CallKind::TRUNCATE) disk.files[change.file].resize(call.offset);
      if (call.kind == CallKind::OPEN) disk.names[{call.directory, call.name}] = change.file;
      if (call.kind == CallKind::UNLINK) disk.names.erase({call.directory, call.name});
      if (call.kind == CallKind::RENAME) {
        const auto from = disk.names.find({call.directory, call.name});
        if (from == disk.names.end()) continue;  // its creation was lost
        const size_t file = from->second;
        disk.names.erase(from);
        disk.names[{call.to_directory, call.to_name}] = file;
      }
    }
  }
  return disk;
}

}  // namespace warpfs::test
