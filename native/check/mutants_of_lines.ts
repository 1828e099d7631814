// Mutants of the word of a line and its tag (cache_line.h), and of the end of a fill or write-back (line_wait.h).
import { edited, type Mutant } from './mutant.ts';

const END_OF_WAIT = `fence_acquire();
    if (line_state(word) == LineState::INVALID) {
      // The pin keeps the line from being claimed, so this is still the result of the fill that failed.
      waited.status = line_result(fs, line);
      // The claim was given up before anything was asked for: what the host has answered for this line was about something else.
      if (waited.status >= 0 || atomic_load(&fs.auxes[line].writing) == (uint)FILL_GIVEN_UP) waited.status = -Errno::eagain;
    } else if (line_state(word) == LineState::MODIFIED) {
      waited.written = line_write_back_error(fs, line);
    }`;

const LOOK_FOR_ANSWER = `fence_acquire();
  if (host_load(&fs.dones[line].sequence) != atomic_load(&fs.auxes[line].ticket)) return false;`;

const STATE_OF_FAILURE = 'if (failed) state = step == LineStep::FILLING ? LineState::INVALID : LineState::MODIFIED;';

export const mutantsOfLines: readonly Mutant[] = [
  {
    name: 'tag-without-file',
    file: 'cache_line.h',
    form: 'expression',
    original: 'atomic_load(&tag_of->file_id) == tag.file_id',
    mutated: 'true',
    note: 'Tags are compared without the file: a page of one file is taken for the same page of another.',
    scenario: 'one-warp-two-files',
    peer: 'AGILE finds a block by its number alone, so the blocks of two devices collide',
  },
  {
    name: 'tag-without-page-low',
    file: 'cache_line.h',
    form: 'expression',
    original: 'atomic_load(&tag_of->page_low) == (uint)tag.page',
    mutated: 'true',
    note: 'Tags are compared without the lower word of the page: any page of the file is taken for any other.',
    scenario: 'one-warp',
  },
  {
    name: 'tag-without-page-high',
    file: 'cache_line.h',
    form: 'expression',
    original: 'atomic_load(&tag_of->page_high) == (uint)(tag.page >> 32)',
    mutated: 'true',
    note: 'Tags are compared without the upper word of the page: pages 2^32 apart are taken for each other.',
    scenario: 'far-offsets',
    peer: 'BaM truncated page numbers to 32 bits (PR 39: wrong page evicted, silent data corruption)',
  },
  {
    name: 'unpin-without-release',
    file: 'cache_line.h',
    form: 'statement',
    original: `fence_release();
  atomic_sub_unasked(fs.words + line, LINE_PIN);`,
    mutated: 'atomic_sub_unasked(fs.words + line, LINE_PIN);',
    note: 'The release before the unpin is missing: the reads of a line are not over for whoever evicts it and has it filled again.',
    scenario: 'eviction',
  },
  {
    name: 'move-without-release',
    file: 'cache_line.h',
    form: 'statement',
    original: `// What this warp wrote or learned of the line is visible to those who see the new state.
  fence_release();`,
    mutated: '',
    note: 'The release of line_move is missing: who sees READY by the word alone reads bytes that are not there for it yet.',
    scenario: 'same-page',
  },
  {
    name: 'move-loses-pins',
    file: 'cache_line.h',
    form: 'expression',
    original: 'atomic_cas(fs.words + line, word, moved)',
    mutated: 'atomic_store(fs.words + line, moved), true',
    note: 'A line is moved with a store: a pin that came meanwhile is lost, and its unpin takes one too many.',
    scenario: 'same-page',
  },
  {
    name: 'finish-without-acquire',
    file: 'line_wait.h',
    form: 'statement',
    original: LOOK_FOR_ANSWER,
    mutated: edited(LOOK_FOR_ANSWER, 'fence_acquire();', ''),
    note: 'The acquire before the ticket is missing: with the ticket of before, the answer to the last request passes for the answer to this one.',
    scenario: 'prefetch-and-late-open-relaxed',
  },
  {
    name: 'finish-before-answer',
    file: 'line_wait.h',
    form: 'statement',
    original: LOOK_FOR_ANSWER,
    mutated: 'fence_acquire();',
    note: 'The ticket is not compared: a fill counts as finished as soon as somebody looks, and bytes are read that no fill wrote.',
    scenario: 'same-page',
  },
  {
    name: 'completion-without-acquire',
    file: 'line_wait.h',
    form: 'statement',
    original: `// The host wrote the data and the result before the sequence.
  host_fence_acquire();`,
    mutated: '',
    note: 'The acquire behind the answer of the host is missing: the warp hands on a READY line whose bytes it has not seen arrive itself.',
    scenario: 'same-page',
  },
  {
    name: 'failed-fill-ready',
    file: 'line_wait.h',
    form: 'statement',
    original: STATE_OF_FAILURE,
    mutated: edited(STATE_OF_FAILURE, 'LineState::INVALID', 'LineState::READY'),
    note: 'A line whose fill failed becomes READY: everybody reads bytes that were never there, and the error is lost.',
    scenario: 'failing-fills',
    peer: 'BaM has the check of the NVMe status commented out',
  },
  {
    name: 'failed-write-back-clean',
    file: 'line_wait.h',
    form: 'statement',
    original: STATE_OF_FAILURE,
    mutated: edited(STATE_OF_FAILURE, 'LineState::MODIFIED', 'LineState::READY'),
    note: 'A line whose write-back failed becomes READY: its bytes are lost, and gfsync returns 0.',
    scenario: 'writers-and-flushes',
    peer: 'GPUfs marks a page clean whatever its write returned',
  },
  {
    name: 'restore-overwrites',
    file: 'line_wait.h',
    form: 'statement',
    original: `uint seen = DIRTY_NONE;
  while (!atomic_cas(&fs.auxes[line].dirty, seen, range)) {
    if (seen != (uint)DIRTY_NONE) return;
  }`,
    mutated: 'atomic_store(&fs.auxes[line].dirty, range);',
    note: 'The dirty range of a failed write-back is put back over one that a write has begun meanwhile: what that wrote is lost.',
    scenario: 'writers-and-flushes',
  },
  {
    name: 'wait-without-acquire',
    file: 'line_wait.h',
    form: 'statement',
    original: END_OF_WAIT,
    mutated: edited(END_OF_WAIT, `fence_acquire();
    if`, 'if'),
    note: 'The acquire at the end of a wait is missing: a warp whose line was moved by another reads bytes that are not there for it yet.',
    scenario: 'same-page',
  },
  {
    name: 'fill-error-lost',
    file: 'line_wait.h',
    form: 'statement',
    original: END_OF_WAIT,
    mutated: edited(END_OF_WAIT, 'if (waited.status >= 0 || atomic_load(&fs.auxes[line].writing) == (uint)FILL_GIVEN_UP) waited.status = -Errno::eagain;', 'waited.status = 0;'),
    note: 'The error of a fill is dropped by those who waited for it: they copy bytes that were never there.',
    scenario: 'failing-fills',
    peer: 'BaM, AGILE and GPUfs look at no status of a read',
  },
];
