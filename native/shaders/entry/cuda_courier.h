// The courier: a small kernel that is resident beside every other one and moves what the gpu and the host have to say to each other. So no
// warp of a user ever looks over the bus: requests, completions, mailboxes and file entries are words in the memory of the gpu, ordered at
// its scope, and the fences of system scope, which the whole gpu makes one after another (1.2 us each on an H200), are made once for up to
// COURIER_BATCH requests.
//
// Each part of a block serves one ring (gpu to host) or one channel (host to gpu), and knows nothing of the other parts. In both directions
// the order within one ring or channel is kept.
#pragma once
#include "cuda_launch.h"

namespace warpfs {

WARPFS_FN uint bus_load(const uint* p) {
  uint value;
  asm volatile("ld.relaxed.sys.global.u32 %0, [%1];" : "=r"(value) : "l"(global_address(p)) : "memory");
  return value;
}
WARPFS_FN uint bus_load_acquire(const uint* p) {
  uint value;
  asm volatile("ld.acquire.sys.global.u32 %0, [%1];" : "=r"(value) : "l"(global_address(p)) : "memory");
  return value;
}
WARPFS_FN void bus_store(uint* p, uint v) { asm volatile("st.relaxed.sys.global.u32 [%0], %1;" ::"l"(global_address(p)), "r"(v) : "memory"); }
// What is read over the bus from now on is not older than what the host had written before the word that was seen.
#if WARPFS_FENCES_ONE_SIDED
WARPFS_FN void bus_fence_acquire() { asm volatile("fence.acquire.sys;" ::: "memory"); }
#else
WARPFS_FN void bus_fence_acquire() { asm volatile("fence.acq_rel.sys;" ::: "memory"); }
#endif

constexpr uint COURIER_WARPS = COURIER_THREADS / WARP_LANES;

WARPFS_FN uint courier_lane() { return threadIdx.x & (WARP_LANES - 1u); }
// Of the block, and within the part.
WARPFS_FN uint courier_part() { return threadIdx.x / COURIER_THREADS; }
WARPFS_FN uint courier_thread() { return threadIdx.x % COURIER_THREADS; }
WARPFS_FN uint courier_warp() { return courier_thread() / WARP_LANES; }
// All threads of a part. Each part has a barrier of its own; barrier 0 would be that of the block.
WARPFS_FN void courier_barrier() { asm volatile("barrier.sync %0, %1;" ::"r"(courier_part() + 1u), "n"((uint)COURIER_THREADS) : "memory"); }

// Where the next ones are looked for one at a time while little comes, because each look costs the bus.
WARPFS_FN uint courier_window(uint window, uint found) {
  if (found == window) return window * 4u < COURIER_BATCH ? window * 4u : (uint)COURIER_BATCH;
  return found * 2u > 1u ? found * 2u : 1u;
}

// All lanes of a warp: how many of the next ones are there, without a gap.
WARPFS_FN uint courier_count(bool there) {
  const uint missing = ~ballot_all(there);
  return missing == 0u ? WARP_LANES : lowest_bit(missing);
}

// ---- Host to gpu.

enum : uint32_t { COURIER_LOOKS_PER_STOP = 32 };  // a look over the bus takes longer than a look at a ring

// One thread. The entry as the host has it now; where it changes meanwhile another message follows.
WARPFS_FN void courier_file(const CourierLaunch& launch, uint index) {
  const FileEntry* from = launch.files + index;
  FileEntry* to = static_cast<FileEntry*>(warpfs_constants.tables[Binding::FILES]) + index;
  constexpr uint VECTORS = sizeof(FileEntry) / sizeof(Vec16);
  Vec16 copy[VECTORS];
  const FileEntry* seen = reinterpret_cast<const FileEntry*>(copy);
  uint before = 0;
  do {
    before = bus_load_acquire(&from->version);
    for (uint i = 0; i < VECTORS; i++) copy[i] = bus_load16(reinterpret_cast<const Vec16*>(from) + i);
    bus_fence();
  } while ((before & 1u) != 0u || seen->version != before || bus_load(&from->version) != before);
  // Handle, identity and size change as one, and so does the window, which says whose it is.
  atomic_store16(&to->handle, copy[0]);
  atomic_store16(&to->window_base[0], copy[1]);
}

// One warp. All loads of a part are on their way before the first of them is waited for.
WARPFS_FN void courier_line(const CourierLaunch& launch, uint line, uint stage) {
  const Vec16* from = reinterpret_cast<const Vec16*>(launch.stages + ((ulong)stage << launch.line_shift));
  Vec16* to = reinterpret_cast<Vec16*>(static_cast<uchar*>(warpfs_constants.tables[Binding::LINES]) + ((ulong)line << launch.line_shift));
  const uint vectors = (1u << launch.line_shift) / sizeof(Vec16);
  constexpr uint AT_ONCE = 8;
  // By each lane, as line_is_known_claimed: that the line was claimed comes before its first new byte, for those who read it without a pin.
  fence_release();
  for (uint base = 0; base < vectors; base += AT_ONCE * WARP_LANES) {
    Vec16 part[AT_ONCE];
#pragma unroll
    for (uint i = 0; i < AT_ONCE; i++) {
      const uint at = base + i * WARP_LANES + courier_lane();
      if (at < vectors) part[i] = bus_load16(from + at);
    }
#pragma unroll
    for (uint i = 0; i < AT_ONCE; i++) {
      const uint at = base + i * WARP_LANES + courier_lane();
      if (at < vectors) data_store16(to + at, part[i]);
    }
  }
}

// One thread; the bytes of the lines of this batch, and its file entries, are there.
WARPFS_FN void courier_answer(const CourierLaunch& launch, const CourierMessage& message) {
  if (message.kind == CourierKind::LINE) {
    LineDone* done = static_cast<LineDone*>(warpfs_constants.tables[Binding::DONES]) + message.index;
    atomic_store(reinterpret_cast<uint*>(&done->result), (uint)message.result);
    fence_release();
    atomic_store(&done->sequence, message.answers);
  } else if (message.kind == CourierKind::MAILBOX) {
    Mailbox* mailbox = static_cast<Mailbox*>(warpfs_constants.tables[Binding::MAILBOXES]) + message.index;
    uint* value = reinterpret_cast<uint*>(&mailbox->value);
    atomic_store(reinterpret_cast<uint*>(&mailbox->result), (uint)message.result);
    atomic_store(value, message.bytes_at);
    atomic_store(value + 1, message.value_high);
    fence_release();
    atomic_store(&mailbox->sequence, message.answers);
  }
}

WARPFS_FN void courier_channel(const CourierLaunch& launch, uint channel) {
  __shared__ CourierMessage batches[COURIER_PARTS][COURIER_BATCH];
  __shared__ uint batch_counts[COURIER_PARTS];
  __shared__ uint stops[COURIER_PARTS];
  CourierMessage* const batch = batches[courier_part()];
  uint& batch_count = batch_counts[courier_part()];
  uint& stopping = stops[courier_part()];
  const CourierMessage* messages = launch.messages + (ulong)channel * launch.channel_slots;
  uint position = launch.channel_positions[channel];
  uint window = 1;
  uint idle = 0;
  for (;;) {
    if (courier_warp() == 0u) {
      const uint at = position + courier_lane();
      bool there = false;
      if (courier_lane() < window) {
        const Vec16* halves = reinterpret_cast<const Vec16*>(messages + (at & (launch.channel_slots - 1u)));
        const Vec16 first = bus_load16(halves);
        const Vec16 second = bus_load16(halves + 1);
        there = first.words[3] == at + 1u && second.words[3] == at + 1u;
        Vec16* copy = reinterpret_cast<Vec16*>(&batch[courier_lane()]);
        copy[0] = first;
        copy[1] = second;
      }
      const uint found = courier_count(there);
      idle = found == 0u ? idle + 1u : 0u;
      if (courier_thread() == 0u) {
        batch_count = found;
        stopping = idle % COURIER_LOOKS_PER_STOP == 1u ? bus_load(launch.stop) : 0u;
      }
      if (found != 0u) bus_fence_acquire();
      window = courier_window(window, found);
    }
    courier_barrier();
    const uint count = batch_count;
    if (count == 0u) {
      const bool stop = stopping != 0u;
      courier_barrier();
      if (stop) break;
      continue;
    }
    // Who reads the new bytes of a line without a pin, and then its tag, finds that the line was claimed.
    fence_release();
    for (uint i = 0; i < count && courier_thread() == 0u; i++) {
      if (batch[i].kind == CourierKind::FILE) courier_file(launch, batch[i].index);
    }
    for (uint i = courier_warp(); i < count; i += COURIER_WARPS) {
      if (batch[i].kind == CourierKind::LINE && batch[i].bytes_at != (uint)COURIER_NO_BYTES) courier_line(launch, batch[i].index, batch[i].bytes_at);
    }
    courier_barrier();
    if (courier_thread() < count) {
      // What the other warps of the part have written comes before the answers.
      fence_release();
      courier_answer(launch, batch[courier_thread()]);
    }
    position += count;
    courier_barrier();
    if (courier_thread() == 0u) bus_store(launch.delivered + channel * COURIER_WORDS_APART, position);
  }
  if (courier_thread() == 0u) launch.channel_positions[channel] = position;
}

// ---- Gpu to host.

// One warp. What a request speaks of that the host cannot reach: the bytes of a line with their mask, or paths.
WARPFS_FN void courier_parcel(const CourierLaunch& launch, const Request& request, uchar* parcel) {
  const Vec16* from = 0;
  Vec16* to = 0;
  uint vectors = 0;
  if (request.opcode == Opcode::WRITE_BACK && launch.parcels != 0) {
    const uint line_bytes = 1u << launch.line_shift;
    const uint first = (uint)request.offset & (line_bytes - 1u) & ~15u;
    const uint end = ((uint)request.offset & (line_bytes - 1u)) + request.length;
    from = reinterpret_cast<const Vec16*>(static_cast<const uchar*>(warpfs_constants.tables[Binding::LINES]) + ((ulong)request.lines[0] << launch.line_shift) + first);
    to = reinterpret_cast<Vec16*>(parcel + first);
    vectors = (end - first + 15u) / 16u;
    if (request.lines[1] != 0u) {
      const uint mask_bytes = line_bytes / 8u;
      const Vec16* mask = reinterpret_cast<const Vec16*>(static_cast<const uchar*>(warpfs_constants.tables[Binding::MASKS]) + (ulong)(request.lines[1] - 1u) * mask_bytes);
      Vec16* mask_to = reinterpret_cast<Vec16*>(parcel + line_bytes);
      for (uint i = courier_lane(); i < mask_bytes / 16u; i += WARP_LANES) bus_store16(mask_to + i, data_load16(mask + i));
    }
  } else if (request.opcode == Opcode::OPEN || request.opcode == Opcode::UNLINK || request.opcode == Opcode::RENAME) {
    const ulong at = (ulong)request.mailbox * OUTBOX_BYTES;
    from = reinterpret_cast<const Vec16*>(static_cast<const uchar*>(warpfs_constants.tables[Binding::OUTBOXES]) + at);
    to = reinterpret_cast<Vec16*>(launch.outboxes + at);
    const uint second = request.opcode == Opcode::RENAME ? (uint)request.offset + 1u : 0u;
    vectors = (request.length + 1u + second + 15u) / 16u;
  }
  for (uint i = courier_lane(); i < vectors; i += WARP_LANES) bus_store16(to + i, data_load16(from + i));
}

WARPFS_FN void courier_ring(const CourierLaunch& launch, uint ring) {
  __shared__ uint batch_counts[COURIER_PARTS];
  __shared__ uint stops[COURIER_PARTS];
  uint& batch_count = batch_counts[courier_part()];
  uint& stopping = stops[courier_part()];
  RingHead* own_head = static_cast<RingHead*>(warpfs_constants.tables[Binding::RING_HEADS]) + ring;
  const Request* requests = static_cast<const Request*>(warpfs_constants.tables[Binding::REQUESTS]) + (ulong)ring * launch.ring_slots;
  Request* host_requests = launch.requests + (ulong)ring * launch.host_ring_slots;
  const uint parcel_bytes = (1u << launch.line_shift) + (1u << launch.line_shift) / 8u;
  uchar* parcels = launch.parcels + (ulong)ring * launch.host_ring_slots * parcel_bytes;
  uint position = own_head->head;
  uint host_head = bus_load(&launch.ring_heads[ring].head);
  uint idle = 0;
  for (;;) {
    if (courier_warp() == 0u) {
      const uint at = position + courier_lane();
      const bool there = courier_lane() < launch.ring_slots && atomic_load(&requests[at & (launch.ring_slots - 1u)].sequence) == at + 1u;
      uint found = courier_count(there);
      uint room = launch.host_ring_slots - (position - host_head);
      if (found > room) {
        host_head = bus_load(&launch.ring_heads[ring].head);
        room = launch.host_ring_slots - (position - host_head);
        if (found > room) found = room;
      }
      fence_acquire();
      idle = found == 0u ? idle + 1u : 0u;
      if (courier_thread() == 0u) {
        batch_count = found;
        stopping = idle % COURIER_LOOKS_PER_STOP == 1u ? bus_load(launch.stop) : 0u;
      }
    }
    courier_barrier();
    const uint count = batch_count;
    if (count == 0u) {
      const bool stop = stopping != 0u;
      courier_barrier();
      if (stop) break;
      continue;
    }
    for (uint i = courier_warp(); i < count; i += COURIER_WARPS) {
      const uint at = position + i;
      const Request* from = requests + (at & (launch.ring_slots - 1u));
      const uint slot = at & (launch.host_ring_slots - 1u);
      Request request;
      constexpr uint WORDS = sizeof(Request) / 4u;
      for (uint word = 0; word < WORDS; word++) reinterpret_cast<uint*>(&request)[word] = atomic_load(reinterpret_cast<const uint*>(from) + word);
      uint* to = reinterpret_cast<uint*>(host_requests + slot);
      // The sequence is the first word, and goes last.
      if (courier_lane() > 0u && courier_lane() < WORDS) bus_store(to + courier_lane(), atomic_load(reinterpret_cast<const uint*>(from) + courier_lane()));
      courier_parcel(launch, request, parcels + (ulong)slot * parcel_bytes);
    }
    courier_barrier();
    if (courier_warp() == 0u) {
      bus_fence();
      const uint at = position + courier_lane();
      if (courier_lane() < count) bus_store(&host_requests[at & (launch.host_ring_slots - 1u)].sequence, at + 1u);
      if (courier_thread() == 0u) atomic_store(&own_head->head, position + count);
    }
    position += count;
  }
}

}  // namespace warpfs

extern "C" __global__ void __launch_bounds__((unsigned)::warpfs::COURIER_PARTS * ::warpfs::COURIER_THREADS) warpfs_courier(const ::warpfs::CourierLaunch launch) {
  using namespace ::warpfs;
  // Channels bring the most bytes: each block has some of them, and some rings.
  const uint part = courier_part() * gridDim.x + blockIdx.x;
  if (part >= launch.channels + launch.ring_count) return;
  if (courier_thread() == 0u) bus_store(launch.running + part * COURIER_WORDS_APART, 1u);
  if (part < launch.channels) {
    courier_channel(launch, part);
  } else {
    courier_ring(launch, part - launch.channels);
  }
}
