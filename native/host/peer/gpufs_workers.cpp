#include "gpufs_workers.h"

#include "../host_error.h"
#include "../shared_words.h"

#include <string>

namespace warpfs {

GpufsWorkers::GpufsWorkers(const GpufsShape& shape, const PeerOptions& options) : shape_(shape), shared_(options.shared), workers_(options.threads) {
  if (shape.slots_of_worker == 0 || shape.page_bytes == 0) throw HostError(-Errno::einval, "a worker of GPUfs has a slot at least, and a page a byte");
  const uint64_t needed = gpufs_shared_bytes(workers_, slots());
  if (needed > options.shared_bytes) {
    throw HostError(-Errno::einval, std::to_string(workers_) + " workers of " + std::to_string(shape.slots_of_worker) + " slots take " + std::to_string(needed) +
                                        " bytes, and there are " + std::to_string(options.shared_bytes));
  }
}

uint32_t GpufsWorkers::free_area(uint32_t worker) const {
  uint32_t area = 0;
  while (area < GPUFS_AREAS && load_acquire(area_word(worker, area)) != 0) area++;
  return area;
}

/// What is pending is read first and told afterwards, as one batch is.
uint32_t GpufsWorkers::serve(uint32_t worker, PeerHost& host) {
  struct Taken {
    uint32_t slot;
    MediumKind kind;
    MediumTime time;
    int32_t result;
  };
  std::vector<Taken> batch;
  uint32_t area = GPUFS_AREAS, reads = 0;
  for (uint32_t index = 0; index < shape_.slots_of_worker; index++) {
    const uint32_t slot = worker * shape_.slots_of_worker + index;
    if (load_acquire(word(slot, GPUFS_STATUS)) != GpufsStatus::PENDING) continue;
    const bool is_read = load_relaxed(word(slot, GPUFS_TYPE)) == GpufsType::READ;
    if (is_read && area == GPUFS_AREAS) area = free_area(worker);
    if (is_read && area == GPUFS_AREAS) continue;
    store_relaxed(word(slot, GPUFS_STATUS), uint32_t(GpufsStatus::IN_PROCESS));
    const MediumKind kind = is_read ? MediumKind::READ : MediumKind::WRITE;
    const MediumTime time = host.ask(kind, load_relaxed(word(slot, GPUFS_BYTES)));
    if (is_read) {
      store_relaxed(word(slot, GPUFS_AREA), area);
      store_relaxed(word(slot, GPUFS_AT), reads);
    }
    batch.push_back({slot, kind, time, carry_out(slot, area, reads, host)});
    reads += is_read ? 1 : 0;
  }
  if (reads != 0) store_relaxed(area_word(worker, area), reads);
  for (const Taken& taken : batch) host.answer(worker, {taken.kind, taken.time, taken.result, taken.slot});
  return uint32_t(batch.size());
}

int32_t GpufsWorkers::carry_out(uint32_t slot, uint32_t area, uint32_t at, PeerHost& host) const {
  const auto wide = [&](uint32_t low) { return load_relaxed(word(slot, low)) | uint64_t(load_relaxed(word(slot, low + 1))) << 32; };
  const uint32_t type = load_relaxed(word(slot, GPUFS_TYPE));
  if (type != GpufsType::READ && type != GpufsType::WRITE) return -Errno::einval;
  const bool reads = type == GpufsType::READ;
  uint64_t place = wide(GPUFS_PLACE);
  if (load_relaxed(word(slot, GPUFS_STAGED)) != 0) {
    place = reads ? gpufs_area_stage(shape_.slots_of_worker, slot / shape_.slots_of_worker, area, at, shape_.page_bytes) : gpufs_write_stage(slots(), slot, shape_.page_bytes);
  }
  return host.move(reads ? MediumKind::READ : MediumKind::WRITE, wide(GPUFS_OFFSET), load_relaxed(word(slot, GPUFS_BYTES)), place);
}

void GpufsWorkers::tell(uint32_t, const PeerAnswer& answer) {
  const uint32_t slot = uint32_t(answer.what);
  store_relaxed(word(slot, GPUFS_RESULT), uint32_t(answer.result));
  store_release(word(slot, GPUFS_STATUS), uint32_t(GpufsStatus::READY));
}

}  // namespace warpfs
