import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DECISION_WORDS } from '../native_check.ts';
import { Random } from '../random.ts';
import { attach, type Schedule, simplerDecisions } from './schedule.ts';
import { scheduleArbitrary } from './schedule_arbitrary.ts';

/** What a seed would decide: up to 40 decisions of 4 actors. */
function decisionsOf({ seed, decisions }: Schedule): Uint32Array {
  if (decisions !== undefined) return decisions;
  const random = new Random(seed);
  return Uint32Array.from({ length: DECISION_WORDS * (10 + random.below(30)) }, (_, at) => (at % DECISION_WORDS === 2 ? random.below(2) : 1 + random.below(20)));
}

/** The bug needs two decisions: actor 3 or later is switched away from, and behind that somebody sees an older value. */
function fails(decisions: Uint32Array): boolean {
  let switched = false;
  for (let at = 0; at < decisions.length; at += DECISION_WORDS) {
    const [actor = 0, step = 0, kind] = decisions.subarray(at, at + DECISION_WORDS);
    if (kind === 0 && actor >= 3 && step >= 5) switched = true;
    if (kind === 1 && switched) return true;
  }
  return false;
}

function run(schedule: Schedule): boolean {
  const decisions = decisionsOf(schedule);
  if (!fails(decisions)) return true;
  attach(schedule, decisions);
  return false;
}

test('a failing schedule shrinks to the decisions that it needs, with small numbers', () => {
  for (const seed of [1, 2, 3]) {
    const { failed, counterexample } = fc.check(fc.property(scheduleArbitrary(), run), { seed });
    expect(failed).toBe(true);
    expect(counterexample?.[0].decisions).toEqual(Uint32Array.of(3, 5, 0, 0, 0, 1, 1, 0));
  }
});

test('beside a program both shrink', () => {
  const property = fc.property(fc.record({ length: fc.nat(100), schedule: scheduleArbitrary() }), ({ length, schedule }) => length < 7 || run(schedule));
  const { counterexample } = fc.check(property, { seed: 4 });
  expect(counterexample?.[0].length).toBe(7);
  expect(counterexample?.[0].schedule.decisions?.length).toBe(2 * DECISION_WORDS);
});

test('without decisions there is nothing to shrink, and a seed is a seed', async () => {
  const arbitrary = scheduleArbitrary();
  expect([...arbitrary.shrink({ seed: 5 }, undefined)]).toEqual([]);
  expect(arbitrary.canShrinkWithoutContext({ seed: 5, decisions: new Uint32Array(4) })).toBe(true);
  for (const wrong of [5, null, {}, { seed: -1 }, { seed: 2 ** 32 }, { seed: 1, decisions: new Uint32Array(3) }]) expect(arbitrary.canShrinkWithoutContext(wrong)).toBe(false);
});

test('every simpler schedule is simpler, and all single decisions are tried', () => {
  const decisions = Uint32Array.from({ length: 5 * DECISION_WORDS }, (_, at) => at + 2);
  const simpler = [...simplerDecisions(decisions)];
  const size = (words: Uint32Array): number => words.length * 1000 + words.reduce((sum, word) => sum + word, 0);
  for (const words of simpler) expect(size(words)).toBeLessThan(size(decisions));
  expect(simpler[0]).toHaveLength(0);
  expect(simpler.filter((words) => words.length === 4 * DECISION_WORDS)).toHaveLength(5);
});
