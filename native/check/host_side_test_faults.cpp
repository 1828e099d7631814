// Faults: they are reported to those they hit, and to nobody else.
#include "host_side_test.h"

#include <cerrno>
#include <map>
#include <set>

namespace warpfs::test {

namespace {

void errors() {
  Folder folder;
  write_file(folder.at("a.bin"), pattern(8192));
  Stage broken(folder, 1, {.eio = 1000});
  int32_t file = broken.open("a.bin", READ_WRITE);
  CHECK(file >= 0);
  CHECK_EQUAL(broken.fill(file, 0, 1), -EIO);
  CHECK_EQUAL(broken.write_back(file, 0, 10, 1), -EIO);
  CHECK_EQUAL(broken.ask(Gpu::request(Opcode::STAT, file)).value, 8192);
  CHECK_EQUAL(broken.host.faults_injected(), 2);
  CHECK_EQUAL(broken.host.errors_injected(), 2);
  Stage full(folder, 1, {.enospc = 1000});
  file = full.open("a.bin", READ_WRITE);
  CHECK_EQUAL(full.fill(file, 0, 1), 0);
  CHECK_EQUAL(full.write_back(file, 0, 10, 1), -ENOSPC);
  CHECK(read_file(folder.at("a.bin")) == pattern(8192));
}

/// Faults that a program never notices.
void hindrances(const HostFaults& faults) {
  Folder folder;
  const std::string bytes = pattern(64 * 4096);
  write_file(folder.at("a.bin"), bytes);
  Stage stage(folder, 6, faults);
  const int32_t file = stage.open("a.bin", READ_WRITE);
  for (uint32_t line = 0; line < 64; line += 8) {
    stage.gpu.post(stage.gpu.fill_request(file, line * 4096, {line, line + 1, line + 2, line + 3, line + 4, line + 5, line + 6, line + 7}));
  }
  stage.settle();
  CHECK(std::memcmp(stage.gpu.line(0), bytes.data(), bytes.size()) == 0);
  for (uint32_t line = 0; line < 30; line++) stage.gpu.post(stage.gpu.write_request(file, (63 - line) * 4096 + line, 777, line));
  stage.settle();
  std::string wanted = bytes;
  for (uint32_t line = 0; line < 30; line++) wanted.replace((63 - line) * 4096 + line, 777, bytes, line * 4096 + line, 777);
  CHECK(read_file(folder.at("a.bin")) == wanted);
  for (uint32_t line = 0; line < 64; line++) CHECK_EQUAL(stage.gpu.view.dones[line].sequence, line < 30 ? 2 : 1);
  CHECK(stage.host.faults_injected() > 10);
  CHECK_EQUAL(stage.host.errors_injected(), 0);
}

void deaths() {
  Folder folder;
  const std::string bytes = pattern(8 * 4096);
  write_file(folder.at("a.bin"), bytes);
  std::set<uint32_t> answered;
  for (uint32_t seed = 1; seed <= 300; seed++) {
    Stage stage(folder, seed, {.die = 60});
    stage.gpu.post(stage.open_request("a.bin", READ));
    stage.host.run();
    const int32_t file = stage.gpu.view.mailboxes[0].result;
    if (stage.gpu.view.mailboxes[0].sequence == 0 || stage.host.dead()) continue;
    for (uint32_t line = 0; line < 8; line++) stage.gpu.post(stage.gpu.fill_request(file, line * 4096, {line}));
    stage.host.run();
    uint32_t count = 0;
    for (uint32_t line = 0; line < 8; line++) {
      CHECK(stage.gpu.view.dones[line].sequence <= 1);
      if (stage.gpu.view.dones[line].sequence == 0) continue;
      count++;
      CHECK_EQUAL(stage.gpu.view.dones[line].result, 0);
      CHECK(std::memcmp(stage.gpu.line(line), bytes.data() + line * 4096, 4096) == 0);
    }
    CHECK(count == 8 || stage.host.dead());
    CHECK_EQUAL(stage.host.errors_injected(), stage.host.dead());
    if (stage.host.dead()) CHECK_EQUAL(stage.host.sync_all(), -EIO);
    answered.insert(count);
    stage.host.run();  // a dead one does nothing
    CHECK_EQUAL(stage.host.completions(), 1 + count);
  }
  CHECK(answered.size() > 5);
}

/// The lines of a file that an earlier host knew may be in the cache, and its handles in use: neither may mean another file now.
void revivals() {
  Folder folder;
  for (const char* name : {"a", "b", "c", "d"}) write_file(folder.at(name), std::string(4096, name[0]));
  uint32_t revived = 0;
  for (uint32_t seed = 1; seed <= 200; seed++) {
    Stage stage(folder, seed, {.die = 30, .revive = 1000});
    std::map<uint32_t, uint32_t> file_of_id;
    std::map<int32_t, uint32_t> file_of_handle;
    uint64_t answers = 0;
    for (uint32_t i = 0; i < 20; i++) {
      const uint32_t mails = stage.gpu.view.mailboxes[0].sequence;
      stage.gpu.post(stage.open_request(std::string(1, char('a' + i % 4)), READ));
      stage.settle();
      CHECK(!stage.host.dead());
      if (stage.gpu.view.mailboxes[0].sequence != mails) {
        answers++;
        const int32_t file = stage.gpu.view.mailboxes[0].result;
        CHECK(file >= 0);
        CHECK_EQUAL(file_of_id.try_emplace(stage.gpu.entry(file).file_id, i % 4).first->second, i % 4);
        CHECK_EQUAL(file_of_handle.try_emplace(file, i % 4).first->second, i % 4);
      }
      for (const auto& [handle, file] : file_of_handle) {
        const uint32_t before = stage.gpu.view.dones[5].sequence;
        stage.gpu.post(stage.gpu.fill_request(handle, 0, {5}));
        stage.settle();
        if (stage.gpu.view.dones[5].sequence == before) continue;
        answers++;
        if (stage.gpu.view.dones[5].result == 0) CHECK_EQUAL(stage.gpu.line(5)[99], 'a' + file);
        else CHECK_EQUAL(stage.gpu.view.dones[5].result, -EBADF);
      }
    }
    CHECK_EQUAL(stage.host.completions(), answers);
    revived += stage.host.errors_injected() >= 2;
  }
  CHECK(revived > 100);
}

void disturbances() {
  Folder folder;
  const std::string bytes = pattern(9000);
  write_file(folder.at("a.bin"), bytes);
  {
    Stage stage(folder, 1, {.truncate = 1000});
    const int32_t file = stage.open("a.bin", READ);
    CHECK(file >= 0);
    CHECK_EQUAL(stage.fill(file, 4096, 2), 0);
    for (uint32_t i = 0; i < 4096; i++) CHECK_EQUAL(stage.gpu.line(2)[i], 0);
    CHECK(std::filesystem::file_size(folder.at("a.bin")) <= 3000);
    CHECK_EQUAL(stage.gpu.published_size(file), 9000);  // nobody has looked
  }
  write_file(folder.at("a.bin"), bytes);
  Stage stage(folder, 2, {.replace = 300});
  const int32_t file = stage.open("a.bin", READ);
  const uint32_t first = stage.gpu.entry(file).file_id;
  for (int i = 0; i < 40; i++) CHECK_EQUAL(stage.fill(file, 0, 1), 0);
  CHECK(std::memcmp(stage.gpu.line(1), bytes.data(), 4096) == 0);  // the descriptor names the old file
  CHECK(stage.host.faults_injected() > 3);
  std::string inverted = bytes;
  for (char& c : inverted) c = char(~c);
  CHECK(read_file(folder.at("a.bin")) == inverted);
  const int32_t other = stage.open("a.bin", READ);
  CHECK(other != file && stage.gpu.entry(other).file_id != first);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path)) CHECK(entry.path().filename() == "a.bin");
}

}  // namespace

void test_faults() {
  test("errors reach those they hit", errors);
  test("interruptions go unnoticed", [] { hindrances({.eintr = 1000}); });
  test("short transfers go unnoticed", [] { hindrances({.short_io = 1000}); });
  test("delays go unnoticed", [] { hindrances({.delay = 1000}); });
  test("all of these go unnoticed", [] { hindrances({.eintr = 200, .short_io = 300, .delay = 200}); });
  test("a host that dies has answered at most once", deaths);
  test("one that comes back serves who asks again", revivals);
  test("files change under the mount", disturbances);
}

}  // namespace warpfs::test
