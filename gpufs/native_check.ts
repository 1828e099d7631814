// The part of the boundary to the addon that is about check mode: what it is told and what it answers, word for word.
import type { NativeDispatch } from './native_binding.ts';

export const schedulers = ['random', 'pct', 'pos', 'portfolio', 'exhaustive'] as const;
export type SchedulerName = (typeof schedulers)[number];

export const memoryModels = ['sc', 'relaxed'] as const;
export type MemoryName = (typeof memoryModels)[number];

/** What the scheduler owes to the actors: the models of Sorensen et al., and lanes that share one program counter. */
export const progressModels = [
  'fair', 'obe', 'hsa', 'hsa_obe', 'lobe', 'weak_fair', 'obe_strong', 'hsa_strong', 'hsa_obe_strong', 'lobe_strong', 'strong_fair', 'lockstep', 'apple',
] as const;
export type ProgressName = (typeof progressModels)[number];

export const PREEMPTIONS_UNBOUNDED = 0xffffffff;

export interface NativeCheckConfig {
  /** Lanes of a warp, 1 to 32. */
  laneCount: number;
  scheduler: SchedulerName;
  /** Of pct. */
  depth: number;
  /** Bound of exhaustive; PREEMPTIONS_UNBOUNDED: none. */
  preemptions: number;
  memory: MemoryName;
  progress: ProgressName;
  seed: number;
  /** With what the cuda device has beside the others. */
  cuda: boolean;
  /** Scheduling points of one schedule before it counts as a livelock. */
  stepLimit: number;
  faults: NativeFaults;
  /** Absolute path of a module with other built-in kernels; '': the ones of the addon. */
  module: string;
  /** Which of the mutants in that module is switched on; 0: none. */
  mutant: number;
}

/** Chances for each operation of the host, in 1/1000. */
export interface NativeFaults {
  eio: number;
  enospc: number;
  eintr: number;
  shortIo: number;
  delay: number;
  die: number;
  revive: number;
  truncate: number;
  replace: number;
}

/** The words of one decision: actor, its scheduling point, kind, value. */
export const DECISION_WORDS = 4;
/** The kind of a decision that switches to another actor. */
export const DECISION_SWITCH = 0;

export interface NativeFindingActor {
  actor: number;
  /** -1: the host. */
  warp: number;
  lane: number;
  step: number;
  /** As 'path+0xoffset', the innermost first. */
  pcs: string[];
}

/** Something wrong that one schedule showed. */
export interface NativeFinding {
  kind: string;
  /** One line that names values. */
  message: string;
  /** Which schedule of the exploration. */
  schedule: number;
  actors: NativeFindingActor[];
  /** The schedule as data: DECISION_WORDS words for each decision. */
  decisions: Uint32Array;
  /** 16 hex digits. */
  traceHash: string;
}

export interface NativeScenarioDispatch extends NativeDispatch {
  /** false: it runs under the default schedule. */
  explored: boolean;
}

export interface NativeScenario {
  /** What the files of the root hold before each schedule. */
  files: { path: string; bytes: Uint8Array }[];
  /** One after another; a buffer object that appears twice is one buffer. */
  dispatches: NativeScenarioDispatch[];
  /** Nothing in it changes files or the file table: the state of the host survives between schedules. */
  keepHost: boolean;
  /** The order in which steps ended belongs to an outcome. */
  orderMatters: boolean;
  /** Everything is written back and synced at the end; then files are part of the outcome. */
  finish: boolean;
  /** Files are part of the outcome as they lie there at the end, whether anything was finished or not. */
  filesMatter: boolean;
}

export interface NativeExploreLimits {
  schedules: number;
  milliseconds: number;
  /** Index of the first schedule. */
  first: number;
  /** Each schedule runs twice, and the trace hashes are compared. */
  twice: boolean;
  /** Exactly this schedule is replayed; `schedules` is 1. */
  decisions?: Uint32Array;
  /** Events are recorded; only sensible with one schedule. */
  trace: boolean;
  /** The schedule of a finding is made 1-minimal. */
  shrink: boolean;
  outcomesMax: number;
}

export interface NativeOutcome {
  /** The first schedule that had it, and how many had it. */
  schedule: number;
  count: number;
  /** buffers[dispatch][buffer] at the end. */
  buffers: Uint8Array[][];
  /** Triples of warp, step and time, in the order in which the steps ended. */
  order: Uint32Array;
  /** In the order of the scenario's files; nothing for one that is gone. */
  files: (Uint8Array | undefined)[];
  failures: { item: number; errno: number }[];
  /** How many faults happened that a gpu can notice; absent: nobody counted. */
  faults?: number;
  /** Empty where many schedules were run: those of `schedule` are known once it is run alone. */
  decisions: Uint32Array;
}

export interface NativeTraceEvent {
  time: number;
  actor: number;
  name: string;
  detail: string;
  value: number;
}

export interface NativeExploration {
  schedules: number;
  complete: number;
  blocked: number;
  /** The whole space was seen (exhaustive). */
  /** States that were told apart; 0 where the search does not look at states. */
  states?: number;
  finished: boolean;
  steps: number;
  nanoseconds: number;
  finding?: NativeFinding;
  outcomes: NativeOutcome[];
  trace?: NativeTraceEvent[];
  traceHash: string;
}
