// Reading, and computing with what was read for so long that it matters.
import { sumOfWords, type WordOf } from '../lists.ts';
import type { Workload } from '../workload.ts';

const FACTOR = 1664525;
const STEP = 1013904223;

/** `rounds`: multiplications, one after another, for each access and lane. */
export const compute: Workload = {
  name: 'compute',
  writes: false,
  inputs: { rounds: 'u32' },
  each: `
    const uint found = lane.sum(words_sum(lane, place, bytes, word));
    uint value = found;
    for (uint round = 0u; round < rounds; round++) value = value * ${FACTOR}u + ${STEP}u;
    if (lane.index == 0u) total += value;`,
};

export function computed(wordOf: WordOf, offset: number, bytes: number, rounds: number): number {
  let value = sumOfWords(wordOf, offset, bytes);
  for (let round = 0; round < rounds; round++) value = (Math.imul(value, FACTOR) + STEP) | 0;
  return value >>> 0;
}
