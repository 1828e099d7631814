// The memory that one mount shares between the gpu side and the host side, and the part of it that the host may touch.
#pragma once
#include "abi_host.h"
#include "gpu_link.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace warpfs {

/// What the daemon reads and writes. Who owns which word is said at each struct in abi.h.
struct HostView {
  const Geometry* geometry;
  RingHead* ring_heads;      // ring_count
  Request* requests;         // ring_count * ring_slots, ring after ring
  LineDone* dones;           // line_count + bypass_count
  uint8_t* lines;            // (line_count + bypass_count) * line_bytes
  FileEntry* files;          // file_count
  Mailbox* mailboxes;        // slot_count
  const uint8_t* outboxes;   // slot_count * OUTBOX_BYTES; the gpu writes paths here
  const uint32_t* masks;     // mask_count * line_bytes / 32; the gpu says here which bytes of a line go back
  GpuLink* link = nullptr;         // where the gpu does not see what is written here
  LineCarrier* carrier = nullptr;  // of a gpu with memory of its own: then lines and masks are there, and null here
};

/// ALL: gpu and host use the same memory. OF_HOST: only what the host reads or writes, for a gpu with memory of its own.
enum class MemoryPart { ALL, OF_HOST };

/// Everything, in the order of Binding, as plain memory: the devices whose memory the host can address use it as it is.
class MountMemory {
 public:
  /// At `place`, which is zero and outlives it, or where it finds room.
  explicit MountMemory(const Geometry& geometry, uint8_t* place = nullptr, MemoryPart part = MemoryPart::ALL);
  ~MountMemory();
  MountMemory(const MountMemory&) = delete;
  MountMemory& operator=(const MountMemory&) = delete;

  static uint64_t bytes_needed(const Geometry& geometry, MemoryPart part = MemoryPart::ALL);
  /// Where each binding begins in a memory of its own: its bytes altogether.
  static uint64_t layout(const Geometry& geometry, MemoryPart part, uint64_t (&offsets)[Binding::OWN]);
  uint64_t bytes_of(uint32_t binding) const { return bytes_[binding]; }

  HostView host_view() const;
  void* binding(uint32_t index) const { return bindings_[index]; }
  /// Its place is not given back, for somebody may be at it for ever.
  void leave() { owns_ = false; }
  /// All of it, for a driver: it begins and ends with the largest page of the machines that run us.
  uint8_t* base() const { return base_; }
  uint64_t total_bytes() const { return total_bytes_; }
  template <typename T>
  T* at(uint32_t index) const { return static_cast<T*>(bindings_[index]); }
  const Geometry& geometry() const { return *static_cast<Geometry*>(bindings_[Binding::GEOMETRY]); }
  uint64_t line_data_bytes() const { return line_data_bytes_; }
  /// Bytes of everything but the line data: what the cache costs.
  uint64_t overhead_bytes() const { return total_bytes_ - line_data_bytes_; }

 private:
  void* bindings_[Binding::OWN] = {};
  uint64_t bytes_[Binding::OWN] = {};
  uint8_t* base_ = nullptr;
  bool owns_ = false;
  void* reserved_ = nullptr;  // where it owns it
  uint64_t reserved_bytes_ = 0;
  uint64_t total_bytes_ = 0;
  uint64_t line_data_bytes_ = 0;
};

}  // namespace warpfs
