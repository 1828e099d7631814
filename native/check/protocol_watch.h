// The rules of the cache, watched while a schedule runs: legal edges, pins, fills, dirty bytes, completions. It looks at the words that the
// gpu and the host share and never at how they came about.
#pragma once
#include "location.h"

#include "../host/mount_memory.h"

#include <vector>

namespace warpfs {

class Engine;
struct Actor;

/// A step of a program that has ended.
struct StepEnd {
  uint32_t result;  // index of its ProgramResult
  uint64_t time;
};

class ProtocolWatch {
 public:
  ProtocolWatch(Engine& engine, const MountMemory& memory);

  void begin_schedule();
  /// From here on nobody can write back what lines of the files of before carry, and whoever has one open or mapped is told so.
  void host_came_back();
  /// What is true now is true at the beginning of the schedules to come.
  void keep();
  void first_touch(Location& where);
  void stored(Location& where, uint32_t old, uint32_t value, Actor& actor);
  void plain_write(Location& where, Actor& actor);
  void data_read(Location& where, Actor& actor, uintptr_t pc);
  void data_written(Location& where, uint32_t mask, Actor& actor);
  void data_filled(Location& where) { where.fill = truth_[where.index].fill; }
  void host_data(void* p, size_t bytes, bool write, Actor& host);
  /// A lane stores bytes into the file itself.
  void bus_stored(uint32_t file_id, uint64_t offset, uint32_t bytes, Actor& actor);
  /// The gpu counts its dirty lines although there is no limit.
  bool counts_all_dirty = false;
  /// Every lane has returned and the host has nothing left to do.
  void at_rest(bool faults);
  /// Somebody has it mapped to write to, or had, since it was claimed.
  bool is_mapped(uint32_t line) const;
  /// After a sweep that went well.
  void all_written();

  /// Of what it knows beyond the memory.
  uint64_t state_hash() const;

  const std::vector<StepEnd>& step_ends() const { return step_ends_; }

 private:
  struct LineTruth {
    uint64_t fill = 1;       // claims so far, + 1
    bool has_dirty = false;
    bool was_mapped = false;  // to write to, since it was claimed
  };
  uint32_t value_before(uint32_t line) const;
  void word_changed(uint32_t line, uint32_t old, uint32_t value, Actor& actor);
  void line_done(uint32_t line, Actor& actor);
  void claimed(uint32_t line, Actor& actor);
  void masks_freed(uint32_t first, uint32_t bits, Actor& actor);
  /// What is to be written of the line, or is on its way to the host, is what the mask says.
  bool has_mask(uint32_t line, uint32_t mask) const;
  /// Bytes [at, end) are on their way to the file.
  void leave(uint32_t line, uint32_t at, uint32_t end, Actor& actor);
  void stored_by_gpu(uint32_t line, bool stored);
  uint64_t* dirty(uint32_t line) { return &dirty_[size_t(line) * words_of_line_]; }
  uint64_t* leaving(uint32_t line) { return &leaving_[size_t(line) * words_of_line_]; }
  /// Its page belongs to bytes that a truncation or somebody else has ended: what was written there is dropped.
  bool is_dead(uint32_t line) const;
  uint32_t lost_file_id_ = 0;  // the highest identity that a host knew which has died
  bool is_leaving(uint32_t asked, uint32_t byte) const;
  bool any(const uint64_t* bits) const;
  uint32_t first_of(const uint64_t* bits) const;

  Engine& engine_;
  const MountMemory& memory_;
  const uint32_t line_count_, lines_, line_bytes_, words_of_line_;
  uint32_t* const words_;
  LineAux* const auxes_;
  LineDone* const dones_;
  std::vector<LineTruth> truth_, kept_truth_;
  // A bit for each byte that a gpu store has put there and no write-back has taken to the host yet; those that one has taken and not answered.
  std::vector<uint64_t> dirty_, leaving_, kept_dirty_, kept_leaving_;
  std::vector<StepEnd> step_ends_;
};

}  // namespace warpfs
