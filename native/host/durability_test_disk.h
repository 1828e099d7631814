// What a disk may hold after the power was lost at some moment of a log of calls.
#pragma once
#include "call_log.h"

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace warpfs::test {

using Name = std::pair<FileNumber, std::string>;  // of a directory, and in it

/// Files and names; a file that no name leads to is lost.
struct DiskState {
  std::map<Name, size_t> names;
  std::vector<std::string> files;
  /// Null where the name is not there.
  const std::string* find(const Name& name) const {
    const auto place = names.find(name);
    return place == names.end() ? nullptr : &files[place->second];
  }
};

/// What becomes of that which no sync covers: a disk may have written any of it, or none.
enum class Luck { NONE, ALL, RANDOM };

/// A sync covers what had ended before it began, of its own file or directory; syncfs of all. It counts once it has ended well.
class CrashDisk {
 public:
  /// `before`: what was there, all of it safe.
  CrashDisk(const std::vector<CallEntry>& log, const std::map<Name, std::pair<FileNumber, std::string>>& before);
  /// The power is lost right before this moment.
  DiskState at(uint64_t moment, Luck luck, std::mt19937_64& random) const;
  uint64_t moments() const { return moments_; }

 private:
  struct Change {
    CallEntry call;
    size_t file = 0;            // of WRITE, TRUNCATE, OPEN
    uint64_t safe = NOT_ENDED;  // from this moment on
  };
  uint64_t safe_from(const CallEntry& call, const FileNumber& synced) const;

  std::vector<Change> changes_;
  std::vector<CallEntry> syncs_;
  DiskState before_;
  size_t file_count_ = 0;
  uint64_t moments_ = 0;
};

}  // namespace warpfs::test
