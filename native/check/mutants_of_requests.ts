// Mutants of posting requests (ring.h), of mailboxes (mail.h), and of bringing pages in and past the cache (cache.h).
import { edited, type Mutant } from './mutant.ts';

const PUBLISH_FILL = `ring_write(fs, fill.reservation, Opcode::FILL, source.handle, first_page << fs.line_shift, fill.used << fs.line_shift, fill.used);
  WARPFS_DEVICE Request* request = ring_slot(fs, fill.reservation);
  // Where the file has become another meanwhile, the host gives its bytes to nobody who asks for the old ones.
  host_store(&request->mailbox, source.file_id);
  for (uint i = 0; i < fill.used; i++) host_store(&request->lines[i], fill.lines[i]);
  ring_publish(fs, fill.reservation);`;

const RELEASE_BYPASS = `while (line_state(word) == LineState::READY) line_move(fs, line, word, LineState::INVALID, LineStep::NONE);
  line_unpin(fs, line);`;

const LET_FAILED_GO = `if (line == fs.bypass_line) fs.bypass_line = LINE_NONE;
    if (is_leader(fs)) line_unpin(fs, line);`;

const END_OF_USE = `warp_sync(fs.lane);
  if (line == fs.bypass_line) {
    fs.bypass_line = LINE_NONE;
    if (is_leader(fs)) bypass_release(fs, line);
  } else if (is_leader(fs)) {
    line_unpin(fs, line);
  }`;

const END_OF_MAKING_WAY = `if (is_leader(fs)) line_unpin(fs, line);
  // A fill that failed leaves the line free: no concern of ours.
  return waited.status == wait_outcome() ? waited.status : waited.written < 0 ? waited.written : 0;`;

export const mutantsOfRequests: readonly Mutant[] = [
  {
    name: 'ring-room-off-by-one',
    file: 'ring.h',
    form: 'expression',
    original: 'tail - head >= slots',
    mutated: 'tail - head > slots',
    note: 'A full ring has room for one more: a request is written over one that the host has not read.',
    scenario: 'writer-and-evictor',
  },
  {
    name: 'reserve-without-acquire',
    file: 'ring.h',
    form: 'statement',
    original: `// The host has read the former request out of this slot before it moved head.
      host_fence_acquire();`,
    mutated: '',
    note: 'The acquire behind the position is missing: the new request is written while the host may still read the former one.',
    scenario: 'writer-and-evictor',
  },
  {
    name: 'offset-high-word-lost',
    file: 'ring.h',
    form: 'statement',
    original: 'host_store(words + 1, (uint)(value >> 32));',
    mutated: 'host_store(words + 1, 0u);',
    note: 'The upper word of an offset is not sent: what lies beyond 4 GiB is read from, and written to, the beginning of the file.',
    scenario: 'far-offsets',
    peer: 'AGILE indexes with 32 bits, and a fork of BaM still does so in its flush',
  },
  {
    name: 'publish-without-release',
    file: 'ring.h',
    form: 'statement',
    original: `// The fields, and whatever data the request speaks of, are visible before the sequence word is.
  host_fence_release();`,
    mutated: '',
    note: 'The release before the sequence is missing: the host takes a request whose fields are not there for it yet.',
    scenario: 'writer-and-evictor',
    peer: 'CoPilotIO measures its submission without the fence that its rival pays for',
  },
  {
    name: 'sequence-without-one',
    file: 'ring.h',
    form: 'expression',
    original: 'reservation.position + 1u',
    mutated: 'reservation.position',
    note: 'The sequence is the position and not one more: an empty slot looks published, and the host waits for ever for one that is.',
    scenario: 'writer-and-evictor',
  },
  {
    name: 'reservation-not-given-up',
    file: 'ring.h',
    form: 'statement',
    original: `ring_write(fs, reservation, Opcode::NOP, 0u, 0u, 0u, 0u);
  ring_publish(fs, reservation);`,
    mutated: 'reservation.taken = false;',
    note: 'A position that is not needed is never published: the host waits at it, and nothing behind it is answered.',
    scenario: 'same-page',
  },
  {
    name: 'mail-sequence-not-raised',
    file: 'mail.h',
    form: 'statement',
    original: 'fs.record->mail_sequence++;',
    mutated: '',
    note: 'A request does not count its answer: the one before passes for it, and the next wait never ends.',
    scenario: 'one-warp',
  },
  {
    name: 'mail-without-acquire',
    file: 'mail.h',
    form: 'statement',
    original: `// The host wrote the answer before the sequence.
        host_fence_acquire();`,
    mutated: '',
    note: 'The acquire behind the sequence of a mailbox is missing: an open returns what the answer before it was.',
    scenario: 'prefetch-and-late-open-relaxed',
  },
  {
    name: 'sequence-before-fields',
    file: 'cache.h',
    form: 'statement',
    original: PUBLISH_FILL,
    mutated: `ring_publish(fs, fill.reservation);
  ${edited(PUBLISH_FILL, 'ring_publish(fs, fill.reservation);', '')}`,
    note: 'The sequence is published before the fields are written: the host takes what the slot carried before.',
    scenario: 'same-page',
  },
  {
    name: 'fill-offset-truncated',
    file: 'cache.h',
    form: 'statement',
    original: PUBLISH_FILL,
    mutated: edited(PUBLISH_FILL, 'first_page << fs.line_shift, fill.used', '(ulong)((uint)first_page << fs.line_shift), fill.used'),
    note: 'The offset of a fill is computed in 32 bits: a page beyond 4 GiB gets bytes of another.',
    scenario: 'far-offsets',
    peer: 'BaM computed offsets of pages in 32 bits for two years (PR 39)',
  },
  {
    name: 'bypass-never-unpinned',
    file: 'cache.h',
    form: 'statement',
    original: RELEASE_BYPASS,
    mutated: edited(RELEASE_BYPASS, 'line_unpin(fs, line);', ''),
    note: 'A line behind the cache keeps its pin: each read past the cache uses one up for ever.',
    scenario: 'eviction',
  },
  {
    name: 'bypass-unpinned-twice',
    file: 'cache.h',
    form: 'statement',
    original: RELEASE_BYPASS,
    mutated: `${RELEASE_BYPASS}
  line_unpin(fs, line);`,
    note: 'A line behind the cache is unpinned twice: its count of pins runs below zero.',
    scenario: 'eviction',
  },
  {
    name: 'release-without-sync',
    file: 'cache.h',
    form: 'statement',
    original: END_OF_USE,
    mutated: edited(END_OF_USE, 'warp_sync(fs.lane);', ''),
    note: 'The leader unpins while other lanes still copy: the line is evicted and filled under their hands.',
    scenario: 'eviction-two-lanes',
  },
  {
    name: 'pending-pin-lost',
    file: 'cache.h',
    form: 'statement',
    original: 'if (status == WARPFS_PENDING && line != fs.bypass_line) item_hold(fs, line);',
    mutated: '',
    note: 'A pending item forgets the pin of the line that it waits for: nobody ever takes it back.',
    scenario: 'replayed-reads',
  },
  {
    name: 'pending-pin-released-twice',
    file: 'cache.h',
    form: 'expression',
    original: 'status != 0 && status != WARPFS_PENDING',
    mutated: 'status != 0',
    note: 'A pending item lets go of a line that it also holds for its next run: one pin is taken back twice.',
    scenario: 'replayed-reads',
  },
  {
    name: 'failed-fill-keeps-pin',
    file: 'cache.h',
    form: 'statement',
    original: LET_FAILED_GO,
    mutated: edited(LET_FAILED_GO, `
    if (is_leader(fs)) line_unpin(fs, line);`, ''),
    note: 'A read that fails keeps its pin: the line is never claimed again.',
    scenario: 'failing-fills',
  },
  {
    name: 'make-way-unpins-twice',
    file: 'cache.h',
    form: 'statement',
    original: END_OF_MAKING_WAY,
    mutated: `if (is_leader(fs)) line_unpin(fs, line);
  ${END_OF_MAKING_WAY}`,
    note: 'Who waited for a line to be written back lets go of it twice: the pin of another is taken, or the count runs below zero.',
    scenario: 'writer-and-evictor',
  },
  {
    name: 'write-back-error-lost',
    file: 'cache.h',
    form: 'statement',
    original: END_OF_MAKING_WAY,
    mutated: edited(END_OF_MAKING_WAY, 'waited.written < 0 ? waited.written : 0', '0'),
    note: 'Who waits for a write-back is not told that it has failed: gfsync returns 0 for bytes that are not in the file.',
    scenario: 'failing-truncations',
    peer: 'gfsync of GPUfs returns 0 always',
  },
  {
    name: 'fill-without-identity',
    file: 'cache.h',
    form: 'statement',
    original: PUBLISH_FILL,
    mutated: edited(PUBLISH_FILL, 'host_store(&request->mailbox, source.file_id);', ''),
    note: 'A fill does not say which bytes of the file it wants: the host refuses it as one of a file that has ended.',
    scenario: 'one-warp',
  },
  {
    name: 'no-bypass',
    file: 'cache.h',
    form: 'expression',
    original: 'tried == PAGE_PINNED',
    mutated: 'false',
    note: 'Nobody reads past a cache whose lines are all pinned: a warp that has pinned them itself waits for itself.',
    scenario: 'eviction',
    peer: 'BaM loops for ever when every slot is pinned, also by the thread itself',
  },
];
