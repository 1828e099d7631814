// The yardsticks in which the host takes part: a copy to the GPU, a ring with a thread that answers, pread into pinned memory.
#include "yardstick.h"

#include "../host_error.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

namespace warpfs::cuda {

namespace {

constexpr uint64_t SLOTS = 256;  // of each thread that preads: as a daemon has them, more than a processor keeps in its caches of one core

uint64_t nanoseconds_since(std::chrono::steady_clock::time_point begin) {
  return uint64_t(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
}

/// Answers each word of the gpu with the same word, until it is told to stop.
class Answerer {
 public:
  Answerer(uint32_t* post, uint32_t* answer) : thread_([this, post, answer] {
    uint32_t seen = 0;
    while (!stopping_.load(std::memory_order_relaxed)) {
      const uint32_t now = std::atomic_ref<uint32_t>(*post).load(std::memory_order_acquire);
      if (now == seen) continue;
      seen = now;
      std::atomic_ref<uint32_t>(*answer).store(now, std::memory_order_release);
    }
  }) {}
  ~Answerer() {
    stopping_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// The pages of one thread, in an order of its own.
struct PreadLoop {
  int fd;
  uint8_t* slots;
  uint64_t pages, page_bytes, count;
  uint32_t seed, start;

  uint64_t page_of(uint64_t read) const { return uint64_t(uint32_t((uint32_t(read) + start) * 2654435761u + 12345u)) * pages >> 32; }
  uint32_t word_of(uint64_t page) const { return uint32_t(page * (page_bytes / 4)) * 2654435761u + seed; }
  const uint32_t* slot_of(uint64_t read) const { return reinterpret_cast<const uint32_t*>(slots + read % SLOTS * page_bytes); }

  /// Wrong words: the first of each page. Throws where a read falls short.
  uint64_t run() const {
    uint64_t wrong = 0;
    for (uint64_t read = 0; read < count; read++) {
      const uint64_t page = page_of(read);
      const ssize_t bytes = pread(fd, slots + read % SLOTS * page_bytes, page_bytes, off_t(page * page_bytes));
      if (bytes != ssize_t(page_bytes)) {
        throw HostError(bytes < 0 ? failure(errno) : -Errno::eio, "yardstick pread: page " + std::to_string(page) + " gave " + std::to_string(bytes) + " bytes");
      }
      wrong += *slot_of(read) != word_of(page);
    }
    return wrong;
  }
  /// Wrong words of the pages that lie in the slots now.
  uint64_t wrong_in_slots() const {
    uint64_t wrong = 0;
    for (uint64_t read = count - std::min(count, SLOTS); read < count; read++) {
      uint32_t expected = word_of(page_of(read));
      for (uint64_t word = 0; word < page_bytes / 4; word++, expected += 2654435761u) wrong += slot_of(read)[word] != expected;
    }
    return wrong;
  }
};

}  // namespace

YardstickResult Yardstick::run_copy(const YardstickRequest& request) {
  YardstickRequest check_request = request;
  check_request.what = "read_4096";
  check_request.place = "device";
  const YardstickAreas::Area source = areas_.pinned(request.bytes, request.seed);
  const CUdeviceptr target = areas_.device(request.bytes, request.seed).address;
  const auto copy = [&] { check(driver().cuMemcpyHtoDAsync(target, source.words, request.bytes, stream_.get()), "yardstick copy: starting it"); };
  timed(request.what, copy);
  check(driver().cuMemsetD8Async(target, 0, request.bytes, stream_.get()), "yardstick copy: clearing its target");
  YardstickResult result;
  result.nanoseconds = timed(request.what, copy);
  check_request.count = request.bytes / request.piece_bytes;
  const YardstickResult seen = run_kernel(check_request);
  result.wrong_words = seen.wrong_words;
  result.pieces = seen.pieces;
  return result;
}

YardstickResult Yardstick::run_ring(const YardstickRequest& request) {
  if (request.count > YARDSTICK_TRIPS_MAX) throw HostError(-Errno::einval, "yardstick ring: more than " + std::to_string(YARDSTICK_TRIPS_MAX) + " round trips");
  const CUfunction kernel = function("ring");
  CUdeviceptr words = 0;
  check(driver().cuMemHostGetDevicePointer(&words, words_.bytes(), 0), "yardstick ring: asking where the GPU sees its words");
  YardstickLaunch parameters{};
  parameters.tally = reinterpret_cast<YardstickTally*>(tally_.address());
  parameters.count = request.count;
  parameters.post = reinterpret_cast<uint32_t*>(words);
  parameters.answer = reinterpret_cast<const uint32_t*>(words + YARDSTICK_ANSWER_AT);
  parameters.ticks = reinterpret_cast<uint32_t*>(ticks_.address());
  for (int time = 0; time < 2; time++) {  // the first is not counted
    std::memset(words_.bytes(), 0, 2 * YARDSTICK_ANSWER_AT);
    clear_tally();
    const Answerer answerer(words_.at<uint32_t>(), words_.at<uint32_t>(YARDSTICK_ANSWER_AT));
    launch("ring", kernel, parameters, 1, 32);
    wait("ring", [] { std::this_thread::sleep_for(std::chrono::microseconds(100)); });
  }
  const YardstickTally tally = take_tally("ring");
  if (tally.wrong_words != 0 || tally.ticks == 0) {
    throw HostError(-Errno::etimedout, "yardstick ring: the host did not answer trip " + std::to_string(tally.pieces) + " within " + std::to_string(YARDSTICK_WAIT_S) + " s");
  }
  std::vector<uint32_t> ticks(request.count);
  check(driver().cuMemcpyDtoH(ticks.data(), ticks_.address(), ticks.size() * sizeof ticks[0]), "yardstick ring: reading its times");
  std::nth_element(ticks.begin(), ticks.begin() + std::ptrdiff_t(ticks.size() / 2), ticks.end());
  YardstickResult result;
  result.nanoseconds = uint64_t(double(ticks[ticks.size() / 2]) * double(tally.nanoseconds) / double(tally.ticks));
  result.pieces = tally.pieces;
  result.blocks = 1;
  return result;
}

YardstickResult Yardstick::run_pread(const YardstickRequest& request) {
  if (request.piece_bytes == 0 || request.piece_bytes % 4 != 0 || request.bytes < request.piece_bytes) {
    throw HostError(-Errno::einval, "yardstick pread: " + std::to_string(request.bytes) + " bytes have no pages of " + std::to_string(request.piece_bytes));
  }
  const int fd = open(request.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw HostError(failure(errno), "yardstick pread: cannot open " + request.path + ": " + std::strerror(errno));
  const uint64_t bytes_each = SLOTS * request.piece_bytes;
  uint8_t* const slots = reinterpret_cast<uint8_t*>(areas_.pinned(std::bit_ceil(bytes_each * request.threads), request.seed).words);
  areas_.pinned_was_written();
  std::vector<PreadLoop> loops;
  for (uint32_t thread = 0; thread < request.threads; thread++) {
    const uint64_t count = request.count * (thread + 1) / request.threads - request.count * thread / request.threads;
    loops.push_back({fd, slots + thread * bytes_each, request.bytes / request.piece_bytes, request.piece_bytes, count, request.seed,
                     request.start + thread * 0x01000193u});
  }
  YardstickResult result;
  std::atomic<uint64_t> wrong{0};
  std::mutex mutex;
  std::string failure_text;
  const auto work = [&](const PreadLoop& loop) {
    try {
      wrong += loop.run();
    } catch (const HostError& error) {
      std::lock_guard lock(mutex);
      failure_text = error.what();
    }
  };
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> others;
  for (uint32_t thread = 1; thread < request.threads; thread++) others.emplace_back([&, thread] { work(loops[thread]); });
  work(loops[0]);
  for (std::thread& other : others) other.join();
  result.nanoseconds = nanoseconds_since(begin);
  close(fd);
  if (!failure_text.empty()) throw HostError(-Errno::eio, failure_text);
  for (const PreadLoop& loop : loops) wrong += loop.wrong_in_slots();
  result.wrong_words = wrong;
  result.pieces = request.count;
  return result;
}

}  // namespace warpfs::cuda
