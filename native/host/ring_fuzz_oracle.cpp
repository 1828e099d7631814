#include "ring_fuzz_oracle.h"

#include "host_error.h"
#include "ring_fuzz_report.h"

#include <algorithm>
#include <cstring>

namespace warpfs::fuzz {

namespace {

constexpr int64_t HELD_FOR_EVER = 1 << 20;
constexpr uint64_t LARGEST_OFFSET = ~uint64_t(0) >> 1;

bool is_about_lines(uint32_t opcode) { return opcode == Opcode::FILL || opcode == Opcode::WRITE_BACK; }
bool names_paths(uint32_t opcode) { return opcode == Opcode::OPEN || opcode == Opcode::UNLINK || opcode == Opcode::RENAME; }
bool tells_size(uint32_t opcode) { return opcode == Opcode::STAT || opcode == Opcode::EXTEND || opcode == Opcode::TRUNCATE; }

/// An error that the gpu has a name for.
bool is_named(int32_t result) { return result < 0 && (result == -Errno::eio || std::strcmp(error_name(result), "EIO") != 0); }

}  // namespace

Oracle::Oracle(const Geometry& geometry)
    : geometry_(geometry), line_total_(geometry.line_count + geometry.bypass_count), positions_(geometry.ring_count),
      lines_(line_total_), mailboxes_(geometry.slot_count) {}

void Oracle::reset(bool read_only, uint32_t first_position) {
  read_only_ = read_only;
  refused_ = 0;
  handles.assign(1, 0xffffffffu);
  references_.clear();
  positions_.assign(positions_.size(), first_position);
  forget_owed();
}

void Oracle::restarted(const RingHead* heads) {
  for (size_t ring = 0; ring < positions_.size(); ring++) positions_[ring] = heads[ring].head;
  refused_ = 0;
  references_.clear();  // no handle of before is good
  forget_owed();
}

void Oracle::forget_owed() {
  for (std::vector<Place>* places : {&lines_, &mailboxes_}) {
    for (Place& place : *places) place = {};
  }
}

bool Oracle::owes_nothing() const {
  for (const std::vector<Place>* places : {&lines_, &mailboxes_}) {
    for (const Place& place : *places) {
      if (!place.owed.empty()) return false;
    }
  }
  return true;
}

int32_t Oracle::refusal(const Request& r) const {
  const int32_t not_writable = read_only_ ? -Errno::erofs : (r.file & HANDLE_WRITABLE) == 0 ? -Errno::ebadf : 0;
  const bool too_far = r.offset > LARGEST_OFFSET || r.length > LARGEST_OFFSET - r.offset;
  if (r.opcode == Opcode::NOP) return 0;
  if (r.opcode == Opcode::FILL) {
    if (r.line_count - 1 >= REQUEST_LINES_MAX || r.length != r.line_count * geometry_.line_bytes) return -Errno::einval;
    for (uint32_t i = 0; i < r.line_count; i++) {
      if (r.lines[i] != LINE_NONE && r.lines[i] >= line_total_) return -Errno::einval;
      for (uint32_t j = i + 1; j < r.line_count; j++) {
        if (r.lines[i] == r.lines[j] && r.lines[i] != LINE_NONE) return -Errno::einval;
      }
    }
    if (r.offset % geometry_.line_bytes != 0) return -Errno::einval;
    return too_far ? -Errno::eoverflow : 0;
  }
  if (r.opcode == Opcode::WRITE_BACK) {
    if (r.line_count != 1 || r.lines[0] >= line_total_ || r.mailbox == 0 || r.length == 0) return -Errno::einval;
    if (uint64_t(r.offset % geometry_.line_bytes) + r.length > geometry_.line_bytes) return -Errno::einval;
    if (r.lines[1] != 0) {  // how far it goes only the mask says, which may change until it is read
      if (r.lines[1] > geometry_.mask_count || r.length != geometry_.line_bytes) return -Errno::einval;
      return r.offset > LARGEST_OFFSET ? -Errno::eoverflow : not_writable;
    }
    return too_far ? -Errno::eoverflow : r.offset + r.length > geometry_.file_bytes_max ? -Errno::efbig : not_writable;
  }
  if (r.mailbox >= geometry_.slot_count) return -Errno::einval;
  switch (r.opcode) {
    case Opcode::OPEN: {
      const bool creates = (r.file & OPEN_CREATE) != 0, changes = (r.file & (OPEN_CREATE | OPEN_TRUNCATE)) != 0;
      if (r.file >= OPEN_APPEND || r.length == 0 || (changes && (r.file & OPEN_WRITE) == 0) || (!creates && (r.file & OPEN_EXCLUSIVE) != 0)) return -Errno::einval;
      if (r.length >= PATH_BYTES_MAX) return -Errno::enametoolong;
      return read_only_ && (r.file & OPEN_WRITE) != 0 ? -Errno::erofs : 0;
    }
    case Opcode::UNLINK:
    case Opcode::RENAME: {
      const uint64_t second = r.opcode == Opcode::RENAME ? r.offset : 1;
      if (r.length == 0) return -Errno::einval;
      if (r.length >= PATH_BYTES_MAX) return -Errno::enametoolong;
      return second == 0 ? -Errno::einval : second >= PATH_BYTES_MAX ? -Errno::enametoolong : read_only_ ? -Errno::erofs : 0;
    }
    case Opcode::EXTEND:
    case Opcode::TRUNCATE: return r.offset > geometry_.file_bytes_max ? -Errno::efbig : not_writable;
    case Opcode::CLOSE:
    case Opcode::SYNC: return r.length > 1 ? -Errno::einval : 0;
    case Opcode::STAT: return 0;
    default: return -Errno::enosys;
  }
}

void Oracle::taken(const Request& request) {
  const bool writes_back = request.opcode == Opcode::WRITE_BACK;
  Owed owed{refusal(request), request.opcode, request.file, request.mailbox, request.length, request.offset, writes_back ? request.lines[1] : 0};
  // A write-back of bytes that are dead is answered whatever its handle is.
  const bool needs_file = !names_paths(request.opcode) && !writes_back;
  if (owed.refusal != 0) refused_++;
  else if (needs_file && is_surely_closed(request.file)) owed.refusal = -Errno::ebadf;
  if (request.opcode == Opcode::NOP) return;
  if (!is_about_lines(request.opcode)) {
    if (request.mailbox < geometry_.slot_count) mailboxes_[request.mailbox].owed.push_back(owed);
    return;
  }
  std::vector<bool> told(line_total_);  // each line that it names hears once
  for (uint32_t i = 0; i < request.line_count && i < REQUEST_LINES_MAX; i++) {
    const uint32_t line = request.lines[i];
    if (line >= line_total_ || told[line]) continue;
    told[line] = true;
    owed.offset = request.offset + uint64_t(i) * geometry_.line_bytes;
    lines_[line].owed.push_back(owed);
  }
}

void Oracle::head_moved(uint32_t ring, uint32_t head) {
  FUZZ_CHECK(head == positions_[ring] + 1);
  positions_[ring] = head;
}

void Oracle::answered(Place& place, int32_t result) {
  place.answers.push_back(result);
  FUZZ_CHECK(place.answers.size() <= place.owed.size());
  if (place.answers.size() < place.owed.size()) return;
  // Those go first that can be an answer to the fewest requests.
  const auto settle = [&](auto&& fits) {
    for (size_t at = 0; at < place.answers.size();) {
      const auto owed = std::find_if(place.owed.begin(), place.owed.end(), [&](const Owed& o) { return fits(o, place.answers[at]); });
      if (owed == place.owed.end()) {
        at++;
        continue;
      }
      place.owed.erase(owed);
      place.answers.erase(place.answers.begin() + ptrdiff_t(at));
    }
  };
  const auto is_open = [](const Owed& owed, bool writes) {
    return owed.refusal == 0 && owed.opcode == Opcode::OPEN && ((owed.file & OPEN_WRITE) != 0) == writes;
  };
  settle([](const Owed& owed, int32_t answer) { return owed.refusal != 0 && answer == owed.refusal; });
  settle([&](const Owed& owed, int32_t answer) { return answer > 0 && is_open(owed, (uint32_t(answer) & HANDLE_WRITABLE) != 0); });
  settle([](const Owed& owed, int32_t answer) { return answer == 0 && owed.refusal == 0 && owed.opcode != Opcode::OPEN; });
  settle([&](const Owed& owed, int32_t answer) { return answer == 0 && is_open(owed, false); });
  settle([](const Owed& owed, int32_t answer) { return is_named(answer) && owed.refusal == 0; });
  for (const int32_t answer : place.answers) std::fprintf(stderr, "ring_fuzz: nobody is owed the answer %d\n", answer);
  for (const Owed& o : place.owed) std::fprintf(stderr, "ring_fuzz: opcode %u, file %x, refusal %d\n", o.opcode, o.file, o.refusal);
  FUZZ_CHECK(place.owed.empty());
}

void Oracle::line_answered(uint32_t line, int32_t result, const FileEntry* files) {
  FUZZ_CHECK(line < line_total_);
  const std::vector<Owed>& owed = lines_[line].owed;
  if (owed.size() == 1 && owed[0].refusal == 0 && owed[0].opcode == Opcode::FILL) {  // else nobody knows whose answer it is
    if (result == 0) FUZZ_CHECK(is_current(owed[0], files));
    if (result == -Errno::estale) FUZZ_CHECK(!is_current(owed[0], files));
  }
  answered(lines_[line], result);
}

void Oracle::mail_answered(uint32_t mailbox, int32_t result, uint64_t value, const FileEntry* files) {
  FUZZ_CHECK(mailbox < geometry_.slot_count);
  const Place asked = mailboxes_[mailbox];
  if (result == 0 && asked.owed.size() == 1 && tells_size(asked.owed[0].opcode)) {
    const Owed& owed = asked.owed[0];
    const FileEntry& file = files[handle_index(owed.file)];
    FUZZ_CHECK(value == (file.size_low | uint64_t(file.size_high) << 32));
    FUZZ_CHECK(owed.opcode != Opcode::TRUNCATE || value == owed.offset);
    FUZZ_CHECK(owed.opcode != Opcode::EXTEND || value >= owed.offset);
  }
  answered(mailboxes_[mailbox], result);
  follow_handles(asked, result);
  const bool opened = std::any_of(asked.owed.begin(), asked.owed.end(), [](const Owed& owed) { return owed.opcode == Opcode::OPEN; });
  if (result < 0 || !opened) return;
  FUZZ_CHECK(handle_index(uint32_t(result)) < geometry_.file_count);
  if (handles.size() == HANDLES_MAX) handles.erase(handles.begin() + 1);
  handles.push_back(uint32_t(result));
}

/// Which request was answered is only known where there was one. Where there were several, an open may have added a reference.
void Oracle::follow_handles(const Place& asked, int32_t result) {
  const bool alone = asked.owed.size() == 1;
  for (const Owed& owed : asked.owed) {
    int64_t& references = references_[(owed.opcode == Opcode::OPEN ? uint32_t(result) : owed.file) & ~HANDLE_WRITABLE];
    if (owed.refusal != 0) continue;
    if (owed.opcode == Opcode::OPEN && result >= 0) references += alone ? 1 : HELD_FOR_EVER;
    // Other errors than this one are reports of what has failed before: the handle is closed all the same.
    if (owed.opcode == Opcode::CLOSE && alone && result != -Errno::ebadf) references += owed.length != 0 ? HELD_FOR_EVER : -1;
  }
}

bool Oracle::is_surely_closed(uint32_t handle) const {
  for (const Place& place : mailboxes_) {
    for (const Owed& owed : place.owed) {
      if (owed.refusal == 0 && owed.opcode == Opcode::OPEN) return false;
    }
  }
  const auto known = references_.find(handle & ~HANDLE_WRITABLE);
  return known == references_.end() || known->second <= 0;
}

bool Oracle::is_current(const Owed& owed, const FileEntry* files) const {
  const uint32_t index = handle_index(owed.file);
  return index < geometry_.file_count && owed.mailbox != 0 && files[index].file_id == owed.mailbox;
}

bool Oracle::may_fill(const Piece& piece, const FileEntry* files) const {
  for (const Owed& owed : lines_[piece.line].owed) {
    if (owed.refusal != 0 || owed.opcode != Opcode::FILL || !is_current(owed, files)) continue;
    if (piece.file_offset == NO_OFFSET || piece.file_offset == owed.offset + piece.first) return true;
  }
  return false;
}

bool Oracle::may_write_back(const Piece& piece, const FileEntry* files, const uint32_t* masks) const {
  for (const Owed& owed : lines_[piece.line].owed) {
    if (owed.refusal != 0 || owed.opcode != Opcode::WRITE_BACK || !is_current(owed, files)) continue;
    const uint32_t first = uint32_t(owed.offset % geometry_.line_bytes);
    bool wanted = piece.first >= first && piece.first + piece.count <= first + owed.length;
    wanted = wanted && piece.file_offset == owed.offset + (piece.first - first);
    for (uint32_t byte = piece.first; wanted && owed.mask != 0 && byte < piece.first + piece.count; byte++) {
      wanted = (masks[(owed.mask - 1) * (geometry_.line_bytes / 32) + byte / 32] >> byte % 32 & 1) != 0;
    }
    if (wanted) return true;
  }
  return false;
}

bool Oracle::is_mask_in_use(uint32_t mask) const {
  for (const Place& place : lines_) {
    for (const Owed& owed : place.owed) {
      if (owed.refusal == 0 && owed.mask == mask + 1) return true;
    }
  }
  return false;
}

}  // namespace warpfs::fuzz
