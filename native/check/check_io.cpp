#include "check_io.h"

#include "../host/assert.h"
#include "../host/shared_words.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace warpfs {

namespace {

constexpr size_t PIECE_BYTES = 128;      // moved between a line and the host at once; others may run before the next piece
constexpr uint32_t HINDRANCES_MAX = 4;

/// Calls act(address, bounce offset, bytes) for each piece of the next `count` bytes of a transfer, in the order of the file.
template <typename Act>
void for_each_piece(const Transfer& transfer, size_t count, Act&& act) {
  size_t done = 0;
  for (uint32_t part = transfer.part_first; part < transfer.part_count && done < count; part++) {
    uint8_t* at = static_cast<uint8_t*>(transfer.parts[part].iov_base);
    const uint8_t* const end = at + std::min<size_t>(transfer.parts[part].iov_len, count - done);
    while (at < end) {
      const size_t to_boundary = PIECE_BYTES - reinterpret_cast<uintptr_t>(at) % PIECE_BYTES;
      const size_t bytes = std::min<size_t>(to_boundary, size_t(end - at));
      act(at, done, bytes);
      at += bytes;
      done += bytes;
    }
  }
}

}  // namespace

void CheckIo::start(Transfer& transfer) { waiting_.push_back({transfer, pool_.waiting()}); }

bool CheckIo::advance() {
  const size_t works = pool_.waiting();
  const size_t alternatives = waiting_.size() + works;
  if (alternatives == 0) return false;
  size_t chosen = alternatives == 1 ? 0 : host_.choices_.choose(uint32_t(alternatives));
  WARPFS_ASSERT(chosen < alternatives);
  // Transfers and work in the order in which they came.
  size_t transfer = 0, work = 0;
  while (true) {
    const bool is_transfer = transfer < waiting_.size() && (work == works || waiting_[transfer].work_before <= work);
    if (chosen == 0 && is_transfer) {
      move(transfer);
      return true;
    }
    if (chosen == 0) break;
    chosen--;
    is_transfer ? transfer++ : work++;
  }
  for (Waiting& waiting : waiting_) waiting.work_before -= waiting.work_before > work;
  if (host_.happens(host_.faults_.die, true)) die();
  else pool_.run_one(work);
  return true;
}

bool CheckIo::hinders(Waiting& waiting, uint32_t permille) {
  if (waiting.hindrances >= HINDRANCES_MAX || !host_.happens(permille, false)) return false;
  waiting.hindrances++;
  return true;
}

CheckIo::Death CheckIo::death() {
  if (!host_.happens(host_.faults_.die, true)) return Death::NONE;
  const Death places[] = {Death::BEFORE, Death::DURING, Death::AFTER};
  return places[host_.choices_.choose(3)];
}

/// What the schedule decides is asked before the write begins. From there until it ends nothing else of the host runs, so that no
/// truncation finds a write under way: this thread would wait for itself.
void CheckIo::move(size_t index) {
  Waiting& waiting = waiting_[index];
  Transfer& transfer = waiting.transfer;
  if (hinders(waiting, host_.faults_.delay)) {
    waiting.work_before = pool_.waiting();
    std::rotate(waiting_.begin() + ptrdiff_t(index), waiting_.begin() + ptrdiff_t(index) + 1, waiting_.end());
    return;
  }
  const Death death = this->death();
  if (death == Death::BEFORE) return die();
  const int64_t error = injected_error(waiting);
  const uint32_t count = error != 0 ? 0 : bytes_to_move(transfer.remaining);
  const Begin begin = end_.begin(transfer);
  WARPFS_ASSERT(begin != Begin::LATER);
  bool ended = begin == Begin::ENDED;
  if (ended && death != Death::NONE) die();
  if (!ended) {
    const bool dies = death == Death::DURING;
    const int64_t moved = error != 0 ? error : transfer.write ? write(transfer, count, dies) : read(transfer, count, dies);
    if (death != Death::NONE) return die();
    ended = end_.take(transfer, moved);
  }
  if (ended) waiting_.erase(waiting_.begin() + ptrdiff_t(index));
  else end_.put_off(transfer);
}

/// 0, or what the system call returns instead of moving anything.
int64_t CheckIo::injected_error(Waiting& waiting) {
  if (hinders(waiting, host_.faults_.eintr)) return -EINTR;
  if (host_.happens(host_.faults_.eio, true)) return -EIO;
  if (waiting.transfer.write && host_.happens(host_.faults_.enospc, true)) return -ENOSPC;
  return 0;
}

uint32_t CheckIo::bytes_to_move(uint32_t remaining) {
  if (remaining < 2 || !host_.happens(host_.faults_.short_io, false)) return remaining;
  const uint32_t counts[] = {remaining / 2, 1, remaining - 1, std::max(remaining / 3, 1u)};
  return counts[host_.choices_.choose(4)];
}

/// As many bytes as a system call would return, or its error. A host that dies has moved half of them.
int64_t CheckIo::read(const Transfer& transfer, uint32_t count, bool dies) {
  if (bounce_bytes_ < count) bounce_ = std::make_unique_for_overwrite<uint8_t[]>(bounce_bytes_ = count);
  const ssize_t moved = pread(transfer.file.fd, bounce_.get(), count, off_t(transfer.offset));
  if (moved < 0) return -int64_t(errno);
  for_each_piece(transfer, size_t(dies ? moved / 2 : moved), [this](uint8_t* at, size_t offset, size_t bytes) {
    copy_to_gpu(at, bounce_.get() + offset, bytes);
  });
  return moved;
}

int64_t CheckIo::write(const Transfer& transfer, uint32_t count, bool dies) {
  if (bounce_bytes_ < count) bounce_ = std::make_unique_for_overwrite<uint8_t[]>(bounce_bytes_ = count);
  for_each_piece(transfer, count, [this](uint8_t* at, size_t offset, size_t bytes) {
    copy_from_gpu(bounce_.get() + offset, at, bytes);
  });
  const ssize_t moved = pwrite(transfer.file.fd, bounce_.get(), dies ? (count + 1) / 2 : count, off_t(transfer.offset));
  return moved < 0 ? -int64_t(errno) : moved;
}

}  // namespace warpfs
