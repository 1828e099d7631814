// How numbers of profiles are written down.
import type { Figure, MediumLatency } from './profile.ts';

export function published(value: number, source: string): Figure {
  return { value, source };
}

export function estimated(value: number, from: string): Figure {
  return { value, source: `estimated: ${from}` };
}

/** Where a source says how many requests go one after the other in a second. */
export function atDepthOne(iops: number, source: string): Figure {
  return { value: 1e6 / iops, source: `${iops.toLocaleString('en-US')} requests per second at queue depth 1: ${source}` };
}

/** What flash shows at queue depth 1, for drives of which no percentile was published. */
const FLASH_SPREAD = 96 / 76;
const flashSpread = 'the spread of an Intel P3700 at queue depth 1, median 76 us and 99th percentile 96 us (AnandTech, review 11209 of the Optane P4800X, 2017)';

export function flashLatency(medianUs: Figure): MediumLatency {
  return { medianUs, p99Us: estimated(medianUs.value * FLASH_SPREAD, flashSpread) };
}
