// What an experiment is: a question, predictions with numbers, options, and the points that it measures. One folder with a `run.ts` for each.
import type { MediumName } from '../gpufs/media/media.ts';
import type { DeviceName } from '../gpufs/options.ts';
import type { Job, PreparedSystem } from './system.ts';

export type Profile = 'tiny' | 'usual' | 'full';

/** Whole numbers. Several values, in an experiment that says `sweep`, are several points. */
export interface ExperimentOption {
  /** As on the command line, without the dashes: `file-mib`. */
  name: string;
  what: string;
  min: number;
  max: number;
  powerOfTwo?: true;
  usual: number | readonly number[];
  /** With --tiny: only to see that it works. */
  tiny: number | readonly number[];
  /** With --full: for figures. Default: as usual. */
  full?: number | readonly number[];
  /** On a GPU, which has many more warps, instead of `usual` and `full`. */
  gpu?: { usual?: number | readonly number[]; full?: number | readonly number[] };
  sweep?: true;
}

export interface Values {
  one(name: string): number;
  all(name: string): readonly number[];
}

/** What one run of one system gave: a number for each metric. */
export interface Measured {
  values: Record<string, number>;
  /** Why the answer is wrong, where the CPU finds another one. */
  failure?: string | undefined;
}

/** The work of one run: the same for every system. */
export interface Task {
  measure(system: PreparedSystem, job: Job): Promise<Measured>;
}

export interface Point {
  parameters: Record<string, number | string>;
  /** Threads of the host: one on the cpu device, which has need of the cores itself, some on a GPU. */
  job: Omit<Job, 'device' | 'medium' | 'root' | 'file' | 'threads'> & Partial<Pick<Job, 'threads'>>;
  /** The systems that it is about. Default: all that can do it. */
  systems?: readonly string[];
  /** Why it is left out on this machine. */
  cannot?: string | undefined;
  /** And on another device than this one. */
  onlyOn?: { device: DeviceName; because: string };
  /** Makes the file, where it is not one of words of the seed. */
  makeFile?: (path: string) => Promise<void>;
  /** Called once for each run, in their order; run 0 is not counted. */
  task(run: number): Task;
}

/** A value of the rows that were measured; undefined where they are not all there. */
export interface Finder {
  (metric: string, system: string, parameters?: Record<string, number | string>): number | undefined;
  /** That have rows. */
  systems: readonly string[];
}

export interface Prediction {
  what: string;
  unit: string;
  atLeast?: number;
  atMost?: number;
  because: string;
  /** What it is about. Default: the cpu device. */
  device?: DeviceName;
  /** Where it is about one alone. */
  medium?: MediumName;
  measured(find: Finder): number | undefined;
}

export interface PaperNumber {
  system: string;
  what: string;
  value: number;
  unit: string;
  /** Hardware and settings. */
  on: string;
  source: string;
  /** What this cache gives here, in the same unit. */
  ours?: (find: Finder) => number | undefined;
  /** What the same design gives here, as a baseline. */
  design?: (find: Finder) => number | undefined;
}

export interface Axis {
  title: string;
  log?: true;
  /** Its values are names. */
  names?: true;
}

/** One line for each system. */
export interface Figure {
  title: string;
  metric: string;
  /** A parameter. */
  x: Axis & { parameter: string };
  y: Axis;
  /** The points that it shows; default: all. */
  where?: Record<string, number | string>;
  /** Values of x that papers name. */
  marks?: readonly { x: number; label: string }[];
}

export interface Experiment {
  name: string;
  title: string;
  question: string;
  /** Metric to unit, in the order of the table. */
  metrics: Readonly<Record<string, string>>;
  options: readonly ExperimentOption[];
  predictions: readonly Prediction[];
  papers: readonly PaperNumber[];
  figures: readonly Figure[];
  /** Throws where the values do not go together. */
  points(values: Values, seed: number, device: DeviceName): Point[];
}
