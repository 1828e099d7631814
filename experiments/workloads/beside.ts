// Warps that only compute, beside warps that only read. Those that compute touch no memory while they do, and say when they began and ended.
import type { Workload } from '../workload.ts';

const FACTOR = 1664525;
const STEP = 1013904223;
const LANES = 32;

/**
 * Items from `readers` on compute, `rounds` multiplications for each lane, one after another. Outputs, in nanoseconds of the clock of the device: of each item that
 * computes when it `began` and `ended`, of each access when it was `read_at`, those of an item side by side.
 */
export const beside: Workload = {
  name: 'beside',
  writes: false,
  inputs: { readers: 'u32', rounds: 'u32' },
  outputs: { began: 'u64[]', ended: 'u64[]', read_at: 'u64[]' },
  begin: `
    if (item >= readers) {
      const ulong since = clock_ns();
      uint value = item * ${LANES}u + lane.index;
      for (uint round = 0u; round < rounds; round++) value = value * ${FACTOR}u + ${STEP}u;
      value = lane.sum(value);
      if (lane.index == 0u) {
        began[item - readers] = since;
        ended[item - readers] = clock_ns();
        total = value;
      }
    }`,
  each: `
    total += words_sum(lane, place, bytes, word);
    if (lane.index == 0u) read_at[index] = clock_ns();`,
};

/** The total of an item that computes: many rounds at once, for applying one twice is again a factor and a step. */
export function computedBeside(item: number, rounds: number): number {
  let [factor, step, allFactor, allStep] = [FACTOR, STEP, 1, 0];
  for (let left = rounds; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) [allFactor, allStep] = [Math.imul(allFactor, factor), (Math.imul(allStep, factor) + step) | 0];
    [factor, step] = [Math.imul(factor, factor), (Math.imul(step, factor) + step) | 0];
  }
  let total = 0;
  for (let lane = 0; lane < LANES; lane++) total = (total + Math.imul(item * LANES + lane, allFactor) + allStep) | 0;
  return total >>> 0;
}
