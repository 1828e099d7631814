// The same where copy engines move the bytes of lines.
#include "courier_test.h"
#include "courier_test_driver.h"

#include <thread>

namespace warpfs::cuda {

namespace {

constexpr auto A_WHILE = std::chrono::milliseconds(20);  // in which what may not happen would

PlayedEngine& engine() { return played_engine(); }

template <typename Condition>
void wait_until(Condition&& condition) {
  const auto begin = std::chrono::steady_clock::now();
  while (!condition()) {
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
    std::this_thread::yield();
  }
}

bool is_full_of(const uint8_t* bytes, uint8_t value) {
  for (uint32_t at = 0; at < LINE_BYTES; at++) {
    if (bytes[at] != value) return false;
  }
  return true;
}

void fill(Played& gpu, uint32_t line, uint8_t value, int32_t result = 0) {
  std::memset(gpu.courier().fill_place(line), value, LINE_BYTES);
  gpu.courier().line_done(line, {line + 1, result});
}

bool hears_nothing(Played& gpu) {
  std::this_thread::sleep_for(A_WHILE);
  CourierMessage message{};
  return !gpu.next(0, message);
}

void take_filled(Played& gpu, uint32_t line, uint8_t value) {
  const CourierMessage message = gpu.take(0);
  CHECK(message.kind == CourierKind::LINE && message.index == line && message.answers == line + 1 && message.result == 0);
  CHECK(message.bytes_at == COURIER_NO_BYTES && is_full_of(gpu.line(line), value));
}

void test_a_pushed_line_is_there_before_its_message() {
  for (const bool has_batches : {true, false}) {
    begin(has_batches);
    Played gpu(true);
    CHECK(gpu.launch.parcels == nullptr && gpu.courier().pusher()->has_batches() == has_batches);
    for (uint32_t line = 0; line < 3000; line++) {
      fill(gpu, line, uint8_t(line % 251));
      take_filled(gpu, line, uint8_t(line % 251));
    }
    CHECK((engine().calls() > 0) == has_batches && gpu.courier().is_delivered());
  }
}

void test_no_message_comes_before_its_copy_is_made() {
  begin();
  Played gpu(true);
  engine().hold(Way::TO_GPU);
  fill(gpu, 8, 1);
  wait_until([] { return engine().batches(Way::TO_GPU) == CopyBatches::IN_FLIGHT_MAX + 1; });  // the others were before the first kernel
  fill(gpu, 16, 2);
  CHECK(hears_nothing(gpu) && is_full_of(gpu.line(8), 0) && !gpu.courier().is_delivered());
  engine().hold(Way::TO_GPU, 1);
  take_filled(gpu, 8, 1);
  CHECK(hears_nothing(gpu) && is_full_of(gpu.line(16), 0));
  engine().let_all(Way::TO_GPU);
  take_filled(gpu, 16, 2);
  wait_until([&] { return gpu.courier().is_delivered(); });
}

void test_what_comes_while_the_engine_is_busy_goes_in_batches() {
  begin();
  Played gpu(true);
  engine().hold(Way::TO_GPU);
  const uint32_t before = engine().batches(Way::TO_GPU);
  constexpr uint32_t FIRST = CopyBatches::IN_FLIGHT_MAX, MORE = CopyBatches::COPIES_MAX * 3;
  for (uint32_t line = 0; line < FIRST; line++) {
    fill(gpu, line, 1);
    wait_until([&] { return engine().batches(Way::TO_GPU) - before == line + 1; });
  }
  for (uint32_t line = FIRST; line < FIRST + MORE; line++) fill(gpu, line, 2);
  std::this_thread::sleep_for(A_WHILE);
  CHECK(engine().batches(Way::TO_GPU) - before == FIRST);  // as many as may be in flight
  engine().let_all(Way::TO_GPU);
  for (uint32_t line = 0; line < FIRST + MORE; line++) take_filled(gpu, line, line < FIRST ? 1 : 2);
  CHECK(engine().largest(Way::TO_GPU) == CopyBatches::COPIES_MAX && engine().batches(Way::TO_GPU) - before <= FIRST + 5);
}

void test_a_stage_comes_back_with_its_copy() {
  begin();
  Played gpu(true);
  for (uint32_t turn = 0; turn < 3; turn++) {
    engine().hold(Way::TO_GPU);
    uint32_t sent = 0;
    for (; gpu.courier().has_room() && sent < 4000; sent++) fill(gpu, sent, uint8_t(turn + 1));
    CHECK(sent > 100 && sent < 4000);
    std::this_thread::sleep_for(A_WHILE);
    CHECK(!gpu.courier().has_room());
    engine().let_all(Way::TO_GPU);
    wait_until([&] { return gpu.courier().has_room(); });  // before the gpu has taken any message
    for (uint32_t line = 0; line < sent; line++) take_filled(gpu, line, uint8_t(turn + 1));
    wait_until([&] { return gpu.courier().is_delivered(); });
  }
  for (uint32_t turn = 0; turn < 10000; turn++) {  // a failed line has nothing to copy
    fill(gpu, 5, 9, -Errno::eio);
    CHECK(gpu.take(0).result == -Errno::eio);
  }
  CHECK(gpu.courier().has_room());
}

void test_a_copy_that_fails_keeps_nobody_waiting() {
  for (const bool at_begin : {true, false}) {
    begin();
    Played gpu(true);
    engine().hold(Way::TO_GPU);
    fill(gpu, 8, 1);
    fill(gpu, 9, 1);
    engine().fail(at_begin ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS, at_begin ? CUDA_SUCCESS : CUDA_ERROR_ILLEGAL_ADDRESS);
    fill(gpu, 10, 1);
    wait_until([&] { return gpu.courier().pusher()->failure() != CUDA_SUCCESS && gpu.courier().is_delivered(); });
    CHECK(gpu.courier().pusher()->failure() == (at_begin ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_ILLEGAL_ADDRESS));
    engine().fail(CUDA_SUCCESS, CUDA_SUCCESS);
    for (uint32_t line = 16; line < 4000; line++) {  // more than there are stages
      wait_until([&] { return gpu.courier().has_room(); });
      fill(gpu, line, 1);
    }
    CHECK(hears_nothing(gpu));
  }
}

void test_a_gpu_that_is_lost_or_let_go_is_not_waited_for() {
  for (const bool lost : {true, false}) {
    begin();
    Played gpu(true);
    engine().hold(Way::TO_GPU);
    for (uint32_t line = 0; line < 1000; line++) fill(gpu, line, 1);
    if (lost) {
      gpu.courier().break_off();
      wait_until([&] { return gpu.courier().is_delivered() && gpu.courier().has_room(); });
      gpu.courier().wait_until_told();
    } else {
      gpu.memory.stop();
      CHECK(gpu.courier().is_delivered());
      fill(gpu, 2000, 1);  // nobody is there any more
      CHECK(gpu.courier().is_delivered());
    }
  }
}

void test_write_backs_are_fetched_before_they_are_served() {
  for (const bool has_batches : {true, false}) {
    begin(has_batches);
    PlayedFolder folder(3);
    {
      PlayedMount mount(folder.path.string(), true);
      const uint32_t handle = mount.open("a.bin", OPEN_WRITE);
      mount.post(mount.fill(handle, 40, 3));
      for (uint32_t i = 0; i < 3; i++) {
        const CourierMessage message = mount.gpu.take(0);
        CHECK(message.index == 40 + i && message.bytes_at == COURIER_NO_BYTES);
        CHECK(std::memcmp(mount.gpu.line(40 + i), folder.bytes.data() + i * LINE_BYTES, LINE_BYTES) == 0);
      }
      engine().hold(Way::FROM_GPU);
      std::memset(mount.gpu.line(41), 'x', LINE_BYTES);
      mount.post(mount.write_back(handle, 41, LINE_BYTES + 10, 20));
      std::memset(mount.gpu.line(42), 'y', LINE_BYTES);
      Request masked = mount.write_back(handle, 42, 2 * LINE_BYTES, LINE_BYTES);
      masked.lines[1] = 7 + 1;
      mount.gpu.mask(7)[0] = 0x80000001u;
      mount.gpu.mask(7)[LINE_BYTES / 32 - 1] = 0x10u;
      mount.post(masked);
      CHECK(hears_nothing(mount.gpu) && folder.read() == folder.bytes);
      mount.post(mount.fill(handle, 50, 1));  // what goes the other way is not held up
      CHECK(mount.gpu.take(0).result == 0);
      engine().let_all(Way::FROM_GPU);
      for (const uint32_t line : {41u, 42u}) {
        const CourierMessage done = mount.gpu.take(0);
        CHECK(done.index == line && done.result == 0 && done.answers == 2 && done.bytes_at == COURIER_NO_BYTES);
      }
      mount.daemon->wait_until_drained();
      constexpr uint32_t LINES = 16, TURNS = KeptBytes::PLACES / LINES + 6;  // each place is used again and again
      for (uint32_t turn = 1; turn <= TURNS; turn++) {
        for (uint32_t line = 0; line < LINES; line++) {
          mount.gpu.line(line)[line] = uint8_t(turn);
          mount.post(mount.write_back(handle, line, line, 1));
        }
        for (uint32_t line = 0; line < LINES; line++) CHECK(mount.gpu.take(0).result == 0);
      }
      std::memset(folder.bytes.data(), char(TURNS), LINES);
    }
    std::memset(folder.bytes.data() + LINE_BYTES + 10, 'x', 20);
    for (const uint32_t at : {0u, 31u, LINE_BYTES - 32 + 4}) folder.bytes[2 * LINE_BYTES + at] = 'y';
    CHECK(folder.read() == folder.bytes);
  }
}

void test_what_could_not_be_fetched_is_not_written() {
  for (const bool stopped : {true, false}) {
    begin();
    PlayedFolder folder(3);
    {
      PlayedMount mount(folder.path.string(), true);
      const uint32_t handle = mount.open("a.bin", OPEN_WRITE);
      engine().hold(Way::FROM_GPU);
      for (uint32_t line = 41; line < 45; line++) mount.post(mount.write_back(handle, line, LINE_BYTES, 100));
      wait_until([] { return engine().batches(Way::FROM_GPU) > CopyBatches::IN_FLIGHT_MAX; });
      if (!stopped) {
        engine().fail(CUDA_SUCCESS, CUDA_ERROR_ILLEGAL_ADDRESS);
        mount.daemon->wait_until_drained();
        CHECK(mount.daemon->stats().refused == 4);
      }
    }
    CHECK(folder.read() == folder.bytes);
  }
}

}  // namespace

void run_push_tests() {
  RUN_TEST(test_a_pushed_line_is_there_before_its_message);
  RUN_TEST(test_no_message_comes_before_its_copy_is_made);
  RUN_TEST(test_what_comes_while_the_engine_is_busy_goes_in_batches);
  RUN_TEST(test_a_stage_comes_back_with_its_copy);
  RUN_TEST(test_a_copy_that_fails_keeps_nobody_waiting);
  RUN_TEST(test_a_gpu_that_is_lost_or_let_go_is_not_waited_for);
  RUN_TEST(test_write_backs_are_fetched_before_they_are_served);
  RUN_TEST(test_what_could_not_be_fetched_is_not_written);
}

}  // namespace warpfs::cuda
