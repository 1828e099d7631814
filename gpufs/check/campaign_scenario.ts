// A scenario: programs on files, and the mount that they run on. What check mode explores, and what is judged.
import type { Counters } from '../../cache/counters.ts';
import type { CheckOptions } from '../check_options.ts';
import type { MemoryName, NativeFaults } from '../native_check.ts';
import type { MountOptions } from '../options.ts';
import type { Operation, StepResult } from '../program.ts';

/** The options of its mount but for what every exploration chooses itself. */
export type ScenarioConfig = Omit<MountOptions, 'root' | 'device' | 'check' | 'workers' | 'daemon'>;

export interface ScenarioFile {
  path: string;
  bytes: Uint8Array;
}

export interface Scenario {
  /** What a person calls it. */
  name: string;
  programs: readonly (readonly Operation[])[];
  files: readonly ScenarioFile[];
  config: ScenarioConfig;
  faults: Partial<NativeFaults>;
  /** What a scenario is only good with, as a memory model or a number of lanes; it yields to the command line. */
  check?: Omit<CheckOptions, 'seed' | 'faults'>;
  /** Default: where warps write and others are there to see it. */
  orderMatters?: boolean;
  /** false: nothing is written back and synced at the end, so that what the programs themselves synced is all that is in the files for sure. */
  finish?: boolean;
  /** What its single warp counts, whatever the schedule. */
  counters?: Partial<Counters>;
}

/** What is left of a file; no bytes: it is gone. */
export interface LeftFile {
  path: string;
  bytes: Uint8Array | undefined;
}

/** When a step had ended, counted in executed steps. */
export interface StepEnd {
  warp: number;
  step: number;
  time: number;
}

/** One way in which a scenario ended. */
export interface DecodedOutcome {
  /** The first schedule that ended so, and how many did. */
  schedule: number;
  count: number;
  /** results[warp][step] */
  results: StepResult[][];
  /** Steps that were not reached have no result. */
  ended: boolean[][];
  /** So many first steps of each warp had ended before any schedule began. */
  preludes: number[];
  /** In the order in which the steps ended. */
  order: StepEnd[];
  /** What was in the files at the end; undefined where nothing could change them. */
  files: LeftFile[] | undefined;
  failures: { item: number; errno: number }[];
  /** Faults that happened and that a gpu can notice; undefined: nobody counted. */
  faults: number | undefined;
}

/** What an outcome is judged by, beside its scenario. */
export interface JudgedSetting {
  lineBytes: number;
  memory: MemoryName;
  /** Everything was written back and synced before anybody looked into the files. */
  finished: boolean;
}

/** What is wrong with an outcome that no property of the engine forbids. */
export interface Verdict {
  kind: 'wrong_result' | 'not_linearizable' | 'wrong_file';
  /** One line that names values. */
  message: string;
}

export interface ScenarioSource {
  /** A function of its arguments alone. */
  scenarioAt(seed: number, index: number): Scenario;
  /** Undefined: the outcome is right. */
  judge(scenario: Scenario, outcome: DecodedOutcome, setting: JudgedSetting): Verdict | undefined;
}
