// What happened to one file: the steps that did something to it, how each ended, and what is known of their order.
import type { JudgedScenario, Observed } from './observed.ts';
import { describeStep, refusal, type Step } from './steps.ts';

export interface Act {
  step: Step;
  result: number;
  ended: boolean;
  /** It did not do all that was asked for: what it was to change may have changed, or not. */
  uncertain: boolean;
  data: Uint8Array;
  sizeBytes: number;
  /** It had ended before anything that is no prelude began. */
  prelude: boolean;
  /** It happened after `from` and before `to`, by the clock of the schedule. */
  from: number;
  to: number;
}

export interface FileHistory {
  path: string;
  /** Undefined: it was not there at the beginning. */
  initial: Uint8Array | undefined;
  acts: Act[];
}

export type Precedes = (a: Act, b: Act) => boolean;

const NOTHING = new Uint8Array(0);

/** One history for each path that was there or that a program names. Steps that were refused before they reached the file are in none. */
export function fileHistories(warps: readonly (readonly Step[])[], files: JudgedScenario['files'], observed: Observed): FileHistory[] {
  const histories = new Map<string, FileHistory>(files.map(({ path, bytes }) => [path, { path, initial: bytes, acts: [] }]));
  warps.forEach((steps, warp) => {
    const results = observed.results[warp] ?? [];
    for (const step of steps) {
      const act = actOf(step, observed);
      if (step.opened !== undefined && refusal(step, results) === undefined) {
        const { path } = step.opened;
        if (!histories.has(path)) histories.set(path, { path, initial: undefined, acts: [] });
        histories.get(path)?.acts.push(act);
      }
      if (!act.ended) break; // the steps behind it have not begun
    }
  });
  return [...histories.values()];
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
    sizeBytes: seen?.sizeBytes ?? 0,
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

/** The file has its write-backs behind it, as far as this step is concerned. */
export function syncs({ step, result }: Act): boolean {
  if (result !== 0) return false;
  return step.work === 'fsync' || (step.work === 'close' && step.opened?.mode !== 'r');
}

/** `warp 1 step 2 read(a, 0, 8) in (12, 30)` */
export function describeAct({ step, from, to }: Act): string {
  const known = Number.isFinite(from) || Number.isFinite(to);
  return `${describeStep(step)}${known ? ` in (${Number.isFinite(from) ? from : 'start'}, ${Number.isFinite(to) ? to : 'end'})` : ''}`;
}
