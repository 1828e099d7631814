// A gpu that is played, for tests of the host's end of the courier: what the parts of entry/cuda_courier.h read and write is read and written
// here. Under it is a driver that gives memory, and has a copy engine that does what a test says.
#pragma once
#include "../cpu/test_check.h"
#include "../daemon.h"
#include "../shared_words.h"
#include "cuda_memory.h"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace warpfs::cuda {

constexpr uint32_t LINE_BYTES = 4096;

inline Geometry small_geometry() {
  Geometry g{};
  g.abi_hash = ABI_HASH;
  g.line_count = 4096;
  g.set_count = g.line_count / SET_WAYS;
  g.bypass_count = 8;
  g.line_bytes = LINE_BYTES;
  g.line_shift = 12;
  g.ring_count = 2;
  g.ring_slots = 64;
  g.slot_count = 8;
  g.file_count = 8;
  g.stats_count = 1;
  g.mask_count = 64;
  g.hint_count = 16;
  g.file_bytes_max = uint64_t(1) << 40;
  return g;
}

/// What the kernel of the courier knows, and what it does.
class Played {
 public:
  explicit Played(bool push = false, uint32_t channels = 1, const std::optional<WindowOptions>& windows = std::nullopt)
      : memory(0, small_geometry(), {windows, push, channels}), positions(channels) { memory.fill_launch(launch); }
  Courier& courier() { return memory.courier(); }
  bool next(uint32_t channel, CourierMessage& message) {
    const CourierMessage* slot = launch.messages + uint64_t(channel) * launch.channel_slots + positions[channel] % launch.channel_slots;
    if (load_acquire(&slot->sequence) != positions[channel] + 1 || load_acquire(&slot->sequence_again) != positions[channel] + 1) return false;
    message = *slot;
    return true;
  }
  void delivered(uint32_t channel) { store_release(launch.delivered + channel * COURIER_WORDS_APART, ++positions[channel]); }
  CourierMessage take(uint32_t channel) {
    CourierMessage message{};
    const auto begin = std::chrono::steady_clock::now();
    while (!next(channel, message)) {
      CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
      std::this_thread::yield();
    }
    delivered(channel);
    return message;
  }
  uint8_t* line(uint32_t index) const { return reinterpret_cast<uint8_t*>(memory.table(Binding::LINES)) + uint64_t(index) * LINE_BYTES; }
  uint32_t* mask(uint32_t index) const { return reinterpret_cast<uint32_t*>(memory.table(Binding::MASKS)) + index * (LINE_BYTES / 32); }
  const uint8_t* stage(const CourierMessage& message) const { return launch.stages + uint64_t(message.bytes_at) * LINE_BYTES; }

  CudaMemory memory;
  CourierLaunch launch{};
  std::vector<uint32_t> positions;
};

/// A daemon on the memory, and the requests that blocks of the courier would hand over.
class PlayedMount {
 public:
  explicit PlayedMount(const std::string& root, bool push = false, const std::optional<WindowOptions>& windows = std::nullopt) : gpu(push, 1, windows) {
    DaemonOptions options;
    options.root = root;
    options.io = "pread";
    options.sandbox = "off";
    daemon = std::make_unique<Daemon>(gpu.memory.host_view(), options);
    daemon->begin_dispatch();
  }
  ~PlayedMount() {
    daemon->end_dispatch();
    gpu.memory.stop();
  }
  void post(Request request, uint32_t ring = 0) {
    Request* slot = gpu.launch.requests + uint64_t(ring) * gpu.launch.host_ring_slots + position % gpu.launch.host_ring_slots;
    request.sequence = 0;
    std::memcpy(reinterpret_cast<uint8_t*>(slot) + sizeof slot->sequence, reinterpret_cast<uint8_t*>(&request) + sizeof request.sequence, sizeof request - sizeof request.sequence);
    store_release(&slot->sequence, ++position);
  }
  uint8_t* parcel() { return gpu.launch.parcels + uint64_t(position % gpu.launch.host_ring_slots) * (LINE_BYTES + LINE_BYTES / 8); }
  uint32_t open(const char* path, uint32_t flags) {
    Request request{};
    request.opcode = Opcode::OPEN;
    request.file = flags;
    request.length = uint32_t(std::strlen(path));
    std::strcpy(reinterpret_cast<char*>(gpu.launch.outboxes), path);
    post(request);
    bool file_told = false;
    for (;;) {
      const CourierMessage message = gpu.take(0);
      file_told = file_told || message.kind == CourierKind::FILE;
      if (message.kind != CourierKind::MAILBOX) continue;
      CHECK(file_told && message.result >= 0);  // the entry before the answer that speaks of it
      return uint32_t(message.result);
    }
  }
  /// Of the first lines of the file, into consecutive lines.
  Request fill(uint32_t handle, uint32_t line, uint32_t count) const {
    Request request{};
    request.opcode = Opcode::FILL;
    request.file = handle;
    request.mailbox = entry(handle).file_id;
    request.line_count = count;
    request.length = count * LINE_BYTES;
    for (uint32_t i = 0; i < count; i++) request.lines[i] = line + i;
    return request;
  }
  Request write_back(uint32_t handle, uint32_t line, uint64_t offset, uint32_t length) const {
    Request request{};
    request.opcode = Opcode::WRITE_BACK;
    request.file = handle;
    request.mailbox = entry(handle).file_id;
    request.offset = offset;
    request.length = length;
    request.line_count = 1;
    request.lines[0] = line;
    return request;
  }
  const FileEntry& entry(uint32_t handle) const { return gpu.launch.files[handle_index(handle)]; }

  Played gpu;
  uint32_t position = 0;
  std::unique_ptr<Daemon> daemon;
};

/// A folder with a file of some lines, for one test.
class PlayedFolder {
 public:
  explicit PlayedFolder(uint32_t lines) : path(std::filesystem::temp_directory_path() / ("warpfs-courier-" + std::to_string(getpid()))), bytes(lines * LINE_BYTES) {
    std::filesystem::create_directory(path);
    for (size_t at = 0; at < bytes.size(); at++) bytes[at] = char(at * 7 + at / 251);
    std::ofstream(path / "a.bin", std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
  }
  ~PlayedFolder() { std::filesystem::remove_all(path); }
  std::vector<char> read() const {
    std::vector<char> now(bytes.size());
    std::ifstream(path / "a.bin", std::ios::binary).read(now.data(), std::streamsize(now.size()));
    return now;
  }

  const std::filesystem::path path;
  std::vector<char> bytes;  // as they should be
};

void run_push_tests();
void run_loss_tests();
void run_window_tests();

}  // namespace warpfs::cuda
