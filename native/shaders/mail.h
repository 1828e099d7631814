// Requests that are not about lines: the answer comes to the mailbox of the slot. One at a time for each slot.
#pragma once

namespace warpfs {

// Leader only. Has the host answered all that this slot has asked? A call that gave up waiting leaves a request behind that may still be served:
// until then the mailbox and the path of the slot are the host's.
WARPFS_FN bool mail_is_free(WARPFS_THREAD const Fs& fs) {
  return host_load(&fs.mailboxes[fs.slot].sequence) == fs.record->mail_sequence;
}

// All lanes. Waits until it has: 0, or wait_outcome().
WARPFS_FN int mail_wait_free(WARPFS_THREAD Fs& fs) {
  int outcome = 0;
  if (is_leader(fs)) {
    WaitBound bound;
    wait_start(fs, bound);
    while (!mail_is_free(fs)) {
      if (!wait_again(fs, bound)) {
        outcome = wait_outcome();
        break;
      }
    }
    // The host had read the path before it answered.
    host_fence_acquire();
  }
  return (int)warp_broadcast(fs.lane, (uint)outcome, 0u);
}

// All lanes. Asks the host and waits for its answer: the result, or wait_outcome(). `value` is what the answer carries beside it.
WARPFS_FN int mail_ask(WARPFS_THREAD Fs& fs, uint opcode, uint file, ulong offset, uint length, WARPFS_THREAD ulong& value) {
  int result = 0;
  ulong answer = 0;
  if (is_leader(fs)) {
    WaitBound bound;
    wait_start(fs, bound);
    while (fs.asked == 0u) {
      Reservation reservation = reservation_none();
      if (mail_is_free(fs) && ring_reserve(fs, reservation)) {
        fs.record->mail_sequence++;
        ring_write(fs, reservation, opcode, file, offset, length, 0u);
        fs.asked = 1u;
        item_note(fs);
        ring_publish(fs, reservation);
      } else if (!wait_again(fs, bound)) {
        result = wait_outcome();
        break;
      }
    }
    WARPFS_DEVICE const Mailbox* mailbox = fs.mailboxes + fs.slot;
    while (fs.asked != 0u) {
      if (host_load(&mailbox->sequence) == fs.record->mail_sequence) {
        // The host wrote the answer before the sequence.
        host_fence_acquire();
        result = (int)host_load((WARPFS_DEVICE const uint*)&mailbox->result);
        answer = host_load64(&mailbox->value);
        fs.asked = 0u;
      } else if (!wait_again(fs, bound)) {
        result = wait_outcome();
        break;
      }
    }
  }
  value = warp_broadcast64(fs.lane, answer, 0u);
  return (int)warp_broadcast(fs.lane, (uint)result, 0u);
}

}  // namespace warpfs
