// What the tests of AGILE do with its cache: reads, updates and overwrites, and what must come of them.
import { wordsOfSeed, roundOf, shuffled, totalsOf, randomOf, type Access } from './lists.ts';
import { ACCESS, type Round, type Workload } from './workload.ts';

export const BYTES = 512;
export const SEED = 5;

/** Reads add words up; an update adds to each word what its index says, an overwrite stores it. */
export const mix: Workload = {
  name: 'mix',
  writes: true,
  each: `
    if (mode != ACCESS_OVERWRITE) total += words_sum(lane, place, bytes, word);
    warp_sync(lane);
    for (uint i = lane.index; mode != ACCESS_READ && i < bytes / 4u; i += lane.count) {
      WARPFS_DEVICE uint* at = (WARPFS_DEVICE uint*)place + i;
      data_store4(at, (mode == ACCESS_UPDATE ? data_load4(at) : 0u) + (uint)(offset / 4u) + i + 1u);
    }`,
};

export interface Mixed {
  rounds: { round: Round; expected: Uint32Array }[];
  /** The file when all rounds are over. */
  after: Uint8Array;
}

/** Rounds in which no two accesses touch the same bytes; `unit` bytes each. `modes`: how often each of the three comes. */
export function mixed(options: { items: number; count: number; unit: number; fileBytes: number; rounds: number; modes?: readonly [number, number, number]; seed?: number }): Mixed {
  const { items, count, unit, fileBytes, rounds, modes = [1, 1, 1], seed = SEED } = options;
  if (items * count * unit > fileBytes && (modes[1] > 0 || modes[2] > 0)) throw new Error('two accesses of a round would touch the same bytes');
  const wordOf = wordsOfSeed(SEED);
  const file = Uint32Array.from({ length: fileBytes / 4 }, (_, word) => wordOf(word));
  const random = randomOf(seed, 1);
  const kinds = modes.flatMap((often, mode) => Array.from({ length: often }, () => mode as Access['mode']));
  const all = Array.from({ length: rounds }, () => {
    const order = shuffled(random, Math.floor(fileBytes / unit));
    const round = roundOf(
      Array.from({ length: items }, (_, item) =>
        Array.from({ length: count }, (__, turn) => ({ offset: (order[(item * count + turn) % order.length] as number) * unit, bytes: unit, mode: kinds[random.below(kinds.length)] ?? ACCESS.read })),
      ),
    );
    return { round, expected: worked(round, file) };
  });
  return { rounds: all, after: new Uint8Array(file.buffer) };
}

/** The same on the CPU, in a file that lies in memory. */
export function worked(round: Round, file: Uint32Array): Uint32Array {
  return totalsOf(round, (offset, bytes, index) => {
    const mode = (round.lengths[index] as number) >>> 30;
    let sum = 0;
    for (let word = 0; word < bytes / 4; word++) {
      const at = offset / 4 + word;
      const before = file[at] as number;
      if (mode !== ACCESS.overwrite) sum = (sum + Math.imul(before, 2 * word + 1)) | 0;
      if (mode !== ACCESS.read) file[at] = ((mode === ACCESS.update ? before : 0) + at + 1) >>> 0;
    }
    return sum >>> 0;
  });
}
