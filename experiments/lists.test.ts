import { expect, test } from 'vitest';
import { wordAt } from '../gpufs/bench/data_set.ts';
import { Random } from '../gpufs/random.ts';
import { randomAccesses, roundOf, shuffled, sumOfSeedWords, sumOfWords, totalsOf, wordsOfSeed, wrongTotal } from './lists.ts';
import { ACCESS, lengthOf, modeOf } from './workload.ts';

test('a list has the accesses of each item side by side, and nothing where one has fewer', () => {
  const round = roundOf([[{ offset: 4096, bytes: 512 }, { offset: 2 ** 33, bytes: 16, mode: ACCESS.overwrite }], [{ offset: 0, bytes: 4 }]]);
  expect(round).toMatchObject({ items: 2, count: 2, repeats: 1 });
  expect([...round.offsets]).toEqual([4096n, 2n ** 33n, 0n, 0n]);
  expect([...round.lengths].map((word) => [lengthOf(word), modeOf(word)])).toEqual([[512, 0], [16, 2], [4, 0], [0, 0]]);
});

test('random accesses are a function of the seed, aligned and inside of the file', () => {
  const make = () => randomAccesses(new Random(5), { items: 4, count: 50, bytes: 512, fileBytes: 8192 });
  expect(make()).toEqual(make());
  for (const { offset, bytes } of make().flat()) {
    expect(offset % 512).toBe(0);
    expect(offset + bytes).toBeLessThanOrEqual(8192);
  }
  expect([...shuffled(new Random(5), 100)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index));
});

test('a sum tells words apart that have changed places', () => {
  const words = wordsOfSeed(7);
  expect(words(3)).toBe(wordAt(3, 7));
  const right = sumOfWords(words, 64, 4096);
  expect(sumOfWords((index) => words(index === 20 ? 21 : index === 21 ? 20 : index), 64, 4096)).not.toBe(right);
  expect(sumOfWords((index) => words(index) ^ (index === 20 ? 1 : 0), 64, 4096)).not.toBe(right);
});

test('the sum of words of a seed is what adding them up gives', () => {
  for (const [offset, bytes] of [[0, 4], [4, 16], [512, 512], [8 * 2 ** 30, 4096], [2 ** 20, 2 ** 20]] as const) {
    expect(sumOfSeedWords(7, offset, bytes)).toBe(sumOfWords(wordsOfSeed(7), offset, bytes));
  }
});

test('totals weigh each access, and the first item that is wrong is named', () => {
  const round = roundOf([[{ offset: 0, bytes: 4 }, { offset: 4, bytes: 4 }], [{ offset: 8, bytes: 4 }]], { repeats: 2 });
  const totals = totalsOf(round, (offset) => offset + 1);
  expect([...totals]).toEqual([2 * (1 + 5 * 3), 2 * 9]);
  expect(wrongTotal(totals, totals)).toBeUndefined();
  expect(wrongTotal(Uint32Array.of(32, 19), totals)).toBe('what warp 1 read adds up to 19, and the CPU finds 18');
});
