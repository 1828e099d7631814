#include "plain_loop.h"

#include "abi_host.h"
#include "host_calls.h"
#include "host_error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

namespace warpfs {

namespace {

constexpr uint32_t WORD_FACTOR = 2654435761u;

[[noreturn]] void fail(int error, const PlainLoop& loop) {
  throw HostError(error != 0 ? failure(error) : -Errno::eio, "a plain loop failed over " + loop.path);
}

class OpenFile {
 public:
  OpenFile(const PlainLoop& loop, int flags) : fd(open(loop.path.c_str(), flags | O_CLOEXEC)) {
    if (fd < 0) fail(errno, loop);
  }
  ~OpenFile() { close(fd); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  const int fd;
};

template <typename Work>
uint64_t nanoseconds_of(Work&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return uint64_t(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
}

/// The words of pages [first, end) that are wrong; UINT64_MAX where one cannot be read.
uint64_t read_stretch(const PlainLoop& loop, int fd, uint32_t first, uint32_t end) {
  std::vector<uint32_t> page(loop.page_bytes / 4);
  const uint32_t words = uint32_t(page.size());
  uint64_t wrong = 0;
  for (uint32_t index = first; index < end; index++) {
    if (pread(fd, page.data(), loop.page_bytes, off_t(index) * loop.page_bytes) != ssize_t(loop.page_bytes)) return UINT64_MAX;
    uint32_t expected = index * words * WORD_FACTOR + loop.seed;
    if (loop.words_apart == 1) {
      for (uint32_t word : page) {
        wrong += word != expected;
        expected += WORD_FACTOR;
      }
    } else {
      for (uint32_t at = 0; at < words; at += loop.words_apart) wrong += page[at] != expected + at * WORD_FACTOR;
    }
  }
  return wrong;
}

}  // namespace

PlainLoopResult run_plain_reads(const PlainLoop& loop) {
  const OpenFile file(loop, O_RDONLY);
  std::vector<uint64_t> wrong(loop.threads);
  PlainLoopResult result{0, 0};
  result.nanoseconds = nanoseconds_of([&] {
    const auto border = [&](uint32_t thread) { return uint32_t(uint64_t(loop.pages) * thread / loop.threads); };
    const auto stretch = [&](uint32_t thread) { wrong[thread] = read_stretch(loop, file.fd, border(thread), border(thread + 1)); };
    std::vector<std::thread> others;
    for (uint32_t thread = 1; thread < loop.threads; thread++) others.emplace_back(stretch, thread);
    stretch(0);
    for (std::thread& other : others) other.join();
  });
  for (uint64_t words : wrong) {
    if (words == UINT64_MAX) fail(0, loop);
    result.wrong_words += words;
  }
  return result;
}

PlainLoopResult run_plain_writes(const PlainLoop& loop) {
  const OpenFile file(loop, O_WRONLY);
  std::vector<uint32_t> page(loop.page_bytes / 4);
  uint32_t random = loop.start * WORD_FACTOR + 12345u;
  const uint64_t nanoseconds = nanoseconds_of([&] {
    for (uint32_t i = 0; i < loop.count; i++) {
      random = random * 1664525u + 1013904223u;
      const uint32_t index = uint32_t((uint64_t(random) * loop.pages) >> 32);
      uint32_t made = index * uint32_t(page.size()) * WORD_FACTOR + loop.seed;
      for (uint32_t& word : page) {
        word = made;
        made += WORD_FACTOR;
      }
      const ssize_t bytes = pwrite(file.fd, page.data(), loop.page_bytes, off_t(index) * loop.page_bytes);
      if (bytes != ssize_t(loop.page_bytes)) fail(bytes < 0 ? errno : 0, loop);
    }
    if (HostCalls::unwatched().sync_data(file.fd) != 0) fail(errno, loop);
  });
  return {nanoseconds, 0};
}

PlainLoopResult run_plain_opens(const PlainLoop& loop) {
  const uint64_t nanoseconds = nanoseconds_of([&] {
    for (uint32_t i = 0; i < loop.count; i++) OpenFile(loop, O_RDONLY);
  });
  return {nanoseconds, 0};
}

}  // namespace warpfs
