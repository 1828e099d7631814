// A schedule for tests of the host side: seeded, or always the usual alternative.
#pragma once
#include "../host/daemon_test.h"
#include "host_side.h"

#include <optional>
#include <random>

namespace warpfs::test {

class SeededChoices : public HostChoices {
 public:
  explicit SeededChoices(uint32_t seed) : random(seed), usual(seed == 0) {}
  uint32_t choose(uint32_t alternatives) override {
    CHECK(alternatives >= 2);
    const uint32_t chosen = usual ? 0 : random() % alternatives;
    decisions.push_back(chosen);
    return chosen;
  }
  bool happens(uint32_t permille) override {
    CHECK(permille != 0);
    return random() % 1000 < permille;
  }
  void came_back() override {}
  void pause() override {
    pauses++;
    host->stop();
  }
  std::mt19937 random;
  const bool usual;
  std::vector<uint32_t> decisions;
  uint32_t pauses = 0;
  HostSide* host = nullptr;
};

/// A gpu, and the host side as an actor that runs when it is told to. Seed 0: always the usual alternative.
struct Stage {
  explicit Stage(const Folder& folder, uint32_t seed = 0, const HostFaults& faults = {}, bool read_only = false,
                 const Geometry& geometry = small_geometry(64, 2, 8))
      : gpu(geometry), choices(seed), host(gpu.view, folder.path, read_only, faults, choices) {
    choices.host = &host;
  }
  /// Until there is nothing to do, or the host is dead.
  void settle() {
    host.run();
    if (!host.dead()) CHECK(host.idle());
  }
  /// Of a mailbox that was asked once since `before`.
  Answer ask(Request request, uint32_t mailbox = 0) {
    const uint32_t before = gpu.view.mailboxes[mailbox].sequence;
    request.mailbox = mailbox;
    gpu.post(request, mailbox % 2);
    settle();
    CHECK_EQUAL(gpu.view.mailboxes[mailbox].sequence, before + 1);
    return {gpu.view.mailboxes[mailbox].result, gpu.view.mailboxes[mailbox].value};
  }
  Request open_request(const std::string& path, uint32_t mode, uint32_t mailbox = 0) {
    std::memcpy(const_cast<uint8_t*>(gpu.view.outboxes) + uint64_t(mailbox) * OUTBOX_BYTES, path.c_str(), path.size() + 1);
    Request r = Gpu::open_request(mode, uint32_t(path.size()));
    r.mailbox = mailbox;
    return r;
  }
  int32_t open(const std::string& path, uint32_t mode, uint32_t mailbox = 0) {
    return ask(open_request(path, mode, mailbox), mailbox).result;
  }
  int32_t ask_line(const Request& request, uint32_t line) {
    const uint32_t before = gpu.view.dones[line].sequence;
    gpu.post(request);
    settle();
    CHECK_EQUAL(gpu.view.dones[line].sequence, before + 1);
    return gpu.view.dones[line].result;
  }
  int32_t fill(int32_t file, uint64_t offset, uint32_t line) { return ask_line(gpu.fill_request(file, offset, {line}), line); }
  int32_t write_back(int32_t file, uint64_t offset, uint32_t length, uint32_t line) {
    return ask_line(gpu.write_request(file, offset, length, line), line);
  }

  Gpu gpu;
  SeededChoices choices;
  HostSide host;
};

/// Nanoseconds of one call, the best of several rounds.
template <typename Act>
double best_nanoseconds(uint32_t calls, Act&& act) {
  double best = 1e18;
  for (int round = 0; round < 5; round++) {
    const auto start = Clock::now();
    for (uint32_t call = 0; call < calls; call++) act();
    best = std::min(best, seconds_since(start) * 1e9 / calls);
  }
  return best;
}

void test_watch();
void test_faults();

}  // namespace warpfs::test
