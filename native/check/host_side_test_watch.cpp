// Nothing of the host touches shared memory behind the back of the watch.
#include "host_side_test.h"

#include <algorithm>
#include <sys/mman.h>

namespace warpfs::test {

namespace {

/// The host sees the memory at addresses where nobody can reach it. What it asks the watch for happens in the memory of the gpu.
struct RedirectingWatch : HostWatch {
  RedirectingWatch(const MountMemory& seen, const MountMemory& real) {
    for (uint32_t binding = 0; binding < Binding::OWN; binding++) {
      starts.push_back(static_cast<uint8_t*>(seen.binding(binding)));
      targets.push_back(static_cast<uint8_t*>(real.binding(binding)));
    }
  }
  uint8_t* real_of(const void* address) {
    const uint8_t* at = static_cast<const uint8_t*>(address);
    const auto after = std::upper_bound(starts.begin(), starts.end(), at);
    CHECK(after != starts.begin());
    const size_t binding = size_t(after - starts.begin()) - 1;
    return targets[binding] + (at - starts[binding]);
  }
  uint64_t load(const void* word, uint32_t bytes, int order) override {
    CHECK(bytes == 4 && (order == __ATOMIC_RELAXED || order == __ATOMIC_ACQUIRE));
    loads++;
    return *reinterpret_cast<uint32_t*>(real_of(word));
  }
  void store(void* word, uint64_t value, uint32_t bytes, int order) override {
    CHECK(bytes == 4 && value >> 32 == 0 && (order == __ATOMIC_RELAXED || order == __ATOMIC_RELEASE));
    stores++;
    *reinterpret_cast<uint32_t*>(real_of(word)) = uint32_t(value);
  }
  void read_bytes(const void* from, void* to, size_t count) override { std::memcpy(to, real_of(from), count); }
  void write_bytes(void* to, const void* from, size_t count) override {
    largest = std::max(largest, from == nullptr ? 0 : count);
    from != nullptr ? (void)std::memcpy(real_of(to), from, count) : (void)std::memset(real_of(to), 0, count);
  }
  std::vector<uint8_t*> starts, targets;
  uint64_t loads = 0, stores = 0;
  size_t largest = 0;
};

void redirected() {
  Folder folder;
  const std::string bytes = pattern(10000);
  write_file(folder.at("a.bin"), bytes);
  const Geometry geometry = small_geometry(64, 2, 8);
  Gpu gpu(geometry);
  MountMemory seen(geometry);
  SeededChoices choices(4);
  HostSide host(seen.host_view(), folder.path, false, {.short_io = 200}, choices);
  choices.host = &host;
  uint8_t* first = reinterpret_cast<uint8_t*>(seen.host_view().ring_heads);
  uint8_t* last = static_cast<uint8_t*>(seen.binding(Binding::OWN - 1));
  CHECK(first > static_cast<uint8_t*>(seen.binding(Binding::GEOMETRY)) && last > first);
  RedirectingWatch watch(seen, gpu.memory);
  const auto settle = [&] {
    CHECK(mprotect(first, size_t(last - first), PROT_NONE) == 0);
    host_watch = &watch;
    host.run();
    CHECK(mprotect(first, size_t(last - first), PROT_READ | PROT_WRITE) == 0);
    const uint64_t accesses = watch.loads + watch.stores;
    CHECK(host.idle());
    CHECK_EQUAL(watch.loads + watch.stores, accesses);
    host_watch = nullptr;
  };
  std::memcpy(const_cast<uint8_t*>(gpu.view.outboxes), "a.bin", 6);
  gpu.post(Gpu::open_request(READ_WRITE, 5));
  settle();
  const int32_t file = gpu.view.mailboxes[0].result;
  CHECK(file >= 0);
  gpu.post(gpu.fill_request(file, 0, {3, 1, 2, LINE_NONE, 7}));
  settle();
  CHECK(std::memcmp(gpu.line(1), bytes.data() + 4096, 4096) == 0);
  CHECK(std::memcmp(gpu.line(2), (bytes.substr(8192) + std::string(2288, 0)).data(), 4096) == 0);
  CHECK_EQUAL(watch.largest, 128);
  std::memset(gpu.line(1), 'n', 4096);
  gpu.post(gpu.write_request(file, 4096 + 50, 300, 1));
  Request extend = Gpu::request(Opcode::EXTEND, file);
  extend.offset = 20000 + (uint64_t(1) << 33);
  extend.mailbox = 2;
  gpu.post(extend);
  settle();
  CHECK_EQUAL(gpu.view.mailboxes[2].value, extend.offset);
  CHECK_EQUAL(gpu.published_size(file), extend.offset);
  CHECK(read_file(folder.at("a.bin")).substr(0, 10000) == bytes.substr(0, 4096 + 50) + std::string(300, 'n') + bytes.substr(4096 + 350));
  gpu.post(Gpu::request(Opcode::STAT, 7));   // refused
  gpu.post(gpu.fill_request(file, 4, {5}));  // refused
  gpu.post(Gpu::request(Opcode::NOP));
  settle();
  CHECK_EQUAL(gpu.view.ring_heads[0].head, gpu.tails[0]);
  CHECK(gpu.view.mailboxes[0].result < 0 && gpu.view.dones[5].result < 0);
}

}  // namespace

void test_watch() { test("every access to shared memory passes the watch", redirected); }

}  // namespace warpfs::test
