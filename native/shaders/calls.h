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
  bool near;  // of a read: nobody was asked for its bytes, which are here, or where the warp gets at them itself
  int error;
};

WARPFS_FN Ticket ticket_make(int file, ulong offset, uint length, bool writes) {
  Ticket ticket;
  ticket.file = file;
  ticket.length = length;
  ticket.offset = offset;
  ticket.target = 0;
  ticket.source = 0;
  ticket.writes = writes;
  ticket.near = false;
  ticket.error = 0;
  return ticket;
}

// A part of one line that stays where it is. `bytes` is valid in all lanes until gmunmap; load and store there with map_load and map_store.
struct Map {
  WARPFS_DEVICE uchar* bytes;  // 0 where nothing is mapped
  uint count;
  uint first;  // its first byte within the line
  uint line;
  int file;
  bool writes;
};

// Opens a path beneath the root: a handle, or -errno. `path` ends with a zero byte. `mode`: WARPFS_RDONLY, or WARPFS_RDWR with WARPFS_CREATE,
// WARPFS_EXCLUSIVE, WARPFS_TRUNCATE.
WARPFS_CALL int gopen(WARPFS_THREAD Fs& fs, const WARPFS_DEVICE uchar* path, uint mode);
// Closes a handle. Bytes that were written through it are in the file (not necessarily on the disk) when it returns 0.
WARPFS_CALL int gclose(WARPFS_THREAD Fs& fs, int file);
// The size of an open file in bytes.
WARPFS_CALL int gfstat(WARPFS_THREAD Fs& fs, int file, WARPFS_THREAD ulong& size);
// Makes an open file `length` bytes long: 0, or -errno. What is cut off is gone; what is added is zeros.
WARPFS_CALL int gftruncate(WARPFS_THREAD Fs& fs, int file, ulong length);
// Removes a name. The file lives on for those who have it open.
WARPFS_CALL int gunlink(WARPFS_THREAD Fs& fs, const WARPFS_DEVICE uchar* path);
// Gives a file another name; one that has that name is removed.
WARPFS_CALL int grename(WARPFS_THREAD Fs& fs, const WARPFS_DEVICE uchar* path, const WARPFS_DEVICE uchar* to);
// Reads up to `length` bytes at `offset` into `target`: the bytes read (fewer at the end of the file, 0 behind it), or -errno.
// Under replay `target` must be device memory that no other read between two checkpoints goes to: what was read stays there for the next run.
WARPFS_HOT_CALL int gread(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE uchar* target);
// Writes `length` bytes at `offset`: the bytes written, or -errno. They are in the cache; gfsync brings them to the disk.
WARPFS_HOT_CALL int gwrite(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, const WARPFS_DEVICE uchar* source);
// All bytes written to the file by any warp before this call are on the disk when it returns 0.
WARPFS_CALL int gfsync(WARPFS_THREAD Fs& fs, int file);
// Maps `length` bytes of one line, WARPFS_RDONLY or WARPFS_RDWR: how many of them lie within the file (0: nothing is mapped), or -errno.
WARPFS_CALL int gmmap(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, uint mode, WARPFS_THREAD Map& map);
// Lets go of a map. All of it counts as written then, if it was mapped for writing: 0; ESTALE: the file was cut off or replaced meanwhile.
WARPFS_CALL int gmunmap(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Map& map);
// What was stored in a map is on the disk when it returns 0. It stays mapped.
WARPFS_CALL int gmsync(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Map& map);
// A hint: the bytes will be read soon. The bytes asked for, or -errno.
WARPFS_CALL int gprefetch(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length);
// The start of a read or write asks the host for the pages; the work is done by gwait, and a write that is never waited for does not happen.
WARPFS_CALL Ticket gread_async(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_DEVICE uchar* target);
WARPFS_CALL Ticket gwrite_async(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, const WARPFS_DEVICE uchar* source);
// The bytes of the read or write that the ticket stands for, or -errno.
WARPFS_CALL int gwait(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Ticket& ticket);

// 1: nothing that the ticket asked for is on its way any more, so gwait will hardly wait; 0: something is; or -errno. Replay gives no 0.
WARPFS_CALL int gpoll(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Ticket& ticket);

// All lanes, once at the beginning and once at the end of every run of an item. `status` is what its body returned.
WARPFS_CALL void item_begin(WARPFS_THREAD Fs& fs);
WARPFS_CALL void item_end(WARPFS_THREAD Fs& fs, int status);

#if WARPFS_HINTS
// What calls in registers come to where no hint was right, for a page that lies in a window (page_bring, in hot.h). Who waits, who copies and who stores
// are functions of their own: each saves the registers of its caller in L2, and a copy many of them.
// A line that was claimed for a page which lies over the bus at `address`; or, where that is 0, the line in which another warp has brought it, as a hint says
// it; or LINE_NONE: it is to be asked for in the usual way. No more than what is returned in registers.
struct ColdLine {
  uint line;
  uint version;
  ulong address;
};
enum : uint32_t {
  COLD_STORES = 0x40000000u,  // set in the line of a claim: what is dirty in its set is to be stored behind the page
  COLD_LOST = 0xfffffffeu,    // in the place of a line: another warp was sooner, with another page, and the set is worth another look
};
// `entry`, `hint`: what the leader has seen of the file, and in the place of the page's hint. Where that says that the page is coming, this warp has said so.
WARPFS_CALL ColdLine cold_claim(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, Vec16 entry, Vec16 hint);
// Leader only. It has said that it brings the page, and does not: those who wait for that are to look for themselves.
WARPFS_CALL void cold_give_up(WARPFS_THREAD Fs& fs, int file, uint file_id, ulong page);
// Copies the page into the line, and what was asked for of it to `target` as well, in pieces of 16 bytes; 0: nowhere.
WARPFS_CALL void cold_fill(WARPFS_THREAD Fs& fs, ulong offset, uint length, WARPFS_DEVICE uchar* target, uint line, ulong address);
// The bytes were copied into the line. False: they were not those of the file by then, and the line was let go. `file_id`: the leader's.
WARPFS_CALL bool cold_end(WARPFS_THREAD Fs& fs, int file, uint file_id, ulong page, ColdLine cold);
// Stores what is dirty in the set of the line.
WARPFS_CALL void cold_store(WARPFS_THREAD Fs& fs, uint line);
// Leader only. Waits until the warp that is bringing the page has: the hint as it is then.
WARPFS_CALL Vec16 hint_wait(WARPFS_THREAD Fs& fs, int file, ulong page, Vec16 hint);
// A read of these bytes of one page need ask nobody: they are here or coming, or lie in a window. A guess.
WARPFS_CALL bool page_is_near(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length);
// The rest of their calls (unhinted.h). `hint`: what page_bring gave.
WARPFS_CALL bool page_copy_brought(WARPFS_THREAD Fs& fs, ulong offset, uint length, WARPFS_DEVICE uchar* target, Vec16 hint);
WARPFS_CALL int gmmap_unhinted(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, WARPFS_THREAD Map& map, Vec16 entry, Vec16 hint);
#endif

// What elements.h is made of. All lanes call each of them.
// Looks a file up for a request of `length` bytes at `offset`, and sees that all lanes ask for the same; `address` is the argument that
// the file has no use for. Where the leader has an `outcome` of what had to come before, that is the view's error.
WARPFS_HOT_CALL FileView file_view(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, ulong address, int outcome);
// The same for a call that writes: no truncation comes between it and call_end.
WARPFS_CALL FileView file_view_to_write(WARPFS_THREAD Fs& fs, int file, ulong offset, uint length, ulong address);
// The size as the leader sees it; 0 for a file that is not open.
WARPFS_CALL ulong file_size_of(WARPFS_THREAD Fs& fs, int file);
// Asks for the pages of a range that nobody has asked for; waits for nothing. Bytes that are there or on their way.
WARPFS_CALL uint pages_prefetch(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong offset, uint length);
enum : uint32_t {
  PAGE_TO_READ,     // past the cache, where every line is pinned
  PAGE_TO_MAP,      // or EAGAIN
  PAGE_TO_WRITE,
  PAGE_TO_REPLACE,  // a page that is not there need not be read: PAGE_IS_OURS
};
enum : int { PAGE_IS_OURS = 1 };  // claimed in step STARTING, for the caller to write whole
// Brings one page to where it can be used, whatever it takes: 0 and a pinned `line`, or PAGE_IS_OURS, or -errno, or PENDING.
WARPFS_HOT_CALL int page_read(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong page, uint use, WARPFS_THREAD uint& line);
// Lets go of a line that page_read gave.
WARPFS_HOT_CALL void page_release(WARPFS_THREAD Fs& fs, uint line);
// All lanes. The same for a page that was read: the next who wants it has a hint where it is.
WARPFS_HOT_CALL void page_release_read(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong page, uint line);
// The same for bytes that will be written: a hand of ours is on the line as well.
WARPFS_CALL int page_enter(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, ulong page, uint use, WARPFS_THREAD uint& line);
WARPFS_CALL void page_leave(WARPFS_THREAD Fs& fs, uint line);
// Which lanes may write their bytes into a line that page_enter gave; for the others line_make_way has to make room.
WARPFS_CALL uint elements_soil(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source, uint line, bool mine, uint first, uint bytes);
enum : int { LINE_LATER = 1 };  // somebody else is at it: to be looked at again after a while
WARPFS_CALL int line_make_way(WARPFS_THREAD Fs& fs, uint line, WARPFS_THREAD uint& tried);
// Before a call that met ESTALE begins again; false: it has waited long enough.
WARPFS_CALL bool file_wait_renewed(WARPFS_THREAD Fs& fs, int file, uint file_id, WARPFS_THREAD WaitBound& bound);
WARPFS_CALL int elements_write_through(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Source& source);

// Loads and stores in a map: element `index`, counted in elements from its first byte.
template <typename T>
WARPFS_FN T map_load(WARPFS_THREAD const Map& map, uint index) { return data_load<T>(map.bytes + index * (uint)sizeof(T)); }
template <typename T>
WARPFS_FN void map_store(WARPFS_THREAD const Map& map, uint index, T value) { data_store<T>(map.bytes + index * (uint)sizeof(T), value); }

}  // namespace warpfs
