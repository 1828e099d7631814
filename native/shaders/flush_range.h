// Which lines a flush is about, and how it finds those of them that carry bytes for their file: the table of lines is long, and many flush at once.
#pragma once

namespace warpfs {

// The lines that a flush is about: those of one file, or of any (0), with pages below an end.
struct FlushRange {
  uint file_id;
  ulong page_end;
};

WARPFS_FN bool line_belongs(WARPFS_THREAD const Fs& fs, uint line, WARPFS_THREAD const FlushRange& range) {
  WARPFS_DEVICE const LineTag* tag = fs.tags + line;
  if (range.file_id == 0u) return true;
  const ulong page = ((ulong)atomic_load(&tag->page_high) << 32) | atomic_load(&tag->page_low);
  return atomic_load(&tag->file_id) == range.file_id && page < range.page_end;
}

// Does a line with this word carry bytes that are not in its file yet?
WARPFS_FN bool word_is_unwritten(uint word) {
  const bool writing = line_state(word) == LineState::BUSY && line_step(word) >= LineStep::STARTING;
  return line_state(word) == LineState::MODIFIED || writing;
}
static_assert(LineStep::STARTING < LineStep::WRITING && LineStep::WRITING < LineStep::STORING && LineStep::FILLING < LineStep::STARTING,
              "whoever waits for a line to be written back goes by its step");

// One lane looks at one line.
WARPFS_FN bool line_is_unwritten(WARPFS_THREAD const Fs& fs, uint line, WARPFS_THREAD const FlushRange& range) {
  return word_is_unwritten(atomic_load(fs.words + line)) && line_belongs(fs, line, range);
}

// All lanes. Which lines of `count` (at most 32) from `first` on are unwritten.
WARPFS_FN uint unwritten_among(WARPFS_THREAD const Fs& fs, uint first, uint count, WARPFS_THREAD const FlushRange& range) {
  uint mask = 0;
  for (uint base = 0; base < count; base += fs.lane.count) {
    const uint at = base + fs.lane.index;
    mask |= warp_ballot(fs.lane, at < count && line_is_unwritten(fs, first + at, range)) << base;
  }
  return mask;
}

enum : uint32_t {
  LOOKS_AT_ONCE = 8,                    // of each lane: all are on their way before the first of them is waited for
  LOOK_LINES = 32u * LOOKS_AT_ONCE,
};

// What there is among many lines, of whichever file.
enum : uint32_t {
  LOOK_WRITTEN,        // nothing that is not in its file
  LOOK_WRITING,        // others are at all that is not
  LOOK_MODIFIED,
  LOOK_NOTHING_DIRTY,  // in the whole cache: what was written before is in its file
};

// All lanes. A look at lines [first, end).
WARPFS_FN uint lines_look(WARPFS_THREAD const Fs& fs, uint first, uint end) {
  const uint lanes = fs.lane.count;
  uint votes = 0;
  for (uint base = first + fs.lane.index; base < end; base += LOOKS_AT_ONCE * lanes) {
    uint words[LOOKS_AT_ONCE];
    for (uint i = 0; i < LOOKS_AT_ONCE; i++) words[i] = base + i * lanes < end ? atomic_load(fs.words + base + i * lanes) : 0u;
    for (uint i = 0; i < LOOKS_AT_ONCE; i++) {
      votes |= (word_is_unwritten(words[i]) ? 1u : 0u) | (line_state(words[i]) == LineState::MODIFIED ? 2u : 0u);
    }
  }
#if WARPFS_STORES
  votes |= atomic_load(&fs.dirty->lines) == 0u ? 4u : 0u;
#endif
  uint masks[4];
  warp_votes(fs.lane, votes, masks);
  if (masks[2] != 0u) {
    // Whoever counted the last line off has seen its bytes in the file.
    fence_acquire();
    warp_sync(fs.lane);
    return LOOK_NOTHING_DIRTY;
  }
  return masks[1] != 0u ? LOOK_MODIFIED : masks[0] != 0u ? LOOK_WRITING : LOOK_WRITTEN;
}

// Warps that flush at the same time begin in different places, and share the work: where this one does, among [first, end).
WARPFS_FN uint flush_start(WARPFS_THREAD const Fs& fs, uint first, uint end) {
  const uint groups = (end - first) / 32u;
  return first + 32u * (uint)(((ulong)(fs.slot * 0x9e3779b1u) * groups) >> 32);
}

}  // namespace warpfs
