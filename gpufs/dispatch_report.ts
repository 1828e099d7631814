// What a dispatch says about itself, and the error that it becomes when work items failed.
import { ERRNO, REPLAY_LOG_CALLS, REPLAY_LOG_WORDS } from '../native/abi/abi.ts';
import { describeErrno, errnoName, type ItemFailure, WarpfsError } from './errors.ts';
import type { NativeDispatchResult } from './native_binding.ts';

export interface DispatchReport {
  items: number;
  failedItems: number;
  /** The first of them. */
  failures: readonly ItemFailure[];
  /** Time on the device. */
  nanoseconds: number;
  /** Dispatches that it took: 1 under spin, more where items were replayed. */
  rounds: number;
}

const SHOWN_MAX = 4;
/** What an item that does not fit its log fails with, among other reasons. */
const LOG_ERRNOS: ReadonlySet<number> = new Set([ERRNO.EINVAL.number, ERRNO.ERANGE.number]);
const LOG_RULE =
  `under wait 'replay' an item makes at most ${REPLAY_LOG_CALLS} calls, loads at most ${REPLAY_LOG_WORDS} words a lane and reads ` +
  'no bytes twice to one place, unless gcheckpoint stands between';

export function makeReport(items: number, native: NativeDispatchResult): DispatchReport {
  return {
    items,
    failedItems: native.failedItems,
    failures: native.failures.map(({ item, errno }) => ({ item, errno: errnoName(-Math.abs(errno)) ?? `errno ${Math.abs(errno)}` })),
    nanoseconds: native.nanoseconds,
    rounds: native.rounds,
  };
}

/** `12 of 256 items failed; first: item 3: EBADF bad file handle` */
export function dispatchError(what: string, report: DispatchReport, native: NativeDispatchResult, replayed = false): WarpfsError {
  const shown = native.failures.slice(0, SHOWN_MAX).map(({ item, errno }) => `item ${item}: ${describeErrno(-Math.abs(errno))}`);
  const first = shown.length === 0 ? '' : `; first: ${shown.join(', ')}`;
  const [left, right] = native.laneValues;
  const lanes = left === 0 && right === 0 ? '' : `; lanes of one warp disagree on an argument: ${left} and ${right}`;
  const hint = replayed && lanes === '' && native.failures.some(({ errno }) => LOG_ERRNOS.has(Math.abs(errno))) ? `; ${LOG_RULE}` : '';
  return new WarpfsError('ERR_WARPFS_DISPATCH', `${what}: ${report.failedItems} of ${report.items} items failed${first}${lanes}${hint}`, {
    failures: report.failures,
  });
}
