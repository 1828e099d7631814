#include "check_link.h"

#include "engine.h"

#include "../host/assert.h"
#include "../host/file_table.h"
#include "../host/request_validation.h"

#include <algorithm>
#include <cstring>
#include <unistd.h>

namespace warpfs {

namespace {

constexpr uint32_t GRANTED_PERMILLE = 400, READ_ONLY_PERMILLE = 100, TAKEN_BACK_PERMILLE = 40;
constexpr uint64_t HOST_PAGE_BYTES = 4096;             // several lines may be in one
constexpr uint32_t WINDOW_SHIFT = WINDOW_PARTS_SHIFT;  // so that the end of a file counts in bytes
constexpr uint32_t ADDRESS_SHIFT = 40;                 // each window has an address space of its own

}  // namespace

CheckLink::CheckLink(Engine& engine, const MountMemory& memory, HostChoices& choices)
    : engine_(engine), memory_(memory), choices_(choices), line_bytes_(memory.geometry().line_bytes),
      files_(memory.at<FileEntry>(Binding::FILES), memory.at<FileEntry>(Binding::FILES) + memory.geometry().file_count),
      dones_(memory.geometry().line_count + memory.geometry().bypass_count), mailboxes_(memory.geometry().slot_count),
      stages_(dones_.size() * line_bytes_), is_filled_(dones_.size()), mask_of_(dones_.size()) {
  engine_.bus = this;
}

CheckLink::~CheckLink() {
  for (const Window& window : windows_) close(window.fd);
}

HostView CheckLink::host_view() {
  HostView view = memory_.host_view();
  view.files = files_.data();
  view.dones = dones_.data();
  view.mailboxes = mailboxes_.data();
  view.link = this;
  view.carrier = this;
  return view;
}

// ---- Windows.

void CheckLink::moves(FileTable&, uint32_t handle, uint32_t file_id, uint64_t, bool) {
  for (const Wish& wish : wishes_) {
    if (wish.file_id == file_id) return;
  }
  wishes_.push_back({handle, file_id});
}

void CheckLink::turn(FileTable& files) {
  for (size_t at = 0; at < wishes_.size(); at++) {
    if (!choices_.happens(GRANTED_PERMILLE)) continue;
    const Wish wish = wishes_[at];
    wishes_.erase(wishes_.begin() + ptrdiff_t(at));
    grant(files, wish);
    return;
  }
  for (Window& window : windows_) {
    if (!window.granted || !choices_.happens(TAKEN_BACK_PERMILLE)) continue;
    if (files.grant(window.index, window.file_id, FileWindows{})) wait_until_told();
    window.granted = false;
    return;
  }
}

void CheckLink::grant(FileTable& files, const Wish& wish) {
  const FileRef file = files.acquire(wish.handle);
  if (file.slot == nullptr) return;
  const int fd = dup(file.fd);
  const off_t bytes = lseek(file.fd, 0, SEEK_END);
  const bool may_write = file.slot->writable;
  files.release(file);
  if (fd < 0) return;
  windows_.push_back({fd, handle_index(wish.handle), wish.file_id, true});
  FileWindows granted;
  granted.base = uint64_t(windows_.size()) << ADDRESS_SHIFT;
  granted.writable = may_write && !choices_.happens(READ_ONLY_PERMILLE);
  // Mapped are whole pages, and what lies behind the end of the file there is zeros. What is stored there would come to light when it grows.
  granted.end = granted.writable ? uint64_t(bytes) : (uint64_t(bytes) + line_bytes_ - 1) / line_bytes_ * line_bytes_;
  granted.end = std::min(granted.end, uint64_t(1) << WINDOW_SHIFT);
  granted.mask = 1;
  granted.shift = WINDOW_SHIFT;
  windows_.back().granted = files.grant(handle_index(wish.handle), wish.file_id, granted);
}

Bus::Place CheckLink::place_of(uint64_t address) const {
  return {windows_.at((address >> ADDRESS_SHIFT) - 1).file_id, address & ((uint64_t(1) << ADDRESS_SHIFT) - 1)};
}

void CheckLink::read(uint64_t from, uint32_t* to) const {
  const Window& window = windows_.at((from >> ADDRESS_SHIFT) - 1);
  std::memset(to, 0, sizeof(Vec16));
  const ssize_t moved = pread(window.fd, to, sizeof(Vec16), off_t(place_of(from).offset));
  (void)moved;  // nothing is there any more: zeros
}

void CheckLink::write(uint64_t to, const uint8_t* from, uint32_t bytes) const {
  const Window& window = windows_.at((to >> ADDRESS_SHIFT) - 1);
  const uint64_t offset = place_of(to).offset;
  // A page that was cut off is nobody's. What is stored behind the end of the last page comes to light when the file grows: here it does at once.
  const uint64_t size = uint64_t(std::max<off_t>(lseek(window.fd, 0, SEEK_END), 0));
  const bool is_there = offset / HOST_PAGE_BYTES < (size + HOST_PAGE_BYTES - 1) / HOST_PAGE_BYTES;
  if (window.granted && is_there) WARPFS_ASSERT(pwrite(window.fd, from, bytes, off_t(offset)) == ssize_t(bytes));
}

void CheckLink::host_came_back() {
  wishes_.clear();
  for (uint32_t index = 0; index < files_.size(); index++) file_changed(index);
  for (Window& window : windows_) window.granted = false;
}

// ---- What is carried.

template <typename Act, typename Else>
void CheckLink::in_schedule(uint32_t* to, uint32_t words, Act&& act, Else&& otherwise) {
  if (engine_.in_fiber()) return act(uintptr_t(__builtin_return_address(0)));
  for (uint32_t word = 0; word < words; word++) engine_.location(to + word);
  otherwise();
}

void CheckLink::store(uint32_t* to, const uint32_t* from, uint32_t words) {
  in_schedule(to, words, [&](uintptr_t pc) { engine_.store_words(to, words, from, pc); }, [&] { std::memcpy(to, from, words * sizeof(uint32_t)); });
}

void CheckLink::fill(uint32_t* to, uint32_t word) {
  in_schedule(to, 1, [&](uintptr_t pc) { engine_.fill(to, word, pc); }, [&] { *to = word; });
}

void CheckLink::store_release(uint32_t* to, uint32_t word) {
  in_schedule(to, 1, [&](uintptr_t pc) { engine_.store(to, sizeof word, word, __ATOMIC_RELEASE, pc); }, [&] { *to = word; });
}

uint8_t* CheckLink::fill_place(uint32_t line) {
  is_filled_[line] = true;
  return &stages_[size_t(line) * line_bytes_];
}

/// Before the bytes: who reads one of them without a pin and then looks at the tag has to find that the line was claimed.
void CheckLink::line_done(uint32_t line, const LineDone& done) {
  if (is_filled_[line] && done.result >= 0) {
    if (engine_.in_fiber()) engine_.fence(__ATOMIC_RELEASE, uintptr_t(__builtin_return_address(0)));
    const uint32_t* from = reinterpret_cast<const uint32_t*>(&stages_[size_t(line) * line_bytes_]);
    uint32_t* to = reinterpret_cast<uint32_t*>(memory_.at<uint8_t>(Binding::LINES) + size_t(line) * line_bytes_);
    for (uint32_t word = 0; word < line_bytes_ / 4; word++) fill(to + word, from[word]);
  }
  is_filled_[line] = false;
  LineDone* to = memory_.at<LineDone>(Binding::DONES) + line;
  const uint32_t result = uint32_t(done.result);
  store(reinterpret_cast<uint32_t*>(&to->result), &result, 1);
  store_release(&to->sequence, done.sequence);
}

void CheckLink::mailbox_done(uint32_t slot) {
  Mailbox* to = memory_.at<Mailbox>(Binding::MAILBOXES) + slot;
  const Mailbox& from = mailboxes_[slot];
  const uint32_t result = uint32_t(from.result);
  store(reinterpret_cast<uint32_t*>(&to->result), &result, 1);
  for (uint32_t word = 0; word < 2; word++) store(reinterpret_cast<uint32_t*>(&to->value) + word, reinterpret_cast<const uint32_t*>(&from.value) + word, 1);
  store_release(&to->sequence, from.sequence);
}

/// Behind a fence, as the courier has it: who sees the new size sees the bytes that made the file longer.
void CheckLink::file_changed(uint32_t index) {
  if (engine_.in_fiber()) engine_.fence(__ATOMIC_RELEASE, uintptr_t(__builtin_return_address(0)));
  FileEntry* to = memory_.at<FileEntry>(Binding::FILES) + index;
  store(&to->handle, &files_[index].handle, 4);
  store(&to->window_base[0], &files_[index].window_base[0], 4);
}

void CheckLink::wait_until_told() { store_release(engine_.bus_word, 1); }

// ---- What write-backs bring along: the line is BUSY until they are answered, so it keeps its bytes.

void CheckLink::keep_bytes(const Request& request, uint32_t, uint32_t) {
  if (request.lines[0] < mask_of_.size()) mask_of_[request.lines[0]] = has_mask(request) ? mask_of(request) : 0;
}

uint8_t* CheckLink::kept_line(uint32_t line) { return memory_.at<uint8_t>(Binding::LINES) + size_t(line) * line_bytes_; }

const uint32_t* CheckLink::kept_mask(uint32_t line) { return memory_.at<uint32_t>(Binding::MASKS) + size_t(mask_of_[line]) * (line_bytes_ / 32); }

}  // namespace warpfs
