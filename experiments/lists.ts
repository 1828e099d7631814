// Lists of accesses, and what the CPU finds when it does the same work: every total of a run is compared with that.
import { wordAt } from '../gpufs/bench/data_set.ts';
import { Random } from '../gpufs/random.ts';
import { type AccessMode, lengthOf, type Round } from './workload.ts';

export interface Access {
  offset: number;
  bytes: number;
  mode?: AccessMode;
}

/** Every run of a seed has numbers of its own, the same for every system. */
export function randomOf(seed: number, run: number): Random {
  return new Random(seed + run * 7919);
}

/** `of`: the accesses of each item; items with fewer than others ask for nothing at the end. */
export function roundOf(of: readonly (readonly Access[])[], more: Partial<Pick<Round, 'repeats' | 'inputs' | 'outputs'>> = {}): Round {
  const items = of.length;
  const count = Math.max(...of.map((accesses) => accesses.length));
  const offsets = new BigUint64Array(items * count);
  const lengths = new Uint32Array(items * count);
  of.forEach((accesses, item) => {
    accesses.forEach(({ offset, bytes, mode = 0 }, turn) => {
      offsets[item * count + turn] = BigInt(offset);
      lengths[item * count + turn] = bytes | (mode << 30);
    });
  });
  return { items, count, repeats: 1, offsets, lengths, ...more };
}

/** Each access at a random place of the file, a multiple of its own size. */
export function randomAccesses(random: Random, { items, count, bytes, fileBytes }: { items: number; count: number; bytes: number; fileBytes: number }): Access[][] {
  const places = Math.floor(fileBytes / bytes);
  return Array.from({ length: items }, () => Array.from({ length: count }, () => ({ offset: random.below(places) * bytes, bytes })));
}

/** Each number below `limit` once, in random order. */
export function shuffled(random: Random, limit: number): Uint32Array {
  const order = Uint32Array.from({ length: limit }, (_, index) => index);
  for (let index = limit - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [order[index], order[other]] = [order[other] as number, order[index] as number];
  }
  return order;
}

/** `count` of these numbers for each item, one item after the other. */
export function shares<T>(order: Uint32Array, items: number, count: number, of: (number: number) => T): T[][] {
  return Array.from({ length: items }, (_, item) => Array.from(order.subarray(item * count, (item + 1) * count), of));
}

export type WordOf = (wordIndex: number) => number;

/** The words of a data file of this seed. */
export function wordsOfSeed(seed: number): WordOf {
  return (wordIndex) => wordAt(wordIndex, seed);
}

/** As `words_sum` in kernel_text.ts: each word times an odd number of its own. */
export function sumOfWords(wordOf: WordOf, offset: number, bytes: number): number {
  const first = offset / 4;
  let sum = 0;
  for (let word = 0; word < bytes / 4; word++) sum = (sum + Math.imul(wordOf(first + word), 2 * word + 1)) | 0;
  return sum >>> 0;
}

/** What each item's total must be, where `of` gives what an access adds to it. */
export function totalsOf({ items, count, repeats, offsets, lengths }: Round, of: (offset: number, bytes: number, index: number) => number): Uint32Array {
  const totals = new Uint32Array(items);
  for (let item = 0; item < items; item++) {
    let total = 0;
    for (let turn = 0; turn < count; turn++) {
      const index = item * count + turn;
      const bytes = lengthOf(lengths[index] as number);
      if (bytes > 0) total = (total + Math.imul(of(Number(offsets[index]), bytes, index), 2 * turn + 1)) | 0;
    }
    totals[item] = Math.imul(total, repeats);
  }
  return totals;
}

/** The same where each access only reads, and adds up a data file of this seed. */
export function totalsOfReads(round: Round, seed: number): Uint32Array {
  return totalsOf(round, (offset, bytes) => sumOfSeedWords(seed, offset, bytes));
}

/** As sumOfWords for a data file of this seed. Its words grow evenly, so the sum over w of (first + w * step) * (2w + 1) can be written out. */
export function sumOfSeedWords(seed: number, offset: number, bytes: number): number {
  const { odd, weighted } = weightsOf(bytes / 4);
  return (Math.imul(wordAt(offset / 4, seed), odd) + Math.imul(wordAt(1, 0), weighted)) >>> 0;
}

const weights = new Map<number, { odd: number; weighted: number }>();

/** The sums of 2w + 1 and of w * (2w + 1) for w below `count`, modulo 2^32. */
function weightsOf(count: number): { odd: number; weighted: number } {
  const known = weights.get(count);
  if (known !== undefined) return known;
  const n = BigInt(count);
  const made = { odd: Number((n * n) & 0xffffffffn), weighted: Number((((n - 1n) * n * (2n * n - 1n)) / 3n + ((n - 1n) * n) / 2n) & 0xffffffffn) };
  weights.set(count, made);
  return made;
}

/** What is wrong with the totals of a run; undefined where nothing is. */
export function wrongTotal(totals: Uint32Array, expected: Uint32Array): string | undefined {
  const item = expected.findIndex((value, index) => value !== totals[index]);
  return item < 0 ? undefined : `what warp ${item} read adds up to ${totals[item]}, and the CPU finds ${expected[item]}`;
}
