#include "protocol_watch.h"

#include "engine.h"

#include <algorithm>

namespace warpfs {

namespace {

struct Word {
  uint32_t state, step, pins, hands;
};

Word word_of(uint32_t bits) {
  return {bits & LINE_STATE_MASK, (bits & LINE_STEP_MASK) >> LINE_STEP_SHIFT, (bits & LINE_PINS_MASK) >> LINE_PINS_SHIFT,
          (bits & LINE_HANDS_MASK) >> LINE_HANDS_SHIFT};
}

std::string name_of(const Word& word) {
  static const char* const STATES[] = {"INVALID", "BUSY", "READY", "MODIFIED"};
  static const char* const STEPS[] = {"", "/CLAIMING", "/ABANDONED", "/FILLING", "/STARTING", "/WRITING", "/DRAINING", "/STORING"};
  return std::string(STATES[word.state]) + STEPS[word.step];
}

/// ARCHITECTURE.md, section 4: the edges between states, and the steps within BUSY and MODIFIED.
bool may_become(const Word& from, const Word& to) {
  using namespace LineState;
  namespace Step = LineStep;
  if (from.state == to.state && from.step == to.step) return true;
  switch (from.state) {
    case INVALID: return to.state == BUSY && to.step == Step::CLAIMING;
    case READY: return (to.state == BUSY && to.step == Step::CLAIMING) || (to.state == MODIFIED && to.step == Step::NONE) || to.state == INVALID;
    case MODIFIED: return (to.state == MODIFIED && to.step == Step::DRAINING) || (to.state == BUSY && (to.step == Step::STARTING || to.step == Step::STORING));
    default: break;
  }
  switch (from.step) {
    case Step::CLAIMING:
      return (to.state == BUSY && (to.step == Step::ABANDONED || to.step == Step::FILLING || to.step == Step::STARTING)) ||
             (to.state == INVALID && to.step == Step::NONE);
    case Step::ABANDONED: return to.state == INVALID && to.step == Step::NONE;
    case Step::FILLING: return to.step == Step::NONE && (to.state == READY || to.state == INVALID);
    case Step::STARTING:
      // INVALID: a fill from a window that was taken back. Where it was a write-back, its bytes are missed when the line is claimed.
      return (to.state == BUSY && to.step == Step::WRITING) || ((to.state == READY || to.state == INVALID) && to.step == Step::NONE);
    case Step::WRITING:
    case Step::STORING: return to.step == Step::NONE && (to.state == READY || to.state == MODIFIED);
    default: return false;
  }
}

/// Behind DirtyState there is a bit for each mask; as a word of the region.
constexpr uint32_t MASK_BITS_BEGIN = sizeof(DirtyState) / 4;

constexpr uint32_t NO_MASK = ~0u;

/// `asked` is LineAux.dirty or LineAux.writing.
uint32_t mask_of(uint32_t asked) {
  const uint32_t first = asked & 0xffffu, last = asked >> 16;
  return first == 0xffffu && last != 0xffffu && asked != DIRTY_NONE ? last - 1 : NO_MASK;
}

}  // namespace

ProtocolWatch::ProtocolWatch(Engine& engine, const MountMemory& memory)
    : engine_(engine), memory_(memory), line_count_(memory.geometry().line_count), lines_(line_count_ + memory.geometry().bypass_count),
      line_bytes_(memory.geometry().line_bytes), words_of_line_(line_bytes_ / 64), words_(memory.at<uint32_t>(Binding::WORDS)),
      auxes_(memory.at<LineAux>(Binding::AUXES)), dones_(memory.at<LineDone>(Binding::DONES)), truth_(lines_),
      dirty_(size_t(lines_) * words_of_line_), leaving_(dirty_.size()) {
  keep();
}

void ProtocolWatch::keep() {
  kept_truth_ = truth_;
  kept_dirty_ = dirty_;
  kept_leaving_ = leaving_;
}

void ProtocolWatch::host_came_back() {
  const FileEntry* files = memory_.at<FileEntry>(Binding::FILES);
  for (uint32_t file = 0; file < memory_.geometry().file_count; file++) lost_file_id_ = std::max(lost_file_id_, files[file].file_id);
}

void ProtocolWatch::begin_schedule() {
  lost_file_id_ = 0;
  for (uint32_t line = 0; line < lines_; line++) {
    if (truth_[line].has_dirty || kept_truth_[line].has_dirty) {
      std::copy_n(&kept_dirty_[size_t(line) * words_of_line_], words_of_line_, dirty(line));
      std::copy_n(&kept_leaving_[size_t(line) * words_of_line_], words_of_line_, leaving(line));
    }
    truth_[line] = kept_truth_[line];
  }
  step_ends_.clear();
}

void ProtocolWatch::first_touch(Location& where) {
  switch (where.kind) {
    case RegionKind::WORDS: where.watched = true; break;
    case RegionKind::DIRTY: where.watched = where.index >= MASK_BITS_BEGIN; break;
    case RegionKind::DONES: where.watched = where.field == offsetof(LineDone, sequence); break;
    case RegionKind::RECORDS: where.watched = where.field >= offsetof(ItemRecord, maps) && where.field < offsetof(ItemRecord, maps) + sizeof(ItemRecord::maps); break;
    case RegionKind::RESULTS: where.watched = where.field == offsetof(ProgramResult, done); break;
    case RegionKind::LINES: {
      const uint32_t line = where.index;
      const bool was_filled = (value_before(line) & LINE_STATE_MASK) >= LineState::READY;
      where.fill = was_filled || truth_[line].fill == kept_truth_[line].fill ? kept_truth_[line].fill : 0;
      break;
    }
    default: break;
  }
}

uint32_t ProtocolWatch::value_before(uint32_t line) const { return engine_.location(words_ + line)->initial; }

void ProtocolWatch::stored(Location& where, uint32_t old, uint32_t value, Actor& actor) {
  if (where.kind == RegionKind::WORDS) word_changed(where.index, old, value, actor);
  else if (where.kind == RegionKind::DONES) line_done(where.index, actor);
  else if (where.kind == RegionKind::DIRTY) masks_freed((where.index - MASK_BITS_BEGIN) * 32, old & ~value, actor);
}

void ProtocolWatch::plain_write(Location& where, Actor& actor) {
  if (where.kind == RegionKind::RESULTS && actor.lane == 0) step_ends_.push_back({where.index, engine_.steps()});
  if (where.kind != RegionKind::RECORDS) return;
  // The store comes behind this: what is there is what was mapped, and is given back now.
  const uint32_t given_back = memory_.at<ItemRecord>(Binding::RECORDS)[where.index].maps[(where.field - offsetof(ItemRecord, maps)) / 4];
  if ((given_back & 1) != 0 && given_back >> 1 <= lines_) truth_[(given_back >> 1) - 1].was_mapped = true;
}

/// A map to write to counts as written as a whole, whatever was stored.
bool ProtocolWatch::is_mapped(uint32_t line) const {
  if (truth_[line].was_mapped) return true;
  const ItemRecord* records = memory_.at<ItemRecord>(Binding::RECORDS);
  return std::any_of(records, records + memory_.geometry().slot_count, [&](const ItemRecord& record) {
    return std::find(std::begin(record.maps), std::end(record.maps), (line + 1) << 1 | 1) != std::end(record.maps);
  });
}

void ProtocolWatch::word_changed(uint32_t line, uint32_t old, uint32_t value, Actor& actor) {
  const Word from = word_of(old), to = word_of(value);
  const std::string of_line = "line " + std::to_string(line);
  if (from.pins == 0 && to.pins > PINS_MAX / 2) engine_.report("pin_leaked", of_line + " was unpinned although nobody had it pinned", {&actor});
  if (from.hands == 0 && to.hands > PINS_MAX / 2) engine_.report("pin_leaked", of_line + " was left by a hand that was not on it", {&actor});
  if (from.state == to.state && from.step == to.step) return;
  if (engine_.tracing()) engine_.event("edge", of_line + " " + name_of(from) + " -> " + name_of(to), value);
  if (!may_become(from, to)) engine_.report("illegal_edge", of_line + " went from " + name_of(from) + " to " + name_of(to), {&actor});
  const bool takes = to.state == LineState::BUSY && from.state != LineState::BUSY;
  // For another page no pin may be on it; to be written back, no hand.
  const uint32_t holders = to.step == LineStep::CLAIMING ? from.pins : from.hands;
  if (takes && holders != 0) {
    engine_.report("evicted_while_pinned", of_line + " was taken (" + name_of(from) + " to " + name_of(to) + ") with " + std::to_string(holders) +
                                               (to.step == LineStep::CLAIMING ? " pins" : " hands") + " on it", {&actor});
  }
  if (takes && to.step == LineStep::CLAIMING) claimed(line, actor);
  if (from.state == LineState::BUSY && from.step == LineStep::STORING) stored_by_gpu(line, to.state == LineState::READY);
  const bool ends_waiting = from.state == LineState::BUSY && (from.step == LineStep::FILLING || from.step == LineStep::WRITING);
  const bool soils = from.state == LineState::READY && to.state == LineState::MODIFIED;
  // Without a hand another write-back may begin meanwhile, without a pin the line may be claimed. Lines behind the cache are never written to.
  if ((ends_waiting || soils) && line < line_count_ && (from.hands == 0 || from.pins == 0)) {
    engine_.report("illegal_edge", of_line + " went from " + name_of(from) + " to " + name_of(to) + " with nobody's " + (from.hands == 0 ? "hand" : "pin") + " on it", {&actor});
  }
  if (!ends_waiting) return;
  const LineDone& done = dones_[line];
  if (done.sequence != auxes_[line].ticket) {
    engine_.report("illegal_edge", of_line + " went from " + name_of(from) + " to " + name_of(to) + " before the host had answered (ticket " +
                                       std::to_string(auxes_[line].ticket) + ", answered " + std::to_string(done.sequence) + ")", {&actor});
  }
  if ((done.result < 0) == (to.state == LineState::READY)) {
    engine_.report("illegal_edge", of_line + " went from " + name_of(from) + " to " + name_of(to) + " although the host answered " + std::to_string(done.result), {&actor});
  }
}

/// Of the masks from `first` on, those whose bits are set are given back.
void ProtocolWatch::masks_freed(uint32_t first, uint32_t bits, Actor& actor) {
  for (; bits != 0; bits &= bits - 1) {
    const uint32_t mask = first + uint32_t(__builtin_ctz(bits));
    for (uint32_t line = 0; line < line_count_; line++) {
      if (!has_mask(line, mask)) continue;
      engine_.report("dirty_lost", "mask " + std::to_string(mask) + " was given back, and it says which bytes of line " + std::to_string(line) + " (" +
                                       name_of(word_of(words_[line])) + ") are to be written", {&actor});
    }
  }
}

bool ProtocolWatch::has_mask(uint32_t line, uint32_t mask) const {
  const Word word = word_of(words_[line]);
  const bool writing = word.state == LineState::BUSY && word.step == LineStep::WRITING;
  return mask_of(auxes_[line].dirty) == mask || (writing && mask_of(auxes_[line].writing) == mask);
}

void ProtocolWatch::claimed(uint32_t line, Actor& actor) {
  LineTruth& truth = truth_[line];
  truth.fill++;
  truth.was_mapped = false;
  if (!truth.has_dirty || is_dead(line)) {
    std::fill_n(dirty(line), words_of_line_, 0);
    std::fill_n(leaving(line), words_of_line_, 0);
    return;
  }
  for (const uint64_t* bits : {dirty(line), leaving(line)}) {
    if (any(bits)) {
      engine_.report("dirty_lost", "line " + std::to_string(line) + " was given to another page with its byte " + std::to_string(first_of(bits)) +
                                       " written by the gpu and not by the host", {&actor});
    }
  }
}

void ProtocolWatch::line_done(uint32_t line, Actor& actor) {
  const Word word = word_of(words_[line]);
  const bool waits = word.state == LineState::BUSY && (word.step == LineStep::FILLING || word.step == LineStep::WRITING);
  const std::string of_line = "line " + std::to_string(line);
  if (!waits) {
    engine_.report("completion_misdelivered", of_line + " was answered, but it is " + name_of(word) + " and waits for nothing", {&actor});
  } else if (dones_[line].sequence != auxes_[line].ticket) {
    engine_.report("completion_doubled", of_line + " got answer " + std::to_string(dones_[line].sequence) + ", but has asked for " +
                                             std::to_string(auxes_[line].ticket), {&actor});
  }
  if (word.step != LineStep::WRITING || !truth_[line].has_dirty) return;
  uint64_t *still = dirty(line), *left = leaving(line);
  const bool failed = dones_[line].result < 0;
  // An answer that all is well although the host has not taken all bytes means that their file has ended: those that were asked for are dead.
  const uint32_t asked = auxes_[line].writing;
  for (uint32_t word_index = 0; word_index < words_of_line_; word_index++) {
    if (failed) still[word_index] |= left[word_index];
    left[word_index] = 0;
  }
  for (uint32_t at = 0; !failed && at < line_bytes_; at++) {
    if (is_leaving(asked, at)) still[at / 64] &= ~(uint64_t(1) << at % 64);
  }
}

void ProtocolWatch::data_read(Location& where, Actor& actor, uintptr_t pc) {
  if (where.fill == truth_[where.index].fill) return;
  actor.op.pc = pc;
  engine_.report("unfilled_read", "a lane reads " + engine_.describe(where) + ", which nobody has filled since its line was claimed", {&actor});
}

void ProtocolWatch::data_written(Location& where, uint32_t mask, Actor&) {
  const uint32_t line = where.index;
  where.fill = truth_[line].fill;
  truth_[line].has_dirty = true;
  uint64_t* bits = dirty(line);
  for (uint32_t byte = 0; byte < 4; byte++) {
    const uint32_t at = where.field + byte;
    if ((mask >> byte * 8 & 255) != 0) bits[at / 64] |= uint64_t(1) << at % 64;
  }
}

void ProtocolWatch::host_data(void* p, size_t bytes, bool write, Actor& host) {
  const uint8_t* lines = memory_.at<uint8_t>(Binding::LINES);
  const uint64_t offset = uint64_t(static_cast<uint8_t*>(p) - lines);
  const uint32_t line = uint32_t(offset / line_bytes_);
  LineTruth& truth = truth_[line];
  for (uint64_t at = offset & ~uint64_t(3); write && at < offset + bytes; at += 4) {
    engine_.location(const_cast<uint8_t*>(lines) + at)->fill = truth.fill;
  }
  if (!write) leave(line, uint32_t(offset % line_bytes_), uint32_t(offset % line_bytes_ + bytes), host);
}

void ProtocolWatch::leave(uint32_t line, uint32_t at, uint32_t end, Actor& actor) {
  uint64_t *still = dirty(line), *left = leaving(line);
  truth_[line].has_dirty = true;  // a map counts as written, stored or not
  for (; at < end; at++) {
    const uint64_t bit = uint64_t(1) << at % 64;
    if (((still[at / 64] | left[at / 64]) & bit) == 0 && !is_mapped(line)) {
      engine_.report("foreign_bytes", std::string(actor.warp == nullptr ? "the host" : "a lane") + " takes byte " + std::to_string(at) + " of line " + std::to_string(line) +
                                          " to the file, which the gpu has not written", {&actor});
    }
    still[at / 64] &= ~bit;
    left[at / 64] |= bit;
  }
}

void ProtocolWatch::bus_stored(uint32_t file_id, uint64_t offset, uint32_t bytes, Actor& actor) {
  const LineTag* tags = memory_.at<LineTag>(Binding::TAGS);
  const uint64_t page = offset / line_bytes_;
  for (uint32_t line = 0; line < line_count_; line++) {
    const Word word = word_of(words_[line]);
    const bool is_its = tags[line].file_id == file_id && tags[line].page_low == uint32_t(page) && tags[line].page_high == uint32_t(page >> 32);
    if (!is_its || word.state != LineState::BUSY || word.step != LineStep::STORING) continue;
    return leave(line, uint32_t(offset % line_bytes_), uint32_t(offset % line_bytes_) + bytes, actor);
  }
  engine_.report("foreign_bytes", "a lane stores byte " + std::to_string(offset) + " of a file, of which no line is being stored", {&actor});
}

/// Bytes that were not stored may have gone nowhere, and are to be written once more.
void ProtocolWatch::stored_by_gpu(uint32_t line, bool stored) {
  for (uint32_t word = 0; word < words_of_line_; word++) {
    if (!stored) dirty(line)[word] |= leaving(line)[word];
    leaving(line)[word] = 0;
  }
}

void ProtocolWatch::at_rest(bool faults) {
  for (uint32_t line = 0; line < lines_; line++) {
    const Word word = word_of(words_[line]);
    const std::string of_line = "line " + std::to_string(line);
    if (word.hands != 0) return engine_.report("pin_leaked", of_line + " (" + name_of(word) + ") has " + std::to_string(word.hands) + " hands on it and nobody to take them away");
    if (word.pins != 0) return engine_.report("pin_leaked", of_line + " (" + name_of(word) + ") has " + std::to_string(word.pins) + " pins and nobody to unpin it");
    if (faults || word.state != LineState::BUSY) continue;
    if (word.step == LineStep::FILLING || word.step == LineStep::WRITING) {
      if (dones_[line].sequence != auxes_[line].ticket) return engine_.report("completion_lost", of_line + " is " + name_of(word) + " and will never be answered");
    } else {
      return engine_.report("illegal_edge", of_line + " was left " + name_of(word));
    }
  }
  const uint32_t* mask_bits = reinterpret_cast<const uint32_t*>(memory_.at<DirtyState>(Binding::DIRTY) + 1);
  for (uint32_t mask = 0; mask < memory_.geometry().mask_count; mask++) {
    if ((mask_bits[mask / 32] >> mask % 32 & 1) == 0) continue;
    uint32_t users = 0;
    for (uint32_t line = 0; line < line_count_; line++) users += has_mask(line, mask) ? 1 : 0;
    if (users != 1) return engine_.report("pin_leaked", "mask " + std::to_string(mask) + " is in use, but " + std::to_string(users) + " lines have it");
  }
  const uint32_t counted = memory_.at<DirtyState>(Binding::DIRTY)->lines;
  const auto is_dirty = [](uint32_t bits) { return word_of(bits).state == LineState::MODIFIED || word_of(bits).step == LineStep::WRITING; };
  const uint32_t modified = uint32_t(std::count_if(words_, words_ + line_count_, is_dirty));
  if ((counts_all_dirty || memory_.geometry().dirty_lines_max != 0) && counted != modified) {
    return engine_.report("pin_leaked", std::to_string(counted) + " lines count as dirty, but there are " + std::to_string(modified));
  }
  const uint32_t* gates = memory_.at<uint32_t>(Binding::GATES);
  for (uint32_t file = 0; file < memory_.geometry().file_count; file++) {
    if (gates[file] != 0) return engine_.report("pin_leaked", "the gate of file " + std::to_string(file) + " is " + std::to_string(gates[file]) + " and nobody is inside");
  }
}

void ProtocolWatch::all_written() {
  for (uint32_t line = 0; line < lines_; line++) {
    if (!truth_[line].has_dirty || is_dead(line)) continue;
    for (const uint64_t* bits : {dirty(line), leaving(line)}) {
      if (any(bits)) {
        return engine_.report("dirty_lost", "byte " + std::to_string(first_of(bits)) + " of line " + std::to_string(line) + " was written by the gpu and is not in its file after a sync");
      }
    }
  }
}

bool ProtocolWatch::is_dead(uint32_t line) const {
  const uint32_t file_id = memory_.at<LineTag>(Binding::TAGS)[line].file_id;
  if (file_id <= lost_file_id_) return true;
  const FileEntry* files = memory_.at<FileEntry>(Binding::FILES);
  return std::none_of(files, files + memory_.geometry().file_count, [&](const FileEntry& file) { return file.file_id == file_id; });
}

/// `asked` is LineAux.writing: a range, or a mask.
bool ProtocolWatch::is_leaving(uint32_t asked, uint32_t byte) const {
  const uint32_t mask = mask_of(asked);
  if (mask == NO_MASK) return (asked & 0xffffu) <= byte && byte <= asked >> 16;
  return (memory_.at<uint32_t>(Binding::MASKS)[uint64_t(mask) * (line_bytes_ / 32) + byte / 32] >> byte % 32 & 1) != 0;
}

uint64_t ProtocolWatch::state_hash() const {
  uint64_t hash = 0;
  for (uint32_t line = 0; line < lines_; line++) {
    if (!truth_[line].has_dirty) continue;
    for (uint32_t word = 0; word < words_of_line_; word++) {
      const size_t at = size_t(line) * words_of_line_ + word;
      if ((dirty_[at] | leaving_[at]) == 0) continue;
      hash += (dirty_[at] * 3 + leaving_[at] + at) * 0x9e3779b97f4a7c15u ^ dirty_[at] >> 7;
    }
  }
  return hash;
}

bool ProtocolWatch::any(const uint64_t* bits) const {
  return std::any_of(bits, bits + words_of_line_, [](uint64_t word) { return word != 0; });
}

uint32_t ProtocolWatch::first_of(const uint64_t* bits) const {
  for (uint32_t word = 0; word < words_of_line_; word++) {
    if (bits[word] != 0) return word * 64 + uint32_t(__builtin_ctzll(bits[word]));
  }
  return 0;
}

}  // namespace warpfs
