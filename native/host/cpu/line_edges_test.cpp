// Every legal edge of a cache line, taken by the functions of the shaders themselves on the cpu device. The test plays the host: it answers
// requests by hand, so that each edge is seen alone, also those that need an error or a wrapped counter.
#include "../../shaders/dialect/cpu.h"
#include "../../shaders/warpfs.h"
#include "../../shaders/entry/cpu.h"
#include "../mount_memory.h"
#include "executor.h"
#include "test_check.h"

#include <functional>
#include <vector>

namespace warpfs {
namespace {

constexpr uint32_t LINES = 4;
constexpr uint32_t LINE_BYTES = 512;

Geometry small_geometry(uint32_t masks) {
  Geometry g = {};
  g.abi_hash = ABI_HASH;
  g.line_count = LINES;
  g.set_count = 1;
  g.bypass_count = 1;
  g.line_bytes = LINE_BYTES;
  g.line_shift = 9;
  g.ring_count = 1;
  g.ring_slots = 8;
  g.slot_count = 4;
  g.file_count = 1;
  g.wait_polls = 1000;
  g.stats_count = 1;
  g.mask_count = masks;
  return g;
}

struct Warp {
  explicit Warp(uint32_t masks = 0) : memory(small_geometry(masks)) {}

  MountMemory memory;
  CpuExecutor executor{CpuExecutorOptions{1, 4, 65536, nullptr, nullptr}};
  uint32_t answered = 0;

  uint32_t& word(uint32_t line) { return memory.at<uint32_t>(Binding::WORDS)[line]; }
  LineTag& tag(uint32_t line) { return memory.at<LineTag>(Binding::TAGS)[line]; }
  LineAux& aux(uint32_t line) { return memory.at<LineAux>(Binding::AUXES)[line]; }
  uint8_t* bytes(uint32_t line) { return memory.at<uint8_t>(Binding::LINES) + line * LINE_BYTES; }
  uint32_t state(uint32_t line) { return line_state(word(line)); }
  uint32_t step(uint32_t line) { return line_step(word(line)); }
  uint32_t pins(uint32_t line) { return line_pins(word(line)); }

  /// Runs one warp; every lane calls the body.
  void run(const std::function<void(Fs&)>& body) {
    struct Call {
      const std::function<void(Fs&)>* body;
      std::vector<void*> buffers;
    } call{&body, {}};
    for (uint32_t index = 0; index < Binding::OWN; index++) call.buffers.push_back(memory.binding(index));
    LaunchShape shape;
    shape.items = 1;
    executor.launch(
        shape,
        [](Lane& lane, const WarpId& id, void* argument) {
          const auto* call = static_cast<const Call*>(argument);
          Fs fs = fs_from_bindings(lane, id.item, id.slot, call->buffers.data());
          item_begin(fs);
          (*call->body)(fs);
        },
        &call);
  }
  /// The next request, as the host reads it.
  Request take() {
    const Request request = memory.at<Request>(Binding::REQUESTS)[answered % 8];
    CHECK(request.sequence == answered + 1);
    answered++;
    memory.at<RingHead>(Binding::RING_HEADS)->head = answered;
    return request;
  }
  void answer(uint32_t line, int32_t result) {
    LineDone& done = memory.at<LineDone>(Binding::DONES)[line];
    done.result = result;
    done.sequence++;
  }
  /// Claims a line for a page and asks the host to fill it.
  uint32_t claim(uint64_t page, bool keep_pin = false) {
    uint32_t claimed = LINE_NONE;
    run([&](Fs& fs) {
      Fill fill;
      fill_begin(fill);
      uint line = LINE_NONE;
      const uint tried = page_try(fs, Tag{7, page}, LineStep::FILLING, fill.reservation, line);
      CHECK(tried == PAGE_OURS);
      fill_add(fill, 0, line);
      fill_publish(fs, Source{1 | HANDLE_WRITABLE, 7}, page, fill);
      if (!is_leader(fs)) return;
      if (!keep_pin) line_unpin(fs, line);
      claimed = line;
    });
    return claimed;
  }
  uint32_t filled(uint64_t page) {
    const uint32_t line = claim(page);
    take();
    answer(line, 0);
    wait(line, 0);
    return line;
  }
  void wait(uint32_t line, int expected) {
    run([&](Fs& fs) {
      if (is_leader(fs)) atomic_add(&fs.words[line], LINE_PIN);
      const int outcome = line_wait(fs, line).status;
      CHECK(outcome == expected);
      if (is_leader(fs)) line_unpin(fs, line);
    });
  }
  void write(uint32_t line, uint32_t first, const std::vector<uint8_t>& data, bool expected = true) {
    run([&](Fs& fs) {
      uint fits = 0;
      if (is_leader(fs)) {
        atomic_add(&fs.words[line], LINE_PIN);
        CHECK(line_enter(fs, line));
        fits = line_soil(fs, Source{1 | HANDLE_WRITABLE, 7}, line, first, uint32_t(first + data.size() - 1));
        CHECK((fits != 0) == expected);
      }
      if (warp_broadcast(fs.lane, fits, 0) != 0) copy_to_line(fs.lane, line_data(fs, line) + first, data.data(), uint(data.size()));
      page_leave(fs, line);
    });
  }
  uint32_t write_back(uint32_t line) {
    uint32_t outcome = 0;
    run([&](Fs& fs) {
      if (is_leader(fs)) outcome = line_write_back(fs, line, 0);
    });
    return outcome;
  }
};

void test_claim_fill_and_its_failure() {
  Warp w;
  const uint32_t line = w.claim(3);  // INVALID -> BUSY
  CHECK(w.state(line) == LineState::BUSY && w.step(line) == LineStep::FILLING && w.pins(line) == 0);
  const Request request = w.take();
  CHECK(request.opcode == Opcode::FILL && request.offset == 3 * LINE_BYTES && request.length == LINE_BYTES && request.lines[0] == line);
  w.wait(line, -Errno::etimedout);  // not answered: the wait ends at its bound and changes nothing
  CHECK(w.state(line) == LineState::BUSY && w.pins(line) == 0);
  w.answer(line, -Errno::eio);
  w.wait(line, -Errno::eio);  // BUSY -> INVALID
  CHECK(w.state(line) == LineState::INVALID && w.pins(line) == 0);
  const uint32_t again = w.filled(3);  // the next access tries again: BUSY -> READY
  CHECK(w.state(again) == LineState::READY && w.pins(again) == 0);
}

void test_write_and_write_back_and_its_failure() {
  Warp w;
  const uint32_t line = w.filled(0);
  w.write(line, 100, {1, 2, 3});  // READY -> MODIFIED
  CHECK(w.state(line) == LineState::MODIFIED && w.aux(line).dirty == (100u | 102u << 16));
  w.write(line, 103, {4});  // touches: one range
  CHECK(w.aux(line).dirty == (100u | 103u << 16));
  w.write(line, 300, {5}, false);  // does not: the older bytes have to go first
  CHECK(w.write_back(line) == WRITE_BACK_STARTED);  // MODIFIED -> BUSY
  CHECK(w.state(line) == LineState::BUSY && w.step(line) == LineStep::WRITING && w.aux(line).dirty == DIRTY_NONE);
  const Request request = w.take();
  CHECK(request.opcode == Opcode::WRITE_BACK && request.offset == 100 && request.length == 4 && request.mailbox == 7);
  w.answer(line, -Errno::enospc);
  w.wait(line, 0);  // BUSY -> MODIFIED: the bytes are readable, and still to be written
  CHECK(w.state(line) == LineState::MODIFIED && w.aux(line).dirty == (100u | 103u << 16) && w.bytes(line)[102] == 3);
  CHECK(w.write_back(line) == WRITE_BACK_STARTED);
  w.take();
  w.answer(line, 0);
  w.wait(line, 0);
  CHECK(w.state(line) == LineState::READY && w.aux(line).dirty == DIRTY_NONE);
}

void test_a_write_back_starts_beside_pins_and_not_beside_hands() {
  Warp w;
  const uint32_t line = w.filled(0);
  w.write(line, 0, {1});
  w.word(line) += LINE_PIN;  // somebody reads it, or has it mapped
  w.word(line) += LINE_PIN | LINE_HAND;  // somebody writes into it
  CHECK(w.write_back(line) == WRITE_BACK_LATER && w.state(line) == LineState::MODIFIED);
  w.word(line) -= LINE_PIN | LINE_HAND;
  CHECK(w.write_back(line) == WRITE_BACK_STARTED && w.pins(line) == 1);
  w.take();
  w.run([&](Fs& fs) {
    if (is_leader(fs)) CHECK(!line_enter(fs, line));  // nobody writes into it until the host has answered,
    uint found = LINE_NONE;
    CHECK(set_find(fs, set_at(fs, 0), Tag{7, 0}, found) == FIND_READY && found == line);  // but it can be read
    if (is_leader(fs)) line_unpin(fs, line);
  });
  w.answer(line, 0);
  w.run([&](Fs& fs) {
    if (is_leader(fs)) line_settle(fs, line, atomic_load(&fs.words[line]));
  });
  CHECK(w.state(line) == LineState::READY && w.pins(line) == 1 && line_hands(w.word(line)) == 0);
}

void test_bytes_apart_take_a_mask() {
  Warp w(1);
  const uint32_t line = w.filled(0), other = w.filled(1);
  w.write(line, 100, {1, 2, 3});
  w.write(line, 300, {5});
  w.write(line, 31, {6, 7});  // across two words of the mask
  CHECK(dirty_has_mask(w.aux(line).dirty) && dirty_mask(w.aux(line).dirty) == 0);
  w.write(other, 0, {1});
  w.write(other, 9, {1}, false);  // there is no second mask
  CHECK(w.write_back(line) == WRITE_BACK_STARTED);
  const Request request = w.take();
  CHECK(request.offset == 0 && request.length == LINE_BYTES && request.lines[0] == line && request.lines[1] == 1);
  const uint32_t* mask = w.memory.at<uint32_t>(Binding::MASKS);
  CHECK(mask[0] == 0x80000000u && mask[1] == 1u && mask[3] == 0x70u && mask[9] == 1u << 12);
  w.answer(line, -Errno::eio);
  w.wait(line, 0);
  CHECK(dirty_has_mask(w.aux(line).dirty));  // kept
  CHECK(w.write_back(line) == WRITE_BACK_STARTED);
  w.take();
  w.answer(line, 0);
  w.wait(line, 0);
  CHECK(w.aux(line).dirty == DIRTY_NONE);
  w.write(other, 9, {1});  // its mask is free again, and empty
  CHECK(dirty_has_mask(w.aux(other).dirty) && mask[0] == (1u | 1u << 9) && mask[3] == 0);
}

void test_evict_and_claim() {
  Warp w;
  for (uint64_t page = 0; page < LINES; page++) CHECK(w.filled(page) == page);
  CHECK(w.filled(9) == 0);  // READY -> BUSY: the hand stands at the first way
  CHECK(w.filled(10) == 1);
  w.run([](Fs& fs) {
    uint line = 0;
    CHECK(set_find(fs, set_at(fs, 0), Tag{7, 2}, line) == FIND_READY && line == 2);  // a hit: the second chance
    if (is_leader(fs)) line_unpin(fs, line);
  });
  CHECK(w.filled(11) == 3);
  CHECK((w.word(2) & LINE_REFERENCE) == 0);  // which is used up
}

void test_pinned_lines_stay() {
  Warp w;
  for (uint64_t page = 0; page < LINES; page++) {
    const uint32_t line = w.claim(page, true);
    w.take();
    w.answer(line, 0);
    w.wait(line, 0);
    CHECK(w.pins(line) == 1);
  }
  w.run([](Fs& fs) {
    Reservation reservation = reservation_none();
    uint line = 0;
    CHECK(page_try(fs, Tag{7, 20}, LineStep::FILLING, reservation, line) == PAGE_PINNED);
  });
  for (uint32_t line = 0; line < LINES; line++) CHECK(w.state(line) == LineState::READY && w.pins(line) == 1);
}

void test_bypass_lines_become_invalid_again() {
  Warp w;
  const uint32_t behind = LINES;
  w.run([&](Fs& fs) {
    CHECK(bypass_start(fs, Source{1, 7}, 5) == 0);
    CHECK(fs.bypass_line == behind);
  });
  const Request request = w.take();
  CHECK(request.lines[0] == behind && w.state(behind) == LineState::BUSY);
  w.answer(behind, 0);
  w.run([&](Fs& fs) {
    fs.bypass_line = behind;
    CHECK(line_wait(fs, behind).status == 0);
    page_release(fs, behind);  // READY -> INVALID
  });
  CHECK(w.state(behind) == LineState::INVALID && w.pins(behind) == 0);
}

/// Our look at the set came before the rival's tag was there, so we claim as well.
uint32_t claim_beside(Warp& w, uint32_t rival, uint32_t expected) {
  w.tag(rival).file_id = 7;
  w.tag(rival).page_low = 8;
  w.word(rival) = line_claimed();
  uint32_t line = LINE_NONE;
  w.run([&](Fs& fs) {
    Reservation reservation = reservation_none();
    uint claimed = LINE_NONE;
    CHECK(set_claim(fs, set_at(fs, 0), Tag{7, 8}, LineStep::STARTING, reservation, claimed) == expected);
    if (is_leader(fs)) line = claimed;
  });
  return line;
}

void test_one_of_two_claims_is_given_up() {
  // A claim in a higher way has to make room for ours.
  Warp lower;
  const uint32_t ours = claim_beside(lower, 3, CLAIM_OURS);
  CHECK(ours == 0 && lower.step(ours) == LineStep::STARTING && lower.pins(ours) == 1 && lower.step(3) == LineStep::ABANDONED);
  // A claim in a lower way came first: ours is given up, BUSY -> INVALID, and nothing is asked for.
  Warp higher;
  claim_beside(higher, 0, CLAIM_AGAIN);
  CHECK(higher.step(0) == LineStep::CLAIMING && higher.state(1) == LineState::INVALID && higher.pins(1) == 0);
}

void test_counters_wrap() {
  Warp w;
  for (uint32_t line = 0; line < LINES; line++) {
    w.aux(line).ticket = 0xffffffffu;
    w.memory.at<LineDone>(Binding::DONES)[line].sequence = 0xffffffffu;
  }
  w.memory.at<RingTail>(Binding::RING_TAILS)->tail = w.memory.at<RingHead>(Binding::RING_HEADS)->head = 0xffffffffu;
  w.answered = 0xffffffffu;
  for (uint64_t page = 0; page < 2 * LINES; page++) CHECK(w.state(w.filled(page)) == LineState::READY);
}

void test_a_full_ring_holds_nothing() {
  Warp w;
  w.memory.at<RingTail>(Binding::RING_TAILS)->tail = 8;  // eight requests that the host has not read
  w.run([](Fs& fs) {
    Reservation reservation = reservation_none();
    uint line = 0;
    CHECK(page_try(fs, Tag{7, 1}, LineStep::FILLING, reservation, line) == PAGE_AGAIN);
    CHECK(!reservation.taken);
  });
  for (uint32_t line = 0; line < LINES; line++) CHECK(w.state(line) == LineState::INVALID && w.pins(line) == 0);
  CHECK(w.memory.at<RingTail>(Binding::RING_TAILS)->tail == 8);
}

void test_only_the_edges_of_the_schema_are_legal() {
  uint32_t legal = 0;
  for (uint32_t from = 0; from < 4; from++) {
    for (uint32_t to = 0; to < 4; to++) legal += line_edge_is_legal(from, to);
  }
  CHECK(legal == 8 && line_edge_is_legal(LineState::INVALID, LineState::BUSY) && !line_edge_is_legal(LineState::INVALID, LineState::READY));
}

}  // namespace
}  // namespace warpfs

int main() {
  using namespace warpfs;
  RUN_TEST(test_claim_fill_and_its_failure);
  RUN_TEST(test_write_and_write_back_and_its_failure);
  RUN_TEST(test_a_write_back_starts_beside_pins_and_not_beside_hands);
  RUN_TEST(test_bytes_apart_take_a_mask);
  RUN_TEST(test_evict_and_claim);
  RUN_TEST(test_pinned_lines_stay);
  RUN_TEST(test_bypass_lines_become_invalid_again);
  RUN_TEST(test_one_of_two_claims_is_given_up);
  RUN_TEST(test_counters_wrap);
  RUN_TEST(test_a_full_ring_holds_nothing);
  RUN_TEST(test_only_the_edges_of_the_schema_are_legal);
  return 0;
}
