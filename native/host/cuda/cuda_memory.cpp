#include "cuda_memory.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace warpfs::cuda {

namespace {

// Each slot of a ring of the host has room for the line that a write-back brings along.
constexpr uint32_t HOST_RING_SLOTS_MAX = 256, HOST_RING_SLOTS_MIN = 16;
constexpr uint32_t HOST_RING_BYTES = 1u << 21;

Geometry with_short_rings(Geometry geometry) {
  const uint32_t slots = std::clamp(std::bit_floor(HOST_RING_BYTES / geometry.line_bytes), HOST_RING_SLOTS_MIN, HOST_RING_SLOTS_MAX);
  geometry.ring_slots = std::min(geometry.ring_slots, slots);
  return geometry;
}

}  // namespace

CudaMemory::CudaMemory(int device_index, const Geometry& geometry, const FillOptions& fill)
    : context_(device_index),
      geometry_(geometry),
      tables_(context_, MountMemory::layout(geometry, MemoryPart::ALL, offsets_), "the cache"),
      positions_(context_, fill.channels * sizeof(uint32_t), "the courier"),
      host_geometry_(with_short_rings(geometry)),
      host_place_(context_, MountMemory::bytes_needed(host_geometry_, MemoryPart::OF_HOST), "the rings"),
      host_memory_(host_geometry_, host_place_.bytes(), MemoryPart::OF_HOST),
      courier_(context_, host_geometry_, fill.channels, fill.push ? std::optional(PushTables{table(Binding::LINES), table(Binding::MASKS)}) : std::nullopt) {
  line_data_bytes_ = (uint64_t(geometry.line_count) + geometry.bypass_count) * geometry.line_bytes;
  courier_.set_mailboxes(host_memory_.at<Mailbox>(Binding::MAILBOXES));
  first_values();
  if (fill.windows) windows_ = std::make_unique<Windows>(context_, geometry.file_count, *fill.windows);
  courier_.set_windows(windows_.get());
}

/// What is not zero.
void CudaMemory::first_values() {
  copy_to_gpu(table(Binding::GEOMETRY), &geometry_, sizeof geometry_, "writing the geometry");
  LineAux aux{};
  aux.dirty = aux.writing = DIRTY_NONE;
  const uint64_t lines = uint64_t(geometry_.line_count) + geometry_.bypass_count;
  const std::vector<LineAux> auxes(std::min(lines, uint64_t(1) << 16), aux);
  for (uint64_t line = 0; line < lines; line += auxes.size()) {
    const uint64_t count = std::min(lines - line, uint64_t(auxes.size()));
    copy_to_gpu(table(Binding::AUXES) + line * sizeof aux, auxes.data(), count * sizeof aux, "preparing the lines");
  }
  copy_to_gpu(table(Binding::FILES), host_memory_.binding(Binding::FILES), host_memory_.bytes_of(Binding::FILES), "preparing the files");
}

void CudaMemory::stop() {
  if (windows_ != nullptr) windows_->stop();
  courier_.stop_pushing();
}

HostView CudaMemory::host_view() {
  HostView view = host_memory_.host_view();
  view.link = &courier_;
  view.carrier = &courier_;
  return view;
}

KernelConstants CudaMemory::constants() const {
  KernelConstants constants{};
  for (uint32_t binding = 0; binding < Binding::OWN; binding++) constants.tables[binding] = reinterpret_cast<void*>(table(binding));
  constants.geometry = geometry_;
  constants.line_shift = geometry_.line_shift;
  constants.set_count = geometry_.set_count;
  constants.set_ways_base = geometry_.line_count / geometry_.set_count;
  constants.set_ways_rest = geometry_.line_count % geometry_.set_count;
  return constants;
}

void CudaMemory::fill_launch(CourierLaunch& launch) const {
  courier_.describe(launch);
  launch.channel_positions = reinterpret_cast<uint32_t*>(positions_.address());
  launch.files = host_memory_.at<FileEntry>(Binding::FILES);
  launch.requests = host_memory_.at<Request>(Binding::REQUESTS);
  launch.ring_heads = host_memory_.at<RingHead>(Binding::RING_HEADS);
  launch.outboxes = host_memory_.at<uint8_t>(Binding::OUTBOXES);
  launch.ring_slots = geometry_.ring_slots;
}

}  // namespace warpfs::cuda
