// How well a medium kept its times, in words: only a host that is fast enough can be as slow as a profile says.
import type { NativeMediumReport, NativeMediumTimes } from '../native_medium.ts';

/** More answers than this that came later than 5 % of their time: the machine did not allow the medium. */
const LATE_SHARE_MAX = 0.05;

export function wasLate(report: NativeMediumReport): boolean {
  return report.lateShare > LATE_SHARE_MAX;
}

/** One line about a mount with a medium. */
export function describeMedium(title: string, report: NativeMediumReport): string {
  const { answers, late, lateShare } = report;
  if (answers === 0) return `medium ${title}: nothing was asked of it`;
  const verdict = wasLate(report) ? `the medium was late: this machine did not allow ${title}` : `medium ${title}`;
  const share = `${(100 * lateShare).toPrecision(3)} % of ${answers.toLocaleString('en-US')} answers came later than 5 % of their time`;
  return `${verdict}; ${share}; ${describeLateness(late)}`;
}

function describeLateness({ medianNs, p99Ns, maxNs }: NativeMediumTimes): string {
  return `late by ${us(medianNs)} (median), ${us(p99Ns)} (99th percentile), ${us(maxNs)} (most)`;
}

export function us(nanoseconds: number): string {
  return `${Number((nanoseconds / 1000).toPrecision(3))} us`;
}
