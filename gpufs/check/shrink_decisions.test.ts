import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shrinkDecisions } from './shrink_decisions.ts';

const word = fc.nat(3);
const schedules = fc.array(fc.tuple(word, word, word, word), { maxLength: 24 });

function has(words: Uint32Array, needed: readonly number[][]): boolean {
  const present = Array.from({ length: words.length / 4 }, (_, index) => words.subarray(index * 4, index * 4 + 4).join());
  return needed.every((decision) => present.includes(decision.join()));
}

test('what is left fails, and none of it can go', async () => {
  await fc.assert(
    fc.asyncProperty(schedules, fc.infiniteStream(fc.boolean()), async (schedule, wanted) => {
      const needed = schedule.filter(() => wanted.next().value === true);
      const fails = async (words: Uint32Array): Promise<boolean> => has(words, needed);
      const small = await shrinkDecisions(Uint32Array.from(schedule.flat()), fails);
      expect(has(small, needed)).toBe(true);
      expect(small.length / 4).toBe(new Set(needed.map((decision) => decision.join())).size);
    }),
  );
});

test('a schedule that does not fail again is left alone', async () => {
  const words = Uint32Array.of(1, 2, 0, 3);
  expect(await shrinkDecisions(words, async () => false)).toBe(words);
});
