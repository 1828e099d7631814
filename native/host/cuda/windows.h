// Files that the gpu uses where they lie, in the page cache of the host: a file is mapped when a line of it is missed or written back, and the
// parts of it where that was (windows) are registered with the driver before the next dispatch. From then on a miss there needs nobody on the host.
// Nor does a write-back, where the pages of a file may be held for writing (tmpfs), it was open for writing when it was mapped, and has been written
// to since: the gpu does not say when it stores something, so the host takes it that it did (FileTable::note_stores).
#pragma once
#include "../file_table.h"
#include "context.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>

namespace warpfs::cuda {

struct WindowOptions {
  bool only_resident = true;  // a part of a file that is not in memory is better read page by page
  bool writable = false;      // the gpu stores into them
  uint64_t bytes_max = 0;     // registered at once
};

class Windows {
 public:
  Windows(Context& context, uint32_t file_count, const WindowOptions& options);
  ~Windows();  // after the file table is gone
  Windows(const Windows&) = delete;
  Windows& operator=(const Windows&) = delete;

  /// From the daemon: a line of that file was missed, or is written back. Costs next to nothing where the file is known.
  void moves(FileTable& files, uint32_t handle, uint32_t file_id, uint64_t offset, bool writes);
  /// No kernel runs, and none may: the driver registers nothing beside one. What was missed since the last time becomes windows, as far as
  /// `time` lasts; windows of files that are something else by now go.
  void between_dispatches(std::chrono::nanoseconds time);
  /// No file table is used from here on.
  void stop();

  uint64_t bytes_registered() const { return registered_bytes_.load(std::memory_order_relaxed); }
  /// Of these, where the gpu may store.
  uint64_t bytes_writable() const { return writable_bytes_.load(std::memory_order_relaxed); }
  /// Why some part of a file was not registered; empty: there was no reason.
  std::string refusal() const;

 private:
  struct Asked {  // what the daemon threads know of a file
    std::atomic<uint32_t> file_id{0};
    std::atomic<uint32_t> shift{0};  // 0: not mapped yet
    std::atomic<uint32_t> windows{0};
    std::atomic<bool> written{false};
  };
  struct Wish {
    FileTable* files;
    uint32_t handle, file_id;
    uint64_t offset;
  };
  struct Mapping {
    FileTable* files;
    uint32_t index, file_id;
    uint8_t* base;
    uint64_t file_bytes, bytes;  // when it was mapped; whole pages
    bool writable;               // the mapping is
    FileWindows windows;         // as they were granted
    uint64_t bytes_of(uint32_t window) const {
      const uint64_t begin = uint64_t(window) << windows.shift;
      return std::min(uint64_t(1) << windows.shift, bytes - begin);
    }
    uint64_t registered_bytes() const {
      uint64_t sum = 0;
      for (uint32_t left = windows.mask; left != 0; left &= left - 1) sum += bytes_of(uint32_t(std::countr_zero(left)));
      return sum;
    }
  };

  void run();
  void map(const Wish& wish);
  enum class Opened { YES, NOT_NOW, NEVER };
  Opened open(Mapping& mapping, uint32_t window);
  CUresult register_window(const Mapping& mapping, uint32_t window, uint64_t bytes) const;
  bool is_resident(const Mapping& mapping, uint32_t window) const;
  void refuse(const std::string& why);
  /// `registered`: its windows are, and the driver is to be told.
  void drop(Mapping& mapping, bool registered);

  Context& context_;
  const WindowOptions options_;
  const bool one_address_;  // the gpu sees registered memory where the host does
  const bool read_only_;    // the driver can register what may not be written
  std::unique_ptr<Asked[]> asked_;
  mutable std::mutex mutex_;
  std::condition_variable wished_;
  std::deque<Wish> wishes_;
  bool stopping_ = false;
  std::mutex mappings_mutex_;
  std::list<Mapping> mappings_;  // the oldest first
  std::atomic<uint64_t> registered_bytes_{0}, writable_bytes_{0};
  std::string refusal_;
  std::thread thread_;
};

}  // namespace warpfs::cuda
