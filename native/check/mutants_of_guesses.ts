// Mutants of what the cuda device does without a look at the set: hint.h, hot.h, unhinted.h, peek.h, cold.h.
import { edited, expressionsOf, type Mutant, statementsOf } from './mutant.ts';

const hint = { statement: statementsOf('hint.h'), expression: expressionsOf('hint.h') };
const hot = { statement: statementsOf('hot.h'), expression: expressionsOf('hot.h') };
const cold = { statement: statementsOf('cold.h'), expression: expressionsOf('cold.h') };

const ELEMENT = `const T loaded = data_guess_acquire<T>(line_data(fs, hint.words[0]) + ((uint)offset & (line_bytes(fs) - 1u)));
  if (!hint_holds(fs, hint, page)) return false;
  value = loaded;`;
const ELEMENT_TAG = 'if (!hint_holds(fs, hint, page)) return false;';

const COPIED = `fence_acquire();
  warp_sync(fs.lane);
  return warp_all(fs.lane, !is_leader(fs) || hint_holds(fs, hint, page));`;

const ELEMENTS = `const T loaded = data_guess_acquire<T>(line_data(fs, line) + ((uint)offset & (line_bytes(fs) - 1u)));
  // The bytes of each lane before the tag.
  warp_sync(fs.lane);
  if (!warp_all(fs.lane, !is_leader(fs) || hint_holds(fs, hint, page))) return false;
  value = loaded;`;
const ELEMENTS_TAG = 'if (!warp_all(fs.lane, !is_leader(fs) || hint_holds(fs, hint, page))) return false;';

const MAY_BE_MAPPED = 'line_can_be_read(word) && hint_holds(fs, hint, page) && maps < maps_max(set.ways)';

const READY_HINT = 'hint_store(fs, file, page, hint_make(file_id, page, cold.line, cold.version));';

const CLAIMED = `warp_sync(fs.lane);
  fence_seq();
  if (claimed && unused == 0u) atomic_store(&fs.sets[set.index].hand, next);`;

const AWAITED = `while (hint_is_coming(hint, file_id, page) && wait_again(fs, bound)) hint = atomic_load16(hint_place(fs, file, page));
  // The bytes are no older than the hint.
  fence_acquire();`;

const WAITED = `if (other == (uint)LINE_NONE) hint = hint_wait_here(fs, file, tag.file_id, tag.page, hint);
    else fence_acquire();`;

export const mutantsOfGuesses: readonly Mutant[] = [
  hint.expression('hint-of-any-version', {
    original: 'tag.words[3] == hint.words[1] && tag.words[0] == hint.words[3]',
    mutated: 'tag.words[0] == hint.words[3]',
    scenario: 'hinted-elements',
    note: 'A line that was another page meanwhile and is this one again passes for one that was this page all along.',
  }),
  expressionsOf('cache_line.h')('version-not-raised', {
    original: 'atomic_load(&tag_of->version) + 1u',
    mutated: 'atomic_load(&tag_of->version)',
    scenario: 'hinted-elements',
    note: 'A claim leaves the version as it is: a hint of before is taken for right.',
  }),
  hint.statement('element-after-its-tag', {
    original: ELEMENT,
    mutated: `${ELEMENT_TAG} ${edited(ELEMENT, ELEMENT_TAG, '')}`,
    scenario: 'hinted-elements-apart',
    note: 'The tag is looked at before the element: the line may be another page in between.',
  }),
  hint.statement('elements-after-their-tag', {
    original: ELEMENTS,
    mutated: `${ELEMENTS_TAG} ${edited(ELEMENTS, ELEMENTS_TAG, '')}`,
    scenario: 'hinted-elements-together',
    note: 'The tag is looked at before the elements of a warp: the line may be another page in between.',
  }),
  hint.statement('elements-of-other-lanes-later', {
    original: ELEMENTS,
    mutated: edited(ELEMENTS, 'warp_sync(fs.lane);', ''),
    scenario: 'hinted-elements-together',
    note: 'The leader looks at the tag before other lanes have loaded their elements.',
  }),
  hint.expression('elements-past-the-end', {
    original: 'page < size_seen(seen) >> fs.line_shift',
    mutated: 'true',
    scenario: 'hinted-elements-of-odd-file',
    note: 'Elements behind the end of the file are found where their page is.',
  }),
  hint.expression('element-past-the-end', {
    original: 'index >= size_seen(seen) / sizeof(T)',
    mutated: 'false',
    scenario: 'hinted-elements-of-odd-file',
    note: 'An element behind the end of the file is found where its page is.',
  }),
  hint.expression('elements-of-two-pages', {
    original: 'warp_shuffle(fs.lane, (uint)page, 0u) == (uint)page',
    mutated: 'true',
    scenario: 'hinted-elements-apart',
    note: 'Lanes that want elements of several pages get those of the page of the leader.',
  }),
  hint.expression('hint-of-another-file', {
    original: 'hint.words[3] == file_id && hint.words[2] == (uint)page',
    mutated: 'hint.words[2] == (uint)page',
    scenario: 'hinted-files',
    note: 'A hint about the same page of another file passes for one about this.',
  }),
  hot.expression('map-of-any-state', {
    original: MAY_BE_MAPPED,
    mutated: edited(MAY_BE_MAPPED, 'line_can_be_read(word) && ', ''),
    scenario: 'hinted-maps',
    note: 'A line is mapped whose bytes are not there yet.',
  }),
  hot.expression('map-of-any-page', {
    original: MAY_BE_MAPPED,
    mutated: edited(MAY_BE_MAPPED, 'hint_holds(fs, hint, page) && ', ''),
    scenario: 'hinted-maps',
    note: 'A line is mapped that carries another page by now.',
  }),
  hot.expression('maps-without-limit', {
    original: MAY_BE_MAPPED,
    mutated: edited(MAY_BE_MAPPED, ' && maps < maps_max(set.ways)', ''),
    scenario: 'hinted-maps-of-one-set',
    note: 'Maps take the last line of a set: who writes another page of it waits for ever.',
  }),
  hot.statement('copied-without-a-look', {
    original: COPIED,
    mutated: 'return true;',
    scenario: 'hinted-reads',
    note: 'Bytes that were copied without a pin are not looked at again: the line may have been another page.',
  }),
  hot.statement('copied-by-others-after-the-look', {
    original: COPIED,
    mutated: edited(COPIED, 'warp_sync(fs.lane);', ''),
    scenario: 'hinted-reads-of-lanes',
    note: 'The leader looks at the tag before other lanes have copied their bytes.',
  }),
  hot.statement('copied-after-the-look', {
    original: COPIED,
    mutated: edited(COPIED, 'fence_acquire();', ''),
    scenario: 'hinted-reads-relaxed',
    note: 'The fence between the copy and the look at the tag is missing: the look may be older than the bytes.',
  }),
  hint.expression('copied-past-the-end', {
    original: 'offset < size && size - offset >= length',
    mutated: 'offset < size',
    scenario: 'hinted-reads-of-odd-file',
    note: 'A read gives more bytes than the file has.',
  }),
  hot.statement('unmap-keeps-count', {
    original: 'line_unpin(fs, map.line);\n      set_unmap(fs, map.line);',
    mutated: 'line_unpin(fs, map.line);',
    scenario: 'hinted-maps-in-turn',
    note: 'An unmapped line still counts as mapped: soon nothing of its set can be.',
  }),
  statementsOf('cache.h')('hint-before-the-fence', {
    original: 'fence_release();\n      hint_store(fs, (int)source.handle, page, hint);',
    mutated: 'hint_store(fs, (int)source.handle, page, hint);\n      fence_release();',
    scenario: 'hinted-first-reads-relaxed',
    note: 'A hint can be seen before the bytes of its line: who reads them without a pin reads what was there before.',
  }),
  statementsOf('write.h')('lanes-write-without-the-claim', {
    original: 'if (status >= 0) line_is_known_claimed();',
    mutated: 'if (status == 0) line_is_known_claimed();',
    scenario: 'whole-lines-and-elements-relaxed',
    note: 'Lanes beside the claimer store bytes that can be seen before the tag of their line: an element of the page before is taken from them.',
  }),
  cold.expression('cold-window-not-looked-at-again', {
    original: 'cold_place(fs, window, file_id, page) == cold.address',
    mutated: 'true',
    scenario: 'cold-reads-and-truncation',
    note: 'What was copied counts although the window was taken back meanwhile: bytes of a file that is another by now.',
  }),
  cold.statement('cold-window-looked-at-before-the-bytes-of-others', {
    original: `fence_acquire();
  warp_sync(fs.lane);`,
    mutated: `warp_sync(fs.lane);
  if (is_leader(fs)) fence_acquire();`,
    scenario: 'cold-reads-and-truncation-lanes',
    note: 'The leader alone makes the fence: its look may be older than what other lanes have read.',
  }),
  cold.statement('cold-lanes-fill-before-the-claim', {
    original: CLAIMED,
    mutated: edited(CLAIMED, 'warp_sync(fs.lane);', ''),
    scenario: 'stores-of-lanes',
    note: 'Lanes beside the claimer fill a line that the host, or who had it pinned, may still be reading.',
  }),
  cold.statement('cold-lanes-fill-without-the-claim', {
    original: CLAIMED,
    mutated: `if (claimed) fence_seq();
  ${edited(CLAIMED, 'fence_seq();', '')}`,
    scenario: 'cold-reads-and-elements-relaxed',
    note: 'Lanes beside the claimer fill a line with no release of their own: an element of the page before is taken from them.',
  }),
  statementsOf('write.h')('lanes-write-without-a-release', {
    original: 'if (status >= 0) line_is_known_claimed();',
    mutated: 'if (status > 0) line_is_known_claimed();',
    scenario: 'writes-of-lanes-relaxed',
    note: 'Lanes beside the leader write into a line that others had claimed and filled: who reads that without a pin does not see that it is another page.',
  }),
  statementsOf('map.h')('lanes-store-in-maps-without-a-release', {
    original: 'if (map.writes) line_is_known_claimed();',
    mutated: '',
    scenario: 'maps-of-lanes-relaxed',
    note: 'The same of lanes that store in a map.',
  }),
  cold.statement('coming-taken-for-here', {
    original: 'count(fs, Counter::MISSES, 1u);',
    mutated: 'count(fs, Counter::MISSES, 1u); if (is_leader(fs)) hint_store(fs, file, tag.page, hint_make(tag.file_id, tag.page, claim.line, claim.version));',
    scenario: 'cold-rivals',
    note: 'The hint to a page that is being brought looks like that to one that is here.',
  }),
  cold.statement('given-up-without-a-word', {
    original: 'atomic_swap16(hint_place(fs, file, page), hint_coming(file_id, page), hint_none(page));',
    mutated: '',
    scenario: 'cold-reads-by-many',
    note: 'A warp has said that it brings a page, and cannot: who wants the page waits for it until that is long enough.',
  }),
  cold.statement('waits-for-itself', {
    original: WAITED,
    mutated: edited(WAITED, 'if (other == (uint)LINE_NONE) hint', 'hint').replace('else ', ''),
    scenario: 'cold-rivals',
    note: 'A warp that finds the page in a line waits until what it has said itself is no longer so.',
  }),
  hint.statement('awaited-without-acquire', {
    original: AWAITED,
    mutated: edited(AWAITED, 'fence_acquire();', ''),
    scenario: 'cold-reads-relaxed',
    note: 'Who has waited for a hint loads bytes that are older than it.',
  }),
  cold.statement('page-comes-for-ever', {
    original: 'hint_store(fs, file, page, hint_none(page));',
    mutated: '',
    scenario: 'cold-reads-by-many',
    note: 'A page whose window was taken away meanwhile is said to be coming for ever: who wants it waits until it has waited long enough.',
  }),
  cold.statement('brought-without-acquire', {
    original: WAITED,
    mutated: edited(WAITED, 'else fence_acquire();', ''),
    scenario: 'cold-reads-relaxed',
    note: 'Who has waited until another warp brought the page loads bytes that are older than the hint to them.',
  }),
  expressionsOf('peek.h')('peeked-without-a-look', {
    original: '!page_was_there(fs, peek.hint, peek.hint.words[2])',
    mutated: 'false',
    scenario: 'peeks',
    note: 'Bytes that were looked at without a pin are taken for those of the file: the line may have been another page.',
  }),
  hot.expression('cold-words-stay-in-the-line', {
    original: '!brought.ours || within != 0u',
    mutated: '!brought.ours',
    scenario: 'cold-reads-of-words',
    note: 'A page comes over the bus in pieces of 16 bytes, and words that somebody wants of it are never copied.',
  }),
  cold.expression('cold-rivals-ignored', {
    original: 'looks && !claimed && way_is_rival(fs, mine, tag, fs.lane.index < way)',
    mutated: 'false',
    scenario: 'cold-rivals',
    note: 'Two that claim lines for one page at the same time do not see each other: it is in both.',
  }),
  cold.statement('cold-ready-before-the-bytes', {
    original: 'fence_release();',
    mutated: '',
    scenario: 'cold-reads-relaxed',
    note: 'A line is ready before its bytes can be seen.',
  }),
  cold.statement('cold-hint-before-the-bytes', {
    original: 'fence_release();',
    mutated: `if (cold_place(fs, window, file_id, page) == cold.address) ${READY_HINT} fence_release();`,
    scenario: 'cold-reads-relaxed',
    note: 'A hint can be seen before the bytes of its line: who reads them without a pin reads what was there before.',
  }),
];
