#include "pread_loop.h"

#include "abi_host.h"
#include "host_error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <vector>

namespace warpfs {

PreadLoopResult run_pread_loop(const PreadLoop& loop) {
  const int file = open(loop.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw HostError(failure(errno), "cannot open " + loop.path);
  std::vector<uint32_t> page(loop.page_bytes / 4);
  PreadLoopResult result = {0, 0};
  uint32_t random = loop.start * 2654435761u + 12345u;
  const auto begin = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < loop.reads; i++) {
    random = random * 1664525u + 1013904223u;
    const uint32_t index = uint32_t((uint64_t(random) * loop.pages) >> 32);
    const ssize_t bytes = pread(file, page.data(), loop.page_bytes, off_t(index) * loop.page_bytes);
    if (bytes != ssize_t(loop.page_bytes)) {
      close(file);
      throw HostError(bytes < 0 ? failure(errno) : -Errno::eio, "cannot read page " + std::to_string(index) + " of " + loop.path);
    }
    uint32_t expected = index * uint32_t(page.size()) * 2654435761u + loop.seed;
    for (uint32_t word : page) {
      result.wrong_words += word != expected;
      expected += 2654435761u;
    }
  }
  result.nanoseconds = uint64_t(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
  close(file);
  return result;
}

}  // namespace warpfs
