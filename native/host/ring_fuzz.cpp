// A coverage-guided fuzzer of the host (libFuzzer; `npm run fuzz`): an input is a gpu that publishes requests, changes them while they are
// read, writes where it must not, and files and system calls that misbehave meanwhile. What must hold all the same is checked by ring_fuzz_oracle.h
// (answers), ring_fuzz_memory.h (accesses), ring_fuzz_folder.h (what is outside the root), and at the end of run() here.
#include "ring_fuzz_folder.h"
#include "ring_fuzz_gpu.h"
#include "ring_fuzz_host.h"
#include "ring_fuzz_report.h"
#include "ring_fuzz_system.h"

#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace warpfs::fuzz {

namespace {

constexpr uint32_t STEPS_MAX = 96;

/// What stays from one input to the next.
struct World {
  World() : oracle(fuzz_geometry()), memory(oracle), gpu(memory, oracle) {}
  ScratchFolder folder;
  Oracle oracle;
  Memory memory;
  FuzzGpu gpu;
};

class Run {
 public:
  Run(World& world, Input input) : world_(world), input_(input) {
    const uint8_t kind = input_.byte();
    read_only_ = kind % 8 == 7;
    method_ = PathResolver::Method(kind / 8 % 4);
    const uint32_t first_position = kind >= 192 ? 0xfffffffcu : 0;  // positions wrap around soon
    world_.memory.reset(first_position);
    world_.oracle.reset(read_only_, first_position);
    world_.gpu.reset(first_position);
    fuzz_system() = {};
    host_watch = &world_.memory;
    fuzz_system().memory = &world_.memory;
    fuzz_system().read_only = read_only_;
    start_host();
  }
  ~Run() {
    host_.reset();
    fuzz_system().memory = nullptr;
    host_watch = nullptr;
  }

  void run() {
    for (uint32_t step = 0; step < STEPS_MAX && !input_.empty(); step++) take_step();
    world_.memory.end_scribbles();
    host_->settle();
    check_settled();
    serve_a_good_request();
  }

 private:
  void start_host() {
    host_ = std::make_unique<Host>(world_.memory, world_.oracle, world_.folder.root(), read_only_, method_);
  }

  void take_step() {
    const uint8_t step = input_.byte();
    switch (step % 16) {
      default: return publish(step / 16 % 2, world_.gpu.nearly_right(input_));
      case 5: return world_.gpu.write_mask(input_, step / 16);
      case 6: return publish(step / 16 % 2, FuzzGpu::raw(input_));
      case 7: return name_a_file(step / 16);
      case 8: {
        const uint32_t after = step / 16, binding = input_.byte(), word = input_.number<uint16_t>();
        const uint8_t small = input_.byte();
        return world_.memory.scribble({after, binding, word, small < 250 ? small : input_.word()});
      }
      case 9: return (void)host_->sweep();
      case 10: return (void)host_->do_work(step / 16);
      case 11: return fuzz_system().faults.push_back(Fault(step / 16 % uint32_t(Fault::COUNT)));
      case 12: return publish_again(step / 16);
      case 13: return disturb(step / 16);
      case 14: return step < 192 ? (void)host_->sync_all() : restart();
      case 15: return host_->settle();
    }
  }

  void publish(uint32_t ring, const Request& request) {
    if (!world_.gpu.has_room(ring)) host_->sweep();
    if (world_.gpu.has_room(ring)) world_.gpu.publish(ring, request);
  }
  void name_a_file(uint32_t slot) {
    world_.gpu.write_path(slot, path());
    if (slot >= 8) world_.gpu.write_second_path(slot, path());
  }
  std::string path() {
    const uint8_t choice = input_.byte();
    if (choice < 224) return PATHS[choice % PATHS.size()];
    return choice < 255 ? input_.text(choice - 224) : std::string(input_.number<uint16_t>() % 5000, 'n');
  }
  /// A sequence appears in a slot that nobody reserved, or once more in one that was taken.
  void publish_again(uint32_t ring) {
    const uint32_t back = input_.byte();
    const uint32_t position = world_.oracle.position(ring % 2) + 4 - back % 12;
    world_.memory.scribble({0, 0, (ring % 2 * 8 + position % 8) * uint32_t(sizeof(Request) / 4), position + 1});
  }
  void disturb(uint32_t kind) {
    fuzz_system().wrote = true;
    world_.folder.disturb(kind, input_.byte());
  }
  /// As when the process of the host is started anew over the same memory: what it had taken is lost.
  void restart() {
    host_.reset();
    world_.memory.end_scribbles();  // both sides of the fuzzer see the same heads
    world_.oracle.restarted(world_.memory.of_gpu().ring_heads);
    world_.gpu.follow();
    start_host();
  }

  void check_settled() {
    FUZZ_CHECK(world_.oracle.owes_nothing());
    FUZZ_CHECK(host_->rings_are_empty());
    FUZZ_CHECK(host_->waiting() == 0);
    FUZZ_CHECK(host_->counters().accepted == host_->counters().finished);
    FUZZ_CHECK(host_->counters().refused >= world_.oracle.refused());
    const uint32_t lines = fuzz_geometry().line_count + fuzz_geometry().bypass_count;
    FUZZ_CHECK(!ScratchFolder::holds_secret(world_.memory.of_gpu().lines, size_t(lines) * fuzz_geometry().line_bytes));
  }

  /// Whatever was before: who asks rightly is served rightly. A table may be full, but of open files only.
  void serve_a_good_request() {
    fuzz_system().faults.clear();
    world_.memory.empty_rings();
    world_.gpu.follow();
    const HostView& view = world_.memory.of_gpu();
    const uint32_t before = view.mailboxes[0].sequence;
    world_.gpu.write_path(0, "a.bin");
    world_.gpu.publish(0, world_.gpu.open_request(0, 0));
    host_->settle();
    FUZZ_CHECK(world_.oracle.owes_nothing() && view.mailboxes[0].sequence == before + 1);
    const int32_t file = view.mailboxes[0].result;
    if (file == -Errno::enfile) {
      FUZZ_CHECK(world_.memory.gpu_wrote_files() || all_entries_are_open());
      return;
    }
    if (world_.folder.is_missing("a.bin")) FUZZ_CHECK(file == -Errno::enoent);
    if (!world_.folder.is_regular("a.bin")) return;  // taken away, or something else was moved here
    FUZZ_CHECK(file >= 0);
    Request fill{};
    fill.opcode = Opcode::FILL;
    fill.file = uint32_t(file);
    fill.line_count = 1;
    fill.length = fuzz_geometry().line_bytes;
    fill.offset = fuzz_geometry().line_bytes;
    fill.lines[0] = 3;
    fill.mailbox = world_.memory.published()[handle_index(file)].file_id;
    world_.gpu.publish(1, fill);
    host_->settle();
    FUZZ_CHECK(world_.oracle.owes_nothing() && view.dones[3].result == 0);
    const std::string bytes = world_.folder.bytes("a.bin", fill.offset, fill.length);
    FUZZ_CHECK(std::memcmp(view.lines + 3 * fill.length, bytes.data(), bytes.size()) == 0);
  }

  bool all_entries_are_open() const {
    for (uint32_t file = 0; file < fuzz_geometry().file_count; file++) {
      if (world_.memory.published()[file].handle == 0xffffffffu) return false;
    }
    return true;
  }

  World& world_;
  Input input_;
  bool read_only_ = false;
  PathResolver::Method method_{};
  std::unique_ptr<Host> host_;
};

/// As many as one input can need, and more.
uint32_t open_descriptors() {
  uint32_t count = 0;
  for (int fd = 0; fd < 64; fd++) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

}  // namespace

}  // namespace warpfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  using namespace warpfs::fuzz;
  static World world;
  const uint32_t descriptors = open_descriptors();
  Run(world, Input(bytes, count)).run();
  FUZZ_CHECK(open_descriptors() == descriptors);  // nothing was left open
  world.folder.check_outside();
  world.folder.restore(fuzz_system().wrote);
  return 0;
}
