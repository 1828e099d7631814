// Where gpu and host do not simply use the same memory: how the gpu learns what the host has written into the words that it reads (GpuLink), and, where
// it has memory of its own, how bytes of lines get to and from it (LineCarrier). Called from any thread of the daemon.
#pragma once
#include "abi_host.h"

namespace warpfs {

class FileTable;

/// Parts of a file that the gpu may use where they lie in the memory of the host.
struct FileWindows {
  uint64_t base = 0;   // where the gpu finds the first byte of the file
  uint64_t end = 0;    // behind the last byte that is there
  uint32_t mask = 0;   // a bit for each window that it may read
  uint32_t shift = 0;  // log2 of the bytes of a window
  bool writable = false;  // it may store into them too; then they end with the file
  uint64_t held_bytes = 0;  // so many bytes of the file cannot lose their pages but by a truncation, or a hole that is made

  /// FileEntry.window_reach. What is less than a part of a window is left out.
  uint32_t reach() const {
    if (mask == 0) return 0;
    return shift | uint32_t(end >> (shift - WINDOW_PARTS_SHIFT)) << WINDOW_REACH_SHIFT | (writable ? uint32_t(WINDOW_WRITABLE) : 0u);
  }
};

class GpuLink {
 public:
  virtual ~GpuLink() = default;

  /// After the host has written the LineDone: the gpu gets it, behind the bytes that were put into the place of the line.
  virtual void line_done(uint32_t line, const LineDone& done) = 0;
  /// After the host has written the mailbox.
  virtual void mailbox_done(uint32_t slot) = 0;
  /// After the host has changed an entry of the file table.
  virtual void file_changed(uint32_t index) = 0;
  /// Returns when the gpu has got all that it was told so far, or will never get anything any more.
  virtual void wait_until_told() = 0;
};

/// The host cannot reach the lines with loads and stores.
class LineCarrier {
 public:
  virtual ~LineCarrier() = default;

  /// Room for everything that one more request can ask for. While there is none the rings are left alone.
  virtual bool has_room() = 0;
  /// Where the host puts the bytes of a line that is to be filled, until line_done.
  virtual uint8_t* fill_place(uint32_t line) = 0;
  /// The bytes of a WRITE_BACK are kept until line_done. Where it brings them along they lie in its slot of the ring, which is about to be given
  /// back; else they are fetched.
  virtual void keep_bytes(const Request& request, uint32_t ring, uint32_t slot) = 0;
  /// They are being fetched. When this is over, they are there, or were not to be had.
  virtual bool is_coming(uint32_t line) const = 0;
  /// What was kept: a whole line, of which the request says what counts, and the mask of its dirty bytes where it has one. Null: nothing was.
  virtual uint8_t* kept_line(uint32_t line) = 0;
  virtual const uint32_t* kept_mask(uint32_t line) = 0;
  /// A line of that file is being filled, or written back. The files may be asked to grant windows, some time, from another thread.
  virtual void moves(FileTable& files, uint32_t handle, uint32_t file_id, uint64_t offset, bool writes) = 0;
};

}  // namespace warpfs
