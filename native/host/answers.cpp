#include "answers.h"

#include "shared_words.h"

namespace warpfs {

void Answers::line(uint32_t line, int32_t result) const {
  LineDone* done = view_.dones + line;
  store_relaxed(&done->result, result);
  store_release(&done->sequence, load_relaxed(&done->sequence) + 1);
  if (view_.link != nullptr) view_.link->line_done(line, *done);
}

void Answers::mailbox(uint32_t mailbox, int32_t result, uint64_t value) const {
  Mailbox* box = view_.mailboxes + mailbox;
  store_relaxed(&box->result, result);
  store_relaxed(&box->value, value);
  store_release(&box->sequence, load_relaxed(&box->sequence) + 1);
  if (view_.link != nullptr) view_.link->mailbox_done(mailbox);
}

void Answers::refuse(const Request& request, int32_t error) const {
  if (is_about_lines(request.opcode)) {
    uint32_t lines[REQUEST_LINES_MAX];
    const uint32_t count = answerable_lines(request, limits_, lines);
    for (uint32_t i = 0; i < count; i++) line(lines[i], error);
  } else if (request.mailbox < limits_.slot_count) {
    mailbox(request.mailbox, error, 0);
  }
}

void FinishedBell::wake() {
  // The empty critical section keeps the wake-up from falling between a waiter's check and its sleep.
  { std::lock_guard lock(mutex_); }
  rung_.notify_all();
}

}  // namespace warpfs
