#include "medium_record.h"

namespace warpfs {

void MediumRecord::add_answer(MediumKind kind, const MediumTime& time, uint64_t answered) {
  const uint64_t by = answered > time.due ? answered - time.due : 0;
  wanted[size_t(kind)].record(time.due - time.asked);
  given[size_t(kind)].record(answered - time.asked);
  late.record(by);
  if (by * LATE_PART > time.due - time.asked) late_answers.store(late_answers.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void MediumRecord::add(const MediumRecord& other) {
  for (size_t kind = 0; kind < MEDIUM_KINDS; kind++) {
    wanted[kind].add(other.wanted[kind]);
    given[kind].add(other.given[kind]);
  }
  late.add(other.late);
  late_answers.fetch_add(other.late_answers.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

}  // namespace warpfs
