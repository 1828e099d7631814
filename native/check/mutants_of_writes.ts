// Mutants of writing beside others: hands (cache_line.h), the end of a write-back and its bytes (line_wait.h, write_back.h), and the calls that
// write with a hand on the line (write.h).
import { edited, expressionsOf, type Mutant, statementsOf } from './mutant.ts';

const inLine = statementsOf('cache_line.h');
const inWait = statementsOf('line_wait.h');
const inWriteBack = statementsOf('write_back.h');
const ofWriteBack = expressionsOf('write_back.h');
const inWrite = statementsOf('write.h');

const ENTER = `const uint seen = atomic_add(fs.words + line, LINE_HAND);
  fence_acquire();
  const bool drains = line_step(seen) == LineStep::DRAINING;
  if (line_state(seen) == LineState::READY || (line_state(seen) == LineState::MODIFIED && !drains)) return true;
  atomic_sub(fs.words + line, LINE_HAND);
  return false;`;

const WAIT = `while (line_state(word) == LineState::BUSY) {
      if (line_finish(fs, line, word)) {
        word = atomic_load(fs.words + line);
      } else if (wait_again(fs, bound)) {
        word = atomic_load(fs.words + line);
      } else {
        waited.status = wait_outcome();
        break;
      }
    }`;

const RESTORE = 'if (failed && step == LineStep::WRITING) restore_dirty(fs, line, written);';

const FINISH = `if (!line_move(fs, line, word, state, LineStep::NONE)) return true;
  if (!failed && step == LineStep::WRITING) {
    if (dirty_has_mask(written)) mask_free(fs, dirty_mask(written));
    dirty_count(fs, ~0u);
  }
  return true;`;

const SETTLE = `word = atomic_add(fs.words + line, LINE_HAND | LINE_PIN) + (LINE_HAND | LINE_PIN);
  fence_acquire();
  if (line_is(word, LineState::BUSY, LineStep::WRITING)) line_finish(fs, line, word);
  fence_release();
  return atomic_sub(fs.words + line, LINE_HAND | LINE_PIN) - (LINE_HAND | LINE_PIN);`;

const TAKE_TO_WRITE_BACK = `while (!atomic_cas(fs.words + line, word, line_with(word, LineState::BUSY, LineStep::STARTING) + pins * LINE_PIN)) {
    if (line_state(word) != LineState::MODIFIED || line_hands(word) != 0u) {
      ring_give_up(fs, reservation);
      return WRITE_BACK_LATER;
    }
  }`;

const START_WRITING = `atomic_store(&aux->ticket, atomic_load(&aux->ticket) + 1u);
  word = atomic_load(fs.words + line);
  line_move(fs, line, word, LineState::BUSY, LineStep::WRITING);`;

const LEAVE_PAGE = `fence_release();
  atomic_sub(fs.words + line, LINE_HAND | LINE_PIN);`;

const WROTE_WHOLE = `uint word = atomic_add(fs.words + line, LINE_HAND) + LINE_HAND;
    line_move(fs, line, word, LineState::READY, LineStep::NONE);
    line_write(fs, line);`;

export const mutantsOfWrites: readonly Mutant[] = [
  inLine('enter-without-acquire', {
    original: ENTER,
    mutated: edited(ENTER, 'fence_acquire();', ''),
    scenario: 'writer-and-flush',
    note: 'The acquire behind the hand is missing: a writer stores while the host may still read the bytes of before.',
  }),
  inLine('enter-while-busy', {
    original: ENTER,
    mutated: edited(ENTER, 'line_state(seen) == LineState::READY ||', 'line_state(seen) != LineState::INVALID ||'),
    scenario: 'writer-and-flush',
    note: 'A writer enters a line that is on its way to the file: what it stores is in no range, or torn on its way.',
  }),
  inLine('enter-keeps-hand', {
    original: ENTER,
    mutated: edited(ENTER, 'atomic_sub(fs.words + line, LINE_HAND);', ''),
    scenario: 'writers-and-flushes',
    note: 'A hand that came too late is not taken back: the line is never written back again.',
  }),
  inLine('enter-without-hand', {
    original: ENTER,
    mutated: edited(edited(ENTER, 'atomic_add(fs.words + line, LINE_HAND)', 'atomic_load(fs.words + line)'), 'atomic_sub(fs.words + line, LINE_HAND);', ''),
    scenario: 'writers-and-flushes',
    note: 'A writer enters without a hand: the line goes to the file under it, and leaving takes the hand of another.',
  }),
  inWait('restore-dropped', {
    original: RESTORE,
    mutated: '',
    scenario: 'writers-and-flushes',
    note: 'The dirty range is not put back when a write-back fails: the bytes stay in the line and never reach the file.',
  }),
  inWait('restore-drops-mask', {
    original: RESTORE,
    mutated: 'if (failed && step == LineStep::WRITING && !dirty_has_mask(written)) restore_dirty(fs, line, written);',
    scenario: 'failing-masks',
    note: 'The mask of dirty bytes is not put back when a write-back fails: its bytes never reach the file.',
  }),
  inWait('dirty-cleared-after-write-back', {
    original: FINISH,
    mutated: edited(FINISH, 'dirty_count(fs, ~0u);', 'atomic_store(&fs.auxes[line].dirty, DIRTY_NONE);'),
    scenario: 'writers-and-flushes',
    note: 'The dirty range is cleared after the line is READY again: a write that came in between loses its bytes.',
    peer: 'BaM clears the dirty bit after its write without keeping writers away',
  }),
  inWait('written-line-still-counted', {
    original: FINISH,
    mutated: edited(FINISH, 'dirty_count(fs, ~0u);', ''),
    scenario: 'limited-writes',
    note: 'A line that was written back still counts as dirty: soon every call writes through.',
  }),
  inWait('mask-never-freed', {
    original: FINISH,
    mutated: edited(FINISH, 'if (dirty_has_mask(written)) mask_free(fs, dirty_mask(written));', ''),
    scenario: 'masked-writes',
    note: 'A mask whose bytes are in the file stays in use: soon there is none, and every gap costs a write-back.',
  }),
  inWait('mask-freed-on-failure', {
    original: FINISH,
    mutated: `if (!line_move(fs, line, word, state, LineStep::NONE)) return true;
  if (step == LineStep::WRITING && dirty_has_mask(written)) mask_free(fs, dirty_mask(written));
  return true;`,
    scenario: 'failing-masks',
    note: 'A mask is given back although its write-back failed: the line still has its dirty bytes in it, and another empties it.',
  }),
  inWait('mask-freed-before-move', {
    original: FINISH,
    mutated: `if (!failed && step == LineStep::WRITING && dirty_has_mask(written)) mask_free(fs, dirty_mask(written));
  line_move(fs, line, word, state, LineStep::NONE);
  return true;`,
    scenario: 'masked-writes-and-flushes',
    note: 'A mask is given back before it is sure who ends the write-back: two do, and the second takes it from its next user.',
  }),
  inWait('wait-without-hand', {
    original: WAIT,
    mutated: `line_leave(fs, line);
    ${WAIT}
    atomic_add(fs.words + line, LINE_HAND);`,
    scenario: 'many-flushes',
    note: 'Who waits gives the hand back at once: meanwhile the line is written back once more, and ended before that is answered.',
  }),
  inWait('wait-keeps-hand', {
    original: 'line_leave(fs, line);',
    mutated: '',
    scenario: 'same-page',
    note: 'Who has waited keeps the hand: the line is never written back.',
  }),
  inWait('settle-ends-failed', {
    original: 'if (line_result(fs, line) < 0) return word;',
    mutated: '',
    scenario: 'full-disk-replayed',
    note: 'Who looks for room ends failed write-backs: a replayed call starts them again and again and never learns why they fail.',
  }),
  inWait('settle-without-pin', {
    original: SETTLE,
    mutated: SETTLE.replaceAll('LINE_HAND | LINE_PIN', '(uint)LINE_HAND'),
    scenario: 'settled-lines',
    note: 'Who looks for room ends a write-back without a pin: the line is claimed under the hand, which is lost.',
  }),
  inWait('settle-without-hand', {
    original: SETTLE,
    mutated: SETTLE.replaceAll('LINE_HAND | LINE_PIN', '(uint)LINE_PIN'),
    scenario: 'settled-lines',
    note: 'Who looks for room ends a write-back without a hand: by then another one may be under way, which is not answered yet.',
  }),
  inWriteBack('write-back-ignores-hands', {
    original: 'if (line_state(word) != LineState::MODIFIED || line_hands(word) != 0u) return WRITE_BACK_LATER;',
    mutated: 'if (line_state(word) != LineState::MODIFIED) return WRITE_BACK_LATER;',
    scenario: 'writers-and-flushes',
    note: 'A write-back begins while a writer has a hand on the line: what that copies afterwards is in no range any more, and lost.',
  }),
  inWriteBack('write-back-ignores-late-hands', {
    original: TAKE_TO_WRITE_BACK,
    mutated: edited(TAKE_TO_WRITE_BACK, ' || line_hands(word) != 0u', ''),
    scenario: 'writers-and-flushes',
    note: 'A hand that came since the line was looked at is not seen: the line goes to the file while it is written.',
  }),
  inWriteBack('write-back-keeps-place', {
    original: TAKE_TO_WRITE_BACK,
    mutated: edited(TAKE_TO_WRITE_BACK, 'ring_give_up(fs, reservation);', ''),
    scenario: 'writers-and-flushes',
    note: 'A write-back that came too late keeps its place in the ring: the host waits at it for ever.',
  }),
  inWriteBack('write-back-takes-any', {
    original: TAKE_TO_WRITE_BACK,
    mutated: 'while (!atomic_cas(fs.words + line, word, line_with(word, LineState::BUSY, LineStep::STARTING) + pins * LINE_PIN)) {}',
    scenario: 'writers-and-flushes',
    note: 'A write-back takes the line whatever it has become meanwhile: one that is already on its way goes twice.',
  }),
  inWriteBack('write-back-without-acquire', {
    original: `// Nobody has a hand on it, so no write is under way: what the writers did before they let go is visible from here on.
  fence_acquire();`,
    mutated: '',
    scenario: 'writers-and-flushes',
    note: 'The acquire at the start of a write-back is missing: the host reads bytes that are not there for who asks it to.',
  }),
  inWriteBack('write-back-ticket-late', {
    original: START_WRITING,
    mutated: `${edited(START_WRITING, 'atomic_store(&aux->ticket, atomic_load(&aux->ticket) + 1u);', '')}
  atomic_store(&aux->ticket, atomic_load(&aux->ticket) + 1u);`,
    scenario: 'writers-and-flushes',
    note: 'The line says WRITING before its ticket is raised: another warp takes the answer before for the answer to this write-back.',
  }),
  inWriteBack('writing-not-kept', {
    original: 'atomic_store(&aux->writing, range);',
    mutated: '',
    scenario: 'writers-and-flushes',
    note: 'A write-back does not say what it takes: where it fails its bytes are forgotten, and its mask is never given back.',
  }),
  inWriteBack('drain-any-line', {
    original: 'if (line_is(word, LineState::MODIFIED, LineStep::NONE)) line_move(fs, line, word, LineState::MODIFIED, LineStep::DRAINING);',
    mutated: 'line_move(fs, line, word, LineState::MODIFIED, LineStep::DRAINING);',
    scenario: 'many-flushes',
    note: 'A line is asked to drain whatever it has become: one that is clean, or on its way to the file, says that it is MODIFIED.',
  }),
  inWriteBack('dirty-not-taken', {
    original: 'atomic_store(&aux->dirty, DIRTY_NONE);',
    mutated: '',
    scenario: 'one-warp',
    note: 'The dirty range stays when its bytes go back: bytes between it and the next write count as written by the gpu.',
  }),
  ofWriteBack('write-back-offset-truncated', {
    original: '(page << fs.line_shift) + first',
    mutated: '(ulong)(uint)((page << fs.line_shift) + first)',
    scenario: 'far-offsets',
    note: 'The offset of a write-back is computed in 32 bits: bytes beyond 4 GiB are written over the beginning of the file.',
    peer: 'A fork of BaM still translates pages in 32 bits when it flushes',
  }),
  ofWriteBack('write-back-one-byte-short', {
    original: 'masked ? line_bytes(fs) : dirty_last(range) - first + 1u',
    mutated: 'masked ? line_bytes(fs) : dirty_last(range) - first',
    scenario: 'one-warp',
    note: 'A write-back leaves its last byte out: it is lost when the line is evicted.',
  }),
  ofWriteBack('masked-length-of-range', {
    original: 'masked ? line_bytes(fs) : dirty_last(range) - first + 1u',
    mutated: 'dirty_last(range) - first + 1u',
    scenario: 'masked-writes',
    note: 'The length of a masked write-back is computed from the number of its mask: bytes behind it are lost.',
  }),
  ofWriteBack('masked-offset-of-range', {
    original: 'masked ? 0u : dirty_first(range)',
    mutated: 'dirty_first(range)',
    scenario: 'masked-writes',
    note: 'A masked write-back begins where a range would: beyond the line.',
  }),
  inWriteBack('old-mask-reused', {
    original: 'host_store(&request->lines[1], masked ? dirty_mask(range) + 1u : 0u);',
    mutated: 'if (masked) host_store(&request->lines[1], dirty_mask(range) + 1u);',
    scenario: 'masked-writes',
    note: 'A request without a mask says nothing of it: the host takes the mask that the former request in its slot had.',
  }),
  inWriteBack('masked-write-back-without-mask', {
    original: 'host_store(&request->lines[1], masked ? dirty_mask(range) + 1u : 0u);',
    mutated: 'host_store(&request->lines[1], 0u);',
    scenario: 'masked-writes',
    note: 'A masked write-back does not name its mask: bytes that the gpu has not written go to the file with the others.',
  }),
  inWriteBack('write-back-without-identity', {
    original: `// The host drops bytes that were written before the file was truncated: it knows them by their file_id.
  host_store(&request->mailbox, atomic_load(&fs.tags[line].file_id));`,
    mutated: '',
    scenario: 'one-warp',
    note: 'A write-back does not say of which file its bytes are: the host drops them as bytes of one that has ended.',
  }),
  inWriteBack('line-counted-twice', {
    original: 'if (line_state(atomic_or(fs.words + line, 1u)) == LineState::MODIFIED) dirty_count(fs, ~0u);',
    mutated: 'atomic_or(fs.words + line, 1u);',
    scenario: 'limited-writes',
    note: 'A line that is written twice counts as two: calls write through although nothing is over the limit.',
  }),
  inWrite('limit-ignored', {
    original: 'if (limit == 0u || bytes == 0u) return 0;',
    mutated: 'return 0;',
    scenario: 'limited-writes',
    note: 'A write goes through to the file however much is dirty: there is no limit but the cache.',
  }),
  inWrite('limit-ignored-by-elements', {
    original: 'if (limit == 0u) return 0;',
    mutated: 'return 0;',
    scenario: 'limited-elements',
    note: 'Stores of elements never go on to the file: there is no limit but the cache.',
  }),
  inWrite('page-left-without-release', {
    original: LEAVE_PAGE,
    mutated: edited(LEAVE_PAGE, 'fence_release();', ''),
    scenario: 'writers-and-flushes',
    note: 'The release before the hand is gone is missing: the host reads bytes that are not there for it yet.',
  }),
  inWrite('page-left-with-hand', {
    original: LEAVE_PAGE,
    mutated: edited(LEAVE_PAGE, 'LINE_HAND | LINE_PIN', 'LINE_PIN'),
    scenario: 'writers-and-flushes',
    note: 'A writer leaves its hand on the line: it is never written back.',
  }),
  inWrite('page-left-without-sync', {
    original: `warp_sync(fs.lane);
  if (!is_leader(fs)) return;`,
    mutated: 'if (!is_leader(fs)) return;',
    scenario: 'writing-lanes-and-flush',
    note: 'The leader takes the hand away while other lanes still copy: the host reads what they are writing.',
  }),
  inWrite('drain-nobody-writes-back', {
    original: `// Where it drains, whoever finds it free first sends it on its way.
      line_write_back(fs, line, 0u);`,
    mutated: '',
    scenario: 'masked-writes-and-flushes',
    note: 'Who finds a line DRAINING only waits: where somebody wrote into it when that began, nobody ever writes it back.',
  }),
  inWrite('page-enter-forgets-pin', {
    original: `// The pin is kept meanwhile: to let go and look again would disturb those who wait for the same.
      item_hold(fs, line);`,
    mutated: '',
    scenario: 'replayed-writers-and-flush',
    note: 'A write that has to wait for a line forgets its pin: nobody ever takes it back.',
  }),
  inWrite('whole-line-with-late-hand', {
    original: WROTE_WHOLE,
    mutated: `uint word = atomic_load(fs.words + line);
    line_move(fs, line, word, LineState::READY, LineStep::NONE);
    line_write(fs, line);
    atomic_add(fs.words + line, LINE_HAND);`,
    scenario: 'whole-line-and-flush',
    note: 'A line that was written whole becomes READY without a hand: another takes its bytes to the file, and it is MODIFIED with nothing to write.',
  }),
  inWrite('make-way-keeps-hand', {
    original: `line_leave(fs, line);
    line_unpin(fs, line);`,
    mutated: 'line_unpin(fs, line);',
    scenario: 'masked-writes-and-flushes',
    note: 'Who finds no mask for its bytes keeps its hand on the line: nobody can take the older bytes to the file.',
  }),
  inWrite('make-way-keeps-pin', {
    original: `line_leave(fs, line);
    line_unpin(fs, line);`,
    mutated: 'line_leave(fs, line);',
    scenario: 'masked-writes-and-flushes',
    note: 'Who finds no mask for its bytes keeps its pin: the line is never claimed again.',
  }),
];
