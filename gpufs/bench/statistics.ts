// The few statistics that a measurement is reported with.
import { Random } from '../random.ts';

export interface Summary {
  median: number;
  min: number;
  max: number;
  runs: number;
}

/** `fraction` 0.5 is the median; between two values the nearer one counts, so the answer is a value that was measured. */
export function percentile(values: ArrayLike<number>, fraction: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(fraction * sorted.length) - 1))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function summarize(values: readonly number[]): Summary {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), runs: values.length };
}

export interface Interval {
  low: number;
  high: number;
}

const RESAMPLES = 2000;

/**
 * Where the median lies with so much confidence, by the percentile bootstrap: medians of samples that are drawn from the values, with
 * replacement. It needs no shape of the distribution; of fewer than five values it says little. A function of the seed.
 */
export function medianInterval(values: readonly number[], confidence = 0.95, seed = 1): Interval {
  const random = new Random(seed);
  const medians = Array.from({ length: values.length === 0 ? 0 : RESAMPLES }, () => median(values.map(() => values[random.below(values.length)] as number)));
  return { low: percentile(medians, (1 - confidence) / 2), high: percentile(medians, (1 + confidence) / 2) };
}
