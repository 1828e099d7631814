// The one definition of everything that the gpu side and the host side share. Data only: no logic, no imports.
// `npm run gen` writes abi.h and abi.ts from it. The order of the words is the layout; padding is a named field.

export const constants = {
  WARP_LANES: 32,
  SET_WAYS: 32, // one lane looks at one way
  REQUEST_LINES_MAX: 8, // lines that one request may fill
  LINE_NONE: 0xffffffff, // a place in Request.lines that the host leaves alone
  LINE_BYTES_MIN: 512,
  LINE_BYTES_MAX: 65536,
  PATH_BYTES_MAX: 4096, // with the closing NUL, as PATH_MAX
  OUTBOX_BYTES: 8192, // two paths, for a rename
  OPEN_WRITE: 1, // flags of an open: to write as well as to read
  OPEN_CREATE: 2, // where there is no such file, make it
  OPEN_EXCLUSIVE: 4, // with CREATE: fail where there is one
  OPEN_TRUNCATE: 8, // with WRITE: empty it
  OPEN_APPEND: 16, // refused: the offset of a write is the caller's, and an end that other warps move is none
  REPLAY_LOG_CALLS: 256, // calls that one replayed work item may make between two checkpoints
  REPLAY_LOG_WORDS: 256, // words that each of its lanes may load between two checkpoints
  PHASE_WORDS: 6, // words that a checkpoint keeps
  HELD_LINES_MAX: 8, // pins that one replayed work item keeps between dispatches
  FAULT_ITEMS_MAX: 16, // failed work items that one dispatch reports by name
  PINS_MAX: 4095, // above it a pin is refused: the 13-bit field must not overflow, also where every work item in flight tries at once
  SLOTS_MAX: 4096, // work items in flight
  MAPS_MAX: 8, // lines that one work item may keep mapped
  LINES_PER_MASK: 32, // lines for which there is one mask of dirty bytes
  MASKS_MAX: 65533, // so that DirtyRange can name them
  GATE_CLOSED: 0x80000000, // in GATES: a truncation waits until nobody is inside; the lower bits count the calls that write
  GATE_SEALED: 0x40000000, // and is under way
  DIRTY_NONE: 0x0000ffff, // first byte 65535, last byte 0: an empty range of dirty bytes
  HANDLE_INDEX_BITS: 17,
  HANDLE_GENERATION_BITS: 12,
  HANDLE_WRITABLE: 0x20000000, // bit 29 of a handle: it was opened for writing
  WINDOWS_MAX: 32, // parts of one file that the gpu may be granted to read where they lie
  WINDOW_PARTS_SHIFT: 16, // see FileEntry.window_reach
  WINDOW_REACH_SHIFT: 6,
  WINDOW_WRITABLE: 0x80000000, // in FileEntry.window_reach: the gpu may store into them as well
  COURIER_BATCH: 32, // messages or requests that one part of a courier moves at once
  COURIER_NO_BYTES: 0xffffffff, // in CourierMessage.bytes_at: no bytes come with it
} as const;

// Zeroed memory is always legal: value 0 of each enum is its resting state.
export const enums = {
  LineState: ['INVALID', 'BUSY', 'READY', 'MODIFIED'],
  // What a BUSY line is busy with; in MODIFIED, DRAINING means "wait until it was written back".
  LineStep: ['NONE', 'CLAIMING', 'ABANDONED', 'FILLING', 'STARTING', 'WRITING', 'DRAINING', 'STORING'],
  Opcode: ['NOP', 'OPEN', 'CLOSE', 'FILL', 'WRITE_BACK', 'SYNC', 'EXTEND', 'STAT', 'TRUNCATE', 'UNLINK', 'RENAME'],
  ProgramOp: [
    'NOP', 'OPEN', 'CLOSE', 'READ', 'WRITE', 'SYNC', 'PREFETCH', 'READ_ASYNC', 'WRITE_ASYNC', 'WAIT', 'COMPUTE', 'BARRIER', 'STAT',
    'TRUNCATE', 'UNLINK', 'RENAME', 'MAP', 'UNMAP', 'MAP_SYNC', 'POLL', 'GATHER', 'SCATTER', 'ADD',
  ],
  ItemStatus: ['FRESH', 'PENDING', 'DONE'],
  CourierKind: ['NONE', 'LINE', 'MAILBOX', 'FILE'],
  Policy: ['CLOCK', 'FIFO'],
} as const;

// Bits of the word of a line, of which there is an array (WORDS): tags are read by every look at a set and hardly ever change, words change with
// every pin, so they lie apart and a pin takes no tag out of another core's cache.
// A hand is a warp that writes into the line or ends its request; it has the line pinned as well.
// | hands 13 | pins 13 | reference 1 | step 3 | state 2 |
export const lineWord = {
  state: { shift: 0, bits: 2 },
  step: { shift: 2, bits: 3 },
  reference: { shift: 5, bits: 1 },
  pins: { shift: 6, bits: 13 },
  hands: { shift: 19, bits: 13 },
} as const;

// Legal edges of a line and the verb that moves it. Nothing else happens.
export const lineEdges = [
  ['INVALID', 'BUSY', 'claim'],
  ['BUSY', 'READY', 'fill'],
  ['BUSY', 'INVALID', 'fill failed, or a claim given up'],
  ['READY', 'MODIFIED', 'write'],
  ['MODIFIED', 'BUSY', 'write back'],
  ['BUSY', 'MODIFIED', 'write-back failed: the bytes are kept'],
  ['READY', 'BUSY', 'evict and claim'],
  ['READY', 'INVALID', 'invalidate'],
] as const;

// The one error vocabulary: a result is >= 0, or one of these negated. Linux numbers on every machine.
export const errnos = {
  EPERM: [1, 'operation not permitted'],
  ENOENT: [2, 'no such file or directory'],
  EINTR: [4, 'interrupted'],
  EIO: [5, 'input/output error'],
  EBADF: [9, 'bad file handle'],
  EAGAIN: [11, 'no room for now: every line is pinned, or a bound was reached'],
  ENOMEM: [12, 'out of memory'],
  EACCES: [13, 'permission denied'],
  EBUSY: [16, 'in use'],
  EEXIST: [17, 'file exists'],
  EXDEV: [18, 'the path leaves the root of the mount'],
  EISDIR: [21, 'is a directory'],
  ENOTDIR: [20, 'a part of the path is not a directory'],
  EINVAL: [22, 'invalid argument'],
  ENFILE: [23, 'too many open files'],
  EFBIG: [27, 'file too large'],
  ENOSPC: [28, 'no space left'],
  EROFS: [30, 'the mount is read-only'],
  ERANGE: [34, 'result out of range'],
  ENOTEMPTY: [39, 'directory not empty'],
  ENAMETOOLONG: [36, 'path too long'],
  ENOSYS: [38, 'unknown operation'],
  ELOOP: [40, 'too many symbolic links'],
  EOVERFLOW: [75, 'offset or length overflows'],
  EOPNOTSUPP: [95, 'not a regular file'],
  ESTALE: [116, 'the file was truncated or replaced meanwhile'],
  EDQUOT: [122, 'the quota is used up'],
  ETIMEDOUT: [110, 'the wait exceeded its bound'],
  ECANCELED: [125, 'the dispatch was cancelled'],
} as const;

// Counters that a warp keeps in registers and folds at the end of a work item.
export const counters = [
  'hits', 'misses', 'waits', 'evictions', 'write_backs', 'bypasses', 'requests', 'retries', 'reads', 'writes', 'bytes_read', 'bytes_written',
] as const;

export type Field = readonly [name: string, type: string, note: string];
export const structs: Record<string, { bytes: number; owner: string; fields: readonly Field[] }> = {
  Geometry: {
    bytes: 96,
    owner: 'written by the host before a dispatch, constant during it',
    fields: [
      ['abi_hash', 'u32', 'ABI_HASH of the host; a kernel built from another schema refuses to run'],
      ['line_count', 'u32', 'lines of the cache'],
      ['set_count', 'u32', ''],
      ['bypass_count', 'u32', 'lines behind the cache that carry reads past a set whose lines are all pinned'],
      ['line_bytes', 'u32', ''],
      ['line_shift', 'u32', 'log2 of line_bytes'],
      ['ring_count', 'u32', ''],
      ['ring_slots', 'u32', 'slots of one ring, a power of two'],
      ['slot_count', 'u32', 'work items in flight; each has a mailbox, an outbox and an ItemRecord'],
      ['file_count', 'u32', 'entries of the file table'],
      ['read_only', 'u32', ''],
      ['wait_polls', 'u32', 'polls after which a wait without a clock gives up'],
      ['wait_ns', 'u64', 'nanoseconds after which a wait gives up'],
      ['stats_count', 'u32', 'WarpStats records; a power of two'],
      ['replay', 'u32', '1: kernels replay, and LOGS and LOADS have room for every slot'],
      ['mask_count', 'u32', 'masks of dirty bytes'],
      ['dirty_lines_max', 'u32', 'modified lines above which a write goes through to the file; 0: no limit, and nobody counts'],
      ['hint_count', 'u32', 'places for hints, a power of two; 0: nobody looks for any'],
      ['reserved', 'u32', 'zero'],
      ['file_bytes_max', 'u64', 'no file grows beyond it'],
      ['reserved_end', 'u32[2]', 'zero'],
    ],
  },
  Request: {
    bytes: 64,
    owner: 'belongs to the gpu from reservation until sequence is published, then to the host until RingHead.head passes it',
    fields: [
      ['sequence', 'u32', 'written last: position in the ring + 1'],
      ['opcode', 'u32', 'Opcode'],
      ['file', 'u32', 'handle; OPEN: its flags'],
      ['mailbox', 'u32', 'where the answer goes for opcodes that are not about lines; FILL, WRITE_BACK: the file_id of the lines'],
      ['offset', 'u64', 'byte offset in the file; EXTEND, TRUNCATE: the new end; RENAME: bytes of the second path, which follows the NUL of the first'],
      ['length', 'u32', 'bytes; FILL: line_count whole lines; OPEN, UNLINK, RENAME: bytes of the path without its NUL; CLOSE, SYNC: 1 after a failed write-back'],
      ['line_count', 'u32', ''],
      ['lines', 'u32[8]', 'line indices of consecutive pages from offset, LINE_NONE to skip one; WRITE_BACK: the line, then its mask + 1 (0: all bytes of the range)'],
    ],
  },
  RingTail: {
    bytes: 128,
    owner: 'gpu only',
    fields: [['tail', 'u32', 'positions reserved so far'], ['reserved', 'u32[31]', 'zero']],
  },
  RingHead: {
    bytes: 128,
    owner: 'written by the host alone',
    fields: [['head', 'u32', 'positions consumed so far: the slots before it are free again'], ['reserved', 'u32[31]', 'zero']],
  },
  LineTag: {
    bytes: 16,
    owner: 'gpu only; changes only while the line is BUSY, by the warp that claimed it',
    fields: [
      ['file_id', 'u32', 'identity of the bytes of one file at one time; never used again; 0: none'],
      ['page_low', 'u32', ''],
      ['page_high', 'u32', ''],
      ['version', 'u32', 'claims of the line so far, where there are hints'],
    ],
  },
  LineAux: {
    bytes: 16,
    owner: 'gpu only',
    fields: [
      ['ticket', 'u32', 'fills and write-backs started; the line is finished when LineDone.sequence reaches it'],
      ['dirty', 'u32', 'first dirty byte | last dirty byte << 16; DIRTY_NONE: clean; 0xffff | mask + 1 << 16: the bytes whose bits are set there'],
      ['writing', 'u32', 'what a write-back in flight covers, restored to dirty when it fails'],
      ['file', 'u32', 'handle index that fills and writes back this line'],
    ],
  },
  LineDone: {
    bytes: 8,
    owner: 'written by the host alone: result first, then sequence',
    fields: [['sequence', 'u32', 'fills and write-backs finished'], ['result', 'i32', '0, or -errno']],
  },
  SetState: {
    bytes: 8,
    owner: 'gpu only',
    fields: [
      ['hand', 'u32', 'way at which the next sweep of the replacement policy starts'],
      ['maps', 'u32', 'lines of it that are mapped; one way stays free of maps, so that who needs a line need not wait for a kernel'],
    ],
  },
  Mailbox: {
    bytes: 128,
    owner: 'written by the host alone: answer first, then sequence',
    fields: [
      ['sequence', 'u32', 'answers given to this slot'],
      ['result', 'i32', '>= 0, or -errno'],
      ['value', 'u64', 'STAT, EXTEND, TRUNCATE: size in bytes'],
      ['reserved', 'u32[28]', 'zero'],
    ],
  },
  FileEntry: {
    bytes: 64,
    owner: 'written by the host alone; everything but the handle under version (odd while it changes)',
    fields: [
      ['handle', 'u32', 'index | generation << 17 of the open file without HANDLE_WRITABLE; 0xffffffff: closed'],
      ['file_id', 'u32', 'tag of its lines'],
      ['size_low', 'u32', ''],
      ['size_high', 'u32', ''],
      ['window_base', 'u32[2]', 'where the gpu finds the first byte of the file, in the parts of it that are windows: 48 bits, low word first; then 16 bits of the file_id'],
      ['windows', 'u32', 'a bit for each window: the gpu may read the file there'],
      ['window_reach', 'u32', 'log2 of the bytes of a window | how much of the file there is to be read << 6, in 1/65536 of a window | WINDOW_WRITABLE'],
      ['version', 'u32', ''],
      ['reserved', 'u32[7]', 'zero'],
    ],
  },
  Hint: {
    bytes: 16,
    owner: 'gpu only; written as one, by anybody who has found the page there',
    fields: [
      ['line', 'u32', 'where a page was'],
      ['version', 'u32', 'LineTag.version at that time: while it is the same, the page is there'],
      ['page', 'u32', 'its low half: whoever looks for another one need not look at the line'],
      ['file_id', 'u32', 'whose page it was; 0: no hint'],
    ],
  },
  DirtyState: {
    bytes: 128,
    owner: 'gpu only; behind it one bit for each mask, set while it is in use',
    fields: [['lines', 'u32', 'lines that are MODIFIED or being written back, where there is a limit'], ['reserved', 'u32[31]', 'zero']],
  },
  LogEntry: {
    bytes: 16,
    owner: 'gpu only, part of ItemRecord',
    fields: [
      ['value', 'u64', 'a read: where its bytes went; gfstat: the size'],
      ['length', 'u32', 'and how many there could be; 0: no read'],
      ['result', 'i32', 'what the call returned'],
    ],
  },
  ItemRecord: {
    bytes: 256,
    owner: 'gpu only; belongs to the work item in its slot, read by the host between dispatches',
    fields: [
      ['status', 'u32', 'ItemStatus'],
      ['mail_sequence', 'u32', 'answers that this slot has asked for'],
      ['log_count', 'u32', 'calls finished in this work item: a replay returns their results instead of making them again'],
      ['asked', 'u32', '1: the call behind the log has posted its request'],
      ['held_count', 'u32', 'pins kept for the next run of a pending item'],
      ['error', 'i32', 'first error that gload or a refused call left'],
      ['progress', 'u64', 'bytes that the call behind the log has moved'],
      ['served', 'u32', 'lines of the current chunk that were moved'],
      ['load_words', 'u32', 'words that each lane has loaded in finished loads: a replay returns them instead of loading again'],
      ['phase', 'u32[6]', 'what the last checkpoint kept'],
      ['held', 'u32[8]', 'the lines of those pins'],
      ['bypass', 'u32', 'line behind the cache that carries a page for the call behind the log, + 1; 0: none'],
      ['kept', 'u32', 'what the call behind the log has to remember: a read the bytes it will give, + 1; a close the error of its write-backs'],
      ['file_id', 'u32', 'identity of the bytes that the call behind the log works with'],
      ['again', 'u32', '1: the call behind the log has met a fill of somebody else that failed, and tries for itself'],
      ['gate', 'u32', 'file index + 1 of the gate that the call behind the log has passed, | GATE_CLOSED where it has closed it; 0: none'],
      ['bypass_page', 'u32[2]', 'and which page that is, low word first'],
      ['maps', 'u32[8]', 'lines that the item has mapped: line + 1 << 1 | for writing; 0: none'],
      ['reserved', 'u32[25]', 'zero'],
    ],
  },
  WarpStats: {
    bytes: 128,
    owner: 'gpu only, folded by the host after a dispatch; 64-bit counters as low and high words',
    fields: [['low', 'u32[16]', 'in the order of counters'], ['high', 'u32[16]', '']],
  },
  FaultRecord: {
    bytes: 256,
    owner: 'gpu only, read and cleared by the host after a dispatch; give_up by both',
    fields: [
      ['count', 'u32', 'work items that failed'],
      ['lane_values', 'u32[2]', 'the two values of an argument on which lanes disagreed'],
      ['give_up', 'u32', '1: every wait of this dispatch ends, for one has lasted too long; metal with spin alone'],
      ['reserved', 'u32[28]', 'zero'],
      ['items', 'u32[16]', 'the first of them'],
      ['errors', 'i32[16]', 'their errors'],
    ],
  },
  CourierMessage: {
    bytes: 32,
    owner: 'written by the host alone: in each half the words first, then the sequence; read by the courier of a gpu with memory of its own',
    fields: [
      ['kind', 'u32', 'CourierKind'],
      ['index', 'u32', 'of the line, the mailbox or the file'],
      ['result', 'i32', 'LINE, MAILBOX: 0 or more, or -errno'],
      ['sequence', 'u32', 'position in its channel + 1'],
      ['answers', 'u32', 'LINE, MAILBOX: what the sequence of the LineDone or the Mailbox becomes'],
      ['bytes_at', 'u32', 'LINE: the place among the stages where its bytes are, or COURIER_NO_BYTES; MAILBOX: low word of the value'],
      ['value_high', 'u32', 'MAILBOX'],
      ['sequence_again', 'u32', 'the same as sequence'],
    ],
  },
  ProgramStep: {
    bytes: 64,
    owner: 'written by the host before a run, constant during it',
    fields: [
      ['op', 'u32', 'ProgramOp'],
      ['target', 'u32', 'index in the same program: of the open (file operations), the asynchronous call (WAIT, POLL) or the map (UNMAP, MAP_SYNC)'],
      ['offset', 'u64', 'byte offset in the file; TRUNCATE: the new size; COMPUTE: steps; RENAME: bytes of the first path with its NUL'],
      ['data', 'u64', 'where its bytes or its path lie in the data buffer'],
      ['length', 'u32', 'bytes; GATHER, SCATTER, ADD: elements, of which the data has the u64 indices, then the u32 values; ADD: then the old values'],
      ['mode', 'u32', 'OPEN: flags; MAP: OPEN_WRITE to write; UNMAP, MAP_SYNC: 1: the data goes into the map first'],
      ['reserved', 'u32[8]', 'zero'],
    ],
  },
  ProgramResult: {
    bytes: 32,
    owner: 'gpu only, read by the host after a run',
    fields: [
      ['result', 'i32', 'bytes, handle or 0; or -errno'],
      ['done', 'u32', '1: this step was reached and has ended'],
      ['size', 'u64', 'STAT: size in bytes; MAP: the line'],
      ['nanoseconds', 'u64', 'time between the start and the end of the step, where the device has a clock'],
      ['mark', 'u64', 'OPEN: 1 once a later step has closed it; COMPUTE: what it computed; MAP: 1 once a later step has unmapped it; UNMAP, MAP_SYNC: 1 once its data is in the map'],
    ],
  },
  ProgramWarp: {
    bytes: 8,
    owner: 'written by the host before a run, constant during it',
    fields: [['first_step', 'u32', ''], ['step_count', 'u32', '']],
  },
};

// LOGS: REPLAY_LOG_CALLS LogEntry for each slot. LOADS: REPLAY_LOG_WORDS words for each lane of each slot, the lanes of one word side by side.
// GATES: a u32 for each file. DIRTY: DirtyState, then the bits of the masks. MASKS: line_bytes / 8 bytes each.
// Buffers that every kernel is given, in this order (Metal: [[buffer(n)]]). A kernel's own buffers follow from OWN on.
export const bindings = [
  'GEOMETRY', 'RING_TAILS', 'RING_HEADS', 'REQUESTS', 'WORDS', 'TAGS', 'AUXES', 'DONES', 'SETS', 'LINES', 'FILES', 'MAILBOXES', 'OUTBOXES', 'RECORDS',
  'STATS', 'FAULT', 'LOGS', 'LOADS', 'GATES', 'DIRTY', 'MASKS', 'HINTS', 'OWN',
] as const;
