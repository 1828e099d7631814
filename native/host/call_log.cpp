#include "call_log.h"

#include <sys/stat.h>

namespace warpfs {

FileNumber file_number_of(int fd) {
  struct stat found{};
  if (::fstat(fd, &found) != 0) return {};
  return {uint64_t(found.st_dev), uint64_t(found.st_ino)};
}

uint64_t CallLog::begin(CallEntry&& entry) {
  std::lock_guard lock(mutex_);
  entry.began = moment_++;
  entries_.push_back(std::move(entry));
  return entries_.size() - 1;
}

void CallLog::end(uint64_t entry, int64_t result, FileNumber made) {
  std::lock_guard lock(mutex_);
  entries_[entry].result = result;
  entries_[entry].ended = moment_++;
  if (made != FileNumber{}) entries_[entry].file = made;
}

void CallLog::mark(const std::string& text) {
  CallEntry entry;
  entry.mark = true;
  entry.name = text;
  std::lock_guard lock(mutex_);
  entry.began = entry.ended = moment_++;
  entries_.push_back(std::move(entry));
}

std::vector<CallEntry> CallLog::entries() const {
  std::lock_guard lock(mutex_);
  return entries_;
}

}  // namespace warpfs
