// What goes wrong on a GPU ends its mount, and with some errors all mounts of the process. The played driver fails the test where a call would wait for a kernel that never ends.
#include "device_cuda_test.h"

#include "../host_error.h"
#include "process_refusal.h"

#include <sys/wait.h>

#include <filesystem>
#include <thread>

namespace warpfs::cuda::played {

namespace {

using namespace warpfs::test;

const std::string BYTES = pattern(3000);

std::vector<std::vector<int32_t>> write_and_read(warpfs::Mount& mount, std::vector<std::string>* read = nullptr) {
  return run_programs(mount, {{open_step("a", OpenFor::STARTING_OVER), write_step(0, 0, BYTES), read_step(0, 0, uint32_t(BYTES.size()))}}, read);
}

void expect_working(const Place& place, bool replay) {
  warpfs::Mount mount(options_of(place, replay));
  std::vector<std::string> read;
  write_and_read(mount, &read);
  CHECK(read.at(0) == BYTES);
  CHECK_EQUAL(mount.unmount(false), 0);
  CHECK(read_file(place.root.at("a")) == BYTES);
}

void run_cubin(warpfs::Mount& mount, const Place& place, const std::string& text) {
  Dispatch dispatch;
  dispatch.module = place.cubin(text);
  dispatch.items = 4;
  mount.run(dispatch);
}

enum class Leaving { DISCARD, DESTROY };

void test_an_endless_kernel(bool replay, Leaving leaving) {
  begin(false);
  Place place;
  MountOptions options = options_of(place, replay);
  options.kernel_time_ms = 50;
  options.fill = "map";
  {
    warpfs::Mount mount(options);
    write_and_read(mount);
    const std::string told = failure_of([&] { run_cubin(mount, place, "endless"); });
    CHECK(has(told, "ETIMEDOUT running a kernel: it has not ended within 50 ms (option kernelTimeMs)") && has(told, "A new mount works, and shares the GPU"));
    CHECK(has(failure_of([&] { write_and_read(mount); }), "EIO this mount has lost its GPU: running a kernel"));
    CHECK(has(failure_of([&] { run_cubin(mount, place, "stray"); }), "EIO this mount has lost its GPU"));  // nothing is loaded there any more
    CHECK(has(failure_of([&] { mount.sync(); }), "EIO this mount has lost its GPU"));
    CHECK(mount.device().worker_count() > 0);
    CHECK(has(failure_of([&] { mount.unmount(false); }), "EIO"));
    if (leaving == Leaving::DISCARD) CHECK_EQUAL(mount.unmount(true), -Errno::eio);
  }
  const uint32_t leaked = left_behind();
  CHECK(leaked > 5);  // the context with all that is in it
  for (uint32_t next = 0; next < 3; next++) {
    expect_working(place, replay);
    CHECK_EQUAL(left_behind(), leaked + 1);  // a context that cannot be destroyed beside that kernel, and is used again
  }
}

/// The driver refuses the process: all is said and given back there, and another process works.
void expect_refused(const Place& place, const std::string& why) {
  CHECK_EQUAL(left_behind(), 0);
  CHECK(process_refusal() == why);
  CHECK(has(failure_of([&] { warpfs::Mount mount(options_of(place)); }), "EIO the driver does nothing more for this process since an error of a kernel in it: " + why));
  CHECK_EQUAL(left_behind(), 0);
  begin(false);
  CHECK(process_refusal().empty());
  expect_working(place, true);
}

void test_an_illegal_address(bool replay) {
  begin(false);
  Place place;
  {
    warpfs::Mount mount(options_of(place, replay));
    write_and_read(mount);
    const std::string told = failure_of([&] { run_cubin(mount, place, "stray"); });
    CHECK(has(told, "EIO running a kernel: error 700. This mount is lost") && has(told, "A new mount works, in a process of its own"));
    CHECK(has(failure_of([&] { write_and_read(mount); }), "EIO this mount has lost its GPU: running a kernel"));
    CHECK_EQUAL(mount.unmount(true), -Errno::eio);
  }
  expect_refused(place, "running a kernel: error 700");
}

/// One of them is busy when it happens, the others come to know of it by their next call.
void test_an_illegal_address_ends_the_other_mounts(bool replay) {
  begin(false);
  Place place, others;
  {
    warpfs::Mount mount(options_of(place, replay)), idle(options_of(others, replay)), unused(options_of(others, replay)), busy(options_of(others, replay));
    write_and_read(idle);
    std::string told;
    std::thread working([&] {
      told = failure_of([&] {
        for (;;) write_and_read(busy);
      });
    });
    while (!std::filesystem::exists(others.root.at("a"))) std::this_thread::yield();
    CHECK(has(failure_of([&] { run_cubin(mount, place, "stray"); }), "This mount is lost"));
    working.join();
    CHECK(has(told, "EIO ") && has(told, "A new mount works, in a process of its own"));
    CHECK(has(failure_of([&] { write_and_read(busy); }), "EIO this mount has lost its GPU: "));
    for (int turn = 0; turn < 2; turn++) {
      const std::string next = failure_of([&] { write_and_read(idle); });
      CHECK(has(next, "EIO this mount has lost its GPU: another kernel of this process made an error") && has(next, "nobody synced is lost with it. A new mount works, in a process of its own"));
    }
    CHECK(has(failure_of([&] { idle.sync(); }), "EIO this mount has lost its GPU: another kernel"));
    CHECK_EQUAL(idle.unmount(true), -Errno::eio);
  }
  CHECK_EQUAL(left_behind(), 0);
  CHECK(has(process_refusal(), ": error 700"));
}

/// No list has every error of a GPU that is gone.
void test_a_driver_that_makes_no_context_behind_a_lost_mount() {
  begin(false);
  Place place;
  const std::string refused = "making a context on a played GPU: error 999";
  refuse_contexts(CUDA_ERROR_UNKNOWN);
  CHECK(has(failure_of([&] { warpfs::Mount mount(options_of(place)); }), "EIO " + refused));
  CHECK(process_refusal().empty());  // nothing was lost: it could work next time
  begin(false);
  {
    warpfs::Mount mount(options_of(place));
    refuse_contexts(CUDA_ERROR_UNKNOWN);
    CHECK(has(failure_of([&] { write_and_read(mount); }), "EIO entering the context of the GPU: error 999. This mount is lost"));
    CHECK(process_refusal().empty());
    refuse_contexts(CUDA_ERROR_OUT_OF_MEMORY);
    CHECK(!failure_of([&] { warpfs::Mount next(options_of(place)); }).empty());
    CHECK(process_refusal().empty());
    refuse_contexts(CUDA_ERROR_UNKNOWN);
    CHECK(has(failure_of([&] { warpfs::Mount next(options_of(place)); }), "EIO " + refused));
  }
  expect_refused(place, refused);
}

/// What fails is not the kernel but a copy before it.
void test_a_context_that_is_found_dead() {
  begin(false);
  Place place;
  {
    warpfs::Mount mount(options_of(place));
    write_and_read(mount);
    die_unnoticed();
    CHECK(has(failure_of([&] { write_and_read(mount); }), "EIO giving a kernel its inputs: error 700. This mount is lost"));
    CHECK(has(failure_of([&] { write_and_read(mount); }), "EIO this mount has lost its GPU"));
  }
  expect_refused(place, "giving a kernel its inputs: error 700");
}

/// Whatever is given back is refused, and nobody was told before.
void test_a_context_that_dies_while_a_mount_is_made() {
  begin(false);
  Place place;
  die_unnoticed();
  CHECK(has(failure_of([&] { warpfs::Mount mount(options_of(place)); }), "EIO writing the geometry: error 700"));
  expect_refused(place, "writing the geometry: error 700");
}

void test_a_launch_that_is_refused_leaves_no_courier_behind() {
  begin(false);
  Place place;
  warpfs::Mount mount(options_of(place));
  write_and_read(mount);
  Dispatch dispatch;
  dispatch.items = 1;
  dispatch.group_memory_bytes = 1 << 20;
  for (int turn = 0; turn < 20; turn++) {
    CHECK(has(failure_of([&] { mount.run(dispatch); }), "EIO asking for group memory"));
    write_and_read(mount);
  }
  CHECK_EQUAL(mount.unmount(false), 0);
}

/// Prints without a newline, and ends with 7. Nobody unmounts.
[[noreturn]] void end_with_an_endless_kernel(const Place& place, int pipe_end) {
  dup2(pipe_end, STDOUT_FILENO);
  std::atexit([] { _exit(99); });  // the driver's, which was there first, and would wait
  MountOptions options = options_of(place);
  options.kernel_time_ms = 1;
  warpfs::Mount mount(options);
  CHECK(has(failure_of([&] { run_cubin(mount, place, "endless"); }), "ETIMEDOUT"));
  std::atexit([] { std::printf(" and handled"); });
  std::printf("told");
  std::exit(7);
}

[[maybe_unused]] void test_a_process_ends_as_it_would_have() {
  begin(false);
  Place place;
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) end_with_an_endless_kernel(place, ends[1]);
  close(ends[1]);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK_EQUAL(WEXITSTATUS(status), 7);
  char text[64] = {};
  CHECK(read(ends[0], text, sizeof text - 1) > 0);
  CHECK(std::string(text) == "told and handled");
  close(ends[0]);
}

}  // namespace

void test_exit() {
#if defined(__GLIBC__)
  test::test("a process with an endless kernel ends as it would have: its code, its output, but not the driver's handlers", test_a_process_ends_as_it_would_have);
#endif
}

void test_trouble() {
  for (const bool replay : {false, true}) {
    const std::string how = replay ? ", replay" : ", spin";
    test::test(("a kernel that never ends is never waited for, with discard" + how).c_str(), [&] { test_an_endless_kernel(replay, Leaving::DISCARD); });
    test::test(("a kernel that never ends is never waited for, without" + how).c_str(), [&] { test_an_endless_kernel(replay, Leaving::DESTROY); });
    test::test(("an illegal address ends its mount, and no other is made in this process" + how).c_str(), [&] { test_an_illegal_address(replay); });
    test::test(("an illegal address ends the other mounts of this process" + how).c_str(), [&] { test_an_illegal_address_ends_the_other_mounts(replay); });
  }
  test::test("a driver that makes no context behind a lost mount refuses this process", test_a_driver_that_makes_no_context_behind_a_lost_mount);
  test::test("a context that is found dead ends its mount", test_a_context_that_is_found_dead);
  test::test("a context that dies while a mount is made", test_a_context_that_dies_while_a_mount_is_made);
  test::test("a launch that is refused leaves no courier behind", test_a_launch_that_is_refused_leaves_no_courier_behind);
}

}  // namespace warpfs::cuda::played
