#include "io_engine.h"

#include "host_error.h"
#include "shared_words.h"

#include <cerrno>

namespace warpfs {

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

Begin TransferEnd::begin(Transfer& transfer) {
  if (!transfer.write) return Begin::MOVE;
  const WriteStart start = files_.begin_write(transfer.file, transfer.file_id, transfer.offset + transfer.remaining);
  if (start == WriteStart::LATER) return Begin::LATER;
  transfer.begun = start == WriteStart::NOW;
  if (transfer.begun) return Begin::MOVE;
  finish(transfer, 0);
  return Begin::ENDED;
}

void TransferEnd::put_off(Transfer& transfer) {
  if (transfer.begun) files_.end_write(transfer.file);
  transfer.begun = false;
}

void TransferEnd::finish(const Transfer& transfer, int32_t error) {
  if (transfer.begun) files_.end_write(transfer.file);
  files_.release(transfer.file);
  for (uint32_t i = 0; i < transfer.line_count; i++) answers_.line(transfer.lines[i], error);
  transfer.counters->finished.fetch_add(1, std::memory_order_seq_cst);
  bell_.ring();
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
  if (transfer.advance(uint64_t(moved_or_error))) return false;
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
                                         : end.calls().read(transfer.file.fd, parts, count, transfer.offset);
    if (end.take(transfer, moved < 0 ? -int64_t(errno) : moved)) return;
  }
}

}  // namespace warpfs
