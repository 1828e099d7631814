// Which bytes of a line have to be written back: only bytes that the gpu wrote may. Mostly that is one range. Where bytes are written that do
// not touch it, the line gets a mask with a bit for each byte, of which there are few; where none is free the older bytes go back first.
//
//   LineAux.dirty:  | last byte 16 | first byte 16 |   first > last: DIRTY_NONE (0xffff, 0), or a mask (0xffff, mask + 1)
#pragma once

namespace warpfs {

WARPFS_FN uint dirty_first(uint range) { return range & 0xffffu; }
WARPFS_FN uint dirty_last(uint range) { return range >> 16; }
WARPFS_FN uint dirty_range(uint first, uint last) { return first | (last << 16); }

WARPFS_FN uint dirty_masked(uint mask) { return dirty_range(0xffffu, mask + 1u); }
WARPFS_FN bool dirty_has_mask(uint range) { return dirty_first(range) == 0xffffu && dirty_last(range) != 0xffffu && range != (uint)DIRTY_NONE; }
WARPFS_FN uint dirty_mask(uint range) { return dirty_last(range) - 1u; }
static_assert(MASKS_MAX < 0xffffu - 1u, "a mask is told from the last byte of the longest line");

WARPFS_FN WARPFS_DEVICE uint* mask_words(WARPFS_THREAD const Fs& fs, uint mask) { return fs.masks + (ulong)mask * (line_bytes(fs) / 32u); }

// Behind DirtyState there is one bit for each mask, set while it is in use.
WARPFS_FN WARPFS_DEVICE uint* mask_bits(WARPFS_THREAD const Fs& fs, uint word) { return (WARPFS_DEVICE uint*)(fs.dirty + 1) + word; }

enum : uint32_t { MASK_NONE = 0xffffffffu };

// One lane. An empty mask, or MASK_NONE. `start` spreads those who look.
WARPFS_FN uint mask_claim(WARPFS_THREAD const Fs& fs, uint start) {
  const uint count = fs.geometry->mask_count;
  const uint words = (count + 31u) / 32u;
  for (uint i = 0; i < words; i++) {
    const uint word = (start + i) % words;
    const uint left = count - word * 32u;
    const uint valid = left >= 32u ? 0xffffffffu : (1u << left) - 1u;
    uint free = ~atomic_load(mask_bits(fs, word)) & valid;
    while (free != 0u) {
      const uint bit = lowest_bit(free);
      const uint seen = atomic_or(mask_bits(fs, word), 1u << bit);
      if (((seen >> bit) & 1u) == 0u) {
        // The host had read it before its former user let go.
        fence_acquire();
        WARPFS_DEVICE uint* bits = mask_words(fs, word * 32u + bit);
        for (uint k = 0; k < line_bytes(fs) / 32u; k++) atomic_store(bits + k, 0u);
        return word * 32u + bit;
      }
      free = ~seen & valid;
    }
  }
  return MASK_NONE;
}

WARPFS_FN void mask_free(WARPFS_THREAD const Fs& fs, uint mask) {
  fence_release();
  atomic_and(mask_bits(fs, mask / 32u), ~(1u << (mask & 31u)));
}

WARPFS_FN void mask_set(WARPFS_THREAD const Fs& fs, uint mask, uint first, uint last) {
  WARPFS_DEVICE uint* bits = mask_words(fs, mask);
  for (uint word = first / 32u; word <= last / 32u; word++) {
    const uint low = word == first / 32u ? first & 31u : 0u;
    const uint high = word == last / 32u ? last & 31u : 31u;
    atomic_or(bits + word, (0xffffffffu >> (31u - high)) & (0xffffffffu << low));
  }
}

// Leader only; the warp has a hand on the line, so nobody takes its dirty bytes away. Makes what is dirty a mask: it, or MASK_NONE.
WARPFS_FN uint dirty_to_mask(WARPFS_THREAD const Fs& fs, uint line) {
  WARPFS_DEVICE uint* word = &fs.auxes[line].dirty;
  uint range = atomic_load(word);
  if (dirty_has_mask(range)) {
    fence_acquire();  // it was emptied before it was put there
    return dirty_mask(range);
  }
  const uint mask = mask_claim(fs, line / 32u);
  if (mask == (uint)MASK_NONE) return mask;
  for (;;) {
    // Bits that a range had before it grew are a part of what it is now.
    if (range != (uint)DIRTY_NONE) mask_set(fs, mask, dirty_first(range), dirty_last(range));
    // The bits are there before others find the mask.
    fence_release();
    if (atomic_cas(word, range, dirty_masked(mask))) return mask;
    if (dirty_has_mask(range)) {
      mask_free(fs, mask);
      fence_acquire();
      return dirty_mask(range);
    }
  }
}

// Leader only; the warp has a hand on the line. Adds bytes [first, last] to what has to be written back. False where they do not touch
// the range that is already there and no mask is free: the older bytes have to be written back first.
WARPFS_FN bool dirty_add(WARPFS_THREAD const Fs& fs, uint line, uint first, uint last) {
  WARPFS_DEVICE uint* word = &fs.auxes[line].dirty;
  uint range = atomic_load(word);
  for (;;) {
    uint wider = dirty_range(first, last);
    bool disjoint = dirty_has_mask(range);
    if (range != (uint)DIRTY_NONE && !disjoint) {
      disjoint = first > dirty_last(range) + 1u || last + 1u < dirty_first(range);
      const uint low = first < dirty_first(range) ? first : dirty_first(range);
      const uint high = last > dirty_last(range) ? last : dirty_last(range);
      wider = dirty_range(low, high);
    }
    if (disjoint) {
      const uint mask = dirty_to_mask(fs, line);
      if (mask == (uint)MASK_NONE) return false;
      mask_set(fs, mask, first, last);
      return true;
    }
    if (wider == range || atomic_cas(word, range, wider)) return true;
  }
}

// One lane. Lines are counted as dirty only where there is a limit, or where many flush the same lines and want to know when to stop.
WARPFS_FN void dirty_count(WARPFS_THREAD const Fs& fs, uint change) {
  if (WARPFS_STORES || fs.geometry->dirty_lines_max != 0u) atomic_add_unasked(&fs.dirty->lines, change);
}

}  // namespace warpfs
