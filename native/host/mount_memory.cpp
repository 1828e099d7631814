#include "mount_memory.h"

#include "assert.h"

#include <sys/mman.h>

#include <cerrno>
#include <system_error>

namespace warpfs {

namespace {
constexpr uint64_t ALIGNMENT = 16384;  // the largest page of the machines that run us, so any part can be handed to a driver

uint64_t align_up(uint64_t bytes) { return (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1); }
bool is_of_host(uint32_t binding) {
  switch (binding) {
    case Binding::GEOMETRY:
    case Binding::RING_HEADS:
    case Binding::REQUESTS:
    case Binding::DONES:
    case Binding::FILES:
    case Binding::MAILBOXES:
    case Binding::OUTBOXES: return true;
    default: return false;
  }
}

void fill_sizes(const Geometry& g, MemoryPart part, uint64_t (&bytes)[Binding::OWN]) {
  const uint64_t lines = uint64_t(g.line_count) + g.bypass_count;
  bytes[Binding::GEOMETRY] = sizeof(Geometry);
  bytes[Binding::RING_TAILS] = sizeof(RingTail) * uint64_t(g.ring_count);
  bytes[Binding::RING_HEADS] = sizeof(RingHead) * uint64_t(g.ring_count);
  bytes[Binding::REQUESTS] = sizeof(Request) * uint64_t(g.ring_count) * g.ring_slots;
  bytes[Binding::WORDS] = sizeof(uint32_t) * lines;
  bytes[Binding::TAGS] = sizeof(LineTag) * lines;
  bytes[Binding::AUXES] = sizeof(LineAux) * lines;
  bytes[Binding::DONES] = sizeof(LineDone) * lines;
  bytes[Binding::SETS] = sizeof(SetState) * uint64_t(g.set_count);
  bytes[Binding::LINES] = lines * g.line_bytes;
  bytes[Binding::FILES] = sizeof(FileEntry) * uint64_t(g.file_count);
  bytes[Binding::MAILBOXES] = sizeof(Mailbox) * uint64_t(g.slot_count);
  bytes[Binding::OUTBOXES] = uint64_t(OUTBOX_BYTES) * g.slot_count;
  bytes[Binding::RECORDS] = sizeof(ItemRecord) * uint64_t(g.slot_count);
  bytes[Binding::STATS] = sizeof(WarpStats) * uint64_t(g.stats_count);
  bytes[Binding::FAULT] = sizeof(FaultRecord);
  bytes[Binding::LOGS] = sizeof(LogEntry) * uint64_t(REPLAY_LOG_CALLS) * g.slot_count * g.replay;
  bytes[Binding::LOADS] = sizeof(uint32_t) * uint64_t(REPLAY_LOG_WORDS) * WARP_LANES * g.slot_count * g.replay;
  bytes[Binding::GATES] = sizeof(uint32_t) * uint64_t(g.file_count);
  bytes[Binding::DIRTY] = sizeof(DirtyState) + sizeof(uint32_t) * ((uint64_t(g.mask_count) + 31) / 32);
  bytes[Binding::MASKS] = uint64_t(g.mask_count) * (g.line_bytes / 8);
  bytes[Binding::HINTS] = sizeof(Hint) * uint64_t(g.hint_count);
  for (uint32_t binding = 0; binding < Binding::OWN && part == MemoryPart::OF_HOST; binding++) {
    if (!is_of_host(binding)) bytes[binding] = 0;
  }
}
}  // namespace

uint64_t MountMemory::layout(const Geometry& geometry, MemoryPart part, uint64_t (&offsets)[Binding::OWN]) {
  uint64_t bytes[Binding::OWN], total = 0;
  fill_sizes(geometry, part, bytes);
  for (uint32_t binding = 0; binding < Binding::OWN; binding++) {
    offsets[binding] = total;
    total += align_up(bytes[binding]);
  }
  return total;
}

uint64_t MountMemory::bytes_needed(const Geometry& geometry, MemoryPart part) {
  uint64_t offsets[Binding::OWN];
  return layout(geometry, part, offsets);
}

MountMemory::MountMemory(const Geometry& geometry, uint8_t* place, MemoryPart part) {
  uint64_t offsets[Binding::OWN];
  total_bytes_ = layout(geometry, part, offsets);
  fill_sizes(geometry, part, bytes_);
  line_data_bytes_ = bytes_[Binding::LINES];

  // Pages are zero and cost nothing until touched. Those of the system may be smaller than what the parts begin with.
  owns_ = place == nullptr;
  if (owns_) {
    reserved_bytes_ = total_bytes_ + ALIGNMENT;
    void* memory = mmap(nullptr, reserved_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "cannot reserve the memory of the cache");
    reserved_ = memory;
    place = reinterpret_cast<uint8_t*>(align_up(reinterpret_cast<uint64_t>(memory)));
  }
  base_ = place;
#if defined(MADV_HUGEPAGE)
  // Lines and their words are looked for all over the cache: with small pages most of the time of a miss would go into finding them.
  if (owns_) madvise(base_, total_bytes_, MADV_HUGEPAGE);
#endif
  for (uint32_t index = 0; index < Binding::OWN; index++) bindings_[index] = base_ + offsets[index];
  *at<Geometry>(Binding::GEOMETRY) = geometry;
  const uint64_t lines = bytes_[Binding::AUXES] / sizeof(LineAux);
  LineAux* auxes = at<LineAux>(Binding::AUXES);
  for (uint64_t line = 0; line < lines; line++) auxes[line].dirty = auxes[line].writing = DIRTY_NONE;
  FileEntry* files = at<FileEntry>(Binding::FILES);
  for (uint32_t file = 0; file < geometry.file_count; file++) files[file].handle = 0xffffffffu;
}

MountMemory::~MountMemory() {
  if (owns_) munmap(reserved_, reserved_bytes_);
}

HostView MountMemory::host_view() const {
  return {at<Geometry>(Binding::GEOMETRY), at<RingHead>(Binding::RING_HEADS), at<Request>(Binding::REQUESTS),
          at<LineDone>(Binding::DONES),    at<uint8_t>(Binding::LINES),       at<FileEntry>(Binding::FILES),
          at<Mailbox>(Binding::MAILBOXES), at<uint8_t>(Binding::OUTBOXES),    at<uint32_t>(Binding::MASKS)};
}

}  // namespace warpfs
