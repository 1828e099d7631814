// Posting requests. A slot belongs to the gpu from its reservation until its sequence word is published, then to the host
// until RingHead.head has passed it. A full ring never holds a reservation: room is checked before the position is taken,
// so a warp that has to leave leaves nothing behind.
#pragma once

namespace warpfs {

struct Reservation {
  uint ring;
  uint position;
  bool taken;
};

WARPFS_FN Reservation reservation_none() {
  Reservation none;
  none.ring = 0;
  none.position = 0;
  none.taken = false;
  return none;
}

// Leader only. Takes a position where the ring has room; never waits.
WARPFS_FN bool ring_reserve(WARPFS_THREAD const Fs& fs, WARPFS_THREAD Reservation& reservation) {
  const uint ring = fs.slot % fs.geometry->ring_count;
  const uint slots = fs.geometry->ring_slots;
  uint tail = atomic_load(&fs.ring_tails[ring].tail);
  for (;;) {
    const uint head = host_load(&fs.ring_heads[ring].head);
    // A stale tail makes the difference look negative, that is, huge: the exchange below would fail, so look again.
    if (tail - head >= slots) {
      const uint now = atomic_load(&fs.ring_tails[ring].tail);
      if (now == tail) return false;
      tail = now;
    } else if (atomic_cas(&fs.ring_tails[ring].tail, tail, tail + 1u)) {
      // The host has read the former request out of this slot before it moved head.
      host_fence_acquire();
      reservation.ring = ring;
      reservation.position = tail;
      reservation.taken = true;
      return true;
    }
  }
}

// 64-bit fields travel as two words, low first: 32 bits is what every dialect can store in one piece.
WARPFS_FN void host_store64(WARPFS_DEVICE uint64_t* target, ulong value) {
  WARPFS_DEVICE uint* words = (WARPFS_DEVICE uint*)target;
  host_store(words, (uint)value);
  host_store(words + 1, (uint)(value >> 32));
}

WARPFS_FN ulong host_load64(const WARPFS_DEVICE uint64_t* source) {
  const WARPFS_DEVICE uint* words = (const WARPFS_DEVICE uint*)source;
  return (ulong)host_load(words) | ((ulong)host_load(words + 1) << 32);
}

WARPFS_FN WARPFS_DEVICE Request* ring_slot(WARPFS_THREAD const Fs& fs, WARPFS_THREAD const Reservation& reservation) {
  const uint slots = fs.geometry->ring_slots;
  return fs.requests + ((ulong)reservation.ring * slots + (reservation.position & (slots - 1u)));
}

// Leader only. Hands the slot to the host; every field has been written with host_store.
WARPFS_FN void ring_publish(WARPFS_THREAD Fs& fs, WARPFS_THREAD Reservation& reservation) {
  // The fields, and whatever data the request speaks of, are visible before the sequence word is.
  host_fence_release();
  host_store(&ring_slot(fs, reservation)->sequence, reservation.position + 1u);
  host_doorbell(fs.lane);
  reservation.taken = false;
}

WARPFS_FN void ring_write(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Reservation& reservation, uint opcode, uint file, ulong offset, uint length,
                          uint line_count) {
  WARPFS_DEVICE Request* request = ring_slot(fs, reservation);
  host_store(&request->opcode, opcode);
  host_store(&request->file, file);
  host_store(&request->mailbox, fs.slot);
  host_store64(&request->offset, offset);
  host_store(&request->length, length);
  host_store(&request->line_count, line_count);
  if (opcode != Opcode::NOP) count(fs, Counter::REQUESTS, 1u);
}

// Leader only. A position that was taken and is not needed is given to the host as a request to do nothing.
WARPFS_FN void ring_give_up(WARPFS_THREAD Fs& fs, WARPFS_THREAD Reservation& reservation) {
  if (!reservation.taken) return;
  ring_write(fs, reservation, Opcode::NOP, 0u, 0u, 0u, 0u);
  ring_publish(fs, reservation);
}

}  // namespace warpfs
