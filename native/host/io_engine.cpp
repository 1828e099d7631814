#include "io_engine.h"

#include "held_answers.h"
#include "host_error.h"
#include "shared_words.h"

#include <algorithm>
#include <bit>
#include <cerrno>

namespace warpfs {

namespace {

constexpr uint32_t WORD_BITS = 32;

/// The first bit from `from` on that is as wanted, or `end`. The gpu may be changing the mask, if it lies: each word is read once.
uint32_t find_bit(const uint32_t* mask, uint32_t from, uint32_t end, bool wanted) {
  for (uint32_t at = from; at < end; at = (at / WORD_BITS + 1) * WORD_BITS) {
    const uint32_t word = load_relaxed(mask + at / WORD_BITS);
    const uint32_t found = (wanted ? word : ~word) & (~0u << at % WORD_BITS);
    if (found != 0) return std::min(at / WORD_BITS * WORD_BITS + uint32_t(std::countr_zero(found)), end);
  }
  return end;
}

/// Behind the last bit that is set.
uint32_t find_end(const uint32_t* mask, uint32_t bits) {
  for (uint32_t word = bits / WORD_BITS; word-- > 0;) {
    const uint32_t found = load_relaxed(mask + word);
    if (found != 0) return (word + 1) * WORD_BITS - uint32_t(std::countl_zero(found));
  }
  return 0;
}

HeldAnswer held_answer(const Transfer& transfer, int32_t error) {
  HeldAnswer answer;
  answer.kind = transfer.write ? MediumKind::WRITE : MediumKind::READ;
  answer.time = transfer.time;
  answer.result = error;
  answer.line_count = transfer.line_count;
  std::copy_n(transfer.lines, transfer.line_count, answer.lines);
  return answer;
}

}  // namespace

bool Transfer::advance(uint64_t moved) {
  offset += moved;
  remaining -= uint32_t(moved);
  while (part_first < part_count && moved >= parts[part_first].iov_len) moved -= parts[part_first++].iov_len;
  if (moved != 0) {
    iovec& part = parts[part_first];
    part.iov_base = static_cast<uint8_t*>(part.iov_base) + moved;
    part.iov_len -= moved;
  }
  return remaining != 0;
}

void Transfer::fill_rest_with_zeros() {
  for (uint32_t part = part_first; part < part_count; part++) zero_for_gpu(parts[part].iov_base, parts[part].iov_len);
}

void Transfer::use_mask(const uint32_t* mask_, uint8_t* line_, uint32_t line_bytes) {
  mask = mask_;
  line = line_;
  line_offset = offset;
  end = offset + find_end(mask, line_bytes);
}

bool Transfer::next_run() {
  if (mask == nullptr) return false;
  const uint32_t bits = uint32_t(end - line_offset);
  const uint32_t first = find_bit(mask, uint32_t(offset - line_offset), bits, true);
  offset = line_offset + first;
  remaining = find_bit(mask, first, bits, false) - first;
  parts[0] = {line + first, remaining};
  part_first = 0;
  part_count = 1;
  return remaining != 0;
}

Begin TransferEnd::begin(Transfer& transfer) {
  if (!transfer.write) {
    // Whoever asks for the bytes of an identity that is gone would take what is there now for them.
    if (files_.is_current(transfer.file, transfer.file_id)) return Begin::MOVE;
    finish(transfer, -Errno::estale);
    return Begin::ENDED;
  }
  const WriteStart start = files_.begin_write(transfer.file, transfer.file_id, transfer.end);
  if (start == WriteStart::LATER) return Begin::LATER;
  transfer.begun = start == WriteStart::NOW;
  if (transfer.begun) return Begin::MOVE;
  finish(transfer, start == WriteStart::LEFT ? -Errno::estale : 0);
  return Begin::ENDED;
}

void TransferEnd::put_off(Transfer& transfer) {
  if (transfer.begun) files_.end_write(transfer.file);
  transfer.begun = false;
}

void TransferEnd::finish(const Transfer& transfer, int32_t error) {
  // A truncation may have come before the last byte was read.
  if (!transfer.write && error == 0 && !files_.is_current(transfer.file, transfer.file_id)) error = -Errno::estale;
  if (transfer.begun) files_.end_write(transfer.file);
  if (transfer.write && error != 0) files_.write_failed(transfer.file, error);
  files_.release(transfer.file);
  if (HeldAnswers* held = transfer.counters->held) return held->hold(held_answer(transfer, error));
  for (uint32_t i = 0; i < transfer.line_count; i++) answers_.line(transfer.lines[i], error);
  bell_.finished(*transfer.counters);
}

bool TransferEnd::take(Transfer& transfer, int64_t moved_or_error) {
  if (moved_or_error < 0) {
    if (moved_or_error == -EINTR) return false;
    finish(transfer, failure(int(-moved_or_error)));
    return true;
  }
  if (moved_or_error == 0) {
    if (transfer.write) {
      finish(transfer, -Errno::eio);  // nothing was written and no reason given: never to be tried for ever
    } else {
      transfer.fill_rest_with_zeros();
      finish(transfer, 0);
    }
    return true;
  }
  std::atomic<uint64_t>& bytes = transfer.write ? transfer.counters->bytes_written : transfer.counters->bytes_read;
  bytes.fetch_add(uint64_t(moved_or_error), std::memory_order_relaxed);
  if (transfer.advance(uint64_t(moved_or_error)) || transfer.next_run()) return false;
  finish(transfer, 0);
  return true;
}

void move_blocking(Transfer& transfer, TransferEnd& end) {
  Begin begin = end.begin(transfer);
  for (; begin == Begin::LATER; begin = end.begin(transfer)) end.wait_until_it_may(transfer);
  if (begin == Begin::MOVE) move_begun(transfer, end);
}

void move_begun(Transfer& transfer, TransferEnd& end) {
  while (true) {
    const iovec* parts = transfer.parts + transfer.part_first;
    const int count = int(transfer.part_count - transfer.part_first);
    const ssize_t moved = transfer.write ? end.calls().write(transfer.file.fd, parts, count, transfer.offset)
                                         : end.calls().read(transfer.file.read_fd, parts, count, transfer.offset);
    if (end.take(transfer, moved < 0 ? -int64_t(errno) : moved)) return;
  }
}

}  // namespace warpfs
