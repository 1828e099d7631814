// Generated from native/abi/schema.ts. Do not edit; run `npm run gen`.

export const ABI_HASH = 0xf0555913;
export const WARP_LANES = 32;
export const SET_WAYS = 32;
export const REQUEST_LINES_MAX = 8;
export const LINE_NONE = 4294967295;
export const LINE_BYTES_MIN = 512;
export const LINE_BYTES_MAX = 65536;
export const PATH_BYTES_MAX = 4096;
export const OUTBOX_BYTES = 8192;
export const OPEN_WRITE = 1;
export const OPEN_CREATE = 2;
export const OPEN_EXCLUSIVE = 4;
export const OPEN_TRUNCATE = 8;
export const OPEN_APPEND = 16;
export const REPLAY_LOG_CALLS = 256;
export const REPLAY_LOG_WORDS = 256;
export const PHASE_WORDS = 6;
export const HELD_LINES_MAX = 8;
export const FAULT_ITEMS_MAX = 16;
export const PINS_MAX = 4095;
export const SLOTS_MAX = 4096;
export const MAPS_MAX = 8;
export const LINES_PER_MASK = 32;
export const MASKS_MAX = 65533;
export const GATE_CLOSED = 2147483648;
export const GATE_SEALED = 1073741824;
export const DIRTY_NONE = 65535;
export const HANDLE_INDEX_BITS = 17;
export const HANDLE_GENERATION_BITS = 12;
export const HANDLE_WRITABLE = 536870912;
export const WINDOWS_MAX = 32;
export const WINDOW_PARTS_SHIFT = 16;
export const WINDOW_REACH_SHIFT = 6;
export const WINDOW_WRITABLE = 2147483648;
export const COURIER_BATCH = 32;
export const COURIER_NO_BYTES = 4294967295;
export const LINE_STATE_SHIFT = 0;
export const LINE_STATE_MASK = 0x3;
export const LINE_STEP_SHIFT = 2;
export const LINE_STEP_MASK = 0x1c;
export const LINE_REFERENCE_SHIFT = 5;
export const LINE_REFERENCE_MASK = 0x20;
export const LINE_PINS_SHIFT = 6;
export const LINE_PINS_MASK = 0x7ffc0;
export const LINE_HANDS_SHIFT = 19;
export const LINE_HANDS_MASK = 0xfff80000;

export const LineState = { INVALID: 0, BUSY: 1, READY: 2, MODIFIED: 3 } as const;
export type LineState = (typeof LineState)[keyof typeof LineState];

export const LineStep = { NONE: 0, CLAIMING: 1, ABANDONED: 2, FILLING: 3, STARTING: 4, WRITING: 5, DRAINING: 6, STORING: 7 } as const;
export type LineStep = (typeof LineStep)[keyof typeof LineStep];

export const Opcode = { NOP: 0, OPEN: 1, CLOSE: 2, FILL: 3, WRITE_BACK: 4, SYNC: 5, EXTEND: 6, STAT: 7, TRUNCATE: 8, UNLINK: 9, RENAME: 10 } as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

export const ProgramOp = { NOP: 0, OPEN: 1, CLOSE: 2, READ: 3, WRITE: 4, SYNC: 5, PREFETCH: 6, READ_ASYNC: 7, WRITE_ASYNC: 8, WAIT: 9, COMPUTE: 10, BARRIER: 11, STAT: 12, TRUNCATE: 13, UNLINK: 14, RENAME: 15, MAP: 16, UNMAP: 17, MAP_SYNC: 18, POLL: 19, GATHER: 20, SCATTER: 21, ADD: 22 } as const;
export type ProgramOp = (typeof ProgramOp)[keyof typeof ProgramOp];

export const ItemStatus = { FRESH: 0, PENDING: 1, DONE: 2 } as const;
export type ItemStatus = (typeof ItemStatus)[keyof typeof ItemStatus];

export const CourierKind = { NONE: 0, LINE: 1, MAILBOX: 2, FILE: 3 } as const;
export type CourierKind = (typeof CourierKind)[keyof typeof CourierKind];

export const Policy = { CLOCK: 0, FIFO: 1 } as const;
export type Policy = (typeof Policy)[keyof typeof Policy];

export const Binding = { GEOMETRY: 0, RING_TAILS: 1, RING_HEADS: 2, REQUESTS: 3, WORDS: 4, TAGS: 5, AUXES: 6, DONES: 7, SETS: 8, LINES: 9, FILES: 10, MAILBOXES: 11, OUTBOXES: 12, RECORDS: 13, STATS: 14, FAULT: 15, LOGS: 16, LOADS: 17, GATES: 18, DIRTY: 19, MASKS: 20, HINTS: 21, OWN: 22 } as const;
export type Binding = (typeof Binding)[keyof typeof Binding];

export const COUNTERS = ['hits', 'misses', 'waits', 'evictions', 'writeBacks', 'bypasses', 'requests', 'retries', 'reads', 'writes', 'bytesRead', 'bytesWritten'] as const;
export type CounterName = (typeof COUNTERS)[number];

export const ERRNO = {
  EPERM: { number: 1, text: 'operation not permitted' },
  ENOENT: { number: 2, text: 'no such file or directory' },
  EINTR: { number: 4, text: 'interrupted' },
  EIO: { number: 5, text: 'input/output error' },
  EBADF: { number: 9, text: 'bad file handle' },
  EAGAIN: { number: 11, text: 'no room for now: every line is pinned, or a bound was reached' },
  ENOMEM: { number: 12, text: 'out of memory' },
  EACCES: { number: 13, text: 'permission denied' },
  EBUSY: { number: 16, text: 'in use' },
  EEXIST: { number: 17, text: 'file exists' },
  EXDEV: { number: 18, text: 'the path leaves the root of the mount' },
  EISDIR: { number: 21, text: 'is a directory' },
  ENOTDIR: { number: 20, text: 'a part of the path is not a directory' },
  EINVAL: { number: 22, text: 'invalid argument' },
  ENFILE: { number: 23, text: 'too many open files' },
  EFBIG: { number: 27, text: 'file too large' },
  ENOSPC: { number: 28, text: 'no space left' },
  EROFS: { number: 30, text: 'the mount is read-only' },
  ERANGE: { number: 34, text: 'result out of range' },
  ENOTEMPTY: { number: 39, text: 'directory not empty' },
  ENAMETOOLONG: { number: 36, text: 'path too long' },
  ENOSYS: { number: 38, text: 'unknown operation' },
  ELOOP: { number: 40, text: 'too many symbolic links' },
  EOVERFLOW: { number: 75, text: 'offset or length overflows' },
  EOPNOTSUPP: { number: 95, text: 'not a regular file' },
  ESTALE: { number: 116, text: 'the file was truncated or replaced meanwhile' },
  EDQUOT: { number: 122, text: 'the quota is used up' },
  ETIMEDOUT: { number: 110, text: 'the wait exceeded its bound' },
  ECANCELED: { number: 125, text: 'the dispatch was cancelled' },
} as const;
export type ErrnoName = keyof typeof ERRNO;

// Legal edges of a line: from, to, and the verb that moves it.
export const LINE_EDGES = [
  [LineState.INVALID, LineState.BUSY, 'claim'],
  [LineState.BUSY, LineState.READY, 'fill'],
  [LineState.BUSY, LineState.INVALID, 'fill failed, or a claim given up'],
  [LineState.READY, LineState.MODIFIED, 'write'],
  [LineState.MODIFIED, LineState.BUSY, 'write back'],
  [LineState.BUSY, LineState.MODIFIED, 'write-back failed: the bytes are kept'],
  [LineState.READY, LineState.BUSY, 'evict and claim'],
  [LineState.READY, LineState.INVALID, 'invalidate'],
] as const;

/** written by the host before a dispatch, constant during it. Byte offsets of its fields. */
export const Geometry = {
  bytes: 96,
  abiHash: 0, // u32: ABI_HASH of the host; a kernel built from another schema refuses to run
  lineCount: 4, // u32: lines of the cache
  setCount: 8,
  bypassCount: 12, // u32: lines behind the cache that carry reads past a set whose lines are all pinned
  lineBytes: 16,
  lineShift: 20, // u32: log2 of line_bytes
  ringCount: 24,
  ringSlots: 28, // u32: slots of one ring, a power of two
  slotCount: 32, // u32: work items in flight; each has a mailbox, an outbox and an ItemRecord
  fileCount: 36, // u32: entries of the file table
  readOnly: 40,
  waitPolls: 44, // u32: polls after which a wait without a clock gives up
  waitNs: 48, // u64: nanoseconds after which a wait gives up
  statsCount: 56, // u32: WarpStats records; a power of two
  replay: 60, // u32: 1: kernels replay, and LOGS and LOADS have room for every slot
  maskCount: 64, // u32: masks of dirty bytes
  dirtyLinesMax: 68, // u32: modified lines above which a write goes through to the file; 0: no limit, and nobody counts
  hintCount: 72, // u32: places for hints, a power of two; 0: nobody looks for any
  reserved: 76, // u32: zero
  fileBytesMax: 80, // u64: no file grows beyond it
  reservedEnd: 88, // u32[2]: zero
} as const;

/** belongs to the gpu from reservation until sequence is published, then to the host until RingHead.head passes it. Byte offsets of its fields. */
export const Request = {
  bytes: 64,
  sequence: 0, // u32: written last: position in the ring + 1
  opcode: 4, // u32: Opcode
  file: 8, // u32: handle; OPEN: its flags
  mailbox: 12, // u32: where the answer goes for opcodes that are not about lines; FILL, WRITE_BACK: the file_id of the lines
  offset: 16, // u64: byte offset in the file; EXTEND, TRUNCATE: the new end; RENAME: bytes of the second path, which follows the NUL of the first
  length: 24, // u32: bytes; FILL: line_count whole lines; OPEN, UNLINK, RENAME: bytes of the path without its NUL; CLOSE, SYNC: 1 after a failed write-back
  lineCount: 28,
  lines: 32, // u32[8]: line indices of consecutive pages from offset, LINE_NONE to skip one; WRITE_BACK: the line, then its mask + 1 (0: all bytes of the range)
} as const;

/** gpu only. Byte offsets of its fields. */
export const RingTail = {
  bytes: 128,
  tail: 0, // u32: positions reserved so far
  reserved: 4, // u32[31]: zero
} as const;

/** written by the host alone. Byte offsets of its fields. */
export const RingHead = {
  bytes: 128,
  head: 0, // u32: positions consumed so far: the slots before it are free again
  reserved: 4, // u32[31]: zero
} as const;

/** gpu only; changes only while the line is BUSY, by the warp that claimed it. Byte offsets of its fields. */
export const LineTag = {
  bytes: 16,
  fileId: 0, // u32: identity of the bytes of one file at one time; never used again; 0: none
  pageLow: 4,
  pageHigh: 8,
  version: 12, // u32: claims of the line so far, where there are hints
} as const;

/** gpu only. Byte offsets of its fields. */
export const LineAux = {
  bytes: 16,
  ticket: 0, // u32: fills and write-backs started; the line is finished when LineDone.sequence reaches it
  dirty: 4, // u32: first dirty byte | last dirty byte << 16; DIRTY_NONE: clean; 0xffff | mask + 1 << 16: the bytes whose bits are set there
  writing: 8, // u32: what a write-back in flight covers, restored to dirty when it fails
  file: 12, // u32: handle index that fills and writes back this line
} as const;

/** written by the host alone: result first, then sequence. Byte offsets of its fields. */
export const LineDone = {
  bytes: 8,
  sequence: 0, // u32: fills and write-backs finished
  result: 4, // i32: 0, or -errno
} as const;

/** gpu only. Byte offsets of its fields. */
export const SetState = {
  bytes: 8,
  hand: 0, // u32: way at which the next sweep of the replacement policy starts
  maps: 4, // u32: lines of it that are mapped; one way stays free of maps, so that who needs a line need not wait for a kernel
} as const;

/** written by the host alone: answer first, then sequence. Byte offsets of its fields. */
export const Mailbox = {
  bytes: 128,
  sequence: 0, // u32: answers given to this slot
  result: 4, // i32: >= 0, or -errno
  value: 8, // u64: STAT, EXTEND, TRUNCATE: size in bytes
  reserved: 16, // u32[28]: zero
} as const;

/** written by the host alone; everything but the handle under version (odd while it changes). Byte offsets of its fields. */
export const FileEntry = {
  bytes: 64,
  handle: 0, // u32: index | generation << 17 of the open file without HANDLE_WRITABLE; 0xffffffff: closed
  fileId: 4, // u32: tag of its lines
  sizeLow: 8,
  sizeHigh: 12,
  windowBase: 16, // u32[2]: where the gpu finds the first byte of the file, in the parts of it that are windows: 48 bits, low word first; then 16 bits of the file_id
  windows: 24, // u32: a bit for each window: the gpu may read the file there
  windowReach: 28, // u32: log2 of the bytes of a window | how much of the file there is to be read << 6, in 1/65536 of a window | WINDOW_WRITABLE
  version: 32,
  reserved: 36, // u32[7]: zero
} as const;

/** gpu only; written as one, by anybody who has found the page there. Byte offsets of its fields. */
export const Hint = {
  bytes: 16,
  line: 0, // u32: where a page was
  version: 4, // u32: LineTag.version at that time: while it is the same, the page is there
  page: 8, // u32: its low half: whoever looks for another one need not look at the line
  fileId: 12, // u32: whose page it was; 0: no hint
} as const;

/** gpu only; behind it one bit for each mask, set while it is in use. Byte offsets of its fields. */
export const DirtyState = {
  bytes: 128,
  lines: 0, // u32: lines that are MODIFIED or being written back, where there is a limit
  reserved: 4, // u32[31]: zero
} as const;

/** gpu only, part of ItemRecord. Byte offsets of its fields. */
export const LogEntry = {
  bytes: 16,
  value: 0, // u64: a read: where its bytes went; gfstat: the size
  length: 8, // u32: and how many there could be; 0: no read
  result: 12, // i32: what the call returned
} as const;

/** gpu only; belongs to the work item in its slot, read by the host between dispatches. Byte offsets of its fields. */
export const ItemRecord = {
  bytes: 256,
  status: 0, // u32: ItemStatus
  mailSequence: 4, // u32: answers that this slot has asked for
  logCount: 8, // u32: calls finished in this work item: a replay returns their results instead of making them again
  asked: 12, // u32: 1: the call behind the log has posted its request
  heldCount: 16, // u32: pins kept for the next run of a pending item
  error: 20, // i32: first error that gload or a refused call left
  progress: 24, // u64: bytes that the call behind the log has moved
  served: 32, // u32: lines of the current chunk that were moved
  loadWords: 36, // u32: words that each lane has loaded in finished loads: a replay returns them instead of loading again
  phase: 40, // u32[6]: what the last checkpoint kept
  held: 64, // u32[8]: the lines of those pins
  bypass: 96, // u32: line behind the cache that carries a page for the call behind the log, + 1; 0: none
  kept: 100, // u32: what the call behind the log has to remember: a read the bytes it will give, + 1; a close the error of its write-backs
  fileId: 104, // u32: identity of the bytes that the call behind the log works with
  again: 108, // u32: 1: the call behind the log has met a fill of somebody else that failed, and tries for itself
  gate: 112, // u32: file index + 1 of the gate that the call behind the log has passed, | GATE_CLOSED where it has closed it; 0: none
  bypassPage: 116, // u32[2]: and which page that is, low word first
  maps: 124, // u32[8]: lines that the item has mapped: line + 1 << 1 | for writing; 0: none
  reserved: 156, // u32[25]: zero
} as const;

/** gpu only, folded by the host after a dispatch; 64-bit counters as low and high words. Byte offsets of its fields. */
export const WarpStats = {
  bytes: 128,
  low: 0, // u32[16]: in the order of counters
  high: 64,
} as const;

/** gpu only, read and cleared by the host after a dispatch; give_up by both. Byte offsets of its fields. */
export const FaultRecord = {
  bytes: 256,
  count: 0, // u32: work items that failed
  laneValues: 4, // u32[2]: the two values of an argument on which lanes disagreed
  giveUp: 12, // u32: 1: every wait of this dispatch ends, for one has lasted too long; metal with spin alone
  reserved: 16, // u32[28]: zero
  items: 128, // u32[16]: the first of them
  errors: 192, // i32[16]: their errors
} as const;

/** written by the host alone: in each half the words first, then the sequence; read by the courier of a gpu with memory of its own. Byte offsets of its fields. */
export const CourierMessage = {
  bytes: 32,
  kind: 0, // u32: CourierKind
  index: 4, // u32: of the line, the mailbox or the file
  result: 8, // i32: LINE, MAILBOX: 0 or more, or -errno
  sequence: 12, // u32: position in its channel + 1
  answers: 16, // u32: LINE, MAILBOX: what the sequence of the LineDone or the Mailbox becomes
  bytesAt: 20, // u32: LINE: the place among the stages where its bytes are, or COURIER_NO_BYTES; MAILBOX: low word of the value
  valueHigh: 24, // u32: MAILBOX
  sequenceAgain: 28, // u32: the same as sequence
} as const;

/** written by the host before a run, constant during it. Byte offsets of its fields. */
export const ProgramStep = {
  bytes: 64,
  op: 0, // u32: ProgramOp
  target: 4, // u32: index in the same program: of the open (file operations), the asynchronous call (WAIT, POLL) or the map (UNMAP, MAP_SYNC)
  offset: 8, // u64: byte offset in the file; TRUNCATE: the new size; COMPUTE: steps; RENAME: bytes of the first path with its NUL
  data: 16, // u64: where its bytes or its path lie in the data buffer
  length: 24, // u32: bytes; GATHER, SCATTER, ADD: elements, of which the data has the u64 indices, then the u32 values; ADD: then the old values
  mode: 28, // u32: OPEN: flags; MAP: OPEN_WRITE to write; UNMAP, MAP_SYNC: 1: the data goes into the map first
  reserved: 32, // u32[8]: zero
} as const;

/** gpu only, read by the host after a run. Byte offsets of its fields. */
export const ProgramResult = {
  bytes: 32,
  result: 0, // i32: bytes, handle or 0; or -errno
  done: 4, // u32: 1: this step was reached and has ended
  size: 8, // u64: STAT: size in bytes; MAP: the line
  nanoseconds: 16, // u64: time between the start and the end of the step, where the device has a clock
  mark: 24, // u64: OPEN: 1 once a later step has closed it; COMPUTE: what it computed; MAP: 1 once a later step has unmapped it; UNMAP, MAP_SYNC: 1 once its data is in the map
} as const;

/** written by the host before a run, constant during it. Byte offsets of its fields. */
export const ProgramWarp = {
  bytes: 8,
  firstStep: 0,
  stepCount: 4,
} as const;
