// Mutants of truncations and of those who meet them: gate.h, open.h, the looks at a file (file.h), and calls that begin again (read.h, write.h, cache.h).
import { edited, expressionsOf, type Mutant, statementsOf } from './mutant.ts';

const inGate = statementsOf('gate.h');
const ofGate = expressionsOf('gate.h');
const inOpen = statementsOf('open.h');
const ofOpen = expressionsOf('open.h');
const ofFile = expressionsOf('file.h');
const inRead = statementsOf('read.h');
const ofRead = expressionsOf('read.h');
const inWrite = statementsOf('write.h');
const inItem = statementsOf('item.h');

const PASS = `if ((atomic_add(gate, 1u) & shut) == 0u) {
    fs.gate = index + 1u;
    // What a truncation left is visible.
    fence_acquire();
    return true;
  }
  atomic_sub(gate, 1u);
  return false;`;

const SHUT = '(seen & GATE_CLOSED) != 0u && item_has_maps(fs) ? GATE_SEALED : GATE_CLOSED';

const CLOSE_EMPTY = 'fs.gate != 0u && (atomic_cas(gate, empty, GATE_CLOSED | GATE_SEALED) || (empty & GATE_SEALED) != 0u)';

const FLUSH_FIRST = `const int flushed = lines_flush(fs, 0u, fs.geometry->line_count, range);
    if (flushed != 0) return flushed;`;

const LOOK_TWICE = 'before == host_load(&entry->version) && (before & 1u) == 0u';

const VIEW_TO_WRITE = `FileView view = file_view(fs, file, offset, length, address, is_leader(fs) ? gate_pass(fs, file) : 0);
  if (view.error != 0) return view;
  if (((uint)file & HANDLE_WRITABLE) == 0u) view.error = -Errno::ebadf;
  if (fs.geometry->read_only != 0u) view.error = -Errno::erofs;
  return view;`;

export const mutantsOfTruncations: readonly Mutant[] = [
  inGate('gate-passed-blindly', {
    original: PASS,
    mutated: edited(PASS, '(atomic_add(gate, 1u) & shut) == 0u', '(atomic_add(gate, 1u), true)'),
    scenario: 'truncate-and-write',
    note: 'A writer does not look again behind its step through the gate: a truncation has closed it in between, and ends what is written.',
  }),
  inGate('gate-not-undone', {
    original: PASS,
    mutated: edited(PASS, 'atomic_sub(gate, 1u);', ''),
    scenario: 'truncate-and-write',
    note: 'A writer that came too late for the gate stays counted: the truncation waits for it, and it for the truncation.',
  }),
  inGate('gate-left-without-release', {
    original: `if (fs.gate == 0u) return;
  fence_release();`,
    mutated: 'if (fs.gate == 0u) return;',
    scenario: 'truncate-and-write-relaxed',
    note: 'The release before the gate is missing: a truncation does not see what is modified, and ends it without taking it to the file.',
  }),
  inGate('gate-opened-with-store', {
    original: 'atomic_and(gate, ~(uint)(GATE_CLOSED | GATE_SEALED));',
    mutated: 'atomic_store(gate, 0u);',
    scenario: 'truncate-and-write',
    note: 'A truncation opens the gate with a store: who has counted itself and is about to undo that makes the count run below zero.',
  }),
  inGate('two-truncations-at-once', {
    original: 'if (open && (atomic_or(gate, GATE_CLOSED) & GATE_CLOSED) == 0u) fs.gate = (index + 1u) | GATE_CLOSED;',
    mutated: 'if (open) { atomic_or(gate, GATE_CLOSED); fs.gate = (index + 1u) | GATE_CLOSED; }',
    scenario: 'two-truncations-and-write',
    note: 'Two truncations close one gate: the first to end opens it for writers while the other is at work.',
  }),
  ofGate('gate-closed-without-wait', {
    original: CLOSE_EMPTY,
    mutated: 'fs.gate != 0u',
    scenario: 'truncate-and-write',
    note: 'A truncation does not wait for those who are inside: half of what they write is of the file as it was before.',
  }),
  ofGate('gate-not-sealed', {
    original: CLOSE_EMPTY,
    mutated: 'fs.gate != 0u && atomic_load(gate) == (uint)GATE_CLOSED',
    scenario: 'truncate-and-writing-mapper',
    note: 'A truncation that has seen nobody inside does not seal the gate: who has a line mapped still comes in, and what it writes is lost.',
  }),
  ofGate('sealed-gate-waits-again', {
    original: CLOSE_EMPTY,
    mutated: 'fs.gate != 0u && atomic_cas(gate, empty, GATE_CLOSED | GATE_SEALED)',
    scenario: 'replayed-emptying-open',
    note: 'A replayed truncation does not know that it has sealed the gate in an earlier run: it waits for that for ever.',
  }),
  inGate('sealed-gate-not-opened', {
    original: 'atomic_and(gate, ~(uint)(GATE_CLOSED | GATE_SEALED));',
    mutated: 'atomic_and(gate, ~(uint)GATE_CLOSED);',
    scenario: 'truncate-and-write',
    note: 'A truncation leaves the seal: the next one cannot close the gate.',
  }),
  ofGate('mapper-waits-at-gate', {
    original: SHUT,
    mutated: '(uint)GATE_CLOSED',
    scenario: 'truncate-and-mapper-and-writer',
    note: 'Who has a line mapped waits at a closed gate: the truncation waits for a writer inside, and that for the pins of the map.',
  }),
  inItem('gate-not-left', {
    original: 'if (is_leader(fs)) gate_leave(fs);',
    mutated: '',
    scenario: 'truncate-and-write',
    note: 'A call that writes never leaves the gate: no truncation ever gets through.',
  }),
  inItem('gate-not-saved', {
    original: 'record->gate = fs.gate;',
    mutated: '',
    scenario: 'replayed-writes',
    note: 'A pending item forgets that it has passed the gate: it passes once more, and leaves once.',
  }),
  statementsOf('maintain.h')('abandoned-item-keeps-gate', {
    original: 'if (is_leader(fs)) gate_leave(fs);',
    mutated: '',
    scenario: 'dying-host-replayed',
    note: 'An item that will not be run again stays inside the gate: no later truncation ever gets through.',
  }),
  inOpen('truncate-without-flush', {
    original: FLUSH_FIRST,
    mutated: '',
    scenario: 'one-warp-truncates',
    note: 'A truncation does not take older bytes to the file first: what lies before the new end is lost with what is cut off.',
  }),
  inOpen('truncate-ignores-failed-flush', {
    original: FLUSH_FIRST,
    mutated: edited(FLUSH_FIRST, 'if (flushed != 0) return flushed;', 'if (flushed == WARPFS_PENDING) return flushed;'),
    scenario: 'failing-truncations',
    note: 'A truncation goes on where older bytes could not be taken to the file: it says 0, and they are lost.',
  }),
  ofOpen('truncate-flushes-whole-pages', {
    original: '(length + line_bytes(fs) - 1u) >> fs.line_shift',
    mutated: 'length >> fs.line_shift',
    scenario: 'one-warp-truncates',
    note: 'The page in which the new end lies is not taken to the file first: its older bytes are lost.',
  }),
  ofOpen('truncate-without-gate', {
    original: 'is_leader(fs) ? gate_close(fs, file) : 0',
    mutated: '0',
    scenario: 'truncate-and-write',
    note: 'A truncation keeps no writer away: what is written beside it is lost.',
  }),
  ofOpen('open-empties-nothing', {
    original: 'empty ? 0 : file_truncate(fs, handle, 0u)',
    mutated: '0',
    scenario: 'one-warp-truncates',
    note: 'An open that empties its file leaves it as it was.',
  }),
  ofFile('file-looked-at-once', {
    original: LOOK_TWICE,
    mutated: 'true',
    scenario: 'truncate-once-and-read',
    note: 'Words of a file are taken while the host changes them: the identity of before with the size of after.',
  }),
  ofFile('version-not-looked-at-again', {
    original: LOOK_TWICE,
    mutated: '(before & 1u) == 0u',
    scenario: 'truncate-once-and-read',
    note: 'The version of a file is not looked at again: the host has begun to change it in between.',
  }),
  ofFile('odd-version-taken', {
    original: LOOK_TWICE,
    mutated: 'before == host_load(&entry->version)',
    scenario: 'truncate-once-and-read',
    note: 'A version that is odd counts: half of the words are of before, half of after.',
  }),
  ofRead('read-not-restarted', {
    original: 'status != -Errno::estale',
    mutated: 'true',
    scenario: 'truncate-and-read',
    note: 'A read that meets a truncation does not begin again: it ends with ESTALE.',
  }),
  inRead('read-restarts-in-the-middle', {
    original: 'call_clear(fs);',
    mutated: 'const uint served = fs.served; call_clear(fs); fs.served = served;',
    scenario: 'truncate-and-read',
    note: 'A read that begins again keeps what it has: the one half is of before the truncation, the other of after.',
  }),
  inRead('read-restarts-with-old-view', {
    original: `view = file_view(fs, file, offset, length, (ulong)target, 0);
    if (view.error != 0) return call_end(fs, view.error);`,
    mutated: '',
    scenario: 'truncate-and-read',
    note: 'A read that begins again asks for the identity that has ended: the host refuses it for ever.',
  }),
  ofRead('replayed-read-ignores-identity', {
    original: 'fs.kept != 0u && fs.file_id != view.source.file_id',
    mutated: 'false',
    scenario: 'truncate-and-read-replayed',
    note: 'A replayed read goes on although its file was truncated between two runs: the one half is of before, the other of after.',
  }),
  inWrite('write-looks-before-gate', {
    original: VIEW_TO_WRITE,
    mutated: `FileView view = file_view(fs, file, offset, length, address, 0);
  const int passed = (int)warp_broadcast(fs.lane, is_leader(fs) ? (uint)gate_pass(fs, file) : 0u, 0u);
  if (view.error == 0 && passed != 0) view.error = passed;
  if (view.error != 0) return view;
  if (((uint)file & HANDLE_WRITABLE) == 0u) view.error = -Errno::ebadf;
  return view;`,
    scenario: 'truncate-and-write',
    note: 'A write looks its file up before it passes the gate: it writes to an identity that has ended by then.',
  }),
  inWrite('write-without-gate', {
    original: VIEW_TO_WRITE,
    mutated: edited(VIEW_TO_WRITE, 'is_leader(fs) ? gate_pass(fs, file) : 0', '0'),
    scenario: 'truncate-and-write',
    note: 'A write does not pass the gate: a truncation ends what it is writing.',
  }),
];
