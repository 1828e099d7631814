// The engine that works everywhere. What is in memory is moved by the daemon thread itself, because handing it to another thread
// costs several times the copy; what would block goes to the pool, so that the daemon thread goes on polling.
#include "io_engine.h"

#include <cerrno>
#include <chrono>
#include <deque>
#include <mutex>

namespace warpfs {

namespace {

#if defined(__linux__)

/// Asks the kernel to move only what it can without blocking. Ends the transfer and gives true, or leaves the rest of it.
class Inline {
 public:
  bool try_move(Transfer& transfer, TransferEnd& end) {
    const Begin begin = end.begin(transfer);
    if (begin != Begin::MOVE) return begin == Begin::ENDED;
    if (move_what_does_not_block(transfer, end)) return true;
    end.put_off(transfer);
    return false;
  }

 private:
  static bool move_what_does_not_block(Transfer& transfer, TransferEnd& end) {
    const uint8_t hints = transfer.file.slot->io_hints.load(std::memory_order_relaxed);
    const uint8_t blocks = transfer.write ? WRITES_BLOCK : READS_BLOCK;
    if ((hints & IN_MEMORY) != 0) {
      move_begun(transfer, end);
      return true;
    }
    while ((hints & blocks) == 0) {
      const iovec* parts = transfer.parts + transfer.part_first;
      const int count = int(transfer.part_count - transfer.part_first);
      const ssize_t moved = transfer.write ? end.calls().write_now(transfer.file.fd, parts, count, transfer.offset)
                                           : end.calls().read_now(transfer.file.read_fd, parts, count, transfer.offset);
      if (moved < 0 && errno == EAGAIN) return false;
      if (moved < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL)) {
        transfer.file.slot->io_hints.fetch_or(blocks, std::memory_order_relaxed);  // this file system never can
        return false;
      }
      if (end.take(transfer, moved < 0 ? -int64_t(errno) : moved)) return true;
    }
    return false;
  }
};

#else

/// No way to ask: reads are made by the daemon thread while they prove fast, and by the pool for a while after a slow one.
class Inline {
 public:
  bool try_move(Transfer& transfer, TransferEnd& end) {
    if (transfer.write) return false;
    if (to_pool_ != 0) {
      to_pool_--;
      return false;
    }
    const auto start = std::chrono::steady_clock::now();
    move_blocking(transfer, end);
    if (std::chrono::steady_clock::now() - start > std::chrono::microseconds(30)) to_pool_ = 32;
    return true;
  }

 private:
  uint32_t to_pool_ = 0;
};

#endif

/// Writes wait here for few threads of the pool: writes to one file exclude each other in the kernel, so that many threads at once
/// get less done than one. More of them join only while a backlog says that writes wait for a disk.
class WriteBacklog {
 public:
  WriteBacklog(WorkPool& pool, TransferEnd& end) : pool_(pool), end_(end) {}
  size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  void add(const Transfer& transfer) {
    {
      std::lock_guard lock(mutex_);
      queue_.push_back(transfer);
      waiting_.store(queue_.size(), std::memory_order_relaxed);
      if (writers_ == WRITERS_MAX || queue_.size() <= writers_ * BACKLOG_PER_WRITER) return;
      writers_++;
    }
    pool_.submit([this] { write_all(); });
  }

 private:
  static constexpr size_t WRITERS_MAX = 2;
  static constexpr size_t BACKLOG_PER_WRITER = 256;

  void write_all() {
    std::unique_lock lock(mutex_);
    while (!queue_.empty()) {
      Transfer transfer = queue_.front();
      queue_.pop_front();
      waiting_.store(queue_.size(), std::memory_order_relaxed);
      lock.unlock();
      move_blocking(transfer, end_);
      lock.lock();
    }
    writers_--;
  }

  WorkPool& pool_;
  TransferEnd& end_;
  std::mutex mutex_;
  std::deque<Transfer> queue_;
  std::atomic<size_t> waiting_{0};
  size_t writers_ = 0;
};

class PreadEngine : public IoEngine {
 public:
  PreadEngine(WorkPool& pool, TransferEnd& end) : pool_(pool), end_(end), writes_(pool, end) {}
  bool has_room() const override { return pool_.waiting() < POOL_WORK_MAX && writes_.waiting() < POOL_WORK_MAX; }
  bool advance() override { return false; }
  bool moves_at_once() const override { return true; }
  uint32_t in_flight() const override { return 0; }
  void start(Transfer& transfer) override {
    if (inline_.try_move(transfer, end_)) return;
    end_.hand_on(transfer);
    if (transfer.write) return writes_.add(transfer);
    pool_.submit([transfer, &end = end_]() mutable { move_blocking(transfer, end); });
  }

 private:
  WorkPool& pool_;
  TransferEnd& end_;
  WriteBacklog writes_;
  Inline inline_;
};

}  // namespace

std::unique_ptr<IoEngine> make_pread_engine(WorkPool& pool, TransferEnd& end) { return std::make_unique<PreadEngine>(pool, end); }

}  // namespace warpfs
