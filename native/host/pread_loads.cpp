#include "host_error.h"
#include "loads.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <latch>
#include <new>
#include <thread>

namespace warpfs {

namespace {

constexpr size_t PAGE_BYTES = 16384;

class PreadLoads final : public Loads {
 public:
  PreadLoads(const std::string& path, uint64_t bytes, uint32_t threads) : threads_(std::max(threads, 1u)), fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw HostError(failure(errno), "cannot open " + path);
    if (posix_memalign(&memory_, PAGE_BYTES, bytes) == 0) return;
    close(fd_);
    throw std::bad_alloc();
  }
  ~PreadLoads() override {
    close(fd_);
    std::free(memory_);
  }

  uint8_t* memory() override { return static_cast<uint8_t*>(memory_); }

  /// Each thread takes the next piece that nobody has.
  uint64_t load(const std::vector<FilePiece>& pieces) override {
    std::atomic<size_t> next{0};
    std::atomic<int> error{0};
    std::latch ready(threads_), go(1), ended(threads_);
    std::vector<std::thread> threads;
    for (uint32_t thread = 0; thread < threads_; thread++) {
      threads.emplace_back([&] {
        ready.count_down();
        go.wait();
        for (size_t at = 0; error == 0 && (at = next.fetch_add(1)) < pieces.size();) {
          if (const int failed = move_piece(fd_, false, pieces[at], memory())) error = failed;
        }
        ended.count_down();
      });
    }
    ready.wait();
    const auto begin = std::chrono::steady_clock::now();  // before any of them may begin, which may be long before this thread goes on
    go.count_down();
    ended.wait();
    const auto took = std::chrono::steady_clock::now() - begin;
    for (std::thread& thread : threads) thread.join();
    if (error != 0) throw HostError(failure(error), "a load of a piece of a file");
    return uint64_t(std::chrono::nanoseconds(took).count());
  }

 private:
  const uint32_t threads_;
  const int fd_;
  void* memory_ = nullptr;
};

}  // namespace

std::unique_ptr<Loads> make_pread_loads(const std::string& path, uint64_t bytes, uint32_t threads) { return std::make_unique<PreadLoads>(path, bytes, threads); }

}  // namespace warpfs
