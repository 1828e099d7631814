// What a sync stands for, and what the engine does when the system moves less than it was asked to.
#include "daemon_test.h"
#include "file_table.h"
#include "io_engine.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace warpfs::test {

namespace {

/// One transfer whose system calls are played.
struct Played {
  Played(const Folder& folder) : gpu(small_geometry()), limits(limits_of(gpu.memory.geometry(), false)), paths(folder.path),
      table(gpu.view, 64, paths, false), answers(gpu.view, limits), end(table, answers, bell) {
    handle = table.open("a", CREATE, Hurry::NO);
    CHECK(handle >= 0);
    transfer.file = table.acquire(uint32_t(handle));
    transfer.counters = &counters;
    transfer.offset = 4096 + 100;
    transfer.remaining = 1000;
    transfer.end = transfer.offset + transfer.remaining;
    transfer.part_count = transfer.line_count = 1;
    transfer.write = true;
    transfer.file_id = gpu.entry(handle).file_id;
    transfer.parts[0] = {gpu.line(0) + 100, 1000};
    CHECK(end.begin(transfer) == Begin::MOVE);
  }
  Gpu gpu;
  const RequestLimits limits;
  PathResolver paths;
  FileTable table;
  Answers answers;
  FinishedBell bell;
  TransferEnd end;
  Counters counters;
  Transfer transfer{};
  int32_t handle = 0;
};

void short_writes() {
  Folder folder;
  Played played(folder);
  Transfer& transfer = played.transfer;
  const auto at = [&](uint64_t moved) {
    CHECK_EQUAL(transfer.offset, 4196 + moved);
    CHECK_EQUAL(transfer.remaining, 1000 - moved);
    CHECK(transfer.parts[0].iov_base == played.gpu.line(0) + 100 + moved);
    CHECK_EQUAL(transfer.parts[0].iov_len, 1000 - moved);
  };
  CHECK(!played.end.take(transfer, -EINTR));
  at(0);
  CHECK(!played.end.take(transfer, 1));
  at(1);
  CHECK(!played.end.take(transfer, 700));
  at(701);
  CHECK(!played.end.take(transfer, -EINTR));
  at(701);
  CHECK_EQUAL(played.gpu.view.dones[0].sequence, 0);
  CHECK(played.end.take(transfer, 299));
  CHECK_EQUAL(played.gpu.view.dones[0].sequence, 1);
  CHECK_EQUAL(played.gpu.view.dones[0].result, 0);
  CHECK_EQUAL(played.table.close(uint32_t(played.handle), false, Hurry::NO), 0);
}

/// Nothing written and no reason given is an error, also behind a part that was written.
void no_progress(int64_t first) {
  Folder folder;
  Played played(folder);
  if (first != 0) CHECK(!played.end.take(played.transfer, first));
  CHECK(played.end.take(played.transfer, 0));
  CHECK_EQUAL(played.gpu.view.dones[0].result, -EIO);
  CHECK_EQUAL(played.table.close(uint32_t(played.handle), false, Hurry::NO), -EIO);
}

/// Masks and short writes together: each run is ended before the next one begins.
void short_runs() {
  Folder folder;
  Played played(folder);
  Transfer& transfer = played.transfer;
  played.end.put_off(transfer);
  uint32_t* mask = played.gpu.mask(1);
  mask[1] = 0x0000ff00;  // bytes 40 to 47
  mask[3] = 0x00000001;  // byte 96
  transfer.offset = 4096;
  transfer.use_mask(mask, played.gpu.line(0), 4096);
  CHECK_EQUAL(transfer.end, 4096 + 97);
  CHECK(transfer.next_run());
  CHECK(played.end.begin(transfer) == Begin::MOVE);
  CHECK_EQUAL(transfer.offset, 4096 + 40);
  CHECK(!played.end.take(transfer, 3));
  CHECK_EQUAL(transfer.offset, 4096 + 43);
  CHECK_EQUAL(transfer.remaining, 5);
  mask[3] = 0x00000003;  // too late
  CHECK(!played.end.take(transfer, 5));
  CHECK_EQUAL(transfer.offset, 4096 + 96);
  CHECK(transfer.parts[0].iov_base == played.gpu.line(0) + 96);
  CHECK_EQUAL(transfer.parts[0].iov_len, 1);
  CHECK(played.end.take(transfer, 1));
  CHECK_EQUAL(played.gpu.view.dones[0].result, 0);
  CHECK_EQUAL(played.table.extend(played.table.acquire(uint32_t(played.handle)), 0), 4096 + 1100);  // as the unmasked begin left it
}

/// A sync writes out a size that ends in a hole, and asks for the new name wherever that has moved to.
void sizes_and_names() {
  Folder folder;
  std::filesystem::create_directory(folder.at("d"));
  Mount m(folder);
  Gpu& gpu = m.gpu;
  const int32_t file = gpu.open("a", CREATE);
  CHECK_EQUAL(gpu.extend(file, 100000).result, 0);
  CHECK_EQUAL(std::filesystem::file_size(folder.at("a")), 0);
  CHECK_EQUAL(gpu.rename("a", "d/b"), 0);
  CHECK_EQUAL(gpu.sync(file), 0);
  CHECK_EQUAL(std::filesystem::file_size(folder.at("d/b")), 100000);
  CHECK_EQUAL(gpu.truncate(file, 200000).value, 200000);
  CHECK_EQUAL(m.daemon.sync_all(), 0);
  CHECK_EQUAL(std::filesystem::file_size(folder.at("d/b")), 200000);
  CHECK_EQUAL(gpu.close(file), 0);
}

}  // namespace

void test_durability() {
  test("a short write goes on from the exact byte", short_writes);
  test("a write of nothing is an error", [] { no_progress(0); });
  test("a write of nothing behind a short one is an error", [] { no_progress(400); });
  test("short writes of scattered bytes", short_runs);
  test("a sync writes out sizes and names", sizes_and_names);
}

}  // namespace warpfs::test
