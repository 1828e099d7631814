// The host's end of the courier, and the daemon behind it, where the courier moves the bytes of lines.
#include "courier_test.h"

#include <thread>

namespace warpfs::cuda {

namespace {

void test_a_line_comes_with_its_bytes() {
  Played gpu;
  uint8_t* place = gpu.courier().fill_place(77);
  std::memset(place, 0x5a, LINE_BYTES);
  CHECK(gpu.courier().fill_place(77) == place);  // asked twice, it has one place
  gpu.courier().line_done(77, {3, 0});
  const CourierMessage message = gpu.take(0);
  CHECK(message.kind == CourierKind::LINE && message.index == 77 && message.answers == 3 && message.result == 0);
  CHECK(gpu.stage(message) == place);
}

void test_a_failed_line_comes_without_bytes_and_keeps_no_stage() {
  Played gpu;
  for (uint32_t turn = 0; turn < 10000; turn++) {
    gpu.courier().fill_place(5);
    gpu.courier().line_done(5, {turn + 1, -Errno::eio});
    const CourierMessage message = gpu.take(0);
    CHECK(message.result == -Errno::eio && message.bytes_at == COURIER_NO_BYTES);
  }
  CHECK(gpu.courier().has_room());
}

void test_stages_come_back_when_their_messages_were_delivered() {
  Played gpu;
  uint32_t sent = 0;
  for (; gpu.courier().has_room() && sent < 4000; sent++) {
    gpu.courier().fill_place(sent);
    gpu.courier().line_done(sent, {1, 0});
  }
  CHECK(sent > 100 && sent < 4000);  // there is an end of them
  for (uint32_t line = 0; line < sent; line++) CHECK(gpu.take(0).index == line);
  CHECK(gpu.courier().has_room() && gpu.courier().is_delivered());
}

void test_a_full_channel_waits_and_keeps_the_order() {
  Played gpu;
  constexpr uint32_t MESSAGES = Courier::CHANNEL_SLOTS * 3;
  std::thread sender([&] {
    for (uint32_t i = 0; i < MESSAGES; i++) gpu.courier().line_done(8, {i + 1, 0});
  });
  for (uint32_t i = 0; i < MESSAGES; i++) CHECK(gpu.take(0).answers == i + 1);
  sender.join();
}

/// Of the other parts of the courier none has to wait for the one that is behind.
void test_each_thread_has_a_channel_of_its_own() {
  constexpr uint32_t THREADS = 3, LINES = 5;
  Played gpu(false, THREADS);
  for (uint32_t thread = 0; thread < THREADS; thread++) {
    std::thread([&] {
      for (uint32_t line = 0; line < LINES; line++) gpu.courier().line_done(thread * LINES + line, {1, 0});
    }).join();
  }
  uint32_t seen = 0;
  for (uint32_t channel = 0; channel < THREADS; channel++) {
    const uint32_t first = gpu.take(channel).index;
    CHECK(first % LINES == 0);
    seen |= 1u << first / LINES;
    for (uint32_t line = 1; line < LINES; line++) CHECK(gpu.take(channel).index == first + line);
  }
  CHECK(seen == (1u << THREADS) - 1 && gpu.courier().is_delivered());
}

void test_a_lost_gpu_keeps_nobody_waiting() {
  Played gpu;
  std::thread sender([&] {
    for (uint32_t i = 0; i < Courier::CHANNEL_SLOTS * 2; i++) gpu.courier().line_done(8, {i + 1, 0});
    gpu.courier().wait_until_told();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  gpu.courier().break_off();
  sender.join();
  CHECK(gpu.courier().has_room());
}

/// Blocks fill a multiprocessor each: the fewer there are, the more is left for kernels.
void test_the_courier_runs_when_each_of_its_parts_runs() {
  Played gpu(false, 3);
  const uint32_t parts = 3 + gpu.launch.ring_count;
  CHECK(parts == gpu.courier().parts() && gpu.courier().blocks() == (parts + COURIER_PARTS - 1) / COURIER_PARTS);
  gpu.courier().begin();
  for (uint32_t part = parts; part-- > 0;) {
    CHECK(!gpu.courier().is_running());
    store_release(gpu.launch.running + part * COURIER_WORDS_APART, 1u);
  }
  CHECK(gpu.courier().is_running());
  gpu.courier().begin();  // the next one has to say so again
  CHECK(!gpu.courier().is_running());
}

void test_what_a_write_back_brings_is_kept_until_it_is_done() {
  Played gpu;
  const uint32_t parcel_bytes = LINE_BYTES + LINE_BYTES / 8;
  for (uint32_t turn = 0; turn < 3000; turn++) {
    Request request{};
    request.opcode = Opcode::WRITE_BACK;
    request.lines[0] = 9;
    request.offset = 4096 * 9 + 100;
    request.length = 200;
    uint8_t* parcel = gpu.launch.parcels + uint64_t(turn % 4) * parcel_bytes;
    std::memset(parcel, int(turn & 255), LINE_BYTES);
    CHECK(gpu.courier().has_room());
    gpu.courier().keep_bytes(request, 0, turn % 4);
    std::memset(parcel, 0xee, LINE_BYTES);  // the slot of the ring is somebody else's by now
    const uint8_t* kept = gpu.courier().kept_line(9);
    for (uint32_t at = 100; at < 300; at++) CHECK(kept[at] == (turn & 255));
    gpu.courier().line_done(9, {turn + 1, 0});
    CHECK(gpu.courier().kept_line(9) == nullptr);
    CHECK(gpu.take(0).bytes_at == COURIER_NO_BYTES);
  }
}

void test_a_line_that_is_filled_brings_nothing_along() {
  Played gpu;
  Request request{};
  request.opcode = Opcode::WRITE_BACK;
  request.length = 1;
  for (const uint32_t line : {11u, 100000u}) {
    request.lines[0] = line;
    if (line == 11) gpu.courier().fill_place(11);
    gpu.courier().keep_bytes(request, 0, 0);
  }
  CHECK(gpu.courier().kept_line(11) == nullptr);
}

void test_a_daemon_fills_and_writes_back_through_it() {
  PlayedFolder folder(3);
  {
    PlayedMount mount(folder.path.string());
    const uint32_t handle = mount.open("a.bin", OPEN_WRITE);
    mount.post(mount.fill(handle, 40, 3));
    for (uint32_t i = 0; i < 3; i++) {
      const CourierMessage message = mount.gpu.take(0);
      CHECK(message.index == 40 + i && message.result == 0 && message.answers == 1);
      CHECK(std::memcmp(mount.gpu.stage(message), folder.bytes.data() + i * LINE_BYTES, LINE_BYTES) == 0);
    }
    std::memset(mount.parcel() + 10, 'x', 20);
    mount.post(mount.write_back(handle, 41, LINE_BYTES + 10, 20));
    const CourierMessage done = mount.gpu.take(0);
    CHECK(done.index == 41 && done.result == 0 && done.answers == 2 && done.bytes_at == COURIER_NO_BYTES);
    mount.daemon->wait_until_drained();
  }
  std::memset(folder.bytes.data() + LINE_BYTES + 10, 'x', 20);
  CHECK(folder.read() == folder.bytes);
}

}  // namespace

void run_all() {
  RUN_TEST(test_a_line_comes_with_its_bytes);
  RUN_TEST(test_a_failed_line_comes_without_bytes_and_keeps_no_stage);
  RUN_TEST(test_stages_come_back_when_their_messages_were_delivered);
  RUN_TEST(test_a_full_channel_waits_and_keeps_the_order);
  RUN_TEST(test_each_thread_has_a_channel_of_its_own);
  RUN_TEST(test_a_lost_gpu_keeps_nobody_waiting);
  RUN_TEST(test_the_courier_runs_when_each_of_its_parts_runs);
  RUN_TEST(test_what_a_write_back_brings_is_kept_until_it_is_done);
  RUN_TEST(test_a_line_that_is_filled_brings_nothing_along);
  RUN_TEST(test_a_daemon_fills_and_writes_back_through_it);
  run_push_tests();
  run_loss_tests();
  run_window_tests();
}

}  // namespace warpfs::cuda

int main() {
  warpfs::cuda::run_all();
  return 0;
}
