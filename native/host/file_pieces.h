// Pieces of a file, moved by the thread that asks.
#pragma once
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace warpfs {

struct FilePiece {
  uint64_t offset;    // in the file
  uint64_t position;  // in the memory
  uint32_t length;
};

/// 0 or an errno; ENODATA where the file ends within the piece.
inline int move_piece(int fd, bool writes, const FilePiece& piece, uint8_t* memory) {
  for (uint32_t done = 0; done < piece.length;) {
    uint8_t* at = memory + piece.position + done;
    const off_t offset = off_t(piece.offset + done);
    const ssize_t moved = writes ? pwrite(fd, at, piece.length - done, offset) : pread(fd, at, piece.length - done, offset);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return errno;
    if (moved == 0) return ENODATA;
    done += uint32_t(moved);
  }
  return 0;
}

}  // namespace warpfs
