// Moving bytes between lines and the kernel's own memory: all lanes together, 16 bytes a lane where both sides are aligned.
#pragma once

namespace warpfs {

enum : uint32_t { COPY_AT_ONCE = 8 };

// Line data may be read and written by several warps at once, so every access to it goes through the dialect's data_ functions.
WARPFS_FN void copy_from_line(WARPFS_THREAD const Lane& lane, WARPFS_DEVICE uchar* target, const WARPFS_DEVICE uchar* line, uint bytes) {
  const ulong alignment = (ulong)target | (ulong)line | (ulong)bytes;
  if ((alignment & 15u) == 0u) {
    WARPFS_DEVICE Vec16* to = (WARPFS_DEVICE Vec16*)target;
    const WARPFS_DEVICE Vec16* from = (const WARPFS_DEVICE Vec16*)line;
#if WARPFS_LOADS_16
    // All loads of a part are on their way before the first of them is waited for.
    for (PieceRange i = lane_pieces(lane, bytes / 16u); i.at < i.end; i.at += COPY_AT_ONCE * i.step) {
      Vec16 part[COPY_AT_ONCE];
      for (uint k = 0; k < COPY_AT_ONCE; k++) {
        if (i.at + k * i.step < i.end) part[k] = data_load16(from + i.at + k * i.step);
      }
      for (uint k = 0; k < COPY_AT_ONCE; k++) {
        if (i.at + k * i.step < i.end) to[i.at + k * i.step] = part[k];
      }
    }
#else
    for (PieceRange i = lane_pieces(lane, bytes / 16u); i.at < i.end; i.at += i.step) to[i.at] = data_load16(from + i.at);
#endif
  } else if ((alignment & 3u) == 0u) {
    WARPFS_DEVICE uint* to = (WARPFS_DEVICE uint*)target;
    const WARPFS_DEVICE uint* from = (const WARPFS_DEVICE uint*)line;
    for (PieceRange i = lane_pieces(lane, bytes / 4u); i.at < i.end; i.at += i.step) to[i.at] = data_load4(from + i.at);
  } else {
    for (PieceRange i = lane_pieces(lane, bytes); i.at < i.end; i.at += i.step) target[i.at] = data_load1(line + i.at);
  }
}

WARPFS_FN void copy_to_line(WARPFS_THREAD const Lane& lane, WARPFS_DEVICE uchar* line, const WARPFS_DEVICE uchar* source, uint bytes) {
  const ulong alignment = (ulong)source | (ulong)line | (ulong)bytes;
  if ((alignment & 15u) == 0u) {
    WARPFS_DEVICE Vec16* to = (WARPFS_DEVICE Vec16*)line;
    const WARPFS_DEVICE Vec16* from = (const WARPFS_DEVICE Vec16*)source;
    for (PieceRange i = lane_pieces(lane, bytes / 16u); i.at < i.end; i.at += i.step) data_store16(to + i.at, from[i.at]);
  } else if ((alignment & 3u) == 0u) {
    WARPFS_DEVICE uint* to = (WARPFS_DEVICE uint*)line;
    const WARPFS_DEVICE uint* from = (const WARPFS_DEVICE uint*)source;
    for (PieceRange i = lane_pieces(lane, bytes / 4u); i.at < i.end; i.at += i.step) data_store4(to + i.at, from[i.at]);
  } else {
    for (PieceRange i = lane_pieces(lane, bytes); i.at < i.end; i.at += i.step) data_store1(line + i.at, source[i.at]);
  }
}

// One element of a line, moved in the pieces that the dialect can load.
template <typename T>
union Element {
  T value;
  uint words[(sizeof(T) + 3u) / 4u];
  uchar bytes[sizeof(T)];
};

template <typename T>
WARPFS_FN T data_load(const WARPFS_DEVICE uchar* source) {
  Element<T> element;
#if WARPFS_DATA_LOAD_8
  if (sizeof(T) == 8u) {
    data_load8((const WARPFS_DEVICE uint*)source, element.words);
    return element.value;
  }
#endif
  if ((sizeof(T) & 3u) == 0u) {
    for (uint i = 0; i < sizeof(T) / 4u; i++) element.words[i] = data_load4((const WARPFS_DEVICE uint*)source + i);
  } else {
    for (uint i = 0; i < sizeof(T); i++) element.bytes[i] = data_load1(source + i);
  }
  return element.value;
}

#if WARPFS_LOADS_16
// Without a pin.
template <typename T>
WARPFS_FN T data_guess(const WARPFS_DEVICE uchar* source) {
  Element<T> element;
  if ((sizeof(T) & 3u) == 0u) {
    for (uint i = 0; i < sizeof(T) / 4u; i++) element.words[i] = data_guess4((const WARPFS_DEVICE uint*)source + i);
  } else {
    for (uint i = 0; i < sizeof(T); i++) element.bytes[i] = data_guess1(source + i);
  }
  return element.value;
}

// The same. Whatever the lane loads behind it is loaded later.
template <typename T>
WARPFS_FN T data_guess_acquire(const WARPFS_DEVICE uchar* source) {
  Element<T> element;
  if (sizeof(T) == 4u) {
    element.words[0] = data_guess4_acquire((const WARPFS_DEVICE uint*)source);
    return element.value;
  }
  if (sizeof(T) == 8u) {
    const Word2 words = data_guess8_acquire((const WARPFS_DEVICE uint*)source);
    element.words[0] = words.words[0];
    element.words[(sizeof(T) - 1u) / 4u] = words.words[1];
    return element.value;
  }
  element.value = data_guess<T>(source);
  fence_acquire();
  return element.value;
}
#endif

template <typename T>
WARPFS_FN void data_store(WARPFS_DEVICE uchar* target, T value) {
  Element<T> element;
  element.value = value;
  if ((sizeof(T) & 3u) == 0u) {
    for (uint i = 0; i < sizeof(T) / 4u; i++) data_store4((WARPFS_DEVICE uint*)target + i, element.words[i]);
  } else {
    for (uint i = 0; i < sizeof(T); i++) data_store1(target + i, element.bytes[i]);
  }
}

}  // namespace warpfs
