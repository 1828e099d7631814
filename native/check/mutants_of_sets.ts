// Mutants of finding a page and claiming a way (cache_set.h), and of the choice of a victim (replacement.h).
import { edited, type Mutant, statementsOf } from './mutant.ts';

const LOOK_AFTER_PIN = `if (!tag_matches(fs, line, tag)) {
      found = FIND_AGAIN;
    } else if (line_can_be_read(seen)) {
      found = FIND_READY;
    } else if (line_state(seen) == LineState::BUSY && line_step(seen) >= LineStep::FILLING) {
      found = FIND_BUSY;
    }`;

const END_OF_FIND = `if (found == FIND_READY || found == FIND_BUSY) {
    if (policy_counts_hits() && (seen & LINE_REFERENCE) == 0u) atomic_or(word, LINE_REFERENCE);
  } else {
    atomic_sub(word, LINE_PIN);
  }`;

const MAY_TAKE = 'if ((!evicts && line_state(word) != LineState::INVALID) || line_pins(word) != 0u) return false;';
const TAKE = 'if (!atomic_cas_acquire(word_of, word, line_claimed())) return false;';
const LOOK_FOR_RIVAL = 'other != way && way_is_rival(fs, set.first + other, tag, other < way)';

const RAISE_TICKET = `if (step == LineStep::FILLING) {
      // Until the step says FILLING nobody looks at the ticket.
      ticket = atomic_load(&fs.auxes[line].ticket);
      atomic_store(&fs.auxes[line].ticket, ticket + 1u);
    }`;
const GIVE_UP = `if (give_up || !line_move(fs, line, word, LineState::BUSY, step)) {
      if (step == LineStep::FILLING) atomic_store(&fs.auxes[line].ticket, ticket);
      line_let_go(fs, line);
      outcome = CLAIM_AGAIN;
    }`;
const LET_GO = `while (line_state(word) == LineState::BUSY) line_move(fs, line, word, LineState::INVALID, LineStep::NONE);
  line_unpin(fs, line);`;
const END_OF_CLAIM = `${RAISE_TICKET}
    ${GIVE_UP} else if (view.unused == 0u && (view.dirty & ~view.reference) != 0u) {
      // The sweep prefers clean victims and sends a dirty one on its way, so that it will be clean when its turn comes.
      const uint victim = set.first + policy_victim(view.dirty & ~view.reference, 0u, hand);
      if (!line_is_storable(fs, victim)) line_write_back(fs, victim, 0u);
    }`;

function ofClaim(name: string, from: string, to: string, note: string): Mutant {
  return { name, file: 'cache_set.h', form: 'statement', original: END_OF_CLAIM, mutated: edited(END_OF_CLAIM, from, to), note, scenario: 'rivals' };
}

export const mutantsOfSets: readonly Mutant[] = [
  {
    name: 'invalid-line-found',
    file: 'cache_set.h',
    form: 'statement',
    original: 'if (line_state(hint) == LineState::INVALID) return FIND_MISS;',
    mutated: '',
    note: 'The tag of a line that carries nothing counts: after a failed fill everybody meets its trace and nobody claims a line any more.',
    scenario: 'failing-fills',
  },
  {
    name: 'pin-without-acquire',
    file: 'cache_set.h',
    form: 'expression',
    original: 'atomic_add_acquire(word, LINE_PIN)',
    mutated: 'atomic_add(word, LINE_PIN)',
    note: 'The acquire behind the pin is missing: a hit reads bytes that are not there for it yet.',
    scenario: 'same-page',
  },
  {
    name: 'no-recheck-after-pin',
    file: 'cache_set.h',
    form: 'statement',
    original: LOOK_AFTER_PIN,
    mutated: edited(LOOK_AFTER_PIN, '!tag_matches(fs, line, tag)', 'false'),
    note: 'The tag is not looked at again behind the pin: a line that was evicted in between is read as the page that it carried before.',
    scenario: 'eviction',
    peer: 'AGILE takes its reference on a hit without looking at the tag again: wrong data',
  },
  {
    name: 'modified-line-unreadable',
    file: 'cache_set.h',
    form: 'statement',
    original: LOOK_AFTER_PIN,
    mutated: edited(LOOK_AFTER_PIN, 'line_can_be_read(seen)', 'line_can_be_read(seen) && line_state(seen) != LineState::MODIFIED'),
    note: 'A line that was just written cannot be found: its readers look again for ever.',
    scenario: 'one-warp',
    peer: 'AGILE asserts when an array reads a line that was just written',
  },
  {
    name: 'lost-race-keeps-pin',
    file: 'cache_set.h',
    form: 'statement',
    original: END_OF_FIND,
    mutated: edited(END_OF_FIND, 'atomic_sub(word, LINE_PIN);', ''),
    note: 'A pin that came too late for its page is not taken back: the line is never evicted again.',
    scenario: 'eviction',
  },
  {
    name: 'hit-leaves-no-reference',
    file: 'cache_set.h',
    form: 'statement',
    original: END_OF_FIND,
    mutated: edited(END_OF_FIND, 'if (policy_counts_hits() && (seen & LINE_REFERENCE) == 0u) atomic_or(word, LINE_REFERENCE);', ''),
    note: 'A hit leaves no reference bit: the clock evicts in the order of arrival and misses where the policy hits.',
    scenario: 'second-chance',
    peer: 'AGILE never sets its mark on array hits, so its clock is a queue',
  },
  {
    name: 'claim-ignores-pins',
    file: 'cache_set.h',
    form: 'statement',
    original: MAY_TAKE,
    mutated: edited(MAY_TAKE, ' || line_pins(word) != 0u', ''),
    note: 'A claim takes a line that was pinned since the set was looked at: its reader gets the bytes of another page.',
    scenario: 'eviction',
    peer: 'AGILE looks at the references of a victim before it takes it, not with the same exchange',
  },
  {
    name: 'dirty-evicted',
    file: 'cache_set.h',
    form: 'statement',
    original: MAY_TAKE,
    mutated: edited(MAY_TAKE, 'line_state(word) != LineState::INVALID)', 'line_state(word) != LineState::INVALID && line_state(word) != LineState::MODIFIED)'),
    note: 'A claim takes a line that became MODIFIED since the set was looked at: what was written is lost.',
    scenario: 'writer-and-evictor',
  },
  {
    name: 'claim-cas-unchecked',
    file: 'cache_set.h',
    form: 'statement',
    original: TAKE,
    mutated: 'while (!atomic_cas_acquire(word_of, word, line_claimed())) {}',
    note: 'A claim that fails is tried again with whatever the word has become, pins and all: a line is taken from those who use it.',
    scenario: 'eviction',
    peer: 'AGILE exchanges the status of a victim whatever happened since it was looked at',
  },
  {
    name: 'tag-before-claim',
    file: 'cache_set.h',
    form: 'statement',
    original: TAKE,
    mutated: `tag_write(fs, line, tag);
  ${TAKE}`,
    note: 'The tag is written before the line is ours: where the exchange then fails, the bytes of one page are found as another.',
    scenario: 'eviction',
  },
  {
    name: 'claim-fence-too-weak',
    file: 'cache_set.h',
    form: 'statement',
    original: 'fence_seq();',
    mutated: 'fence_acquire(); fence_release();',
    note: 'Acquire and release stand for the sequentially consistent fence: of two claims of one page neither sees the other, and it is in two lines.',
    scenario: 'two-writers-one-page-relaxed',
  },
  {
    name: 'dirty-never-evicted',
    file: 'cache_set.h',
    form: 'expression',
    original: 'view.dirty != 0u',
    mutated: 'false',
    note: 'Nobody writes a line back to make room: once all are modified, a write of another page waits for ever.',
    scenario: 'one-warp-two-files',
    peer: 'GPUfs cannot evict dirty pages: it hangs when they fill the pool',
  },
  {
    name: 'rival-not-looked-for',
    file: 'cache_set.h',
    form: 'expression',
    original: LOOK_FOR_RIVAL,
    mutated: 'false',
    note: 'Nobody looks for a rival claim: one page is in two lines, and a write to the one is not seen in the other.',
    scenario: 'two-writers-one-page',
    peer: 'BaM loaded the same page into several slots (commit 11cbf91)',
  },
  {
    name: 'rival-only-lower-ways',
    file: 'cache_set.h',
    form: 'expression',
    original: LOOK_FOR_RIVAL,
    mutated: 'other < way && way_is_rival(fs, set.first + other, tag, true)',
    note: 'Only lower ways are looked at: a claim does not see one of a higher way that has gone further, and the page is in two lines.',
    scenario: 'two-writers-one-page',
  },
  {
    name: 'rival-on-free-line',
    file: 'cache_set.h',
    form: 'expression',
    original: 'line_state(word) == LineState::INVALID || !tag_matches(fs, line, tag)',
    mutated: '!tag_matches(fs, line, tag)',
    note: 'The tag of a line that carries nothing counts as a rival: after a failed fill every claim of its page is given up for ever.',
    scenario: 'failing-fills',
  },
  ofClaim('abandoned-ignored', 'give_up || !line_move', 'word = atomic_load(fs.words + line), give_up || !line_move', 'A claimer does not notice that it was told to give up: the page is in two lines.'),
  ofClaim('ticket-not-raised', 'atomic_store(&fs.auxes[line].ticket, ticket + 1u);', '', 'A fill does not raise the ticket: the answer before counts as its own, and bytes are read that no fill wrote.'),
  {
    ...ofClaim('ticket-raised-late', RAISE_TICKET, '', 'The line says FILLING before its ticket is raised: another warp takes the answer before for the answer to this fill.'),
    mutated: `ticket = atomic_load(&fs.auxes[line].ticket); ${GIVE_UP} else ${RAISE_TICKET}`,
    scenario: 'same-page',
  },
  ofClaim(
    'ticket-not-restored',
    'if (step == LineStep::FILLING) atomic_store(&fs.auxes[line].ticket, ticket);',
    '',
    'A claim that is given up leaves its ticket raised: the next fill of the line waits for an answer that never comes.',
  ),
  statementsOf('line_wait.h')('given-up-claim-left-busy', {
    original: LET_GO,
    mutated: 'line_unpin(fs, line);',
    note: 'A claim that is given up leaves the line BUSY: nobody can use it any more, and those who look for its page wait for ever.',
    scenario: 'rivals',
  }),
  statementsOf('line_wait.h')('given-up-claim-keeps-pin', {
    original: LET_GO,
    mutated: edited(LET_GO, 'line_unpin(fs, line);', ''),
    note: 'A claim that is given up keeps its pin: the line is never claimed again.',
    scenario: 'rivals',
  }),
  {
    name: 'victim-off-by-one',
    file: 'replacement.h',
    form: 'expression',
    original: 'lowest_bit(behind != 0u ? behind : mask)',
    mutated: 'lowest_bit(behind != 0u ? behind : mask) + 1u',
    note: 'The hand stops one way too far: behind the last way that is a line outside the set, and room is never made in the set itself.',
    scenario: 'one-warp-two-files',
  },
  {
    name: 'victim-ignores-reference',
    file: 'replacement.h',
    form: 'expression',
    original: 'unreferenced != 0u ? unreferenced : clean',
    mutated: 'clean',
    note: 'The victim is chosen without the reference bits: a page that was just hit is evicted, and misses where the policy hits.',
    scenario: 'second-chance',
    peer: 'BaM has no reference bit although its paper says clock',
  },
  {
    name: 'sweep-clears-every-reference',
    file: 'replacement.h',
    form: 'expression',
    original: '(clean & ~reference) != 0u ? reference & ways_between(hand, victim) : reference',
    mutated: 'reference',
    note: 'The sweep also clears references that the hand has not passed: their pages lose the second chance, and miss where the policy hits.',
    scenario: 'second-chance',
  },
];
