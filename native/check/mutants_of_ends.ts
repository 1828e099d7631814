// Mutants of what ends things: flush.h, maintain.h, the bound of a wait (wait.h), and the end of a run of an item (item.h).
import type { Mutant } from './mutant.ts';

export const mutantsOfEnds: readonly Mutant[] = [
  {
    name: 'fsync-skips-writing',
    file: 'flush_range.h',
    form: 'expression',
    original: 'line_state(word) == LineState::MODIFIED || writing',
    mutated: 'line_state(word) == LineState::MODIFIED',
    note: 'gfsync does not wait for write-backs that others have started: it returns 0, and one of them fails.',
    scenario: 'dying-host',
  },
  {
    name: 'fsync-does-not-wait',
    file: 'flush.h',
    form: 'statement',
    original: `for (; mask != 0u; mask &= mask - 1u) {
      const int status = line_flush(fs, base + lowest_bit(mask), range);
      if (status == WARPFS_PENDING) {
        result = status;
      } else if (status != 0 && result == 0) {
        result = status;
      }
    }`,
    mutated: '',
    note: 'gfsync starts the write-backs and waits for none: it returns 0, and they fail.',
    scenario: 'dying-host',
    peer: 'BaM launches its flush and returns; the last flush of AGILE does not wait',
  },
  {
    name: 'fsync-forgets-error',
    file: 'flush.h',
    form: 'expression',
    original: 'synced == WARPFS_PENDING || fs.kept == 0u ? synced : -(int)fs.kept',
    mutated: 'synced',
    note: 'The result of the sync covers the error of a write-back: gfsync returns 0 for bytes that are not in the file.',
    scenario: 'dying-host',
    peer: 'gfsync of GPUfs returns 0 always',
  },
  {
    name: 'close-does-not-flush',
    file: 'open.h',
    form: 'statement',
    original: 'if (((uint)file & HANDLE_WRITABLE) != 0u) flushed = file_flush(fs, view.source.file_id);',
    mutated: '',
    note: 'gclose writes nothing back: behind it no handle is left that could.',
    scenario: 'one-warp',
    peer: 'GPUfs closes a dirty file asynchronously, with nobody to report to',
  },
  {
    name: 'sweep-skips-last-line',
    file: 'maintain.h',
    form: 'expression',
    original: 'first + SWEEP_LINES < lines ? first + SWEEP_LINES : lines',
    mutated: 'first + SWEEP_LINES < lines ? first + SWEEP_LINES : lines - 1u',
    note: 'The sweep ends one line too early: what is modified there never reaches its file.',
    scenario: 'writer-and-evictor',
    peer: 'The last flush of AGILE counts to the size of a slot and not to the number of slots',
  },
  {
    name: 'wait-without-bound',
    file: 'wait.h',
    form: 'statement',
    original: 'return wait_pause(fs.lane, bound);',
    mutated: 'wait_pause(fs.lane, bound); return true;',
    note: 'A wait has no bound: when the host is gone, the kernel never ends.',
    scenario: 'dying-host',
    peer: 'BaM, AGILE and CoPilotIO spin without a timeout',
  },
  {
    name: 'held-pins-never-released',
    file: 'item.h',
    form: 'statement',
    original: 'for (uint i = 0; i < record->held_count; i++) line_unpin(fs, record->held[i]);',
    mutated: '',
    note: 'The pins that a pending item held for its next run are never taken back: its lines are never evicted again.',
    scenario: 'replayed-reads',
  },
  {
    name: 'asked-not-saved',
    file: 'item.h',
    form: 'statement',
    original: 'record->asked = fs.asked;',
    mutated: '',
    note: 'A pending item forgets that it has asked: it asks again, so that a file is closed twice and a barrier counts a warp twice.',
    scenario: 'replayed-writes',
  },
  {
    name: 'bypass-not-saved',
    file: 'item.h',
    form: 'statement',
    original: 'record->bypass = fs.bypass_line + 1u;',
    mutated: 'record->bypass = 0u;',
    note: 'A pending item forgets its line behind the cache: that keeps its pin for ever.',
    scenario: 'replayed-reads',
  },
  {
    name: 'close-forgets-error',
    file: 'open.h',
    form: 'expression',
    original: 'closed < 0 ? closed : -(int)fs.kept',
    mutated: 'closed',
    note: 'The answer of the host covers the error of a write-back: gclose returns 0, and no handle is left that could try again.',
    scenario: 'full-disk-closed',
  },
  {
    name: 'kept-not-saved',
    file: 'item.h',
    form: 'statement',
    original: 'record->kept = fs.kept;',
    mutated: '',
    note: 'A pending item forgets what its call has to remember: an open that empties its file no longer knows its handle.',
    scenario: 'replayed-emptying-open',
  },
];
