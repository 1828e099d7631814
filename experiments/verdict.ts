// Predictions beside what was measured.
import { isFake } from '../gpufs/bench/machine.ts';
import { RAW } from '../gpufs/media/media.ts';
import type { DeviceName } from '../gpufs/options.ts';
import type { Experiment, Finder, Prediction, Profile } from './experiment.ts';
import { type Row, systemOf } from './rows.ts';

/** The device that everybody has. */
const PREDICTED_FOR: DeviceName = 'cpu';

export interface Verdict {
  what: string;
  unit: string;
  /** As `>= 10`. */
  predicted: string;
  because: string;
  measured: number | undefined;
  verdict: string;
}

/** Rows of one run. Those that failed have no value to find. */
export function finderOf(rows: readonly Row[]): Finder {
  const find = (metric: string, system: string, parameters: Record<string, number | string> = {}): number | undefined => {
    const row = rows.find(
      (candidate) => candidate.metric === metric && systemOf(candidate) === system && Object.entries(parameters).every(([name, value]) => candidate.parameters[name] === value),
    );
    return row?.value ?? undefined;
  };
  return Object.assign(find, { systems: [...new Set(rows.map(({ system }) => system))] });
}

export function ratio(value: number | undefined, beside: number | undefined): number | undefined {
  return value === undefined || beside === undefined ? undefined : value / beside;
}

/** One system beside another one, at the same point. */
export function beside(metric: string, system: string, other: string, parameters: Record<string, number | string>): (find: Finder) => number | undefined {
  return (find) => ratio(find(metric, system, parameters), find(metric, other, parameters));
}

export function verdictsOf({ predictions }: Experiment, rows: readonly Row[]): Verdict[] {
  const find = finderOf(rows);
  const device = rows[0]?.device ?? PREDICTED_FOR;
  const medium = rows[0]?.medium ?? RAW;
  const about = predictions.filter((prediction) => (prediction.device ?? PREDICTED_FOR) === device && (prediction.medium ?? medium) === medium);
  return about.map((prediction) => {
    const { what, unit, because } = prediction;
    const measured = prediction.measured(find);
    return { what, unit, because, predicted: predictedOf(prediction), measured, verdict: judge(prediction, measured, rows[0]) };
  });
}

function predictedOf({ atLeast, atMost }: Prediction): string {
  if (atLeast !== undefined && atMost !== undefined) return `${atLeast} to ${atMost}`;
  return atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`;
}

function judge({ atLeast = -Infinity, atMost = Infinity }: Prediction, measured: number | undefined, row: Row | undefined): string {
  if (measured === undefined || row === undefined) return 'not measured';
  if (isFake(row.machine.gpu)) return `${row.machine.gpu?.name} says nothing`;
  if (row.profile === 'tiny') return tooSmall(row.profile);
  return measured >= atLeast && measured <= atMost ? 'as predicted' : 'otherwise';
}

function tooSmall(profile: Profile): string {
  return `${profile} sizes say nothing`;
}
