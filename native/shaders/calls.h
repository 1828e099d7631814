// What a kernel calls. Everything behind these declarations is large and the same in every kernel of one policy and waiting strategy:
// a dialect may compile it once (WARPFS_CALL), and a kernel that is linked with that (WARPFS_CALLS_LINKED) sees no more than this page.
#pragma once

namespace warpfs {

// Where the bytes of a call come from: the handle for the host, the identity of the bytes for the tags.
struct Source {
  uint handle;
  uint file_id;
};

// What a call on an open file works with, read by the leader so that all lanes work with the same.
struct FileView {
  Source source;
  uint count;  // bytes of the request that lie within the file
  int error;
};

// An asynchronous read or write. It holds no pin and no line: one that is never waited for leaks nothing.
struct Ticket {
  int file;
  uint length;
  ulong offset;
  WARPFS_DEVICE uchar* target;        // of a read
  const WARPFS_DEVICE uchar* source;  // of a write
  bool writes;
  int error;
};

// Opens a path beneath the root: a handle, or -errno. `path` ends with a zero byte.
WARPFS_CALL int gopen(WARPFS_THREAD Fs& fs, const WARPFS_DEVICE uchar* path, uint mode);
// Closes a handle. Bytes that were written through it are in the file (not necessarily on the disk) when it returns 0.
WARPFS_CALL int gclose(WARPFS_THREAD Fs& fs, int file);
// The size of an open file in bytes.
WARPFS_CALL int gstat(WARPFS_THREAD Fs& fs, int file, WARPFS_THREAD ulong& size);
// Reads up to `length` bytes at `offset` into `target`: the bytes read (fewer at the end of the file, 0 behind it), or -errno.
// Under replay `target` must be device memory that no other read between two checkpoints goes to: what was read stays there for the next run.
WARPFS_HOT_CALL int gread(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE uchar* target);
// Writes `length` bytes at `offset`: the bytes written, or -errno. They are in the cache; gfsync brings them to the disk.
WARPFS_HOT_CALL int gwrite(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, const WARPFS_DEVICE uchar* source);
// All bytes written to the file by any warp before this call are on the disk when it returns 0.
WARPFS_CALL int gfsync(WARPFS_THREAD Fs& fs, int file);
// A hint: the bytes will be read soon. The bytes asked for, or -errno.
WARPFS_CALL int gprefetch(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length);
// The start of a read or write asks the host for the pages; the work is done by gwait, and a write that is never waited for does not happen.
WARPFS_CALL Ticket gread_async(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE uchar* target);
WARPFS_CALL Ticket gwrite_async(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, const WARPFS_DEVICE uchar* source);
// The bytes of the read or write that the ticket stands for, or -errno.
WARPFS_CALL int gwait(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Ticket& ticket);

// What gload is made of. All lanes call each of them.
// Looks a file up for a request of `length` bytes at `offset`, and sees that all lanes ask for the same; `address` is the argument that
// the file has no use for.
WARPFS_HOT_CALL FileView file_view(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, ulong address);
// The size as the leader sees it; 0 for a file that is not open.
WARPFS_CALL ulong file_size_of(WARPFS_THREAD Fs& fs, int file);
// Asks for the pages of a range that nobody has asked for; waits for nothing. Bytes that are there or on their way.
WARPFS_CALL uint pages_prefetch(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong offset, uint length);
// Brings one page to where it can be read, whatever it takes: 0 and a pinned `line`, or -errno, or PENDING.
WARPFS_HOT_CALL int page_read(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong page, WARPFS_THREAD uint& line);
// Lets go of a line that page_read gave.
WARPFS_HOT_CALL void page_release(WARPFS_THREAD Fs& fs, uint line);

}  // namespace warpfs
