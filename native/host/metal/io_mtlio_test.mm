// The corners of the engine mtlio: a program that plays the gpu asks a daemon for lines, and the fake Metal reads them.
#include "../daemon_test.h"
#include "../io_engine.h"  // before Foundation, which makes macros of YES and NO

#include "../../metal_fake/fake_io.h"
#include "../../metal_fake/fake_tests.h"
#include "gpu.h"
#include "metal.h"

#include <cerrno>
#include <fcntl.h>

using namespace warpfs;
using namespace warpfs::test;
using namespace warpfs::metal_fake;
using namespace std::chrono_literals;

namespace {

constexpr uint32_t LINE = 4096;

Geometry many_lines() {
  Geometry g = small_geometry(512, 1);
  g.line_count = 4096;
  return g;
}

/// A folder with a file, and what a mount on the metal device is made of, without the device.
struct Rig {
  explicit Rig(size_t file_bytes, const Geometry& geometry = small_geometry()) : bytes(pattern(file_bytes)), gpu(geometry), metal(gpu.memory) {
    write_file(folder.at("a.bin"), bytes);
    begin(metal);
  }
  ~Rig() {
    daemon->end_dispatch();
    daemon.reset();
    inject_io({});
    before_open(nullptr);
  }
  /// A daemon whose engine reads into the memory of `into`.
  void begin(metal::Gpu& into) {
    if (daemon) daemon->end_dispatch();
    daemon.reset();
    DaemonOptions options{.root = folder.path, .io = "mtlio"};
    options.device_engine = metal::mtlio_maker(into);
    daemon = std::make_unique<Daemon>(gpu.view, options);
    daemon->begin_dispatch();
    take_io_counts();
  }
  bool line_is(uint32_t line, uint64_t offset) {
    std::string wanted = offset < bytes.size() ? bytes.substr(offset, LINE) : "";
    wanted.resize(LINE);
    return std::memcmp(gpu.line(line), wanted.data(), LINE) == 0;
  }

  Folder folder;
  const std::string bytes;
  test::Gpu gpu;
  metal::Gpu metal;
  std::unique_ptr<Daemon> daemon;
};

void metal_reads_into_the_lines() {
  Rig rig(20 * LINE);
  CHECK(rig.daemon->engine() == "mtlio" && rig.daemon->engine_note().empty());
  const int32_t file = rig.gpu.open("a.bin", READ);
  for (uint32_t line = 0; line < 20; line++) CHECK_EQUAL(rig.gpu.fill(file, line * LINE, line), 0);
  for (uint32_t line = 0; line < 20; line++) CHECK(rig.line_is(line, line * LINE));
  const IoCounts counts = take_io_counts();
  CHECK_EQUAL(counts.into_buffers, 20);
  CHECK_EQUAL(counts.into_bytes, 0);
  CHECK_EQUAL(counts.files, 1);
  CHECK_EQUAL(rig.daemon->stats().bytes_read, 20 * LINE);
}

/// Lines that the GPU does not know are loaded all the same.
void lines_elsewhere_are_loaded_as_bytes() {
  Rig rig(4 * LINE);
  MountMemory other(small_geometry());
  metal::Gpu beside(other);
  rig.begin(beside);
  CHECK_EQUAL(rig.gpu.fill(rig.gpu.open("a.bin", READ), LINE, 3), 0);
  CHECK(rig.line_is(3, LINE));
  const IoCounts counts = take_io_counts();
  CHECK(counts.into_bytes == 1 && counts.into_buffers == 0);
  rig.begin(rig.metal);
}

void many_transfers_share_command_buffers() {
  Rig rig(4096 * LINE, many_lines());
  const int32_t file = rig.gpu.open("a.bin", READ);
  rig.daemon->end_dispatch();  // the rings fill first
  for (uint32_t first = 0; first < 4096; first += 8) {
    std::vector<uint32_t> lines;
    for (uint32_t line = first; line < first + 8; line++) lines.push_back(4095 - line);
    rig.gpu.post(rig.gpu.fill_request(file, first * LINE, lines));
  }
  inject_io({.count = 8, .delay = 1ms});
  rig.daemon->begin_dispatch();
  for (uint32_t line = 0; line < 4096; line++) Gpu::wait([&] { return load_acquire(&rig.gpu.view.dones[line].sequence) == 1; });
  for (uint32_t line = 0; line < 4096; line++) CHECK(rig.line_is(4095 - line, line * LINE));
  const IoCounts counts = take_io_counts();
  CHECK_EQUAL(counts.into_buffers, 4096);
  CHECK(counts.command_buffers <= 64);
}

void pread_reads_where_files_end() {
  Rig rig(2 * LINE + 100);
  const int32_t file = rig.gpu.open("a.bin", READ_WRITE);
  std::memset(rig.gpu.line(7), 0xee, LINE);
  std::memset(rig.gpu.line(8), 0xee, LINE);
  CHECK_EQUAL(rig.gpu.fill(file, 2 * LINE, 7), 0);
  CHECK_EQUAL(rig.gpu.fill(file, 9 * LINE, 8), 0);
  CHECK(rig.line_is(7, 2 * LINE) && rig.line_is(8, 9 * LINE));
  CHECK_EQUAL(take_io_counts().into_buffers, 0);
  // Once it is long enough Metal reads there.
  std::memset(rig.gpu.line(9), 'w', LINE);
  CHECK_EQUAL(rig.gpu.write_back(file, 2 * LINE, LINE, 9), 0);
  CHECK_EQUAL(rig.gpu.fill(file, 2 * LINE, 7), 0);
  CHECK(std::memcmp(rig.gpu.line(7), rig.gpu.line(9), LINE) == 0);
  CHECK_EQUAL(take_io_counts().into_buffers, 1);
  CHECK(rig.daemon->engine_note().empty());
}

void what_metal_cannot_load_pread_reads() {
  for (const MTLIOStatus status : {MTLIOStatusError, MTLIOStatusCancelled}) {
    Rig rig(8 * LINE);
    const int32_t file = rig.gpu.open("a.bin", READ);
    inject_io({.status = status, .count = 1});
    CHECK_EQUAL(rig.gpu.fill(file, 0, 1), 0);
    CHECK_EQUAL(rig.gpu.fill(file, LINE, 2), 0);
    CHECK(rig.line_is(1, 0) && rig.line_is(2, LINE));
    CHECK(rig.daemon->engine_note() == std::string("1 command buffers failed and were read again by pread, the last because: ") +
                                           (status == MTLIOStatusError ? "injected" : "it was cancelled"));
  }
}

void the_error_of_the_file_system_is_told() {
  Rig rig(8 * LINE);
  const int32_t file = rig.gpu.open("a.bin", READ);
  // Metal's own error says nothing; the call that follows it does.
  inject_io({.status = MTLIOStatusError, .count = 1});
  rig.daemon->host_calls().inject({.call = 2, .error = ENOSPC, .for_good = false, .kinds = kind_bit(CallKind::READ)});
  CHECK_EQUAL(rig.gpu.fill(file, 0, 1), -Errno::enospc);
  rig.daemon->host_calls().inject({.call = 1, .error = EIO, .for_good = false, .kinds = kind_bit(CallKind::READ)});
  CHECK_EQUAL(rig.gpu.fill(file, 0, 1), -Errno::eio);
  // A load that a test makes short goes on from the exact byte.
  rig.daemon->host_calls().inject({.call = 1, .error = 0, .for_good = true, .kinds = kind_bit(CallKind::READ)});
  CHECK_EQUAL(rig.gpu.fill(file, LINE, 1), 0);
  CHECK(rig.line_is(1, LINE));
  CHECK(take_io_counts().into_buffers > 8);
}

void a_file_that_gets_shorter_leaves_zeros() {
  for (const bool behind : {false, true}) {
    Rig rig(8 * LINE);
    const int32_t file = rig.gpu.open("a.bin", READ);
    std::memset(rig.gpu.line(1), 0xee, LINE);
    const uint32_t before = rig.gpu.view.dones[1].sequence;
    inject_io({.count = 1, .delay = behind ? 0ms : 50ms, .late = behind ? 50ms : 0ms});
    rig.gpu.post(rig.gpu.fill_request(file, 4 * LINE, {1}));
    Gpu::wait([] { return take_io_counts().command_buffers != 0; });
    std::this_thread::sleep_for(20ms);
    std::filesystem::resize_file(rig.folder.at("a.bin"), 4 * LINE + 10);
    CHECK_EQUAL(rig.gpu.wait_line(1, before), 0);
    CHECK(std::memcmp(rig.gpu.line(1), rig.bytes.data() + 4 * LINE, 10) == 0);
    for (uint32_t i = 10; i < LINE; i++) CHECK_EQUAL(rig.gpu.line(1)[i], 0);
  }
}

void a_renamed_file_is_still_the_file() {
  Rig rig(8 * LINE);
  const int32_t file = rig.gpu.open("a.bin", READ);
  CHECK_EQUAL(rig.gpu.rename("a.bin", "b.bin"), 0);
  write_file(rig.folder.at("a.bin"), std::string(8 * LINE, 'x'));
  CHECK_EQUAL(rig.gpu.fill(file, LINE, 1), 0);
  CHECK(rig.line_is(1, LINE));
  CHECK_EQUAL(take_io_counts().into_buffers, 1);
  std::filesystem::rename(rig.folder.at("a.bin"), rig.folder.at("b.bin"));  // now it has no name, but its handle is open
  CHECK_EQUAL(rig.gpu.fill(file, 2 * LINE, 2), 0);
  CHECK(rig.line_is(2, 2 * LINE));
  CHECK(rig.daemon->engine_note().empty());
}

/// Metal opens by path: who swaps the files right then must not have another one read.
void another_file_at_the_path_is_not_read() {
  Rig rig(8 * LINE);
  write_file(rig.folder.at("other.bin"), std::string(8 * LINE, 'x'));
  const int32_t file = rig.gpu.open("a.bin", READ);
  // On a thread of the daemon, whose sandbox knows renameat alone.
  before_open([&](const std::string& path) { CHECK(renameat(AT_FDCWD, rig.folder.at("other.bin").c_str(), AT_FDCWD, path.c_str()) == 0); });
  CHECK_EQUAL(rig.gpu.fill(file, LINE, 1), 0);
  CHECK_EQUAL(rig.gpu.fill(file, 2 * LINE, 2), 0);
  CHECK(rig.line_is(1, LINE) && rig.line_is(2, 2 * LINE));
  const IoCounts counts = take_io_counts();
  CHECK(counts.files == 1 && counts.into_buffers == 0);
  CHECK(rig.daemon->engine_note() == "1 times pread reads a file: the last because what is at " + rig.folder.at("a.bin") + " is another file than the one that is open");
}

bool has_open_files() { return live_objects().find("FakeIoFile") != std::string::npos; }

void handles_are_of_one_identity_and_go_with_their_file() {
  Rig rig(8 * LINE);
  const int32_t file = rig.gpu.open("a.bin", READ_WRITE);
  for (uint32_t line = 0; line < 4; line++) CHECK_EQUAL(rig.gpu.fill(file, line * LINE, line), 0);
  CHECK_EQUAL(take_io_counts().files, 1);
  CHECK_EQUAL(rig.gpu.truncate(file, 6 * LINE).result, 0);
  CHECK_EQUAL(rig.gpu.fill(file, 0, 5), 0);
  CHECK_EQUAL(take_io_counts().files, 1);
  CHECK(has_open_files());
  CHECK_EQUAL(rig.gpu.unlink("a.bin"), 0);
  CHECK_EQUAL(rig.gpu.close(file), 0);
  Gpu::wait([] { return !has_open_files(); });
}

void without_a_queue_pread_reads_and_says_why() {
  Machine without;
  without.reads_files = false;
  play(without);
  Rig rig(4 * LINE);
  play({});
  CHECK(rig.daemon->engine() == "pread");
  CHECK(rig.daemon->engine_note() == "mtlio: no queue: no queue for files");
  CHECK_EQUAL(rig.gpu.fill(rig.gpu.open("a.bin", READ), LINE, 1), 0);
  CHECK(rig.line_is(1, LINE));
  std::string refused;
  try {
    Daemon other(rig.gpu.view, {.root = rig.folder.path, .io = "mtlio"});
  } catch (const std::exception& error) {
    refused = error.what();
  }
  CHECK(refused.find("only the metal device has it") != std::string::npos);
}

/// Nothing that the documentation forbids was done, and nothing is left.
void clean(const char* name, void (*body)()) {
  test::test(name, [&] {
    body();
    CHECK(take_violations().empty());
    check_left_behind();
  });
}

}  // namespace

int main() {
  clean("metal reads into the lines", metal_reads_into_the_lines);
  clean("lines elsewhere are loaded as bytes", lines_elsewhere_are_loaded_as_bytes);
  clean("many transfers share command buffers", many_transfers_share_command_buffers);
  clean("pread reads where files end", pread_reads_where_files_end);
  clean("what metal cannot load pread reads", what_metal_cannot_load_pread_reads);
  clean("the error of the file system is told", the_error_of_the_file_system_is_told);
  clean("a file that gets shorter leaves zeros", a_file_that_gets_shorter_leaves_zeros);
  clean("a renamed file is still the file", a_renamed_file_is_still_the_file);
  clean("another file at the path is not read", another_file_at_the_path_is_not_read);
  clean("handles are of one identity and go with their file", handles_are_of_one_identity_and_go_with_their_file);
  clean("without a queue pread reads and says why", without_a_queue_pread_reads_and_says_why);
  return 0;
}
