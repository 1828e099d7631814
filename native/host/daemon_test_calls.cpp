// The seam that all calls of the host go through: what it counts, what it makes fail, what it records.
#include "daemon_test.h"

#include <cerrno>

namespace warpfs::test {

namespace {

CallFault fault_of(uint64_t call, int error, uint32_t kinds = ALL_KINDS, bool for_good = false) {
  return {.call = call, .error = error, .for_good = for_good, .kinds = kinds};
}

void nobody_counts(const char* io) {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(4096));
  Mount m(folder, small_geometry(), {.io = io});
  const int32_t file = m.gpu.open("a.bin", 0);
  CHECK_EQUAL(m.gpu.fill(file, 0, 1), 0);
  CHECK_EQUAL(m.daemon.host_calls().count(), 0);
  m.daemon.host_calls().inject(fault_of(1000000, EIO));
  CHECK_EQUAL(m.gpu.fill(file, 0, 2), 0);
  CHECK(m.daemon.host_calls().count() >= 1);
  CHECK_EQUAL(m.daemon.host_calls().injected(), 0);
}

void nth_call_fails(const char* io) {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(8192));
  Mount m(folder, small_geometry(), {.io = io});
  HostCalls& calls = m.daemon.host_calls();
  const int32_t file = m.gpu.open("a.bin", OPEN_WRITE);
  const uint32_t reads = kind_bit(CallKind::READ), writes = kind_bit(CallKind::WRITE);
  // A file system that refuses to say at once whether it would block is asked twice; afterwards it is known.
  CHECK_EQUAL(m.gpu.fill(file, 0, 0), 0);
  CHECK_EQUAL(m.gpu.write_back(file, 0, 4096, 0), 0);

  calls.inject(fault_of(2, EIO, reads));
  CHECK_EQUAL(m.gpu.fill(file, 0, 1), 0);
  CHECK_EQUAL(m.gpu.fill(file, 0, 2), -Errno::eio);
  CHECK_EQUAL(m.gpu.fill(file, 0, 3), 0);
  CHECK_EQUAL(calls.injected(), 1);

  calls.inject(fault_of(1, ENOSPC, writes, true));
  CHECK_EQUAL(m.gpu.write_back(file, 0, 4096, 1), -Errno::enospc);
  CHECK_EQUAL(m.gpu.write_back(file, 0, 4096, 1), -Errno::enospc);
  CHECK_EQUAL(m.gpu.fill(file, 0, 2), 0);  // another kind
  CHECK_EQUAL(calls.injected(), 2);
  calls.lift();
  CHECK_EQUAL(m.gpu.write_back(file, 0, 4096, 1), 0);

  calls.inject(fault_of(1, EDQUOT, kind_bit(CallKind::SYNC)));
  CHECK_EQUAL(m.gpu.sync(file), -Errno::edquot);
  CHECK_EQUAL(m.gpu.sync(file), 0);
  write_file(folder.at("b.bin"), pattern(10));  // a.bin is open, and would be shared
  calls.inject(fault_of(1, EACCES, kind_bit(CallKind::OPEN), true));  // once would not do: an open tries without waiting first
  CHECK_EQUAL(m.gpu.open("b.bin", 0), -Errno::eacces);
  calls.inject(fault_of(1, EINTR, reads | writes));  // is done again, nobody hears of it
  CHECK_EQUAL(m.gpu.fill(file, 0, 2), 0);
  CHECK_EQUAL(calls.injected(), 1);
}

void short_ones_go_on(const char* io) {
  Folder folder;
  const std::string bytes = pattern(3 * 4096 + 100);
  write_file(folder.at("a.bin"), bytes);
  Mount m(folder, small_geometry(), {.io = io});
  HostCalls& calls = m.daemon.host_calls();
  const int32_t file = m.gpu.open("a.bin", OPEN_WRITE);
  calls.inject(fault_of(1, 0, ALL_KINDS, true));  // each moves only half of what it is asked for
  CHECK_EQUAL(m.gpu.ask_lines(m.gpu.fill_request(file, 0, {5, 9, 7}), 7), 0);
  CHECK(std::memcmp(m.gpu.line(5), bytes.data(), 4096) == 0);
  CHECK(std::memcmp(m.gpu.line(9), bytes.data() + 4096, 4096) == 0);
  CHECK(std::memcmp(m.gpu.line(7), bytes.data() + 8192, 4096) == 0);
  CHECK(calls.injected() > 10);
  const std::string other = pattern(4096, 2);
  std::memcpy(m.gpu.line(1), other.data(), 4096);
  CHECK_EQUAL(m.gpu.write_back(file, 4096 + 1, 4095, 1), 0);
  calls.lift();
  CHECK_EQUAL(m.gpu.sync(file), 0);
  CHECK(read_file(folder.at("a.bin")) == bytes.substr(0, 4097) + other.substr(1) + bytes.substr(8192));
}

void mounts_are_apart() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(4096));
  Mount one(folder), two(folder);
  const int32_t in_one = one.gpu.open("a.bin", 0);
  const int32_t in_two = two.gpu.open("a.bin", 0);
  one.daemon.host_calls().inject(fault_of(1, EIO, ALL_KINDS, true));
  CHECK_EQUAL(one.gpu.fill(in_one, 0, 1), -Errno::eio);
  CHECK_EQUAL(two.gpu.fill(in_two, 0, 1), 0);
  CHECK_EQUAL(two.daemon.host_calls().count(), 0);
}

void log_of_calls(const char* io) {
  Folder folder;
  Mount m(folder, small_geometry(), {.io = io});
  CallLog log;
  m.daemon.host_calls().record_in(&log);
  const int32_t file = m.gpu.open("new.bin", OPEN_WRITE | OPEN_CREATE);
  const std::string bytes = pattern(4096);
  std::memcpy(m.gpu.line(3), bytes.data(), 4096);
  CHECK_EQUAL(m.gpu.write_back(file, 8192 + 10, 1000, 3), 0);
  log.mark("written");
  CHECK_EQUAL(m.gpu.extend(file, 20000).result, 0);
  CHECK_EQUAL(m.gpu.sync(file), 0);
  m.daemon.host_calls().record_in(nullptr);
  CHECK_EQUAL(m.gpu.write_back(file, 0, 10, 3), 0);

  struct stat found{}, root{};
  CHECK_EQUAL(::stat(folder.at("new.bin").c_str(), &found), 0);
  CHECK_EQUAL(::stat(folder.path.c_str(), &root), 0);
  const FileNumber number{uint64_t(found.st_dev), uint64_t(found.st_ino)}, directory{uint64_t(root.st_dev), uint64_t(root.st_ino)};
  std::vector<CallEntry> entries;
  for (const CallEntry& entry : log.entries()) {
    CHECK(entry.mark || entry.ended > entry.began);
    if (entry.mark || entry.result >= 0) entries.push_back(entry);  // what would have blocked was tried once more
  }
  const auto is = [&](size_t at, CallKind kind, FileNumber which) { return at < entries.size() && entries[at].kind == kind && entries[at].file == which; };
  CHECK(is(0, CallKind::OPEN, number) && entries[0].directory == directory && entries[0].name == "new.bin");
  CHECK(is(1, CallKind::WRITE, number) && entries[1].offset == 8202 && entries[1].bytes == bytes.substr(10, 1000) && entries[1].result == 1000);
  CHECK(entries[2].mark && entries[2].name == "written" && entries[2].began > entries[1].ended);
  CHECK(is(3, CallKind::TRUNCATE, number) && entries[3].offset == 20000);
  size_t directory_synced = 0, data_synced = 0;
  for (size_t at = 4; at < entries.size(); at++) {
    if (is(at, CallKind::SYNC, directory)) directory_synced++;
    if (is(at, CallKind::SYNC, number)) data_synced++;
  }
  CHECK_EQUAL(directory_synced, 1);
  CHECK_EQUAL(data_synced, 1);
  CHECK_EQUAL(entries.size(), 6);
}

}  // namespace

void test_calls() {
  std::vector<const char*> engines = {"pread"};
#if defined(__linux__)
  engines.push_back("uring");
#endif
  for (const char* io : engines) {
    std::printf("   %s\n", io);
    test("calls are counted only while somebody watches", [io] { nobody_counts(io); });
    test("the n-th call fails as wished", [io] { nth_call_fails(io); });
    test("short reads and writes go on from the exact byte", [io] { short_ones_go_on(io); });
    test("the log of the calls says what was written and synced", [io] { log_of_calls(io); });
  }
  test("a fault of one mount is none of another", mounts_are_apart);
}

}  // namespace warpfs::test
