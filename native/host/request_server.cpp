#include "request_server.h"

#include "shared_words.h"

#include <algorithm>

namespace warpfs {

void RequestServer::answer(uint32_t mailbox, int32_t result, uint64_t value, Counters& counters) {
  answers_.mailbox(mailbox, result, value);
  bell_.finished(counters);
}

void RequestServer::refuse(const Request& request, int32_t error, Counters& counters) {
  counters.refused.fetch_add(1, std::memory_order_relaxed);
  answers_.refuse(request, error);
  bell_.finished(counters);
}

void RequestServer::serve(const Request& request, IoEngine& engine, Counters& counters, FileHold* hold) {
  if (const int32_t error = check_request(request, limits_)) return refuse(request, error, counters);
  switch (request.opcode) {
    case Opcode::NOP:
      Counters::bump(counters.served[Opcode::NOP]);
      return bell_.finished(counters);
    case Opcode::OPEN: return open(request, counters);
    case Opcode::CLOSE: return close(request, counters);
    case Opcode::UNLINK: return unlink(request, counters);
    case Opcode::RENAME: return rename(request, counters);
    default: break;
  }
  const FileRef file = files_.acquire(request.file, hold);
  const bool dead = request.opcode == Opcode::WRITE_BACK && file.slot == nullptr && files_.is_dead(request.file, request.mailbox);
  if (file.slot == nullptr && !dead) return refuse(request, -Errno::ebadf, counters);
  Counters::bump(counters.served[request.opcode]);
  if (dead) {  // a line from before a truncation outlived the last handle of its file
    answers_.line(request.lines[0], 0);
    return bell_.finished(counters);
  }
  switch (request.opcode) {
    case Opcode::FILL: return fill(request, file, engine, counters, hold);
    case Opcode::WRITE_BACK: return write_back(request, file, engine, counters);
    case Opcode::SYNC: return sync(request, file, counters);
    case Opcode::TRUNCATE: return truncate(request, file, counters);
    case Opcode::EXTEND: {
      const uint64_t size = files_.extend(file, request.offset);
      files_.release(file);
      return answer(request.mailbox, 0, size, counters);
    }
    default: {
      const uint64_t size = file.slot->size.load(std::memory_order_acquire);
      files_.release(file);
      return answer(request.mailbox, 0, size, counters);
    }
  }
}

void RequestServer::fill(const Request& request, const FileRef& file, IoEngine& engine, Counters& counters, FileHold* hold) {
  // Lines between skipped ones are consecutive in the file: one transfer for each such run, with a hold on the file of its own.
  if (view_.carrier != nullptr) view_.carrier->moves(files_, request.file, request.mailbox, request.offset, false);
  uint32_t runs = 0;
  uint32_t next = 0;
  while (next < request.line_count) {
    if (request.lines[next] == LINE_NONE) {
      next++;
      continue;
    }
    Transfer transfer{};
    transfer.file = runs == 0 ? file : files_.acquire(request.file, hold);
    transfer.counters = &counters;
    transfer.file_id = request.mailbox;
    transfer.offset = request.offset + uint64_t(next) * limits_.line_bytes;
    uint32_t count = 0;
    for (; next < request.line_count && request.lines[next] != LINE_NONE; next++, count++) {
      transfer.lines[count] = request.lines[next];
      transfer.parts[count] = {fill_place(request.lines[next]), limits_.line_bytes};
    }
    transfer.line_count = transfer.part_count = count;
    transfer.remaining = count * limits_.line_bytes;
    transfer.end = transfer.offset + transfer.remaining;
    if (runs++ != 0) Counters::bump(counters.accepted);
    if (counters.held != nullptr) transfer.time = counters.held->ask(MediumKind::READ, transfer.remaining);
    if (transfer.file.slot != nullptr) {
      engine.start(transfer);
    } else {  // closed since the run before
      for (uint32_t i = 0; i < count; i++) answers_.line(transfer.lines[i], -Errno::ebadf);
      bell_.finished(counters);
    }
  }
  if (runs == 0) {
    files_.release(file);
    bell_.finished(counters);
  }
}

void RequestServer::write_back(const Request& request, const FileRef& file, IoEngine& engine, Counters& counters) {
  if (view_.carrier != nullptr) view_.carrier->moves(files_, request.file, request.mailbox, request.offset, true);
  uint8_t* line = view_.carrier != nullptr ? view_.carrier->kept_line(request.lines[0]) : view_line(request.lines[0]);
  if (line == nullptr) {  // a gpu that is lost, or lies: the line is being filled
    files_.release(file);
    return refuse(request, -Errno::einval, counters);
  }
  Transfer transfer{};
  transfer.file = file;
  transfer.counters = &counters;
  transfer.offset = request.offset;
  transfer.end = request.offset + request.length;
  transfer.remaining = request.length;
  transfer.part_count = transfer.line_count = 1;
  transfer.write = true;
  transfer.file_id = request.mailbox;
  transfer.lines[0] = request.lines[0];
  transfer.parts[0] = {line + request.offset % limits_.line_bytes, request.length};
  if (has_mask(request)) {
    const uint32_t* mask = view_.carrier != nullptr ? view_.carrier->kept_mask(request.lines[0])
                                                 : view_.masks + uint64_t(mask_of(request)) * (limits_.line_bytes / 32);
    transfer.use_mask(mask, line, limits_.line_bytes);
    if (transfer.end > limits_.file_bytes_max) {
      files_.release(file);
      return refuse(request, -Errno::efbig, counters);
    }
    if (!transfer.next_run()) {  // nothing to write, so nothing can fail
      files_.release(file);
      answers_.line(request.lines[0], 0);
      return bell_.finished(counters);
    }
  }
  if (counters.held != nullptr) transfer.time = counters.held->ask(MediumKind::WRITE, transfer.end - transfer.offset);
  engine.start(transfer);
}

void RequestServer::sync(const Request& request, FileRef file, Counters& counters) {
  files_.count_in(file);
  const MediumTime time = counters.held != nullptr ? counters.held->ask(MediumKind::SYNC, 0) : MediumTime{};
  const SyncAsked asked{file, request.length != 0 ? Told::YES : Told::NO, request.mailbox, &counters, time};
  {
    std::lock_guard lock(syncs_mutex_);
    const auto [waiting, is_first] = syncs_.try_emplace(file.slot);
    waiting->second.push_back(asked);
    if (!is_first) return;
  }
  pool_.submit([this, slot = file.slot] { sync_together(slot); });
}

/// Many warps sync one file at the same time: all who have asked before a sync begins are served by it, and those who come later by the next.
void RequestServer::sync_together(FileSlot* slot) {
  std::vector<SyncAsked> served = take_syncs(slot);
  while (!served.empty()) {
    const bool wanted = std::any_of(served.begin(), served.end(), [](const SyncAsked& asked) { return asked.told == Told::NO; });
    const int32_t error = wanted ? files_.sync_file(served.front().file) : 0;
    // Before anybody is answered: once all are, there may be no server any more.
    std::vector<SyncAsked> next = take_syncs(slot);
    for (const SyncAsked& asked : served) {
      const int32_t result = files_.end_sync(asked.file, asked.told, error);
      files_.release(asked.file);
      answer_sync(asked, result);
    }
    served.swap(next);
  }
}

void RequestServer::answer_sync(const SyncAsked& asked, int32_t result) {
  HeldAnswers* const held = asked.counters->held;
  if (held == nullptr) return answer(asked.mailbox, result, 0, *asked.counters);
  HeldAnswer later;
  later.kind = MediumKind::SYNC;
  later.time = asked.time;
  later.result = result;
  later.mailbox = asked.mailbox;
  held->hold(later);
}

/// Those that no sync has begun for; where there are none the file has nothing in the pool any more.
std::vector<RequestServer::SyncAsked> RequestServer::take_syncs(FileSlot* slot) {
  std::vector<SyncAsked> taken;
  std::lock_guard lock(syncs_mutex_);
  const auto waiting = syncs_.find(slot);
  taken.swap(waiting->second);
  if (taken.empty()) syncs_.erase(waiting);
  return taken;
}

void RequestServer::truncate(const Request& request, FileRef file, Counters& counters) {
  files_.count_in(file);
  pool_.submit([this, file, size = request.offset, mailbox = request.mailbox, &counters] {
    const int32_t result = files_.truncate(file, size);
    const uint64_t now = file.slot->size.load(std::memory_order_acquire);
    files_.release(file);
    answer(mailbox, result, now, counters);
  });
}

/// The gpu may rewrite the outbox: only the copy is looked at.
int32_t RequestServer::copy_path(const Request& request, uint64_t from, uint32_t length, std::string& path) const {
  char copy[PATH_BYTES_MAX];
  copy_from_gpu(copy, view_.outboxes + uint64_t(request.mailbox) * OUTBOX_BYTES + from, length + 1);
  const int32_t error = check_path(copy, length);
  if (error == 0) path.assign(copy, length);
  return error;
}

void RequestServer::open(const Request& request, Counters& counters) {
  std::string path;
  if (const int32_t error = copy_path(request, 0, request.length, path)) return refuse(request, error, counters);
  Counters::bump(counters.served[Opcode::OPEN]);
  const int32_t result = files_.open(path.c_str(), request.file, Hurry::YES);
  if (result != -Errno::eagain) return answer(request.mailbox, result, 0, counters);
  pool_.submit([this, path, flags = request.file, mailbox = request.mailbox, &counters] {
    answer(mailbox, files_.open(path.c_str(), flags, Hurry::NO), 0, counters);
  });
}

void RequestServer::unlink(const Request& request, Counters& counters) {
  std::string path;
  if (const int32_t error = copy_path(request, 0, request.length, path)) return refuse(request, error, counters);
  Counters::bump(counters.served[Opcode::UNLINK]);
  pool_.submit([this, path, mailbox = request.mailbox, &counters] { answer(mailbox, files_.unlink(path.c_str()), 0, counters); });
}

void RequestServer::rename(const Request& request, Counters& counters) {
  std::string from, to;
  int32_t error = copy_path(request, 0, request.length, from);
  if (error == 0) error = copy_path(request, request.length + 1, uint32_t(request.offset), to);
  if (error != 0) return refuse(request, error, counters);
  Counters::bump(counters.served[Opcode::RENAME]);
  pool_.submit([this, from, to, mailbox = request.mailbox, &counters] {
    answer(mailbox, files_.rename(from.c_str(), to.c_str()), 0, counters);
  });
}

void RequestServer::close(const Request& request, Counters& counters) {
  const bool keep = request.length != 0;
  const int32_t result = files_.close(request.file, keep, Hurry::YES);
  if (result == -Errno::ebadf) return refuse(request, result, counters);
  Counters::bump(counters.served[Opcode::CLOSE]);
  if (result != -Errno::eagain) return answer(request.mailbox, result, 0, counters);
  pool_.submit([this, handle = request.file, keep, mailbox = request.mailbox, &counters] {
    answer(mailbox, files_.close(handle, keep, Hurry::NO), 0, counters);
  });
}

}  // namespace warpfs
