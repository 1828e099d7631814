// The options of check mode: the cpu device with every access observed, and scheduled by a seed.
import { fields, group, oneOf, truth, whole } from './option_rules.ts';
import {
  memoryModels,
  type MemoryName,
  type NativeCheckConfig,
  type NativeFaults,
  PREEMPTIONS_UNBOUNDED,
  progressModels,
  type ProgressName,
  type SchedulerName,
  schedulers,
} from './native_check.ts';

export interface CheckOptions {
  /** The same seed gives the same schedules, on every machine. */
  seed?: number;
  /** Who chooses the next actor; 'portfolio' lets the seed choose among the random ones. */
  scheduler?: SchedulerName;
  /** Priority changes of 'pct'. */
  depth?: number;
  /** At most so many switches away from an actor that could go on; of 'exhaustive'. Default: no bound. */
  preemptions?: number;
  /** 'relaxed': a relaxed load may see any store that the C++20 model allows. */
  memory?: MemoryName;
  /** What the scheduler owes to the actors. */
  progress?: ProgressName;
  /** Lanes of a warp. Few lanes make few schedules. */
  laneCount?: number;
  /** The shaders and the way to the host as the cuda device has them, with windows and hints. Not for 'exhaustive'. */
  cuda?: boolean;
  /** Scheduling points of one schedule before it counts as a livelock. */
  stepLimit?: number;
  /** Chances for each operation of the host, in 1/1000. */
  faults?: Partial<NativeFaults>;
}

export interface ResolvedCheckOptions {
  seed: number;
  scheduler: SchedulerName;
  depth: number;
  preemptions: number;
  memory: MemoryName;
  progress: ProgressName;
  laneCount: number;
  cuda: boolean;
  stepLimit: number;
  faults: NativeFaults;
}

export const SEED_MAX = 2 ** 32 - 1;
export const DEPTH_MAX = 16;
export const LANES_MAX = 32;
const STEP_LIMIT_MAX = 2 ** 31 - 1;
const PER_MILLE = 1000;

const chance = () => whole(0, PER_MILLE).default(0);

export const faultNames = ['eio', 'enospc', 'eintr', 'shortIo', 'delay', 'die', 'revive', 'truncate', 'replace'] as const satisfies (keyof NativeFaults)[];

const shape = {
  seed: whole(0, SEED_MAX).default(1),
  scheduler: oneOf(...schedulers).default('portfolio'),
  depth: whole(1, DEPTH_MAX).default(3),
  preemptions: whole(0, PREEMPTIONS_UNBOUNDED).default(PREEMPTIONS_UNBOUNDED),
  memory: oneOf(...memoryModels).default('sc'),
  progress: oneOf(...progressModels).default('fair'),
  laneCount: whole(1, LANES_MAX).default(4),
  cuda: truth().default(false),
  stepLimit: whole(1, STEP_LIMIT_MAX).default(200_000),
  faults: group({
    eio: chance(), enospc: chance(), eintr: chance(), shortIo: chance(), delay: chance(), die: chance(), revive: chance(), truncate: chance(), replace: chance(),
  }),
};

export const checkSchema = fields(shape, 'is not true or an object of options');
export const checkNames: readonly string[] = Object.keys(shape);

export function nativeCheckConfig(options: ResolvedCheckOptions, other: { module: string; mutant: number } = { module: '', mutant: 0 }): NativeCheckConfig {
  return { ...options, faults: { ...options.faults }, ...other };
}
