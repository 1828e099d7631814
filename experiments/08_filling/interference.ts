// What two rounds say of each other: the same warps compute in both, and only in one of them others read meanwhile.
import type { RoundResult } from '../workload.ts';

export interface Interference {
  /** Bytes a second that came into lines while warps computed. */
  fill_rate: number;
  /** Microseconds that a warp computed, in the mean. */
  compute_alone: number;
  compute_beside: number;
  /** Percent: how much longer that is. */
  slow_down: number;
  /** Of 100 warps that computed so many had reads beside them all the time; the others do not count. */
  covered: number;
}

/** `missed`: of the reads, the share that had to be filled. Not a number where nothing happened beside anything. */
export function interferenceOf(reading: RoundResult, idle: RoundResult, { pageBytes, missed }: { pageBytes: number; missed: number }): Interference {
  const [began, ended, readAt] = ['began', 'ended', 'read_at'].map((name) => [...(reading.outputs[name] as BigUint64Array)]) as [bigint[], bigint[], bigint[]];
  const [firstRead, lastRead] = [readAt.reduce(earlier), readAt.reduce(later)];
  const counted = ended.map((end) => end <= lastRead);
  // Before the first read warps open the file.
  const first = later(began.reduce(earlier), firstRead);
  const last = earlier(ended.reduce(later), lastRead);
  const filled = readAt.filter((at) => at >= first && at <= last).length * pageBytes * missed;
  const alone = meanOf(timesOf(idle));
  const beside = meanOf(timesOf(reading).filter((_, item) => counted[item]));
  return {
    fill_rate: last > first ? filled / Number(last - first) : Number.NaN,
    compute_alone: alone / 1000,
    compute_beside: beside / 1000,
    slow_down: 100 * (beside / alone - 1),
    covered: (100 * counted.filter(Boolean).length) / counted.length,
  };
}

function earlier(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

function later(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}

function timesOf({ outputs }: RoundResult): number[] {
  const ended = outputs['ended'] as BigUint64Array;
  return [...(outputs['began'] as BigUint64Array)].map((began, item) => Number((ended[item] as bigint) - began));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
