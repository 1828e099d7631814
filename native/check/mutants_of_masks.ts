// Mutants of what says which bytes of a line have to be written back: dirty.h.
import { edited, expressionsOf, type Mutant, statementsOf } from './mutant.ts';

const statement = statementsOf('dirty.h');
const expression = expressionsOf('dirty.h');

const MAKE_MASK = `for (;;) {
    // Bits that a range had before it grew are a part of what it is now.
    if (range != (uint)DIRTY_NONE) mask_set(fs, mask, dirty_first(range), dirty_last(range));
    // The bits are there before others find the mask.
    fence_release();
    if (atomic_cas(word, range, dirty_masked(mask))) return mask;
    if (dirty_has_mask(range)) {
      mask_free(fs, mask);
      fence_acquire();
      return dirty_mask(range);
    }
  }`;
const OLDER_RANGE = 'if (range != (uint)DIRTY_NONE) mask_set(fs, mask, dirty_first(range), dirty_last(range));';

const ADD_TO_MASK = `const uint mask = dirty_to_mask(fs, line);
      if (mask == (uint)MASK_NONE) return false;
      mask_set(fs, mask, first, last);
      return true;`;

const BITS = '(0xffffffffu >> (31u - high)) & (0xffffffffu << low)';

export const mutantsOfMasks: readonly Mutant[] = [
  statement('mask-not-emptied', {
    original: 'for (uint k = 0; k < line_bytes(fs) / 32u; k++) atomic_store(bits + k, 0u);',
    mutated: '',
    scenario: 'masked-writes',
    note: 'A mask keeps the bits of its former line: bytes go to the file that the gpu has not written.',
  }),
  statement('mask-emptied-in-part', {
    original: 'for (uint k = 0; k < line_bytes(fs) / 32u; k++) atomic_store(bits + k, 0u);',
    mutated: 'for (uint k = 0; k < line_bytes(fs) / 64u; k++) atomic_store(bits + k, 0u);',
    scenario: 'masked-writes',
    note: 'Only the first half of a mask is emptied: the second still says what its former line had written.',
  }),
  expression('mask-taken-twice', {
    original: '((seen >> bit) & 1u) == 0u',
    mutated: 'true',
    scenario: 'masked-pages',
    note: 'A mask that another has taken meanwhile is taken all the same: one empties what the other has said.',
  }),
  expression('mask-beyond-table', {
    original: 'left >= 32u ? 0xffffffffu : (1u << left) - 1u',
    mutated: '0xffffffffu',
    scenario: 'masked-writes-and-flushes',
    note: 'Masks beyond the last one are taken: their bits lie behind the table, and the host refuses them.',
  }),
  statement('mask-free-clears-neighbours', {
    original: 'atomic_and(mask_bits(fs, mask / 32u), ~(1u << (mask & 31u)));',
    mutated: 'atomic_store(mask_bits(fs, mask / 32u), 0u);',
    scenario: 'masked-pages',
    note: 'Giving a mask back gives all masks of its word back: another line loses what it has said.',
  }),
  expression('mask-low-bit-of-every-word', {
    original: 'word == first / 32u ? first & 31u : 0u',
    mutated: 'first & 31u',
    scenario: 'masked-writes',
    note: 'Every word of a long range begins as late as its first: bytes behind a border of words are lost.',
  }),
  expression('mask-high-bit-of-every-word', {
    original: 'word == last / 32u ? last & 31u : 31u',
    mutated: 'last & 31u',
    scenario: 'masked-writes',
    note: 'Every word of a long range ends as early as its last: bytes before a border of words are lost.',
  }),
  expression('mask-ends-at-word', {
    original: 'word <= last / 32u',
    mutated: 'word < last / 32u',
    scenario: 'masked-writes',
    note: 'The last word of a range is left out of its mask: its bytes are lost.',
  }),
  expression('mask-without-last-byte', {
    original: BITS,
    mutated: '(0x7fffffffu >> (31u - high)) & (0xffffffffu << low)',
    scenario: 'masked-writes',
    note: 'The last byte of each word of a range is left out of its mask: it is lost.',
  }),
  expression('mask-one-byte-early', {
    original: BITS,
    mutated: '(0xffffffffu >> (31u - high)) & ((0xffffffffu << low) >> 1u)',
    scenario: 'masked-writes',
    note: 'A range is marked one byte too early: a byte that the gpu has not written goes to the file, and the last one may not.',
  }),
  statement('mask-without-older-range', {
    original: MAKE_MASK,
    mutated: edited(MAKE_MASK, OLDER_RANGE, ''),
    scenario: 'masked-writes',
    note: 'A range that becomes a mask is not marked in it: its bytes are lost.',
  }),
  statement('mask-without-grown-range', {
    original: MAKE_MASK,
    mutated: `${OLDER_RANGE}
  ${edited(MAKE_MASK, OLDER_RANGE, '')}`,
    scenario: 'masked-writes-and-flushes',
    note: 'A range that grows while it becomes a mask is marked as it was before: what another has added is lost.',
  }),
  statement('mask-stored-over-range', {
    original: MAKE_MASK,
    mutated: edited(MAKE_MASK, 'if (atomic_cas(word, range, dirty_masked(mask))) return mask;', 'atomic_store(word, dirty_masked(mask)); return mask;'),
    scenario: 'masks-of-one-page',
    note: 'A mask is put over whatever is dirty by now: a range that grew, or the mask of another, is lost.',
  }),
  statement('second-mask-not-freed', {
    original: MAKE_MASK,
    mutated: edited(MAKE_MASK, 'mask_free(fs, mask);', ''),
    scenario: 'masks-of-one-page',
    note: 'Where two make a mask of one range the second keeps its own: nobody ever gives it back.',
  }),
  statement('masked-bytes-not-marked', {
    original: ADD_TO_MASK,
    mutated: edited(ADD_TO_MASK, 'mask_set(fs, mask, first, last);', ''),
    scenario: 'masked-writes',
    note: 'Bytes that made a mask necessary are not marked in it: they are lost.',
  }),
  expression('dirty-merged-across-gap', {
    original: 'first > dirty_last(range) + 1u || last + 1u < dirty_first(range)',
    mutated: 'false',
    scenario: 'one-warp',
    note: 'Two writes that do not touch become one range: bytes between them go back to the file that no gpu has written.',
  }),
  expression('dirty-not-extended-down', {
    original: 'first < dirty_first(range) ? first : dirty_first(range)',
    mutated: 'dirty_first(range)',
    scenario: 'one-warp',
    note: 'The dirty range does not grow towards the beginning of the line: a write before an older one is lost.',
  }),
  expression('dirty-not-extended-up', {
    original: 'last > dirty_last(range) ? last : dirty_last(range)',
    mutated: 'dirty_last(range)',
    scenario: 'writer-and-evictor',
    note: 'The dirty range does not grow towards the end of the line: a write behind an older one is lost.',
  }),
  statement('dirty-range-stored', {
    original: 'if (wider == range || atomic_cas(word, range, wider)) return true;',
    mutated: 'atomic_store(word, wider); return true;',
    scenario: 'masked-writes-and-flushes',
    note: 'A dirty range is widened with a store: of two that widen it at once the one loses its bytes.',
  }),
];
