// The gate of a file keeps calls that write and truncations apart: a call that writes passes it and is counted until it ends; a truncation
// closes it and waits until nobody is inside. So a write is before a truncation or after it, never half of each. Readers have no gate: what
// they read beside a truncation the host refuses, and they begin again.
// A call leaves the gate where it ends (call_end); a replayed one stays inside while its item is pending.
#pragma once

namespace warpfs {

WARPFS_FN WARPFS_DEVICE uint* gate_of(WARPFS_THREAD const Fs& fs, uint index) { return fs.gates + index; }

// Leader only.
WARPFS_FN void gate_leave(WARPFS_THREAD Fs& fs) {
  if (fs.gate == 0u) return;
  fence_release();
  WARPFS_DEVICE uint* gate = gate_of(fs, (fs.gate & ~(uint)GATE_CLOSED) - 1u);
  if ((fs.gate & GATE_CLOSED) != 0u) {
    atomic_and(gate, ~(uint)GATE_CLOSED);
  } else {
    atomic_sub(gate, 1u);
  }
  fs.gate = 0;
}

// A file that no handle can name has no gate: the call will find that out itself.
WARPFS_FN bool gate_exists(WARPFS_THREAD const Fs& fs, int file) {
  return file >= 0 && ((uint)file & ((1u << HANDLE_INDEX_BITS) - 1u)) < fs.geometry->file_count;
}

// Leader only. 0, or wait_outcome().
WARPFS_FN int gate_pass(WARPFS_THREAD Fs& fs, int file) {
  if (fs.gate != 0u || !gate_exists(fs, file)) return 0;
  const uint index = (uint)file & ((1u << HANDLE_INDEX_BITS) - 1u);
  WARPFS_DEVICE uint* gate = gate_of(fs, index);
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    // Looked at first, so that those who wait do not keep a truncation waiting.
    if ((atomic_load(gate) & GATE_CLOSED) == 0u) {
      if ((atomic_add(gate, 1u) & GATE_CLOSED) == 0u) {
        fs.gate = index + 1u;
        // What a truncation left is visible.
        fence_acquire();
        return 0;
      }
      atomic_sub(gate, 1u);
    }
    if (!wait_again(fs, bound)) return wait_outcome();
  }
}

// Leader only. Closes it, and waits until nobody is inside: 0, or wait_outcome().
WARPFS_FN int gate_close(WARPFS_THREAD Fs& fs, int file) {
  if (!gate_exists(fs, file)) return 0;
  const uint index = (uint)file & ((1u << HANDLE_INDEX_BITS) - 1u);
  WARPFS_DEVICE uint* gate = gate_of(fs, index);
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    if (fs.gate == 0u && (atomic_or(gate, GATE_CLOSED) & GATE_CLOSED) == 0u) fs.gate = (index + 1u) | GATE_CLOSED;
    if (fs.gate != 0u && atomic_load(gate) == (uint)GATE_CLOSED) {
      // What those who left have written is visible.
      fence_acquire();
      return 0;
    }
    if (!wait_again(fs, bound)) return wait_outcome();
  }
}

}  // namespace warpfs
