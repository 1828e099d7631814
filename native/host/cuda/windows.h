// Files that the gpu reads where they lie, in the page cache of the host: a file is mapped when a line of it is missed, and the parts of it where
// lines were missed (windows) are registered with the driver before the next dispatch. From then on a miss there needs nobody on the host.
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
  uint64_t bytes_max = 0;     // registered at once
};

class Windows {
 public:
  Windows(Context& context, uint32_t file_count, const WindowOptions& options);
  ~Windows();  // after the file table is gone
  Windows(const Windows&) = delete;
  Windows& operator=(const Windows&) = delete;

  /// From the daemon: a line of that file was missed. Costs next to nothing where the file is known.
  void fills(FileTable& files, uint32_t handle, uint32_t file_id, uint64_t offset);
  /// No kernel runs, and none may: the driver registers nothing beside one. What was missed since the last time becomes windows, as far as
  /// `time` lasts; windows of files that are something else by now go.
  void between_dispatches(std::chrono::nanoseconds time);
  /// No file table is used from here on.
  void stop();

  uint64_t bytes_registered() const { return registered_bytes_.load(std::memory_order_relaxed); }
  /// Why some part of a file was not registered; empty: there was no reason.
  std::string refusal() const;

 private:
  struct Asked {  // what the daemon threads know of a file
    std::atomic<uint32_t> file_id{0};
    std::atomic<uint32_t> shift{0};  // 0: not mapped yet
    std::atomic<uint32_t> windows{0};
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
    FileWindows windows;    // the end is that of the file when it was mapped, and of the page where that lay
    uint64_t bytes_of(uint32_t window) const {
      const uint64_t begin = uint64_t(window) << windows.shift;
      return std::min(uint64_t(1) << windows.shift, windows.end - begin);
    }
  };

  void run();
  void map(const Wish& wish);
  enum class Opened { YES, NOT_NOW, NEVER };
  Opened open(Mapping& mapping, uint32_t window);
  bool is_resident(const Mapping& mapping, uint32_t window) const;
  void refuse(const std::string& why);
  /// `registered`: its windows are, and the driver is to be told.
  void drop(Mapping& mapping, bool registered);

  Context& context_;
  const WindowOptions options_;
  const bool one_address_;  // the gpu sees registered memory where the host does
  const bool read_only_;    // the driver can register what may not be written
  std::unique_ptr<Asked[]> asked_;
  const uint32_t file_count_;
  mutable std::mutex mutex_;
  std::condition_variable wished_;
  std::deque<Wish> wishes_;
  bool stopping_ = false;
  std::mutex mappings_mutex_;
  std::list<Mapping> mappings_;  // the oldest first
  std::atomic<uint64_t> registered_bytes_{0};
  std::string refusal_;
  std::thread thread_;
};

}  // namespace warpfs::cuda
