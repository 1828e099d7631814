// The calls of the host side in the order in which they began and ended, with the bytes they wrote: what a test needs to say what a disk
// may hold after the power was lost.
#pragma once
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace warpfs {

enum class CallKind : uint8_t { READ, WRITE, SYNC, OPEN, TRUNCATE, STAT, UNLINK, RENAME, TOUCH };
constexpr uint32_t CALL_KINDS = 9;

/// A file as the system knows it.
struct FileNumber {
  uint64_t device = 0, inode = 0;
  auto operator<=>(const FileNumber&) const = default;
};
FileNumber file_number_of(int fd);  // zeros where that cannot be found out

constexpr uint64_t NOT_LOGGED = UINT64_MAX;
constexpr uint64_t NOT_ENDED = UINT64_MAX;

/// Reads and looks at what is there are not recorded: they change nothing.
struct CallEntry {
  CallKind kind = CallKind::WRITE;
  bool mark = false;               // no call: somebody else's note, its text is `name`
  bool whole_file_system = false;  // of SYNC
  FileNumber file;                 // what is written, synced, truncated, or was created
  FileNumber directory;            // of OPEN, UNLINK, RENAME: where `name` lies
  FileNumber to_directory;         // of RENAME
  std::string name, to_name;
  uint64_t offset = 0;             // of WRITE; of TRUNCATE: the size
  std::string bytes;               // of WRITE: what was to be written; `result` says how much of it was
  int64_t result = 0;              // as the call gave it, or a negated errno
  uint64_t began = 0;              // moments: each begin and each end has its own
  uint64_t ended = NOT_ENDED;
};

/// Filled from any thread.
class CallLog {
 public:
  uint64_t begin(CallEntry&& entry);
  void end(uint64_t entry, int64_t result, FileNumber made = {});
  /// Somebody was told something at this moment.
  void mark(const std::string& text);
  std::vector<CallEntry> entries() const;

 private:
  mutable std::mutex mutex_;
  std::vector<CallEntry> entries_;
  uint64_t moment_ = 0;
};

}  // namespace warpfs
