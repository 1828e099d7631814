// What happened to one file: the steps that did something to it, how each ended, and what is known of their order.
import { ERRNO } from '../../native/abi/abi.ts';
import type { JudgedScenario, Observed } from './observed.ts';
import { describeStep, type Opened, refusal, type Step } from './steps.ts';

export interface Act {
  step: Step;
  result: number;
  ended: boolean;
  /** It did not do all that was asked for: what it was to change may have changed, or not. */
  uncertain: boolean;
  data: Uint8Array;
  /** Elements that were seen, 0 for one that lay beyond the end; none where it failed for another reason. */
  values: Uint32Array;
  sizeBytes: number;
  /** Of what is done to a map: how many bytes are mapped. */
  mapped: number;
  /** It had ended before anything that is no prelude began. */
  prelude: boolean;
  /** It happened after `from` and before `to`, by the clock of the schedule. */
  from: number;
  to: number;
}

export interface FileHistory {
  /** Its name at the beginning, or when it was created. */
  path: string;
  /** Undefined: it was not there at the beginning. */
  initial: Uint8Array | undefined;
  acts: Act[];
}

export type Precedes = (a: Act, b: Act) => boolean;

const NOTHING = new Uint8Array(0);
const NO_VALUES = new Uint32Array(0);

/** Which file an open has found or made; undefined: none. Where names never change it is the one of its path. */
export type FileOf = (open: Opened, warp: number) => string | undefined;

/** One history for each file that was there or that a program opens. Steps that were refused before they reached the file are in none. */
export function fileHistories(
  warps: readonly (readonly Step[])[],
  files: JudgedScenario['files'],
  observed: Observed,
  fileOf: FileOf = ({ path }) => path,
): FileHistory[] {
  const histories = new Map<string, FileHistory>(files.map(({ path, bytes }) => [path, { path, initial: bytes, acts: [] }]));
  for (const act of actsOf(warps, observed)) {
    const { opened, warp } = act.step;
    const path = opened === undefined ? undefined : fileOf(opened, warp);
    if (path === undefined) continue;
    if (!histories.has(path)) histories.set(path, { path, initial: undefined, acts: [] });
    histories.get(path)?.acts.push(act);
  }
  return [...histories.values()];
}

/** Everything that reached its file or the names of files, warp by warp. */
export function actsOf(warps: readonly (readonly Step[])[], observed: Observed): Act[] {
  return warps.flatMap((steps, warp) => {
    const results = observed.results[warp] ?? [];
    const acts: Act[] = [];
    for (const step of steps) {
      const act = actOf(step, observed);
      if ((step.opened !== undefined || step.names.length > 0) && refusal(step, results) === undefined) acts.push(act);
      if (!act.ended) break; // the steps behind it have not begun
    }
    return acts;
  });
}

export function hasEnded(observed: Observed, warp: number, step: number): boolean {
  return observed.ended?.[warp]?.[step] ?? true;
}

function actOf(step: Step, observed: Observed): Act {
  const ended = hasEnded(observed, step.warp, step.step);
  const seen = observed.results[step.warp]?.[step.step];
  const times = observed.times?.[step.warp];
  const result = ended ? (seen?.result ?? 0) : -1;
  const prelude = observed.preludes?.[step.warp] ?? 0;
  return {
    step, result, ended, uncertain: result < 0,
    prelude: step.step < prelude,
    data: result > 0 ? (seen?.data ?? NOTHING) : NOTHING,
    values: result > 0 || result === -ERRNO.ERANGE.number ? (seen?.values ?? NO_VALUES) : NO_VALUES,
    sizeBytes: seen?.sizeBytes ?? 0,
    mapped: step.work === 'unmap' || step.work === 'map_sync' ? (observed.results[step.warp]?.[step.started]?.result ?? 0) : 0,
    // The clock of the prelude may have been another one.
    from: step.step === 0 || step.step <= prelude ? -Infinity : (times?.[step.step - 1] ?? -Infinity),
    to: ended ? (times?.[step.step] ?? Infinity) : Infinity,
  };
}

/**
 * What surely comes before what. Under relaxed memory only what the program itself orders: its steps, and the barriers that all warps passed. A
 * warp that is not ordered behind another one may then see a line, a size or the table of files as they were, even if the clock says otherwise.
 */
export function orderOf({ memory }: Pick<JudgedScenario, 'memory'>, barriersHold: boolean): Precedes {
  return (a, b) => {
    if (a.step.warp === b.step.warp) return a.step.step < b.step.step;
    if (a.prelude !== b.prelude) return a.prelude;
    if (barriersHold && a.step.phase < b.step.phase) return true;
    return memory === 'sc' && a.to < b.from;
  };
}

/** A barrier that somebody left without the others orders nothing. */
export function barriersHold(warps: readonly (readonly Step[])[], observed: Observed): boolean {
  return warps.every((steps, warp) =>
    steps.every((step) => step.op !== 'barrier' || (hasEnded(observed, warp, step.step) && (observed.results[warp]?.[step.step]?.result ?? 0) === 0)),
  );
}

/** The file has its write-backs behind it, as far as this step is concerned; a map only those of its own bytes. */
export function syncs({ step, result, mapped }: Act, bytes?: { from: number; to: number }): boolean {
  if (result !== 0) return false;
  if (step.work === 'map_sync') return bytes !== undefined && step.storing && step.offset <= bytes.from && bytes.to <= step.offset + mapped;
  return step.work === 'fsync' || (step.work === 'close' && step.opened?.mode !== 'r');
}

/** `warp 1 step 2 read(a, 0, 8) in (12, 30)` */
export function describeAct({ step, from, to }: Act): string {
  const known = Number.isFinite(from) || Number.isFinite(to);
  return `${describeStep(step)}${known ? ` in (${Number.isFinite(from) ? from : 'start'}, ${Number.isFinite(to) ? to : 'end'})` : ''}`;
}
