// What the judge is told: the scenario as far as it matters, and what was seen of one run of it.
import { faultNames } from '../check_options.ts';
import type { MemoryName, NativeFaults } from '../native_check.ts';
import type { Operation, StepResult } from '../program.ts';
import type { ScenarioFile, Verdict } from './campaign_scenario.ts';

export type FaultName = keyof NativeFaults;

export interface JudgedScenario {
  /** They pass checkPrograms. */
  programs: readonly (readonly Operation[])[];
  /** Every file that is there at the beginning. Each path names a file of its own. */
  files: readonly ScenarioFile[];
  lineBytes: number;
  memory: MemoryName;
  /** Chances; a fault without one was not injected. */
  faults: Partial<NativeFaults>;
}

export type ObservedStep = Omit<StepResult, 'nanoseconds'>;

/** Without `ended` all steps have ended; without `times` nobody knows in which order. */
export interface Observed {
  /** As decodeResults gives them: results[warp][step]. */
  results: readonly (readonly ObservedStep[])[];
  ended?: readonly (readonly boolean[])[];
  /** When each step ended, by one clock for all warps; of no meaning where it did not. */
  times?: readonly (readonly number[])[];
  /** So many first steps of each warp had ended before any other step began. */
  preludes?: readonly number[];
  /** What the host finds at the end; undefined: there is no such file. A path that is not in it, or no map at all: nobody looked. */
  files?: ReadonlyMap<string, Uint8Array | undefined>;
  /** How the final sync ended: 0 or -errno. Absent: there was none, or nobody knows. */
  finish?: number;
  /** How often each fault was injected. Absent: every fault with a chance may have been. */
  injected?: Partial<Record<FaultName, number>>;
}

/** What is wrong with an outcome, and whose result shows it. -1: the files at the end. */
export interface Judgement extends Verdict {
  warp: number;
  step: number;
}

/** The faults that may have happened in this run. */
export function activeFaults(faults: Partial<NativeFaults>, injected: Observed['injected']): ReadonlySet<FaultName> {
  return new Set(faultNames.filter((name) => ((injected === undefined ? faults[name] : injected[name]) ?? 0) > 0));
}
