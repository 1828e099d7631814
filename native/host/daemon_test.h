// A gpu for tests: posts requests as a warp would, and waits for the answers with a bound.
#pragma once
#include "daemon.h"
#include "shared_words.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace warpfs::test {

#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::printf("FAILED %s at %s:%d\n", #condition, __FILE__, __LINE__);               \
      std::fflush(stdout);                                                               \
      std::_Exit(1);                                                                     \
    }                                                                                    \
  } while (0)
#define CHECK_EQUAL(actual, wanted)                                                                                          \
  do {                                                                                                                       \
    const long long actual_value = (long long)(actual), wanted_value = (long long)(wanted);                                  \
    if (actual_value != wanted_value) {                                                                                      \
      std::printf("FAILED %s is %lld, not %lld, at %s:%d\n", #actual, actual_value, wanted_value, __FILE__, __LINE__);       \
      std::fflush(stdout);                                                                                                   \
      std::_Exit(1);                                                                                                         \
    }                                                                                                                        \
  } while (0)

using Clock = std::chrono::steady_clock;
inline double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

inline Geometry small_geometry(uint32_t ring_slots = 64, uint32_t ring_count = 2, uint32_t file_count = 64) {
  Geometry g{};
  g.abi_hash = ABI_HASH;
  g.line_count = 64;
  g.set_count = 2;
  g.bypass_count = 8;
  g.line_bytes = 4096;
  g.line_shift = 12;
  g.ring_count = ring_count;
  g.ring_slots = ring_slots;
  g.slot_count = 16;
  g.file_count = file_count;
  g.stats_count = 1;
  g.mask_count = 8;
  g.file_bytes_max = (uint64_t(1) << 63) - 1;
  return g;
}

constexpr uint32_t READ = 0, READ_WRITE = OPEN_WRITE, CREATE = OPEN_WRITE | OPEN_CREATE;  // flags of an open

struct Answer {
  int32_t result;
  uint64_t value;
};

class Gpu {
 public:
  explicit Gpu(const Geometry& geometry, uint32_t first_position = 0)
      : memory(geometry), view(memory.host_view()), tails(geometry.ring_count, first_position) {
    for (uint32_t ring = 0; ring < geometry.ring_count && first_position != 0; ring++) {
      view.ring_heads[ring].head = first_position;
      for (uint32_t back = 1; back <= geometry.ring_slots; back++) {  // what the lap before left
        const uint32_t position = first_position - back;
        view.requests[ring * geometry.ring_slots + (position & (geometry.ring_slots - 1))].sequence = position + 1;
      }
    }
  }

  /// Waits until its slot is free, writes the fields, and the sequence last. Nobody watches: this is not the host.
  uint32_t post(Request request, uint32_t ring = 0) {
    const Geometry& g = memory.geometry();
    const uint32_t position = tails[ring]++;
    wait([&] { return position - __atomic_load_n(&view.ring_heads[ring].head, __ATOMIC_ACQUIRE) < g.ring_slots; });
    Request* slot = view.requests + uint64_t(ring) * g.ring_slots + (position & (g.ring_slots - 1));
    uint32_t* to = reinterpret_cast<uint32_t*>(slot);
    uint32_t words[sizeof(Request) / 4];
    std::memcpy(words, &request, sizeof words);
    for (unsigned word = 1; word < sizeof(Request) / 4; word++) __atomic_store_n(to + word, words[word], __ATOMIC_RELAXED);
    __atomic_store_n(&slot->sequence, position + 1, __ATOMIC_RELEASE);
    return position;
  }

  Answer ask(Request request, uint32_t mailbox = 0, uint32_t ring = 0) {
    request.mailbox = mailbox;
    Mailbox* box = view.mailboxes + mailbox;
    const uint32_t before = load_acquire(&box->sequence);
    post(request, ring);
    wait([&] { return load_acquire(&box->sequence) != before; });
    CHECK_EQUAL(load_relaxed(&box->sequence), before + 1);
    return {load_relaxed(&box->result), load_relaxed(&box->value)};
  }
  int32_t ask_lines(const Request& request, uint32_t line, uint32_t ring = 0) {
    const uint32_t before = load_acquire(&view.dones[line].sequence);
    post(request, ring);
    return wait_line(line, before);
  }
  int32_t wait_line(uint32_t line, uint32_t before) {
    wait([&] { return load_acquire(&view.dones[line].sequence) != before; });
    return load_relaxed(&view.dones[line].result);
  }

  uint8_t* outbox(uint32_t mailbox) const { return const_cast<uint8_t*>(view.outboxes) + uint64_t(mailbox) * OUTBOX_BYTES; }
  uint32_t* mask(uint32_t index) const {
    return const_cast<uint32_t*>(view.masks) + uint64_t(index) * (memory.geometry().line_bytes / 32);
  }
  int32_t open(const std::string& path, uint32_t flags, uint32_t mailbox = 0, uint32_t ring = 0) {
    std::memcpy(outbox(mailbox), path.c_str(), path.size() + 1);
    return ask(open_request(flags, uint32_t(path.size())), mailbox, ring).result;
  }
  int32_t close(int32_t handle, uint32_t keep = 0) {
    Request r = request(Opcode::CLOSE, handle);
    r.length = keep;
    return ask(r).result;
  }
  int32_t unlink(const std::string& path, uint32_t mailbox = 0) {
    std::memcpy(outbox(mailbox), path.c_str(), path.size() + 1);
    return ask(names_request(Opcode::UNLINK, path.size()), mailbox).result;
  }
  int32_t rename(const std::string& from, const std::string& to, uint32_t mailbox = 0) {
    std::memcpy(outbox(mailbox), from.c_str(), from.size() + 1);
    std::memcpy(outbox(mailbox) + from.size() + 1, to.c_str(), to.size() + 1);
    return ask(names_request(Opcode::RENAME, from.size(), to.size()), mailbox).result;
  }
  Answer truncate(int32_t handle, uint64_t size, uint32_t mailbox = 0, uint32_t ring = 0) {
    Request r = request(Opcode::TRUNCATE, handle);
    r.offset = size;
    return ask(r, mailbox, ring);
  }
  int32_t fill(int32_t handle, uint64_t offset, uint32_t line, uint32_t ring = 0) {
    return ask_lines(fill_request(handle, offset, {line}), line, ring);
  }
  int32_t write_back(int32_t handle, uint64_t offset, uint32_t length, uint32_t line) {
    return ask_lines(write_request(handle, offset, length, line), line);
  }
  Answer extend(int32_t handle, uint64_t end) {
    Request r = request(Opcode::EXTEND, handle);
    r.offset = end;
    return ask(r);
  }
  Answer stat(int32_t handle) { return ask(request(Opcode::STAT, handle)); }
  int32_t sync(int32_t handle, uint32_t told = 0) {
    Request r = request(Opcode::SYNC, handle);
    r.length = told;
    return ask(r).result;
  }
  FileEntry& entry(int32_t handle) const { return view.files[handle_index(uint32_t(handle))]; }
  uint64_t published_size(int32_t handle) { return entry(handle).size_low | uint64_t(entry(handle).size_high) << 32; }
  uint8_t* line(uint32_t index) { return view.lines + uint64_t(index) * memory.geometry().line_bytes; }

  static Request request(uint32_t opcode, int32_t handle = 0) {
    Request r{};
    r.opcode = opcode;
    r.file = uint32_t(handle);
    return r;
  }
  static Request open_request(uint32_t flags, uint32_t length) {
    Request r = request(Opcode::OPEN, int32_t(flags));
    r.length = length;
    return r;
  }
  static Request names_request(uint32_t opcode, uint64_t length, uint64_t second = 0) {
    Request r = request(opcode);
    r.length = uint32_t(length);
    r.offset = second;
    return r;
  }
  /// Of bytes that belong to the file as it is now.
  Request fill_request(int32_t handle, uint64_t offset, const std::vector<uint32_t>& lines) const {
    Request r = request(Opcode::FILL, handle);
    r.mailbox = load_relaxed(&entry(handle).file_id);
    r.offset = offset;
    r.line_count = uint32_t(lines.size());
    r.length = r.line_count * memory.geometry().line_bytes;
    for (size_t i = 0; i < lines.size() && i < REQUEST_LINES_MAX; i++) r.lines[i] = lines[i];
    return r;
  }
  /// Of bytes that belong to the file as it is now.
  Request write_request(int32_t handle, uint64_t offset, uint32_t length, uint32_t line) const {
    Request r = request(Opcode::WRITE_BACK, handle);
    r.mailbox = load_relaxed(&entry(handle).file_id);
    r.offset = offset;
    r.length = length;
    r.line_count = 1;
    r.lines[0] = line;
    return r;
  }

  template <typename Condition>
  static void wait(Condition&& condition) {
    const auto start = Clock::now();
    for (unsigned polls = 1; !condition(); polls++) {
      if (polls % 64 == 0) std::this_thread::yield();
      if (polls % 4096 == 0) CHECK(seconds_since(start) < 20);
    }
  }

  MountMemory memory;
  HostView view;
  std::vector<uint32_t> tails;
};

/// A request that is random, or nearly right: only such ones get past the first checks.
inline Request hostile_request(std::mt19937& random, int32_t handle, const Gpu& gpu) {
  const Geometry& g = gpu.memory.geometry();
  Request r{};
  uint32_t words[sizeof(Request) / 4];
  for (uint32_t& word : words) word = random();
  std::memcpy(&r, words, sizeof r);
  if (random() % 4 == 0) return r;
  const auto sometimes = [&](uint32_t n) { return random() % n == 0; };
  r.opcode = random() % (Opcode::RENAME + 2);
  if (!sometimes(8)) r.file = r.opcode == Opcode::OPEN ? random() % 17 : uint32_t(handle);
  if (r.opcode == Opcode::CLOSE && !sometimes(8)) r.file = 40;
  if (!sometimes(8)) r.mailbox = random() % (g.slot_count + 1);
  if (r.opcode == Opcode::WRITE_BACK && !sometimes(8)) r.mailbox = gpu.write_request(handle, 0, 0, 0).mailbox;
  if (!sometimes(8)) r.line_count = r.opcode == Opcode::WRITE_BACK ? 1 : random() % 10;
  for (uint32_t& line : r.lines) {
    if (!sometimes(16)) line = sometimes(6) ? uint32_t(LINE_NONE) : random() % (g.line_count + g.bypass_count + 1);
  }
  const bool masked = r.opcode == Opcode::WRITE_BACK && sometimes(2);
  if (r.opcode == Opcode::WRITE_BACK) r.lines[1] = masked ? random() % (g.mask_count + 2) : 0;
  const bool names = r.opcode == Opcode::OPEN || r.opcode == Opcode::UNLINK || r.opcode == Opcode::RENAME;
  const bool ends = r.opcode == Opcode::CLOSE || r.opcode == Opcode::SYNC;
  const bool fills = r.opcode == Opcode::FILL;
  const uint32_t length = fills ? r.line_count * g.line_bytes : masked ? g.line_bytes : names ? 1 : random() % (ends ? 2 : 5000);
  const uint64_t offset = fills || masked ? random() % 32 * uint64_t(g.line_bytes) : names ? 1 : random() % 100000;
  if (!sometimes(8)) r.length = length;
  if (!sometimes(8)) r.offset = offset;
  return r;
}

/// A directory of its own for each test, removed afterwards.
struct Folder {
  Folder() {
    char name[] = "/tmp/warpfs-daemon-XXXXXX";
    CHECK(mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string at(const std::string& name) const { return path + "/" + name; }
  std::string path;
};
inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), std::streamsize(bytes.size()));
}
inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline std::string pattern(size_t bytes, uint32_t seed = 1) {
  std::string text(bytes, 0);
  for (char& c : text) c = char((seed = seed * 1664525u + 1013904223u) >> 24);
  return text;
}

/// A gpu and a daemon with a dispatch running.
struct Mount {
  Mount(const Folder& folder, const Geometry& geometry = small_geometry(), DaemonOptions options = {}, uint32_t first_position = 0)
      : gpu(geometry, first_position), daemon(gpu.view, rooted(options, folder.path)) {
    daemon.begin_dispatch();
  }
  ~Mount() { daemon.end_dispatch(); }
  static DaemonOptions rooted(DaemonOptions options, const std::string& root) {
    options.root = root;
    return options;
  }
  Gpu gpu;
  Daemon daemon;
};

inline void test(const char* name, const std::function<void()>& body) {
  body();
  std::printf("ok %s\n", name);
  std::fflush(stdout);
}
void test_files();
void test_paths();
void test_truncation();
void test_opening();
void test_names();
void test_masks();
void test_owed();
void test_trust();
void test_durability();
void test_holds();
void test_syncs();
void test_hostile();
void test_manners();
void test_calls();
void test_sandbox();
void test_medium();
void print_speed();

}  // namespace warpfs::test
