// Generated from native/abi/schema.ts. Do not edit; run `npm run gen`.

export const ABI_HASH = 0x3a148d7e;
export const WARP_LANES = 32;
export const SET_WAYS = 32;
export const REQUEST_LINES_MAX = 8;
export const LINE_NONE = 4294967295;
export const LINE_BYTES_MIN = 512;
export const LINE_BYTES_MAX = 65536;
export const PATH_BYTES_MAX = 4096;
export const REPLAY_LOG_CALLS = 256;
export const REPLAY_LOG_WORDS = 256;
export const PHASE_WORDS = 6;
export const HELD_LINES_MAX = 8;
export const FAULT_ITEMS_MAX = 16;
export const PINS_MAX = 12288;
export const DIRTY_NONE = 65535;
export const HANDLE_INDEX_BITS = 17;
export const HANDLE_GENERATION_BITS = 12;
export const HANDLE_WRITABLE = 536870912;
export const LINE_STATE_SHIFT = 0;
export const LINE_STATE_MASK = 0x3;
export const LINE_STEP_SHIFT = 2;
export const LINE_STEP_MASK = 0x1c;
export const LINE_REFERENCE_SHIFT = 5;
export const LINE_REFERENCE_MASK = 0x20;
export const LINE_PINS_SHIFT = 6;
export const LINE_PINS_MASK = 0xfffc0;
export const LINE_VERSION_SHIFT = 20;
export const LINE_VERSION_MASK = 0xfff00000;

export const LineState = { INVALID: 0, BUSY: 1, READY: 2, MODIFIED: 3 } as const;
export type LineState = (typeof LineState)[keyof typeof LineState];

export const LineStep = { NONE: 0, CLAIMING: 1, ABANDONED: 2, FILLING: 3, STARTING: 4, WRITING: 5, DRAINING: 6 } as const;
export type LineStep = (typeof LineStep)[keyof typeof LineStep];

export const Opcode = { NOP: 0, OPEN: 1, CLOSE: 2, FILL: 3, WRITE_BACK: 4, SYNC: 5, EXTEND: 6, STAT: 7 } as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

export const OpenMode = { READ: 0, READ_WRITE: 1, CREATE: 2 } as const;
export type OpenMode = (typeof OpenMode)[keyof typeof OpenMode];

export const ProgramOp = { NOP: 0, OPEN: 1, CLOSE: 2, READ: 3, WRITE: 4, SYNC: 5, PREFETCH: 6, READ_ASYNC: 7, WRITE_ASYNC: 8, WAIT: 9, COMPUTE: 10, BARRIER: 11, STAT: 12 } as const;
export type ProgramOp = (typeof ProgramOp)[keyof typeof ProgramOp];

export const ItemStatus = { FRESH: 0, PENDING: 1, DONE: 2 } as const;
export type ItemStatus = (typeof ItemStatus)[keyof typeof ItemStatus];

export const Policy = { CLOCK: 0, FIFO: 1 } as const;
export type Policy = (typeof Policy)[keyof typeof Policy];

export const Binding = { GEOMETRY: 0, RING_TAILS: 1, RING_HEADS: 2, REQUESTS: 3, WORDS: 4, TAGS: 5, AUXES: 6, DONES: 7, SETS: 8, LINES: 9, FILES: 10, MAILBOXES: 11, OUTBOXES: 12, RECORDS: 13, STATS: 14, FAULT: 15, LOGS: 16, LOADS: 17, OWN: 18 } as const;
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
  ENAMETOOLONG: { number: 36, text: 'path too long' },
  ENOSYS: { number: 38, text: 'unknown operation' },
  ELOOP: { number: 40, text: 'too many symbolic links' },
  EOVERFLOW: { number: 75, text: 'offset or length overflows' },
  EOPNOTSUPP: { number: 95, text: 'not a regular file' },
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
  reserved: 64, // u32[8]: zero
} as const;

/** belongs to the gpu from reservation until sequence is published, then to the host until RingHead.head passes it. Byte offsets of its fields. */
export const Request = {
  bytes: 64,
  sequence: 0, // u32: written last: position in the ring + 1
  opcode: 4, // u32: Opcode
  file: 8, // u32: handle; for OPEN the OpenMode
  mailbox: 12, // u32: where the answer goes for opcodes that are not about lines; WRITE_BACK: the file_id of the line
  offset: 16, // u64: byte offset in the file; EXTEND: the new end
  length: 24, // u32: bytes; FILL: line_count whole lines; OPEN: bytes of the path without its NUL
  lineCount: 28,
  lines: 32, // u32[8]: line indices of consecutive pages from offset, LINE_NONE to skip one
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
  reserved: 12, // u32: zero
} as const;

/** gpu only. Byte offsets of its fields. */
export const LineAux = {
  bytes: 16,
  ticket: 0, // u32: fills and write-backs started; the line is finished when LineDone.sequence reaches it
  dirty: 4, // u32: first dirty byte | last dirty byte << 16; DIRTY_NONE: clean
  writing: 8, // u32: the range that a write-back in flight covers, restored to dirty when it fails
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
  bytes: 4,
  hand: 0, // u32: way at which the next sweep of the replacement policy starts
} as const;

/** written by the host alone: answer first, then sequence. Byte offsets of its fields. */
export const Mailbox = {
  bytes: 128,
  sequence: 0, // u32: answers given to this slot
  result: 4, // i32: >= 0, or -errno
  value: 8, // u64: STAT: size in bytes
  reserved: 16, // u32[28]: zero
} as const;

/** written by the host alone; size under size_version (odd while it changes). Byte offsets of its fields. */
export const FileEntry = {
  bytes: 64,
  handle: 0, // u32: index | generation << 17 of the open file without HANDLE_WRITABLE; 0xffffffff: closed
  fileId: 4, // u32: tag of its lines
  sizeVersion: 8,
  sizeLow: 12,
  sizeHigh: 16,
  reserved: 20, // u32[11]: zero
} as const;

/** gpu only, part of ItemRecord. Byte offsets of its fields. */
export const LogEntry = {
  bytes: 16,
  value: 0, // u64: a read: where its bytes went; gstat: the size
  length: 8, // u32: and how many there could be; 0: no read
  result: 12, // i32: what the call returned
} as const;

/** gpu only; belongs to the work item in its slot, read by the host between dispatches. Byte offsets of its fields. */
export const ItemRecord = {
  bytes: 128,
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
  bypass: 96, // u32: line behind the cache that carries the current page, + 1; 0: none
  kept: 100, // u32: what the call behind the log has to remember: a read the bytes it will give, + 1; a close the error of its write-backs
  reserved: 104, // u32[6]: zero
} as const;

/** gpu only, folded by the host after a dispatch; 64-bit counters as low and high words. Byte offsets of its fields. */
export const WarpStats = {
  bytes: 128,
  low: 0, // u32[16]: in the order of counters
  high: 64,
} as const;

/** gpu only, read and cleared by the host after a dispatch. Byte offsets of its fields. */
export const FaultRecord = {
  bytes: 256,
  count: 0, // u32: work items that failed
  laneValues: 4, // u32[2]: the two values of an argument on which lanes disagreed
  reserved: 12, // u32[29]: zero
  items: 128, // u32[16]: the first of them
  errors: 192, // i32[16]: their errors
} as const;

/** written by the host before a run, constant during it. Byte offsets of its fields. */
export const ProgramStep = {
  bytes: 64,
  op: 0, // u32: ProgramOp
  target: 4, // u32: index in the same program: of the open (file operations) or of the asynchronous call (WAIT)
  offset: 8, // u64: byte offset in the file; COMPUTE: steps
  data: 16, // u64: where its bytes or its path lie in the data buffer
  length: 24, // u32: bytes
  mode: 28, // u32: OPEN: OpenMode
  reserved: 32, // u32[8]: zero
} as const;

/** gpu only, read by the host after a run. Byte offsets of its fields. */
export const ProgramResult = {
  bytes: 32,
  result: 0, // i32: bytes, handle or 0; or -errno
  done: 4, // u32: 1: this step was reached and has ended
  size: 8, // u64: STAT: size in bytes
  nanoseconds: 16, // u64: time between the start and the end of the step, where the device has a clock
  mark: 24, // u64: OPEN: 1 once a later step has closed it; COMPUTE: what it computed
} as const;

/** written by the host before a run, constant during it. Byte offsets of its fields. */
export const ProgramWarp = {
  bytes: 8,
  firstStep: 0,
  stepCount: 4,
} as const;
