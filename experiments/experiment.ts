// What an experiment is to the command line: a name, options that are whole numbers, and a run that gives rows.
import type { MediumName } from '../gpufs/media/media.ts';
import type { MountOptions } from '../gpufs/options.ts';

export interface ExperimentOption {
  /** As on the command line, without the dashes: `file-mib`. */
  name: string;
  what: string;
  min: number;
  max: number;
  usual: number;
  /** With --tiny. */
  tiny: number;
}

export interface ExperimentContext {
  /** The value of each option by its name. */
  values: Readonly<Record<string, number>>;
  seed: number;
  device: NonNullable<MountOptions['device']>;
  /** What the storage is to be like. */
  medium: MediumName;
  /** Where result files go. */
  outputFolder: string;
  progress: (done: number, total: number) => void;
}

export interface ExperimentRow {
  name: string;
  unit: string;
  /** The median of the runs. */
  value: number;
  runs: number;
  min: number;
  max: number;
}

export interface ExperimentResult {
  rows: ExperimentRow[];
  /** Whether every byte was right, and if not, what was wrong. */
  verified: boolean;
  failure?: string;
  /** With a medium: how well it kept its times. */
  mediumNote?: string;
  resultFile: string;
}

export interface Experiment {
  name: string;
  summary: string;
  options: readonly ExperimentOption[];
  run(context: ExperimentContext): Promise<ExperimentResult>;
}
