// What the gpu is told of windows, and what is registered: at no time is it told of more.
#include "courier_test.h"
#include "courier_test_driver.h"

#include <atomic>

namespace warpfs::cuda {

namespace {

constexpr auto LONG = std::chrono::hours(1);
constexpr uint32_t LINE = 40;

std::atomic<uint32_t> registrations{0};

void count_registrations() {
  begin();
  registrations = 0;
  played_api().cuMemHostRegister = [](void*, size_t, unsigned) -> CUresult { return registrations++, CUDA_SUCCESS; };
  played_api().cuMemHostUnregister = [](void*) -> CUresult { return registrations--, CUDA_SUCCESS; };
}

WindowOptions all_windows() {
  WindowOptions options;
  options.only_resident = false;
  options.bytes_max = uint64_t(1) << 30;
  return options;
}

/// Until the answer; entries of files that are told on the way are looked at in the memory of the host.
CourierMessage next_line(PlayedMount& mount) {
  for (;;) {
    const CourierMessage message = mount.gpu.take(0);
    if (message.kind == CourierKind::LINE) return message;
  }
}

uint32_t windows_told(const PlayedMount& mount, uint32_t handle) { return load_acquire(&mount.entry(handle).windows); }

void miss_until_granted(PlayedMount& mount, uint32_t handle) {
  const auto start = std::chrono::steady_clock::now();
  while (windows_told(mount, handle) == 0) {
    mount.post(mount.fill(handle, LINE, 1));
    CHECK(next_line(mount).result == 0);
    mount.gpu.memory.windows()->between_dispatches(LONG);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
  }
  CHECK(registrations == 1);
}

/// A warp that looked at the file before a truncation asks for bytes of what it was then.
void test_what_comes_late_takes_no_windows_away() {
  count_registrations();
  PlayedFolder folder(3);
  PlayedMount mount(folder.path.string(), false, all_windows());
  const uint32_t handle = mount.open("a.bin", 0);
  miss_until_granted(mount, handle);
  Request late = mount.fill(handle, LINE, 1);
  late.mailbox += 1000;
  mount.post(late);
  CHECK(next_line(mount).result == -Errno::estale);
  mount.gpu.memory.windows()->between_dispatches(LONG);
  CHECK(windows_told(mount, handle) == 1 && registrations == 1);
}

/// Another identity has no windows yet: those of the one before are taken back, and then registered no more.
void test_windows_go_with_the_identity() {
  count_registrations();
  PlayedFolder folder(3);
  PlayedMount mount(folder.path.string(), false, all_windows());
  const uint32_t handle = mount.open("a.bin", OPEN_WRITE);
  miss_until_granted(mount, handle);
  Request cut{};
  cut.opcode = Opcode::TRUNCATE;
  cut.file = handle;
  cut.offset = LINE_BYTES;
  mount.post(cut);
  while (mount.gpu.take(0).kind != CourierKind::MAILBOX) {
  }
  CHECK(windows_told(mount, handle) == 0);
  miss_until_granted(mount, handle);
}

}  // namespace

void run_window_tests() {
  RUN_TEST(test_what_comes_late_takes_no_windows_away);
  RUN_TEST(test_windows_go_with_the_identity);
}

}  // namespace warpfs::cuda
