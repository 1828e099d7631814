// The gate of a file keeps calls that write and truncations apart: a call that writes passes it and is counted until it ends; a truncation
// closes it, waits until nobody is inside, and seals it. So a write is before a truncation or after it, never half of each. Readers have no
// gate: what they read beside a truncation the host refuses, and they begin again.
// An item that has lines mapped still comes in where the gate is closed and not yet sealed: somebody inside may wait for its pins.
// Who flushes passes it while it stores bytes into the file itself (store.h), and never waits inside.
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
    atomic_and(gate, ~(uint)(GATE_CLOSED | GATE_SEALED));
  } else {
    atomic_sub(gate, 1u);
  }
  fs.gate = 0;
}

// A file that no handle can name has no gate: the call will find that out itself.
WARPFS_FN bool gate_exists(WARPFS_THREAD const Fs& fs, int file) {
  return file >= 0 && handle_index(file) < fs.geometry->file_count;
}

// Leader only.
WARPFS_FN bool item_has_maps(WARPFS_THREAD const Fs& fs) {
  for (uint i = 0; i < MAPS_MAX; i++) {
    if (item_maps(fs)[i] != 0u) return true;
  }
  return false;
}

// Leader only. One attempt to pass a gate that was `seen`, where none of the bits of `shut` is set.
WARPFS_FN bool gate_enter(WARPFS_THREAD Fs& fs, uint index, uint seen, uint shut) {
  WARPFS_DEVICE uint* gate = gate_of(fs, index);
  // Looked at first, so that those who wait do not keep a truncation waiting.
  if ((seen & shut) != 0u) return false;
  if ((atomic_add(gate, 1u) & shut) == 0u) {
    fs.gate = index + 1u;
    // What a truncation left is visible.
    fence_acquire();
    return true;
  }
  atomic_sub(gate, 1u);
  return false;
}

// Leader only. Never waits. True: no truncation of the file gets further before this call has left the gate, or is at the truncation itself.
WARPFS_FN bool gate_try(WARPFS_THREAD Fs& fs, int file) {
  if (!gate_exists(fs, file)) return false;
  const uint index = handle_index(file);
  if (fs.gate != 0u) return (fs.gate & ~(uint)GATE_CLOSED) == index + 1u;
  return gate_enter(fs, index, atomic_load(gate_of(fs, index)), GATE_CLOSED);
}

// Leader only. 0, or wait_outcome().
WARPFS_FN int gate_pass(WARPFS_THREAD Fs& fs, int file) {
  if (fs.gate != 0u || !gate_exists(fs, file)) return 0;
  const uint index = handle_index(file);
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    const uint seen = atomic_load(gate_of(fs, index));
    const uint shut = (seen & GATE_CLOSED) != 0u && item_has_maps(fs) ? GATE_SEALED : GATE_CLOSED;
    if (gate_enter(fs, index, seen, shut)) return 0;
    if (!wait_again(fs, bound)) return wait_outcome();
  }
}

// Leader only. Closes it, and waits until nobody is inside: 0, or wait_outcome().
WARPFS_FN int gate_close(WARPFS_THREAD Fs& fs, int file) {
  if (!gate_exists(fs, file)) return 0;
  const uint index = handle_index(file);
  WARPFS_DEVICE uint* gate = gate_of(fs, index);
  WaitBound bound;
  wait_start(fs, bound);
  for (;;) {
    // Looked at first: those who wait would keep each other, and whoever is inside, from the word.
    const bool open = fs.gate == 0u && (atomic_load(gate) & GATE_CLOSED) == 0u;
    if (open && (atomic_or(gate, GATE_CLOSED) & GATE_CLOSED) == 0u) fs.gate = (index + 1u) | GATE_CLOSED;
    uint empty = GATE_CLOSED;
    // Under replay it may have been sealed in an earlier run.
    if (fs.gate != 0u && (atomic_cas(gate, empty, GATE_CLOSED | GATE_SEALED) || (empty & GATE_SEALED) != 0u)) {
      // What those who left have written is visible.
      fence_acquire();
      return 0;
    }
    if (!wait_again(fs, bound)) return wait_outcome();
  }
}

}  // namespace warpfs
