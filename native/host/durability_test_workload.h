// Programs that write, sync and close, with a log of the calls of the host and of everything that the programs were told.
#pragma once
#include "durability_test_disk.h"

#include <string>
#include <vector>

namespace warpfs::test {

/// A write fills its range with one byte, which no other write of the workload uses; 0 is a hole.
struct Issue {
  uint64_t moment = 0;   // the program was started right behind it
  size_t file = 0;
  bool emptied = false;  // no write: the file was opened anew
  uint64_t first = 0, end = 0;
  uint8_t byte = 0;
};

/// gfsync, fs.sync() or unmount() gave 0, and so these are the bytes of the file.
struct Promise {
  uint64_t moment = 0;
  size_t file = 0;
  size_t issues = 0;  // it covers those of its file among so many first ones
  std::string bytes;
};

struct History {
  std::vector<std::string> paths;
  std::vector<Name> names;  // of the same files
  std::map<Name, std::pair<FileNumber, std::string>> before;
  std::vector<Issue> issues;
  std::vector<Promise> promises;
  std::vector<CallEntry> log;
  std::vector<FileNumber> directories;
};

History run_workload(uint64_t seed, const std::string& io);

}  // namespace warpfs::test
