// Mutants of single elements: elements.h, what they mark dirty (write.h), and pages past the cache that several lanes want (cache.h, item.h).
import { edited, expressionsOf, type Mutant, statementsOf } from './mutant.ts';

const statement = statementsOf('elements.h');
const expression = expressionsOf('elements.h');
const inWrite = statementsOf('write.h');

const SOIL_EACH = `atomic_store(&fs.auxes[line].file, source.handle);
      line_write(fs, line);
      soiled = lanes;`;

export const mutantsOfElements: readonly Mutant[] = [
  statement('done-lanes-forgotten', {
    original: 'fs.served |= now;',
    mutated: '',
    scenario: 'replayed-adds',
    note: 'What lanes have done is not remembered: when their item is replayed they add once more.',
  }),
  statement('done-lanes-repeated', {
    original: 'lanes &= ~fs.served;',
    mutated: '',
    scenario: 'replayed-adds',
    note: 'Lanes that have done their part do it again when their item is replayed.',
  }),
  statement('loaded-element-forgotten', {
    original: 'if (mine) load_log<T>(fs, value);',
    mutated: '',
    scenario: 'replayed-adds',
    note: 'What a lane has loaded is not kept for the next run: it gets what the load before it got.',
  }),
  statement('failed-add-gives-amount', {
    original: 'if (status != 0 && ((fs.served >> fs.lane.index) & 1u) == 0u) moved = T(0);',
    mutated: '',
    scenario: 'failing-adds',
    note: 'An addition that fails gives back what was to be added, as if the element had been that.',
  }),
  expression('element-behind-the-end', {
    original: 'index < size / sizeof(T)',
    mutated: 'index <= size / sizeof(T)',
    scenario: 'one-warp-elements',
    note: 'The element behind the last one counts as inside: it is stored where the file has no byte, and nobody is told.',
  }),
  expression('element-in-part', {
    original: 'index < size / sizeof(T)',
    mutated: 'index * sizeof(T) < size',
    scenario: 'elements-of-odd-file',
    note: 'An element of which the file has a part counts as inside: what is stored behind the end is lost.',
  }),
  expression('add-in-two-steps', {
    original: 'atomic_add((WARPFS_DEVICE uint*)place, amount)',
    mutated: 'atomic_store((WARPFS_DEVICE uint*)place, atomic_load((WARPFS_DEVICE uint*)place) + amount), atomic_load((WARPFS_DEVICE uint*)place) - amount',
    scenario: 'many-adds',
    note: 'An addition loads and stores: of two at once one is lost.',
  }),
  statement('add-keeps-gate', {
    original: 'if (is_leader(fs)) gate_leave(fs);',
    mutated: '',
    scenario: 'two-adders',
    note: 'An addition never leaves the gate of its file: no truncation ever gets through.',
  }),
  expression('elements-without-gate', {
    original: 'Action::WRITES != 0u ? file_view_to_write(fs, file, 0u, 0u, 0u) : file_view(fs, file, 0u, 0u, 0u, 0)',
    mutated: 'file_view(fs, file, 0u, 0u, 0u, 0)',
    scenario: 'truncate-and-scatter',
    note: 'Stores of elements pass no gate: a truncation ends what they have stored.',
  }),
  expression('gather-tells-stale', {
    original: 'status == -Errno::estale',
    mutated: 'false',
    scenario: 'truncate-and-gather',
    note: 'A load that meets a truncation does not begin again: it ends with ESTALE.',
  }),
  inWrite('bytes-of-wrong-lane', {
    original: 'if (mine && mask != (uint)MASK_NONE) mask_set(fs, mask, first, first + bytes - 1u);',
    mutated: 'if (mine && mask != (uint)MASK_NONE) mask_set(fs, mask, base, base + bytes - 1u);',
    scenario: 'one-warp-elements',
    note: 'Each lane marks the bytes of the first one: what the others store is lost.',
  }),
  expressionsOf('write.h')('gaps-between-lanes-ignored', {
    original: 'mine && first != base + before * bytes',
    mutated: 'mine && first < base',
    scenario: 'one-warp-elements',
    note: 'Elements with gaps between them, or the same one twice, count as side by side: bytes that nobody has written go to the file.',
  }),
  inWrite('element-line-not-modified', {
    original: SOIL_EACH,
    mutated: edited(SOIL_EACH, 'line_write(fs, line);', ''),
    scenario: 'one-warp-elements',
    note: 'A line with single elements in it stays READY: it is evicted as if it were clean.',
  }),
  inWrite('element-line-without-file', {
    original: SOIL_EACH,
    mutated: edited(SOIL_EACH, 'atomic_store(&fs.auxes[line].file, source.handle);', ''),
    scenario: 'one-warp-elements',
    note: 'Elements do not say whose bytes their line carries: they go back to the file that it was written for before, or to none.',
  }),
  expressionsOf('cache.h')('bypass-page-ignored', {
    original: 'fs.bypass_line != (uint)LINE_NONE && fs.bypass_page == page',
    mutated: 'fs.bypass_line != (uint)LINE_NONE',
    scenario: 'gather-past-the-cache',
    note: 'The page that was read past the cache for one lane is taken for the page of another.',
  }),
  statementsOf('item.h')('bypass-page-not-saved', {
    original: 'record->bypass_page[0] = (uint)fs.bypass_page;',
    mutated: 'record->bypass_page[0] = 0u;',
    scenario: 'gather-past-the-cache',
    note: 'A pending item forgets which page it reads past the cache: it is taken for page 0.',
  }),
];
