// Generated from native/abi/schema.ts. Do not edit; run `npm run gen`.
#pragma once

namespace warpfs {

enum : uint32_t {
  ABI_HASH = 0xf0555913u,
  WARP_LANES = 32u,
  SET_WAYS = 32u,
  REQUEST_LINES_MAX = 8u,
  LINE_NONE = 4294967295u,
  LINE_BYTES_MIN = 512u,
  LINE_BYTES_MAX = 65536u,
  PATH_BYTES_MAX = 4096u,
  OUTBOX_BYTES = 8192u,
  OPEN_WRITE = 1u,
  OPEN_CREATE = 2u,
  OPEN_EXCLUSIVE = 4u,
  OPEN_TRUNCATE = 8u,
  OPEN_APPEND = 16u,
  REPLAY_LOG_CALLS = 256u,
  REPLAY_LOG_WORDS = 256u,
  PHASE_WORDS = 6u,
  HELD_LINES_MAX = 8u,
  FAULT_ITEMS_MAX = 16u,
  PINS_MAX = 4095u,
  SLOTS_MAX = 4096u,
  MAPS_MAX = 8u,
  LINES_PER_MASK = 32u,
  MASKS_MAX = 65533u,
  GATE_CLOSED = 2147483648u,
  GATE_SEALED = 1073741824u,
  DIRTY_NONE = 65535u,
  HANDLE_INDEX_BITS = 17u,
  HANDLE_GENERATION_BITS = 12u,
  HANDLE_WRITABLE = 536870912u,
  WINDOWS_MAX = 32u,
  WINDOW_PARTS_SHIFT = 16u,
  WINDOW_REACH_SHIFT = 6u,
  WINDOW_WRITABLE = 2147483648u,
  COURIER_BATCH = 32u,
  COURIER_NO_BYTES = 4294967295u,
  LINE_STATE_SHIFT = 0u,
  LINE_STATE_MASK = 0x3u,
  LINE_STEP_SHIFT = 2u,
  LINE_STEP_MASK = 0x1cu,
  LINE_REFERENCE_SHIFT = 5u,
  LINE_REFERENCE_MASK = 0x20u,
  LINE_PINS_SHIFT = 6u,
  LINE_PINS_MASK = 0x7ffc0u,
  LINE_HANDS_SHIFT = 19u,
  LINE_HANDS_MASK = 0xfff80000u,
  COUNTER_COUNT = 12u,
};

namespace LineState {
enum : uint32_t { INVALID = 0, BUSY = 1, READY = 2, MODIFIED = 3 };
}
namespace LineStep {
enum : uint32_t { NONE = 0, CLAIMING = 1, ABANDONED = 2, FILLING = 3, STARTING = 4, WRITING = 5, DRAINING = 6, STORING = 7 };
}
namespace Opcode {
enum : uint32_t { NOP = 0, OPEN = 1, CLOSE = 2, FILL = 3, WRITE_BACK = 4, SYNC = 5, EXTEND = 6, STAT = 7, TRUNCATE = 8, UNLINK = 9, RENAME = 10 };
}
namespace ProgramOp {
enum : uint32_t { NOP = 0, OPEN = 1, CLOSE = 2, READ = 3, WRITE = 4, SYNC = 5, PREFETCH = 6, READ_ASYNC = 7, WRITE_ASYNC = 8, WAIT = 9, COMPUTE = 10, BARRIER = 11, STAT = 12, TRUNCATE = 13, UNLINK = 14, RENAME = 15, MAP = 16, UNMAP = 17, MAP_SYNC = 18, POLL = 19, GATHER = 20, SCATTER = 21, ADD = 22 };
}
namespace ItemStatus {
enum : uint32_t { FRESH = 0, PENDING = 1, DONE = 2 };
}
namespace CourierKind {
enum : uint32_t { NONE = 0, LINE = 1, MAILBOX = 2, FILE = 3 };
}
namespace Policy {
enum : uint32_t { CLOCK = 0, FIFO = 1 };
}
namespace Counter {
enum : uint32_t { HITS = 0, MISSES = 1, WAITS = 2, EVICTIONS = 3, WRITE_BACKS = 4, BYPASSES = 5, REQUESTS = 6, RETRIES = 7, READS = 8, WRITES = 9, BYTES_READ = 10, BYTES_WRITTEN = 11 };
}
namespace Binding {
enum : uint32_t { GEOMETRY = 0, RING_TAILS = 1, RING_HEADS = 2, REQUESTS = 3, WORDS = 4, TAGS = 5, AUXES = 6, DONES = 7, SETS = 8, LINES = 9, FILES = 10, MAILBOXES = 11, OUTBOXES = 12, RECORDS = 13, STATS = 14, FAULT = 15, LOGS = 16, LOADS = 17, GATES = 18, DIRTY = 19, MASKS = 20, HINTS = 21, OWN = 22 };
}
namespace Errno {
enum : int32_t {
  eperm = 1,  // operation not permitted
  enoent = 2,  // no such file or directory
  eintr = 4,  // interrupted
  eio = 5,  // input/output error
  ebadf = 9,  // bad file handle
  eagain = 11,  // no room for now: every line is pinned, or a bound was reached
  enomem = 12,  // out of memory
  eacces = 13,  // permission denied
  ebusy = 16,  // in use
  eexist = 17,  // file exists
  exdev = 18,  // the path leaves the root of the mount
  eisdir = 21,  // is a directory
  enotdir = 20,  // a part of the path is not a directory
  einval = 22,  // invalid argument
  enfile = 23,  // too many open files
  efbig = 27,  // file too large
  enospc = 28,  // no space left
  erofs = 30,  // the mount is read-only
  erange = 34,  // result out of range
  enotempty = 39,  // directory not empty
  enametoolong = 36,  // path too long
  enosys = 38,  // unknown operation
  eloop = 40,  // too many symbolic links
  eoverflow = 75,  // offset or length overflows
  eopnotsupp = 95,  // not a regular file
  estale = 116,  // the file was truncated or replaced meanwhile
  edquot = 122,  // the quota is used up
  etimedout = 110,  // the wait exceeded its bound
  ecanceled = 125,  // the dispatch was cancelled
};
}

// Geometry: written by the host before a dispatch, constant during it.
struct Geometry {
  uint32_t abi_hash;  // ABI_HASH of the host; a kernel built from another schema refuses to run
  uint32_t line_count;  // lines of the cache
  uint32_t set_count;
  uint32_t bypass_count;  // lines behind the cache that carry reads past a set whose lines are all pinned
  uint32_t line_bytes;
  uint32_t line_shift;  // log2 of line_bytes
  uint32_t ring_count;
  uint32_t ring_slots;  // slots of one ring, a power of two
  uint32_t slot_count;  // work items in flight; each has a mailbox, an outbox and an ItemRecord
  uint32_t file_count;  // entries of the file table
  uint32_t read_only;
  uint32_t wait_polls;  // polls after which a wait without a clock gives up
  uint64_t wait_ns;  // nanoseconds after which a wait gives up
  uint32_t stats_count;  // WarpStats records; a power of two
  uint32_t replay;  // 1: kernels replay, and LOGS and LOADS have room for every slot
  uint32_t mask_count;  // masks of dirty bytes
  uint32_t dirty_lines_max;  // modified lines above which a write goes through to the file; 0: no limit, and nobody counts
  uint32_t hint_count;  // places for hints, a power of two; 0: nobody looks for any
  uint32_t reserved;  // zero
  uint64_t file_bytes_max;  // no file grows beyond it
  uint32_t reserved_end[2];  // zero
};
static_assert(sizeof(Geometry) == 96, "Geometry size");
static_assert(WARPFS_OFFSETOF(Geometry, abi_hash) == 0, "Geometry.abi_hash offset");
static_assert(WARPFS_OFFSETOF(Geometry, line_count) == 4, "Geometry.line_count offset");
static_assert(WARPFS_OFFSETOF(Geometry, set_count) == 8, "Geometry.set_count offset");
static_assert(WARPFS_OFFSETOF(Geometry, bypass_count) == 12, "Geometry.bypass_count offset");
static_assert(WARPFS_OFFSETOF(Geometry, line_bytes) == 16, "Geometry.line_bytes offset");
static_assert(WARPFS_OFFSETOF(Geometry, line_shift) == 20, "Geometry.line_shift offset");
static_assert(WARPFS_OFFSETOF(Geometry, ring_count) == 24, "Geometry.ring_count offset");
static_assert(WARPFS_OFFSETOF(Geometry, ring_slots) == 28, "Geometry.ring_slots offset");
static_assert(WARPFS_OFFSETOF(Geometry, slot_count) == 32, "Geometry.slot_count offset");
static_assert(WARPFS_OFFSETOF(Geometry, file_count) == 36, "Geometry.file_count offset");
static_assert(WARPFS_OFFSETOF(Geometry, read_only) == 40, "Geometry.read_only offset");
static_assert(WARPFS_OFFSETOF(Geometry, wait_polls) == 44, "Geometry.wait_polls offset");
static_assert(WARPFS_OFFSETOF(Geometry, wait_ns) == 48, "Geometry.wait_ns offset");
static_assert(WARPFS_OFFSETOF(Geometry, stats_count) == 56, "Geometry.stats_count offset");
static_assert(WARPFS_OFFSETOF(Geometry, replay) == 60, "Geometry.replay offset");
static_assert(WARPFS_OFFSETOF(Geometry, mask_count) == 64, "Geometry.mask_count offset");
static_assert(WARPFS_OFFSETOF(Geometry, dirty_lines_max) == 68, "Geometry.dirty_lines_max offset");
static_assert(WARPFS_OFFSETOF(Geometry, hint_count) == 72, "Geometry.hint_count offset");
static_assert(WARPFS_OFFSETOF(Geometry, reserved) == 76, "Geometry.reserved offset");
static_assert(WARPFS_OFFSETOF(Geometry, file_bytes_max) == 80, "Geometry.file_bytes_max offset");
static_assert(WARPFS_OFFSETOF(Geometry, reserved_end) == 88, "Geometry.reserved_end offset");

// Request: belongs to the gpu from reservation until sequence is published, then to the host until RingHead.head passes it.
struct Request {
  uint32_t sequence;  // written last: position in the ring + 1
  uint32_t opcode;  // Opcode
  uint32_t file;  // handle; OPEN: its flags
  uint32_t mailbox;  // where the answer goes for opcodes that are not about lines; FILL, WRITE_BACK: the file_id of the lines
  uint64_t offset;  // byte offset in the file; EXTEND, TRUNCATE: the new end; RENAME: bytes of the second path, which follows the NUL of the first
  uint32_t length;  // bytes; FILL: line_count whole lines; OPEN, UNLINK, RENAME: bytes of the path without its NUL; CLOSE, SYNC: 1 after a failed write-back
  uint32_t line_count;
  uint32_t lines[8];  // line indices of consecutive pages from offset, LINE_NONE to skip one; WRITE_BACK: the line, then its mask + 1 (0: all bytes of the range)
};
static_assert(sizeof(Request) == 64, "Request size");
static_assert(WARPFS_OFFSETOF(Request, sequence) == 0, "Request.sequence offset");
static_assert(WARPFS_OFFSETOF(Request, opcode) == 4, "Request.opcode offset");
static_assert(WARPFS_OFFSETOF(Request, file) == 8, "Request.file offset");
static_assert(WARPFS_OFFSETOF(Request, mailbox) == 12, "Request.mailbox offset");
static_assert(WARPFS_OFFSETOF(Request, offset) == 16, "Request.offset offset");
static_assert(WARPFS_OFFSETOF(Request, length) == 24, "Request.length offset");
static_assert(WARPFS_OFFSETOF(Request, line_count) == 28, "Request.line_count offset");
static_assert(WARPFS_OFFSETOF(Request, lines) == 32, "Request.lines offset");

// RingTail: gpu only.
struct RingTail {
  uint32_t tail;  // positions reserved so far
  uint32_t reserved[31];  // zero
};
static_assert(sizeof(RingTail) == 128, "RingTail size");
static_assert(WARPFS_OFFSETOF(RingTail, tail) == 0, "RingTail.tail offset");
static_assert(WARPFS_OFFSETOF(RingTail, reserved) == 4, "RingTail.reserved offset");

// RingHead: written by the host alone.
struct RingHead {
  uint32_t head;  // positions consumed so far: the slots before it are free again
  uint32_t reserved[31];  // zero
};
static_assert(sizeof(RingHead) == 128, "RingHead size");
static_assert(WARPFS_OFFSETOF(RingHead, head) == 0, "RingHead.head offset");
static_assert(WARPFS_OFFSETOF(RingHead, reserved) == 4, "RingHead.reserved offset");

// LineTag: gpu only; changes only while the line is BUSY, by the warp that claimed it.
struct LineTag {
  uint32_t file_id;  // identity of the bytes of one file at one time; never used again; 0: none
  uint32_t page_low;
  uint32_t page_high;
  uint32_t version;  // claims of the line so far, where there are hints
};
static_assert(sizeof(LineTag) == 16, "LineTag size");
static_assert(WARPFS_OFFSETOF(LineTag, file_id) == 0, "LineTag.file_id offset");
static_assert(WARPFS_OFFSETOF(LineTag, page_low) == 4, "LineTag.page_low offset");
static_assert(WARPFS_OFFSETOF(LineTag, page_high) == 8, "LineTag.page_high offset");
static_assert(WARPFS_OFFSETOF(LineTag, version) == 12, "LineTag.version offset");

// LineAux: gpu only.
struct LineAux {
  uint32_t ticket;  // fills and write-backs started; the line is finished when LineDone.sequence reaches it
  uint32_t dirty;  // first dirty byte | last dirty byte << 16; DIRTY_NONE: clean; 0xffff | mask + 1 << 16: the bytes whose bits are set there
  uint32_t writing;  // what a write-back in flight covers, restored to dirty when it fails
  uint32_t file;  // handle index that fills and writes back this line
};
static_assert(sizeof(LineAux) == 16, "LineAux size");
static_assert(WARPFS_OFFSETOF(LineAux, ticket) == 0, "LineAux.ticket offset");
static_assert(WARPFS_OFFSETOF(LineAux, dirty) == 4, "LineAux.dirty offset");
static_assert(WARPFS_OFFSETOF(LineAux, writing) == 8, "LineAux.writing offset");
static_assert(WARPFS_OFFSETOF(LineAux, file) == 12, "LineAux.file offset");

// LineDone: written by the host alone: result first, then sequence.
struct LineDone {
  uint32_t sequence;  // fills and write-backs finished
  int32_t result;  // 0, or -errno
};
static_assert(sizeof(LineDone) == 8, "LineDone size");
static_assert(WARPFS_OFFSETOF(LineDone, sequence) == 0, "LineDone.sequence offset");
static_assert(WARPFS_OFFSETOF(LineDone, result) == 4, "LineDone.result offset");

// SetState: gpu only.
struct SetState {
  uint32_t hand;  // way at which the next sweep of the replacement policy starts
  uint32_t maps;  // lines of it that are mapped; one way stays free of maps, so that who needs a line need not wait for a kernel
};
static_assert(sizeof(SetState) == 8, "SetState size");
static_assert(WARPFS_OFFSETOF(SetState, hand) == 0, "SetState.hand offset");
static_assert(WARPFS_OFFSETOF(SetState, maps) == 4, "SetState.maps offset");

// Mailbox: written by the host alone: answer first, then sequence.
struct Mailbox {
  uint32_t sequence;  // answers given to this slot
  int32_t result;  // >= 0, or -errno
  uint64_t value;  // STAT, EXTEND, TRUNCATE: size in bytes
  uint32_t reserved[28];  // zero
};
static_assert(sizeof(Mailbox) == 128, "Mailbox size");
static_assert(WARPFS_OFFSETOF(Mailbox, sequence) == 0, "Mailbox.sequence offset");
static_assert(WARPFS_OFFSETOF(Mailbox, result) == 4, "Mailbox.result offset");
static_assert(WARPFS_OFFSETOF(Mailbox, value) == 8, "Mailbox.value offset");
static_assert(WARPFS_OFFSETOF(Mailbox, reserved) == 16, "Mailbox.reserved offset");

// FileEntry: written by the host alone; everything but the handle under version (odd while it changes).
struct FileEntry {
  uint32_t handle;  // index | generation << 17 of the open file without HANDLE_WRITABLE; 0xffffffff: closed
  uint32_t file_id;  // tag of its lines
  uint32_t size_low;
  uint32_t size_high;
  uint32_t window_base[2];  // where the gpu finds the first byte of the file, in the parts of it that are windows: 48 bits, low word first; then 16 bits of the file_id
  uint32_t windows;  // a bit for each window: the gpu may read the file there
  uint32_t window_reach;  // log2 of the bytes of a window | how much of the file there is to be read << 6, in 1/65536 of a window | WINDOW_WRITABLE
  uint32_t version;
  uint32_t reserved[7];  // zero
};
static_assert(sizeof(FileEntry) == 64, "FileEntry size");
static_assert(WARPFS_OFFSETOF(FileEntry, handle) == 0, "FileEntry.handle offset");
static_assert(WARPFS_OFFSETOF(FileEntry, file_id) == 4, "FileEntry.file_id offset");
static_assert(WARPFS_OFFSETOF(FileEntry, size_low) == 8, "FileEntry.size_low offset");
static_assert(WARPFS_OFFSETOF(FileEntry, size_high) == 12, "FileEntry.size_high offset");
static_assert(WARPFS_OFFSETOF(FileEntry, window_base) == 16, "FileEntry.window_base offset");
static_assert(WARPFS_OFFSETOF(FileEntry, windows) == 24, "FileEntry.windows offset");
static_assert(WARPFS_OFFSETOF(FileEntry, window_reach) == 28, "FileEntry.window_reach offset");
static_assert(WARPFS_OFFSETOF(FileEntry, version) == 32, "FileEntry.version offset");
static_assert(WARPFS_OFFSETOF(FileEntry, reserved) == 36, "FileEntry.reserved offset");

// Hint: gpu only; written as one, by anybody who has found the page there.
struct Hint {
  uint32_t line;  // where a page was
  uint32_t version;  // LineTag.version at that time: while it is the same, the page is there
  uint32_t page;  // its low half: whoever looks for another one need not look at the line
  uint32_t file_id;  // whose page it was; 0: no hint
};
static_assert(sizeof(Hint) == 16, "Hint size");
static_assert(WARPFS_OFFSETOF(Hint, line) == 0, "Hint.line offset");
static_assert(WARPFS_OFFSETOF(Hint, version) == 4, "Hint.version offset");
static_assert(WARPFS_OFFSETOF(Hint, page) == 8, "Hint.page offset");
static_assert(WARPFS_OFFSETOF(Hint, file_id) == 12, "Hint.file_id offset");

// DirtyState: gpu only; behind it one bit for each mask, set while it is in use.
struct DirtyState {
  uint32_t lines;  // lines that are MODIFIED or being written back, where there is a limit
  uint32_t reserved[31];  // zero
};
static_assert(sizeof(DirtyState) == 128, "DirtyState size");
static_assert(WARPFS_OFFSETOF(DirtyState, lines) == 0, "DirtyState.lines offset");
static_assert(WARPFS_OFFSETOF(DirtyState, reserved) == 4, "DirtyState.reserved offset");

// LogEntry: gpu only, part of ItemRecord.
struct LogEntry {
  uint64_t value;  // a read: where its bytes went; gfstat: the size
  uint32_t length;  // and how many there could be; 0: no read
  int32_t result;  // what the call returned
};
static_assert(sizeof(LogEntry) == 16, "LogEntry size");
static_assert(WARPFS_OFFSETOF(LogEntry, value) == 0, "LogEntry.value offset");
static_assert(WARPFS_OFFSETOF(LogEntry, length) == 8, "LogEntry.length offset");
static_assert(WARPFS_OFFSETOF(LogEntry, result) == 12, "LogEntry.result offset");

// ItemRecord: gpu only; belongs to the work item in its slot, read by the host between dispatches.
struct ItemRecord {
  uint32_t status;  // ItemStatus
  uint32_t mail_sequence;  // answers that this slot has asked for
  uint32_t log_count;  // calls finished in this work item: a replay returns their results instead of making them again
  uint32_t asked;  // 1: the call behind the log has posted its request
  uint32_t held_count;  // pins kept for the next run of a pending item
  int32_t error;  // first error that gload or a refused call left
  uint64_t progress;  // bytes that the call behind the log has moved
  uint32_t served;  // lines of the current chunk that were moved
  uint32_t load_words;  // words that each lane has loaded in finished loads: a replay returns them instead of loading again
  uint32_t phase[6];  // what the last checkpoint kept
  uint32_t held[8];  // the lines of those pins
  uint32_t bypass;  // line behind the cache that carries a page for the call behind the log, + 1; 0: none
  uint32_t kept;  // what the call behind the log has to remember: a read the bytes it will give, + 1; a close the error of its write-backs
  uint32_t file_id;  // identity of the bytes that the call behind the log works with
  uint32_t again;  // 1: the call behind the log has met a fill of somebody else that failed, and tries for itself
  uint32_t gate;  // file index + 1 of the gate that the call behind the log has passed, | GATE_CLOSED where it has closed it; 0: none
  uint32_t bypass_page[2];  // and which page that is, low word first
  uint32_t maps[8];  // lines that the item has mapped: line + 1 << 1 | for writing; 0: none
  uint32_t reserved[25];  // zero
};
static_assert(sizeof(ItemRecord) == 256, "ItemRecord size");
static_assert(WARPFS_OFFSETOF(ItemRecord, status) == 0, "ItemRecord.status offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, mail_sequence) == 4, "ItemRecord.mail_sequence offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, log_count) == 8, "ItemRecord.log_count offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, asked) == 12, "ItemRecord.asked offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, held_count) == 16, "ItemRecord.held_count offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, error) == 20, "ItemRecord.error offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, progress) == 24, "ItemRecord.progress offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, served) == 32, "ItemRecord.served offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, load_words) == 36, "ItemRecord.load_words offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, phase) == 40, "ItemRecord.phase offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, held) == 64, "ItemRecord.held offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, bypass) == 96, "ItemRecord.bypass offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, kept) == 100, "ItemRecord.kept offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, file_id) == 104, "ItemRecord.file_id offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, again) == 108, "ItemRecord.again offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, gate) == 112, "ItemRecord.gate offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, bypass_page) == 116, "ItemRecord.bypass_page offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, maps) == 124, "ItemRecord.maps offset");
static_assert(WARPFS_OFFSETOF(ItemRecord, reserved) == 156, "ItemRecord.reserved offset");

// WarpStats: gpu only, folded by the host after a dispatch; 64-bit counters as low and high words.
struct WarpStats {
  uint32_t low[16];  // in the order of counters
  uint32_t high[16];
};
static_assert(sizeof(WarpStats) == 128, "WarpStats size");
static_assert(WARPFS_OFFSETOF(WarpStats, low) == 0, "WarpStats.low offset");
static_assert(WARPFS_OFFSETOF(WarpStats, high) == 64, "WarpStats.high offset");

// FaultRecord: gpu only, read and cleared by the host after a dispatch; give_up by both.
struct FaultRecord {
  uint32_t count;  // work items that failed
  uint32_t lane_values[2];  // the two values of an argument on which lanes disagreed
  uint32_t give_up;  // 1: every wait of this dispatch ends, for one has lasted too long; metal with spin alone
  uint32_t reserved[28];  // zero
  uint32_t items[16];  // the first of them
  int32_t errors[16];  // their errors
};
static_assert(sizeof(FaultRecord) == 256, "FaultRecord size");
static_assert(WARPFS_OFFSETOF(FaultRecord, count) == 0, "FaultRecord.count offset");
static_assert(WARPFS_OFFSETOF(FaultRecord, lane_values) == 4, "FaultRecord.lane_values offset");
static_assert(WARPFS_OFFSETOF(FaultRecord, give_up) == 12, "FaultRecord.give_up offset");
static_assert(WARPFS_OFFSETOF(FaultRecord, reserved) == 16, "FaultRecord.reserved offset");
static_assert(WARPFS_OFFSETOF(FaultRecord, items) == 128, "FaultRecord.items offset");
static_assert(WARPFS_OFFSETOF(FaultRecord, errors) == 192, "FaultRecord.errors offset");

// CourierMessage: written by the host alone: in each half the words first, then the sequence; read by the courier of a gpu with memory of its own.
struct CourierMessage {
  uint32_t kind;  // CourierKind
  uint32_t index;  // of the line, the mailbox or the file
  int32_t result;  // LINE, MAILBOX: 0 or more, or -errno
  uint32_t sequence;  // position in its channel + 1
  uint32_t answers;  // LINE, MAILBOX: what the sequence of the LineDone or the Mailbox becomes
  uint32_t bytes_at;  // LINE: the place among the stages where its bytes are, or COURIER_NO_BYTES; MAILBOX: low word of the value
  uint32_t value_high;  // MAILBOX
  uint32_t sequence_again;  // the same as sequence
};
static_assert(sizeof(CourierMessage) == 32, "CourierMessage size");
static_assert(WARPFS_OFFSETOF(CourierMessage, kind) == 0, "CourierMessage.kind offset");
static_assert(WARPFS_OFFSETOF(CourierMessage, index) == 4, "CourierMessage.index offset");
static_assert(WARPFS_OFFSETOF(CourierMessage, result) == 8, "CourierMessage.result offset");
static_assert(WARPFS_OFFSETOF(CourierMessage, sequence) == 12, "CourierMessage.sequence offset");
static_assert(WARPFS_OFFSETOF(CourierMessage, answers) == 16, "CourierMessage.answers offset");
static_assert(WARPFS_OFFSETOF(CourierMessage, bytes_at) == 20, "CourierMessage.bytes_at offset");
static_assert(WARPFS_OFFSETOF(CourierMessage, value_high) == 24, "CourierMessage.value_high offset");
static_assert(WARPFS_OFFSETOF(CourierMessage, sequence_again) == 28, "CourierMessage.sequence_again offset");

// ProgramStep: written by the host before a run, constant during it.
struct ProgramStep {
  uint32_t op;  // ProgramOp
  uint32_t target;  // index in the same program: of the open (file operations), the asynchronous call (WAIT, POLL) or the map (UNMAP, MAP_SYNC)
  uint64_t offset;  // byte offset in the file; TRUNCATE: the new size; COMPUTE: steps; RENAME: bytes of the first path with its NUL
  uint64_t data;  // where its bytes or its path lie in the data buffer
  uint32_t length;  // bytes; GATHER, SCATTER, ADD: elements, of which the data has the u64 indices, then the u32 values; ADD: then the old values
  uint32_t mode;  // OPEN: flags; MAP: OPEN_WRITE to write; UNMAP, MAP_SYNC: 1: the data goes into the map first
  uint32_t reserved[8];  // zero
};
static_assert(sizeof(ProgramStep) == 64, "ProgramStep size");
static_assert(WARPFS_OFFSETOF(ProgramStep, op) == 0, "ProgramStep.op offset");
static_assert(WARPFS_OFFSETOF(ProgramStep, target) == 4, "ProgramStep.target offset");
static_assert(WARPFS_OFFSETOF(ProgramStep, offset) == 8, "ProgramStep.offset offset");
static_assert(WARPFS_OFFSETOF(ProgramStep, data) == 16, "ProgramStep.data offset");
static_assert(WARPFS_OFFSETOF(ProgramStep, length) == 24, "ProgramStep.length offset");
static_assert(WARPFS_OFFSETOF(ProgramStep, mode) == 28, "ProgramStep.mode offset");
static_assert(WARPFS_OFFSETOF(ProgramStep, reserved) == 32, "ProgramStep.reserved offset");

// ProgramResult: gpu only, read by the host after a run.
struct ProgramResult {
  int32_t result;  // bytes, handle or 0; or -errno
  uint32_t done;  // 1: this step was reached and has ended
  uint64_t size;  // STAT: size in bytes; MAP: the line
  uint64_t nanoseconds;  // time between the start and the end of the step, where the device has a clock
  uint64_t mark;  // OPEN: 1 once a later step has closed it; COMPUTE: what it computed; MAP: 1 once a later step has unmapped it; UNMAP, MAP_SYNC: 1 once its data is in the map
};
static_assert(sizeof(ProgramResult) == 32, "ProgramResult size");
static_assert(WARPFS_OFFSETOF(ProgramResult, result) == 0, "ProgramResult.result offset");
static_assert(WARPFS_OFFSETOF(ProgramResult, done) == 4, "ProgramResult.done offset");
static_assert(WARPFS_OFFSETOF(ProgramResult, size) == 8, "ProgramResult.size offset");
static_assert(WARPFS_OFFSETOF(ProgramResult, nanoseconds) == 16, "ProgramResult.nanoseconds offset");
static_assert(WARPFS_OFFSETOF(ProgramResult, mark) == 24, "ProgramResult.mark offset");

// ProgramWarp: written by the host before a run, constant during it.
struct ProgramWarp {
  uint32_t first_step;
  uint32_t step_count;
};
static_assert(sizeof(ProgramWarp) == 8, "ProgramWarp size");
static_assert(WARPFS_OFFSETOF(ProgramWarp, first_step) == 0, "ProgramWarp.first_step offset");
static_assert(WARPFS_OFFSETOF(ProgramWarp, step_count) == 4, "ProgramWarp.step_count offset");

// True where the schema has an edge from one LineState to another.
WARPFS_FN bool line_edge_is_legal(uint32_t from, uint32_t to) {
  return ((0x2bd2u >> (4u * from + to)) & 1u) != 0u;
}

}  // namespace warpfs
