// What came of a medium: how long it let requests wait, and how late the host was.
#pragma once
#include "medium.h"
#include "time_histogram.h"

namespace warpfs {

struct MediumRecord {
  static constexpr uint64_t LATE_PART = 20;  // late by more than this part of the time that it should have taken: 5 %

  TimeHistogram wanted[MEDIUM_KINDS];  // by MediumKind: from being asked to being due
  TimeHistogram given[MEDIUM_KINDS];   // and to the answer
  TimeHistogram late;                  // from being due to the answer
  std::atomic<uint64_t> late_answers{0};

  /// One thread alone calls it.
  void add_answer(MediumKind kind, const MediumTime& time, uint64_t answered);
  void add(const MediumRecord& other);
};

}  // namespace warpfs
