#include "held_answers.h"

namespace warpfs {

HeldAnswers::HeldAnswers(Medium& medium, const Answers& answers, FinishedBell& bell, Counters& counters, std::function<void()> wake)
    : medium_(medium), answers_(answers), bell_(bell), counters_(counters), wake_(std::move(wake)) {}

void HeldAnswers::hold(const HeldAnswer& answer) {
  if (owner_.load(std::memory_order_relaxed) == std::this_thread::get_id()) return keep(answer);
  bool closed = false;
  {
    std::lock_guard lock(mutex_);
    closed = closed_;
    if (!closed) {
      come_.push_back(answer);
      come_count_.store(come_.size(), std::memory_order_seq_cst);
    }
  }
  if (closed) tell(answer);
  else wake_();
}

void HeldAnswers::keep(const HeldAnswer& answer) {
  if (free_.empty()) {
    free_.push_back(uint32_t(kept_.size()));
    kept_.emplace_back();
  }
  const uint32_t place = free_.back();
  free_.pop_back();
  kept_[place] = answer;
  heap_.push({answer.time.due, order_++, place});
}

void HeldAnswers::take_in() {
  std::lock_guard lock(mutex_);
  for (const HeldAnswer& answer : come_) keep(answer);
  come_.clear();
  come_count_.store(0, std::memory_order_relaxed);
}

uint32_t HeldAnswers::release(uint64_t now) {
  if (has_come()) take_in();
  uint32_t released = 0;
  for (; !heap_.empty() && heap_.top().due <= now; released++) {
    const uint32_t place = heap_.top().place;
    heap_.pop();
    record_.add_answer(kept_[place].kind, kept_[place].time, now);
    tell(kept_[place]);
    free_.push_back(place);
  }
  return released;
}

void HeldAnswers::tell(const HeldAnswer& answer) {
  for (uint32_t i = 0; i < answer.line_count; i++) answers_.line(answer.lines[i], answer.result);
  if (answer.line_count == 0) answers_.mailbox(answer.mailbox, answer.result, answer.value);
  bell_.finished(counters_);
}

void HeldAnswers::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  take_in();  // nothing comes any more
  for (; !heap_.empty(); heap_.pop()) tell(kept_[heap_.top().place]);
}

}  // namespace warpfs
