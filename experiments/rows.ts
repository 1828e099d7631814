// What is kept of a measurement: one line of JSON for each point, system and metric.
import type { Machine, MachineOfGpu } from '../gpufs/bench/machine.ts';
import type { MediumName } from '../gpufs/media/media.ts';
import type { DeviceName } from '../gpufs/options.ts';
import type { Profile } from './experiment.ts';

/** Raised when a field changes its meaning; files of another format are refused by name. */
export const RESULT_FORMAT = 1;

export interface Row {
  format: typeof RESULT_FORMAT;
  experiment: string;
  system: string;
  device: DeviceName;
  /** What the storage was like. */
  medium: MediumName;
  parameters: Record<string, number | string>;
  /** Published mistakes that the system was given. Missing where it had none. */
  flaws?: readonly string[];
  metric: string;
  unit: string;
  /** The median of the runs; null where there is none. */
  value: number | null;
  /** Of the median: where 95 of 100 bootstrap samples of the runs have theirs. */
  low: number | null;
  high: number | null;
  values: number[];
  verified: boolean;
  /** Why it is not. */
  failure?: string;
  profile: Profile;
  seed: number;
  options: Record<string, number | readonly number[]>;
  /** Of the run that the row belongs to: the same in all of its rows. */
  time: string;
  machine: Machine & { gpu?: MachineOfGpu };
  commit: string | undefined;
  note?: string;
}

/** As tables and figures name it: `bam`, or `bam+dirty_on_read`, which is another one. */
export function systemOf({ system, flaws = [] }: Pick<Row, 'system' | 'flaws'>): string {
  return [system, ...flaws].join('+');
}

/** `warps 8, bytes 512` */
export function pointOf(parameters: Row['parameters']): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
