#include "ring_fuzz_memory.h"

#include "ring_fuzz_report.h"

#include <algorithm>
#include <sys/mman.h>

namespace warpfs::fuzz {

namespace {

constexpr uint32_t GPU_MAY_WRITE[] = {Binding::REQUESTS, Binding::OUTBOXES, Binding::RING_HEADS, Binding::DONES,
                                      Binding::MAILBOXES, Binding::FILES, Binding::LINES, Binding::MASKS};

/// The same place in memory that begins elsewhere.
template <typename T>
T* moved_by(T* address, ptrdiff_t by) {
  return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(address) + uintptr_t(by));
}

}  // namespace

Geometry fuzz_geometry() {
  Geometry g{};
  g.abi_hash = ABI_HASH;
  g.line_count = 8;
  g.set_count = 1;
  g.bypass_count = 2;
  g.line_bytes = LINE_BYTES_MIN;
  g.line_shift = 9;
  g.ring_count = 2;
  g.ring_slots = 8;
  g.slot_count = 4;
  g.file_count = 3;
  g.stats_count = 1;
  g.mask_count = 3;
  g.dirty_lines_max = 4;
  g.file_bytes_max = (uint64_t(1) << 32) + 100;  // in the middle of a line
  return g;
}

Memory::Memory(Oracle& oracle)
    : oracle_(oracle), geometry_(fuzz_geometry()), real_(geometry_), published_(geometry_.file_count),
      ever_set_(real_.bytes_of(Binding::MASKS) / 4) {
  const uint64_t bytes = MountMemory::bytes_needed(geometry_);
  hidden_ = static_cast<uint8_t*>(mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  FUZZ_CHECK(hidden_ != MAP_FAILED);
  const ptrdiff_t by = hidden_ - static_cast<uint8_t*>(real_.binding(0));
  gpu_ = host_ = real_.host_view();
  host_.geometry = moved_by(gpu_.geometry, by);
  host_.ring_heads = moved_by(gpu_.ring_heads, by);
  host_.requests = moved_by(gpu_.requests, by);
  host_.dones = moved_by(gpu_.dones, by);
  host_.lines = moved_by(gpu_.lines, by);
  host_.files = moved_by(gpu_.files, by);
  host_.mailboxes = moved_by(gpu_.mailboxes, by);
  host_.outboxes = moved_by(gpu_.outboxes, by);
  host_.masks = moved_by(gpu_.masks, by);
}

void Memory::reset(uint32_t first_position) {
  for (const uint32_t binding : GPU_MAY_WRITE) std::memset(real_.binding(binding), 0, real_.bytes_of(binding));
  for (uint32_t file = 0; file < geometry_.file_count; file++) {
    gpu_.files[file].handle = 0xffffffffu;
    published_[file] = gpu_.files[file];
  }
  settled_ = published_;
  last_file_id_ = 0;
  // Few bytes, many runs, nearly all bytes: no input needs to say so first.
  std::vector<bool> bits[3] = {std::vector<bool>(geometry_.line_bytes), std::vector<bool>(geometry_.line_bytes), std::vector<bool>(geometry_.line_bytes)};
  for (uint32_t byte = 0; byte < geometry_.line_bytes; byte++) {
    bits[0][byte] = (byte >= 3 && byte < 9) || (byte >= 95 && byte < 130);
    bits[1][byte] = byte % 5 == 1;
    bits[2][byte] = byte != 77 && byte != 300;
  }
  for (uint32_t mask = 0; mask < geometry_.mask_count; mask++) write_mask(mask, bits[mask % 3]);
  for (uint32_t ring = 0; ring < geometry_.ring_count && first_position != 0; ring++) {
    gpu_.ring_heads[ring].head = first_position;
    for (uint32_t back = 1; back <= geometry_.ring_slots; back++) {  // what the lap before left
      const uint32_t position = first_position - back;
      gpu_.requests[ring * geometry_.ring_slots + position % geometry_.ring_slots].sequence = position + 1;
    }
  }
  scribbles_.clear();
  wrote_files_ = false;
  last_loaded_ = nullptr;
}

void Memory::empty_rings() {
  for (uint32_t ring = 0; ring < geometry_.ring_count; ring++) {
    for (uint32_t slot = 0; slot < geometry_.ring_slots; slot++) {
      gpu_.requests[ring * geometry_.ring_slots + slot].sequence = oracle_.position(ring) - geometry_.ring_slots;
    }
  }
}

void Memory::scribble(const Scribble& wish) {
  Scribble scribble = wish;
  scribble.binding = GPU_MAY_WRITE[wish.binding % std::size(GPU_MAY_WRITE)];
  scribble.word = wish.word % uint32_t(real_.bytes_of(scribble.binding) / 4);
  wrote_files_ = wrote_files_ || scribble.binding == Binding::FILES;
  if (scribble.after == 0) write_word(scribble);
  else if (scribbles_.size() < 64) scribbles_.push_back(scribble);
}

void Memory::let_gpu_write() {
  for (size_t i = 0; i < scribbles_.size();) {
    if (--scribbles_[i].after != 0) {
      i++;
      continue;
    }
    write_word(scribbles_[i]);
    scribbles_.erase(scribbles_.begin() + ptrdiff_t(i));
  }
}

void Memory::write_word(const Scribble& scribble) {
  real_.at<uint32_t>(scribble.binding)[scribble.word] = scribble.value;
  if (scribble.binding == Binding::MASKS) ever_set_[scribble.word] |= scribble.value;
}

void Memory::write_mask(uint32_t mask, const std::vector<bool>& bits) {
  const uint32_t words = geometry_.line_bytes / 32;
  const bool in_use = oracle_.is_mask_in_use(mask);
  for (uint32_t word = 0; word < words; word++) {
    uint32_t value = 0;
    for (uint32_t bit = 0; bit < 32; bit++) value |= uint32_t(bits[word * 32 + bit]) << bit;
    real_.at<uint32_t>(Binding::MASKS)[mask * words + word] = value;
    uint32_t& ever_set = ever_set_[mask * words + word];
    ever_set = in_use ? ever_set | value : value;
  }
}

Memory::Place Memory::place_of(const void* host_address, size_t count) const {
  const uint64_t at = uint64_t(static_cast<const uint8_t*>(host_address) - hidden_);
  for (uint32_t binding = 0; binding < Binding::OWN; binding++) {
    const uint64_t start = uint64_t(static_cast<uint8_t*>(real_.binding(binding)) - static_cast<uint8_t*>(real_.binding(0)));
    if (at >= start && at + count <= start + real_.bytes_of(binding)) return {binding, at - start};
  }
  std::fprintf(stderr, "ring_fuzz: %zu bytes at %p lie in no table\n", count, host_address);
  std::abort();
}

uint64_t Memory::load(const void* word, uint32_t bytes, int) {
  const Place place = place_of(word, bytes);
  FUZZ_CHECK(bytes == 4);
  last_loaded_ = word;
  last_value_ = *reinterpret_cast<const uint32_t*>(real_of(place));
  const uint64_t value = last_value_;
  let_gpu_write();
  return value;
}

void Memory::store(void* word, uint64_t value, uint32_t bytes, int) {
  const Place place = place_of(word, bytes);
  FUZZ_CHECK(bytes == 4 && value >> 32 == 0);
  *reinterpret_cast<uint32_t*>(real_of(place)) = uint32_t(value);
  const bool next = last_loaded_ == word && uint32_t(value) == last_value_ + 1;  // of a sequence that only the host writes
  switch (place.binding) {
    case Binding::RING_HEADS:
      FUZZ_CHECK(place.offset % sizeof(RingHead) == offsetof(RingHead, head));
      oracle_.head_moved(uint32_t(place.offset / sizeof(RingHead)), uint32_t(value));
      break;
    case Binding::DONES:
      if (place.offset % sizeof(LineDone) == offsetof(LineDone, result)) {
        last_result_ = int32_t(value);
        break;
      }
      FUZZ_CHECK(next);
      oracle_.line_answered(uint32_t(place.offset / sizeof(LineDone)), last_result_, published());
      break;
    case Binding::MAILBOXES:
      FUZZ_CHECK(place.offset % sizeof(Mailbox) < offsetof(Mailbox, reserved));
      if (place.offset % sizeof(Mailbox) == offsetof(Mailbox, result)) last_result_ = int32_t(value);
      if (place.offset % sizeof(Mailbox) == offsetof(Mailbox, value)) last_size_ = value;
      if (place.offset % sizeof(Mailbox) == offsetof(Mailbox, value) + 4) last_size_ |= value << 32;
      if (place.offset % sizeof(Mailbox) != offsetof(Mailbox, sequence)) break;
      FUZZ_CHECK(next);
      oracle_.mail_answered(uint32_t(place.offset / sizeof(Mailbox)), last_result_, last_size_, published());
      break;
    default:
      FUZZ_CHECK(place.binding == Binding::FILES && place.offset % sizeof(FileEntry) < offsetof(FileEntry, reserved));
      file_published(place.offset, uint32_t(value));
  }
  let_gpu_write();
}

/// Size and identity change only while the version is odd, no identity is given twice, and the bytes of one never become fewer.
void Memory::file_published(uint64_t offset, uint32_t value) {
  FileEntry& entry = published_[offset / sizeof(FileEntry)];
  const uint64_t field = offset % sizeof(FileEntry);
  const bool under_version = field == offsetof(FileEntry, file_id) || field == offsetof(FileEntry, size_low) || field == offsetof(FileEntry, size_high);
  FUZZ_CHECK(!under_version || entry.version % 2 == 1);
  if (field == offsetof(FileEntry, file_id) && value != entry.file_id) {
    FUZZ_CHECK(value > last_file_id_ || wrote_files_);
    last_file_id_ = value;
  }
  reinterpret_cast<uint32_t*>(&entry)[field / 4] = value;
  if (field != offsetof(FileEntry, version) || value % 2 != 0) return;
  const auto size_of = [](const FileEntry& file) { return file.size_low | uint64_t(file.size_high) << 32; };
  FileEntry& before = settled_[offset / sizeof(FileEntry)];
  FUZZ_CHECK(entry.file_id != before.file_id || size_of(entry) >= size_of(before));
  before = entry;
}

void Memory::read_bytes(const void* from, void* to, size_t count) {
  const Place place = place_of(from, count);
  FUZZ_CHECK(place.binding == Binding::REQUESTS || place.binding == Binding::OUTBOXES);
  const uint64_t whole = place.binding == Binding::REQUESTS ? sizeof(Request) : uint64_t(OUTBOX_BYTES);
  FUZZ_CHECK(place.offset % whole + count <= whole);
  std::memcpy(to, real_of(place), count);
  let_gpu_write();
}

void Memory::write_bytes(void* to, const void* from, size_t count) {
  uint8_t* real = static_cast<uint8_t*>(moved(to, count, true, Oracle::NO_OFFSET));
  from != nullptr ? (void)std::memcpy(real, from, count) : (void)std::memset(real, 0, count);
  let_gpu_write();
}

void* Memory::moved(const void* host_address, size_t count, bool into_line, uint64_t file_offset) {
  const Place place = place_of(host_address, count);
  FUZZ_CHECK(place.binding == Binding::LINES);
  for (uint64_t at = place.offset; at < place.offset + count;) {
    Oracle::Piece piece{uint32_t(at / geometry_.line_bytes), uint32_t(at % geometry_.line_bytes), 0, file_offset};
    piece.count = uint32_t(std::min<uint64_t>(geometry_.line_bytes - piece.first, place.offset + count - at));
    if (file_offset != Oracle::NO_OFFSET) piece.file_offset += at - place.offset;
    FUZZ_CHECK(into_line ? oracle_.may_fill(piece, published()) : oracle_.may_write_back(piece, published(), ever_set_.data()));
    at += piece.count;
  }
  return real_of(place);
}

}  // namespace warpfs::fuzz
