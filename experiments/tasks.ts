// The work of a run, from its lists: what is measured of it, and what the CPU finds.
import { percentile } from '../gpufs/bench/statistics.ts';
import { hitRatio } from '../cache/counters.ts';
import type { Measured, Task } from './experiment.ts';
import { wrongTotal } from './lists.ts';
import type { PreparedSystem } from './system.ts';
import { lengthOf, type Round, type RoundResult } from './workload.ts';

/** Reads of one round. `values`: of what came of it. */
export function readTask(round: Round, expected: Uint32Array, values: (result: RoundResult, waits: (fraction: number) => number) => Record<string, number>): Task {
  return {
    async measure(system) {
      const before = system.counters?.();
      const result = await system.run(round);
      const after = system.counters?.();
      const hits = before === undefined || after === undefined ? {} : { hit_ratio: 100 * hitRatio({ hits: after.hits - before.hits, misses: after.misses - before.misses }) };
      return { values: { ...values(result, waitsOf(system, result)), ...hits }, failure: wrongTotal(result.totals, expected) };
    },
  };
}

/** Bytes that the accesses of a round ask for, with repeats. */
export function bytesOf({ lengths, repeats }: Round): number {
  return lengths.reduce((sum, word) => sum + lengthOf(word), 0) * repeats;
}

export function accessesOf({ items, count, repeats }: Round): number {
  return items * count * repeats;
}

/** Accesses a second, in thousands. */
export function rate(result: RoundResult, round: Round): number {
  return accessesOf(round) / result.milliseconds;
}

export function gigabytesPerSecond(result: RoundResult, round: Round): number {
  return bytesOf(round) / result.milliseconds / 1e6;
}

/** Microseconds that a warp waits for an access, at a percentile; not a number where the system cannot know. */
function waitsOf({ waitsInLoads }: PreparedSystem, { waits }: RoundResult): (fraction: number) => number {
  return (fraction) => (waitsInLoads === true ? Number.NaN : percentile(waits, fraction) / 1000);
}

/** A round that writes, until its bytes are on the disk; `sync`: milliseconds of that behind the round. `check` looks at the file of the system. */
export async function measureWrites(system: PreparedSystem, round: Round, check: (result: RoundResult) => Promise<string | undefined>): Promise<Measured & { milliseconds: number }> {
  const result = await system.run(round);
  const since = performance.now();
  await system.settle();
  const sync = performance.now() - since;
  return { milliseconds: result.milliseconds + sync, values: { sync }, failure: await check(result) };
}
