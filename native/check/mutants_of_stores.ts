// Mutants of lines that the gpu stores into their file itself: store.h, and what flush.h and flush_range.h make of them.
import { edited, expressionsOf, type Mutant, statementsOf } from './mutant.ts';

const statement = statementsOf('store.h');
const expression = expressionsOf('store.h');

const TAKE = `do {
    if (line_state(word) != LineState::MODIFIED || line_hands(word) != 0u) return false;
  } while (!atomic_cas(fs.words + line, word, line_with(word, LineState::BUSY, LineStep::STORING)));
  // What the writers did before they let go is visible from here on.
  fence_acquire();`;

const RESTORE = 'if (!stored) restore_dirty(fs, line, range);';

export const mutantsOfStores: readonly Mutant[] = [
  expression('stored-window-not-looked-at-again', {
    original: 'window_stands(target.entry, target.window) ? 1u : 0u',
    mutated: '1u',
    scenario: 'stores',
    note: 'What was stored counts although the windows were taken back meanwhile: the bytes have gone nowhere.',
  }),
  expression('store-without-gate', {
    original: 'gate_try(fs, (int)file)',
    mutated: 'true',
    scenario: 'truncate-and-store',
    note: 'Nobody waits for a store that is on its way: it lands behind the end at which the file was cut off.',
  }),
  statement('store-keeps-gate', {
    original: 'if (is_leader(fs) && target.entered) gate_leave(fs);',
    mutated: 'if (is_leader(fs) && target.entered) fs.gate = 0;',
    scenario: 'truncate-and-store',
    note: 'Who has stored stays counted in the gate: a truncation waits for it for ever.',
  }),
  statement('ready-before-stores-landed', {
    original: 'bus_fence();',
    mutated: '',
    scenario: 'stores-relaxed',
    note: 'The line is READY before its bytes are in the file: whoever fills it again reads what was there before.',
  }),
  statement('stores-of-others-not-landed', {
    original: 'bus_fence();',
    mutated: 'if (is_leader(fs)) bus_fence();',
    scenario: 'stores-of-lanes',
    note: 'The leader alone makes the fence: what other lanes have stored is not in the file yet.',
  }),
  statement('unstored-range-dropped', {
    original: RESTORE,
    mutated: '',
    scenario: 'stores',
    note: 'Bytes that went nowhere are not put back: they stay in the line and never reach the file.',
  }),
  statement('unstored-mask-dropped', {
    original: RESTORE,
    mutated: 'if (!stored && !dirty_has_mask(range)) restore_dirty(fs, line, range);',
    scenario: 'masked-stores',
    note: 'The same of bytes that a mask names.',
  }),
  statement('stored-mask-ignored', {
    original: 'store_masked(fs, target, bytes, mask_words(fs, dirty_mask(dirty)));',
    mutated: 'store_range(fs, target, bytes, 0u, line_bytes(fs));',
    scenario: 'masked-stores',
    note: 'The whole line is stored where a mask says which of its bytes were written: what others wrote there is gone.',
  }),
  statement('store-beside-writer', {
    original: TAKE,
    mutated: edited(TAKE, ' || line_hands(word) != 0u', ''),
    scenario: 'stores',
    note: 'A line is taken while somebody writes into it: what comes late is in no range.',
  }),
  statement('store-without-acquire', {
    original: TAKE,
    mutated: edited(TAKE, 'fence_acquire();', ''),
    scenario: 'write-and-store-relaxed',
    note: 'The acquire behind the take is missing: bytes are stored that are older than what was written.',
  }),
  expression('stored-for-another-page', {
    original: 'tag_matches(fs, line, tag)',
    mutated: 'true',
    scenario: 'stores-and-evictions',
    note: 'A line that was given to another page between the look and the take is stored in the place of the former one.',
  }),
  statement('stored-mask-never-freed', {
    original: 'if (stored && dirty_has_mask(range)) mask_free(fs, dirty_mask(range));',
    mutated: '',
    scenario: 'masked-stores',
    note: 'A mask whose bytes are in the file stays in use: soon there is none.',
  }),
  statement('stored-line-still-counted', {
    original: 'dirty_count(fs, 0u - stored);',
    mutated: '',
    scenario: 'limited-stores',
    note: 'A line that was stored still counts as dirty: no sync ever sees that nothing is, and where there is a limit every call writes through.',
  }),
  statement('second-line-of-lane-not-stored', {
    original: 'taken.places[i] = place;',
    mutated: 'taken.places[i] = i == 0u ? place : taken.places[0];',
    scenario: 'many-stores',
    note: 'The second line that a lane takes is stored in the place of its first.',
  }),
  expression('full-hands-take-more', {
    original: 'place != 0u && taken.count == STORES_OF_LANE',
    mutated: 'false',
    scenario: 'many-stores',
    note: 'A lane that has no room for another line takes it all the same, and nobody ever ends that.',
  }),
  expressionsOf('flush_range.h')('flush-stops-while-others-store', {
    original: 'atomic_load(&fs.dirty->lines) == 0u',
    mutated: 'atomic_load(&fs.dirty->lines) <= 1u',
    scenario: 'stores',
    note: 'A sync is content where one line is still dirty, or on its way.',
  }),
  expressionsOf('flush.h')('flush-does-not-wait-for-stores', {
    original: 'line_step(word) < LineStep::FILLING || line_step(word) == LineStep::STORING',
    mutated: 'line_step(word) < LineStep::FILLING',
    scenario: 'stores-and-failures',
    note: 'Who waits for a line that another warp stores takes it for one that the host will answer.',
  }),
];
