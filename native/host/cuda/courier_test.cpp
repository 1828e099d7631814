// The host's end of the courier, and the daemon behind it, with a driver that only gives memory and a gpu that is played: what the parts of
// entry/cuda_courier.h read and write is read and written here.
#include "../cpu/test_check.h"
#include "../daemon.h"
#include "../shared_words.h"
#include "cuda_memory.h"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace warpfs::cuda {

namespace {

constexpr size_t PAGE = 16384;

CUresult give_memory(void** place, size_t bytes) {
  *place = std::aligned_alloc(PAGE, (bytes + PAGE - 1) / PAGE * PAGE);
  std::memset(*place, 0, bytes);
  return CUDA_SUCCESS;
}

DriverApi played_driver() {
  DriverApi api{};
  api.cuDeviceGetCount = [](int* count) -> CUresult { return *count = 1, CUDA_SUCCESS; };
  api.cuDeviceGet = [](CUdevice* device, int) -> CUresult { return *device = 0, CUDA_SUCCESS; };
  api.cuDeviceGetName = [](char* name, int bytes, CUdevice) -> CUresult { return std::snprintf(name, size_t(bytes), "a played GPU"), CUDA_SUCCESS; };
  api.cuDeviceGetAttribute = [](int* value, int, CUdevice) -> CUresult { return *value = 9, CUDA_SUCCESS; };
  api.cuCtxCreate = [](CUcontext* context, unsigned, CUdevice) -> CUresult { return *context = nullptr, CUDA_SUCCESS; };
  api.cuCtxSetCurrent = [](CUcontext) -> CUresult { return CUDA_SUCCESS; };
  api.cuCtxDestroy = [](CUcontext) -> CUresult { return CUDA_SUCCESS; };
  api.cuCtxSynchronize = []() -> CUresult { return CUDA_SUCCESS; };
  api.cuMemAlloc = [](CUdeviceptr* place, size_t bytes) -> CUresult { return give_memory(reinterpret_cast<void**>(place), bytes); };
  api.cuMemFree = [](CUdeviceptr place) -> CUresult { return std::free(reinterpret_cast<void*>(place)), CUDA_SUCCESS; };
  api.cuMemHostAlloc = [](void** place, size_t bytes, unsigned) -> CUresult { return give_memory(place, bytes); };
  api.cuMemFreeHost = [](void* place) -> CUresult { return std::free(place), CUDA_SUCCESS; };
  api.cuMemsetD8Async = [](CUdeviceptr, unsigned char, size_t, CUstream) -> CUresult { return CUDA_SUCCESS; };
  api.cuMemcpyHtoD = [](CUdeviceptr to, const void* from, size_t bytes) -> CUresult { return std::memcpy(reinterpret_cast<void*>(to), from, bytes), CUDA_SUCCESS; };
  return api;
}

}  // namespace

// In the place of those of driver_api.cpp.
const DriverApi& driver() {
  static const DriverApi api = played_driver();
  return api;
}
void check(CUresult result, const std::string&) { CHECK(result == CUDA_SUCCESS); }

namespace {

constexpr uint32_t LINE_BYTES = 4096;

Geometry small_geometry() {
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
  Played() : memory(0, small_geometry(), std::nullopt) { memory.fill_launch(launch); }
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
    while (!next(channel, message)) CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
    delivered(channel);
    return message;
  }
  const uint8_t* stage(const CourierMessage& message) const { return launch.stages + uint64_t(message.bytes_at) * LINE_BYTES; }

  CudaMemory memory;
  CourierLaunch launch{};
  std::vector<uint32_t> positions = std::vector<uint32_t>(Courier::CHANNELS);
};

uint32_t channel_of(uint32_t line) { return line % Courier::CHANNELS; }

void test_a_line_comes_with_its_bytes() {
  Played gpu;
  uint8_t* place = gpu.courier().fill_place(77);
  std::memset(place, 0x5a, LINE_BYTES);
  CHECK(gpu.courier().fill_place(77) == place);  // asked twice, it has one place
  gpu.courier().line_done(77, {3, 0});
  const CourierMessage message = gpu.take(channel_of(77));
  CHECK(message.kind == CourierKind::LINE && message.index == 77 && message.answers == 3 && message.result == 0);
  CHECK(gpu.stage(message) == place);
}

void test_a_failed_line_comes_without_bytes_and_keeps_no_stage() {
  Played gpu;
  for (uint32_t turn = 0; turn < 10000; turn++) {
    gpu.courier().fill_place(5);
    gpu.courier().line_done(5, {turn + 1, -Errno::eio});
    const CourierMessage message = gpu.take(channel_of(5));
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
  for (uint32_t line = 0; line < sent; line++) CHECK(gpu.take(channel_of(line)).index == line);
  CHECK(gpu.courier().has_room() && gpu.courier().is_delivered());
}

void test_a_full_channel_waits_and_keeps_the_order() {
  Played gpu;
  constexpr uint32_t MESSAGES = Courier::CHANNEL_SLOTS * 3;
  std::thread sender([&] {
    for (uint32_t i = 0; i < MESSAGES; i++) gpu.courier().line_done(8, {i + 1, 0});
  });
  for (uint32_t i = 0; i < MESSAGES; i++) CHECK(gpu.take(channel_of(8)).answers == i + 1);
  sender.join();
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
  Played gpu;
  const uint32_t parts = Courier::CHANNELS + gpu.launch.ring_count;
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
    CHECK(gpu.take(channel_of(9)).bytes_at == COURIER_NO_BYTES);
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

/// A daemon on the memory, and the requests that blocks of the courier would hand over.
class PlayedMount {
 public:
  explicit PlayedMount(const std::string& root) {
    DaemonOptions options;
    options.root = root;
    options.io = "pread";
    options.sandbox = "off";
    daemon = std::make_unique<Daemon>(gpu.memory.host_view(), options);
    daemon->begin_dispatch();
  }
  ~PlayedMount() { daemon->end_dispatch(); }
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
  const FileEntry& entry(uint32_t handle) const { return gpu.launch.files[handle_index(handle)]; }

  Played gpu;
  uint32_t position = 0;
  std::unique_ptr<Daemon> daemon;
};

void test_a_daemon_fills_and_writes_back_through_it() {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / ("warpfs-courier-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  std::vector<char> bytes(3 * LINE_BYTES);
  for (size_t at = 0; at < bytes.size(); at++) bytes[at] = char(at * 7 + at / 251);
  std::ofstream(folder / "a.bin", std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
  {
    PlayedMount mount(folder.string());
    const uint32_t handle = mount.open("a.bin", OPEN_WRITE);
    Request fill{};
    fill.opcode = Opcode::FILL;
    fill.file = handle;
    fill.mailbox = mount.entry(handle).file_id;
    fill.line_count = 3;
    fill.length = 3 * LINE_BYTES;
    for (uint32_t i = 0; i < 3; i++) fill.lines[i] = 40 + i;
    mount.post(fill);
    for (uint32_t i = 0; i < 3; i++) {
      const CourierMessage message = mount.gpu.take(channel_of(40 + i));
      CHECK(message.index == 40 + i && message.result == 0 && message.answers == 1);
      CHECK(std::memcmp(mount.gpu.stage(message), bytes.data() + i * LINE_BYTES, LINE_BYTES) == 0);
    }
    Request back{};
    back.opcode = Opcode::WRITE_BACK;
    back.file = handle;
    back.mailbox = mount.entry(handle).file_id;
    back.offset = LINE_BYTES + 10;
    back.length = 20;
    back.line_count = 1;
    back.lines[0] = 41;
    std::memset(mount.parcel() + 10, 'x', 20);
    mount.post(back);
    const CourierMessage done = mount.gpu.take(channel_of(41));
    CHECK(done.index == 41 && done.result == 0 && done.answers == 2 && done.bytes_at == COURIER_NO_BYTES);
    mount.daemon->wait_until_drained();
  }
  std::memset(bytes.data() + LINE_BYTES + 10, 'x', 20);
  std::vector<char> after(bytes.size());
  std::ifstream(folder / "a.bin", std::ios::binary).read(after.data(), std::streamsize(after.size()));
  CHECK(after == bytes);
  std::filesystem::remove_all(folder);
}

}  // namespace

void run_all() {
  RUN_TEST(test_a_line_comes_with_its_bytes);
  RUN_TEST(test_a_failed_line_comes_without_bytes_and_keeps_no_stage);
  RUN_TEST(test_stages_come_back_when_their_messages_were_delivered);
  RUN_TEST(test_a_full_channel_waits_and_keeps_the_order);
  RUN_TEST(test_a_lost_gpu_keeps_nobody_waiting);
  RUN_TEST(test_the_courier_runs_when_each_of_its_parts_runs);
  RUN_TEST(test_what_a_write_back_brings_is_kept_until_it_is_done);
  RUN_TEST(test_a_line_that_is_filled_brings_nothing_along);
  RUN_TEST(test_a_daemon_fills_and_writes_back_through_it);
}

}  // namespace warpfs::cuda

int main() {
  warpfs::cuda::run_all();
  return 0;
}
