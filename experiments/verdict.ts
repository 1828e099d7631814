// Predictions beside what was measured.
import type { DeviceName } from '../gpufs/options.ts';
import type { Experiment, Finder, Prediction, Profile } from './experiment.ts';
import { type Row, systemOf } from './rows.ts';

/** What predictions are about: their numbers are those of the device that everybody has. */
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
  return (metric, system, parameters = {}) => {
    const row = rows.find(
      (candidate) => candidate.metric === metric && systemOf(candidate) === system && Object.entries(parameters).every(([name, value]) => candidate.parameters[name] === value),
    );
    return row?.value ?? undefined;
  };
}

export function ratio(value: number | undefined, beside: number | undefined): number | undefined {
  return value === undefined || beside === undefined ? undefined : value / beside;
}

export function verdictsOf({ predictions }: Experiment, rows: readonly Row[]): Verdict[] {
  const find = finderOf(rows);
  return predictions.map((prediction) => {
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
  if (row.profile === 'tiny') return tooSmall(row.profile);
  if (row.device !== PREDICTED_FOR) return `predicted for the ${PREDICTED_FOR} device`;
  return measured >= atLeast && measured <= atMost ? 'as predicted' : 'otherwise';
}

function tooSmall(profile: Profile): string {
  return `${profile} sizes say nothing`;
}
