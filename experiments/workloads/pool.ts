// Embedding rows of a recommendation model: the rows of a sample are added up, and what they add up to is weighed. In whole numbers, so that the
// CPU finds the same to the last bit whatever the order.
import type { WordOf } from '../lists.ts';
import type { Workload } from '../workload.ts';

export const ROW_BYTES = 256;
const ROW_WORDS = ROW_BYTES / 4;
const WORDS_PER_LANE = ROW_WORDS / 32;

/** `bag`: rows of one sample, one access each. Output `scores`: of each sample, those of an item side by side. */
export function pool(bag: number): Workload {
  return {
    name: 'pool',
    writes: false,
    together: bag,
    inputs: { bag: 'u32', samples: 'u32' },
    outputs: { scores: 'u32[]' },
    begin: `uint pooled[${WORDS_PER_LANE}] = {0u, 0u};`,
    each: `
      for (uint i = 0; i < ${WORDS_PER_LANE}u; i++) {
        const uint at = i * 32u + lane.index;
        const uint value = data_load4((const WARPFS_DEVICE uint*)(place + at * 4u));
        pooled[i] += value;
        total += value * (2u * at + 1u);
      }
      if (access % bag == bag - 1u) {
        uint score = 0u;
        for (uint i = 0; i < ${WORDS_PER_LANE}u; i++) {
          score += (pooled[i] >> 5) * (2u * (i * 32u + lane.index) + 3u);
          pooled[i] = 0u;
        }
        score = lane.sum(score);
        if (lane.index == 0u) scores[item * samples + access / bag] = score;
      }`,
  };
}

/** The same by the CPU, from the offsets of the rows of one sample. */
export function scoreOf(wordOf: WordOf, offsets: readonly number[]): number {
  let score = 0;
  for (let word = 0; word < ROW_WORDS; word++) {
    const pooled = offsets.reduce((sum, offset) => (sum + wordOf(offset / 4 + word)) | 0, 0);
    score = (score + Math.imul(pooled >>> 5, 2 * word + 3)) | 0;
  }
  return score >>> 0;
}
