// With a medium: answers of one daemon thread whose bytes are there, but whose time has not come. The thread looks at them while it polls.
#pragma once
#include "answers.h"
#include "medium.h"
#include "medium_record.h"

#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

namespace warpfs {

struct HeldAnswer {
  MediumKind kind = MediumKind::READ;
  MediumTime time;
  int32_t result = 0;
  uint32_t line_count = 0;  // 0: it goes to the mailbox
  uint32_t lines[REQUEST_LINES_MAX] = {};
  uint32_t mailbox = 0;
  uint64_t value = 0;
};

class HeldAnswers {
 public:
  /// `wake` is called, from any thread, when one of another thread has come.
  HeldAnswers(Medium& medium, const Answers& answers, FinishedBell& bell, Counters& counters, std::function<void()> wake);
  HeldAnswers(const HeldAnswers&) = delete;
  HeldAnswers& operator=(const HeldAnswers&) = delete;

  /// By the daemon thread, before all else.
  void own() { owner_.store(std::this_thread::get_id(), std::memory_order_relaxed); }
  /// What is asked of the medium from now on was seen at this moment.
  void look(uint64_t now) { seen_ = now; }
  MediumTime ask(MediumKind kind, uint64_t bytes) { return medium_.ask(kind, seen_, bytes); }

  /// From any thread. After close() it is told at once.
  void hold(const HeldAnswer& answer);
  /// Tells what is due; never before. For the daemon thread, as the next two. How many.
  uint32_t release(uint64_t now);
  bool is_empty() const { return heap_.empty() && !has_come(); }
  /// Only where it is not empty.
  uint64_t next_due() const { return has_come() ? 0 : heap_.top().due; }
  /// Something has come that another thread ended.
  bool has_come() const { return come_count_.load(std::memory_order_seq_cst) != 0; }
  /// The daemon thread ends: nothing is held any more.
  void close();

  const MediumRecord& record() const { return record_; }

 private:
  struct Due {
    uint64_t due;
    uint64_t order;  // what came first goes first
    uint32_t place;
    bool operator<(const Due& other) const { return due != other.due ? due > other.due : order > other.order; }
  };

  void keep(const HeldAnswer& answer);
  void take_in();
  void tell(const HeldAnswer& answer);

  Medium& medium_;
  const Answers& answers_;
  FinishedBell& bell_;
  Counters& counters_;
  const std::function<void()> wake_;
  uint64_t seen_ = 0;
  uint64_t order_ = 0;
  std::priority_queue<Due> heap_;
  std::vector<HeldAnswer> kept_;
  std::vector<uint32_t> free_;
  MediumRecord record_;
  std::atomic<std::thread::id> owner_{};

  std::mutex mutex_;
  std::vector<HeldAnswer> come_;  // from other threads
  bool closed_ = false;
  std::atomic<size_t> come_count_{0};
};

}  // namespace warpfs
