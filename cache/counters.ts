// The counters of a cache, in the order of the schema.
import { COUNTERS, type CounterName } from '../native/abi/abi.ts';

export type Counters = Record<CounterName, number>;

export function emptyCounters(): Counters {
  return Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counters;
}

/** Numbers are exact up to 2^53; a byte counter reaches that after 9 petabytes. */
export function countersFromWords(words: ArrayLike<bigint>): Counters {
  const counters = emptyCounters();
  COUNTERS.forEach((name, index) => {
    counters[name] = Number(words[index] ?? 0n);
  });
  return counters;
}

/** What happened between two readings. */
export function countersBetween(before: Counters, after: Counters): Counters {
  const counters = emptyCounters();
  for (const name of COUNTERS) counters[name] = after[name] - before[name];
  return counters;
}

/** Hits among all accesses to pages; 0 where there were none. */
export function hitRatio(counters: Pick<Counters, 'hits' | 'misses'>): number {
  const accesses = counters.hits + counters.misses;
  return accesses === 0 ? 0 : counters.hits / accesses;
}
