#include "repair.h"

#include <algorithm>
#include <iterator>

namespace warpfs::metal {

namespace {

constexpr uint32_t PIN = 1u << LINE_PINS_SHIFT;
constexpr uint32_t FILL_GIVEN_UP = 0;  // in LineAux.writing of an INVALID line: shaders/line_wait.h

uint32_t state_of(uint32_t word) { return word & LINE_STATE_MASK; }
uint32_t step_of(uint32_t word) { return (word & LINE_STEP_MASK) >> LINE_STEP_SHIFT; }
bool has_mask(uint32_t range) { return (range & 0xffffu) == 0xffffu && range != DIRTY_NONE && range >> 16 != 0xffffu; }

class Tables {
 public:
  explicit Tables(MountMemory& gpu)
      : g(gpu.geometry()), words(gpu.at<uint32_t>(Binding::WORDS)), tags(gpu.at<LineTag>(Binding::TAGS)), auxes(gpu.at<LineAux>(Binding::AUXES)),
        dones(gpu.at<LineDone>(Binding::DONES)), sets(gpu.at<SetState>(Binding::SETS)), records(gpu.at<ItemRecord>(Binding::RECORDS)), mailboxes(gpu.at<Mailbox>(Binding::MAILBOXES)),
        gates(gpu.at<uint32_t>(Binding::GATES)), dirty(gpu.at<DirtyState>(Binding::DIRTY)) {}

  /// A request that was counted and never published has no answer, and its call asks again.
  void end_mail() {
    for (uint32_t slot = 0; slot < g.slot_count; slot++) {
      if (records[slot].mail_sequence == mailboxes[slot].sequence) continue;
      records[slot].mail_sequence = mailboxes[slot].sequence;
      records[slot].asked = 0;
    }
  }

  void end_lines() {
    for (uint32_t line = 0; line < g.line_count + g.bypass_count; line++) words[line] = ended(line) | (words[line] & LINE_REFERENCE_MASK);
  }

  /// Pins, maps and gates are those of items that wait; nobody has a hand on a line.
  void count_holds() {
    const std::vector<uint32_t> before(gates, gates + g.file_count);
    std::fill(gates, gates + g.file_count, 0u);
    for (uint32_t set = 0; set < g.set_count; set++) sets[set].maps = 0;
    for (uint32_t slot = 0; slot < g.slot_count; slot++) {
      ItemRecord& record = records[slot];
      if (record.status != ItemStatus::PENDING) {
        std::fill(std::begin(record.maps), std::end(record.maps), 0u);
        continue;
      }
      for (uint32_t i = 0; i < record.held_count; i++) words[record.held[i]] += PIN;
      if (record.bypass != 0) words[record.bypass - 1] += PIN;
      for (const uint32_t map : record.maps) {
        if (map == 0) continue;
        words[(map >> 1) - 1] += PIN;
        sets[set_of((map >> 1) - 1)].maps++;
      }
      if (record.gate == 0) continue;
      const uint32_t gate = (record.gate & ~GATE_CLOSED) - 1;
      if ((record.gate & GATE_CLOSED) != 0) gates[gate] |= GATE_CLOSED | (before[gate] & GATE_SEALED);
      else gates[gate]++;
    }
    // Without a pin nobody wants what it carries.
    for (uint32_t line = g.line_count; line < g.line_count + g.bypass_count; line++) {
      if (state_of(words[line]) == LineState::READY && (words[line] & LINE_PINS_MASK) == 0) words[line] = LineState::INVALID;
    }
  }

  void count_dirty() {
    auto* const bits = reinterpret_cast<uint32_t*>(dirty + 1);
    std::fill(bits, bits + (g.mask_count + 31) / 32, 0u);
    dirty->lines = 0;
    for (uint32_t line = 0; line < g.line_count; line++) {
      const bool writing = state_of(words[line]) == LineState::BUSY && step_of(words[line]) == LineStep::WRITING;
      if (state_of(words[line]) != LineState::MODIFIED && !writing) continue;
      if (g.dirty_lines_max != 0) dirty->lines++;
      for (const uint32_t range : {auxes[line].dirty, writing ? auxes[line].writing : uint32_t(DIRTY_NONE)}) {
        if (has_mask(range)) bits[((range >> 16) - 1) / 32] |= 1u << (((range >> 16) - 1) & 31);
      }
    }
  }

 private:
  /// State and step of a line that nobody works at.
  uint32_t ended(uint32_t line) {
    const uint32_t state = state_of(words[line]), step = step_of(words[line]);
    LineAux& aux = auxes[line];
    const bool answered = dones[line].sequence == aux.ticket;
    if (state == LineState::BUSY && (step == LineStep::FILLING || step == LineStep::WRITING) && answered) return words[line] & (LINE_STATE_MASK | LINE_STEP_MASK);
    aux.ticket = dones[line].sequence;  // what was not asked for by now nobody will ask for
    if (state != LineState::BUSY) {
      // Some bytes were told to be dirty and the line was not, yet.
      if (state == LineState::MODIFIED || (state == LineState::READY && aux.dirty != DIRTY_NONE)) return LineState::MODIFIED;
      return state;
    }
    if (step == LineStep::WRITING || step == LineStep::STARTING) {
      if (aux.dirty == DIRTY_NONE) aux.dirty = aux.writing;
      aux.writing = DIRTY_NONE;
      return LineState::MODIFIED;
    }
    tags[line].file_id = 0;
    aux.writing = FILL_GIVEN_UP;
    return LineState::INVALID;
  }

  uint32_t set_of(uint32_t line) const {
    // The first sets have one way more than the others, where they are not all the same: shaders/cache_place.h.
    const uint32_t base = g.line_count / g.set_count, rest = g.line_count % g.set_count, longer = rest * (base + 1);
    return line < longer ? line / (base + 1) : rest + (line - longer) / base;
  }

  const Geometry& g;
  uint32_t* const words;
  LineTag* const tags;
  LineAux* const auxes;
  const LineDone* const dones;
  SetState* const sets;
  ItemRecord* const records;
  const Mailbox* const mailboxes;
  uint32_t* const gates;
  DirtyState* const dirty;
};

}  // namespace

void repair_tables(MountMemory& gpu) {
  Tables tables(gpu);
  tables.end_mail();
  tables.end_lines();
  tables.count_holds();
  tables.count_dirty();
}

void fail_mapped(MountMemory& gpu, const uint32_t* slots, uint32_t count, const uint32_t* items) {
  auto* const records = gpu.at<ItemRecord>(Binding::RECORDS);
  auto* const fault = gpu.at<FaultRecord>(Binding::FAULT);
  for (uint32_t i = 0; i < count; i++) {
    ItemRecord& record = records[slots[i]];
    const bool has_maps = std::any_of(std::begin(record.maps), std::end(record.maps), [](uint32_t map) { return map != 0; });
    if (record.status == ItemStatus::DONE || !has_maps) continue;
    record.status = ItemStatus::DONE;
    if (fault->count < FAULT_ITEMS_MAX) {
      fault->items[fault->count] = items[slots[i]];
      fault->errors[fault->count] = -Errno::eio;
    }
    fault->count++;
  }
}

}  // namespace warpfs::metal
