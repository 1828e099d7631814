// A scenario in which something was found, made small: first the program, then its schedule. Bounded in time: somebody waits for the answer.
import type { CheckOptions } from '../check_options.ts';
import type { NativeBinding } from '../native_binding.ts';
import type { NativeFinding } from '../native_check.ts';
import { explore, type Judge, type KernelChoice, prepare, type Prepared } from './exploration.ts';
import type { Scenario } from './campaign_scenario.ts';
import { shrinkScenario } from './shrink_program.ts';

export interface Failure {
  prepared: Prepared;
  finding: NativeFinding;
}

export interface ShrinkSettings {
  binding: NativeBinding;
  judge: Judge;
  /** Gives the folder, emptied. */
  fresh: () => Promise<string>;
  /** What the failing scenario was explored with. */
  options: CheckOptions;
  kernels?: KernelChoice;
  /** For the program; its schedule then takes as long as it takes. */
  milliseconds: number;
  /** Milliseconds of a clock that only goes on. */
  now: () => number;
}

/** A smaller program has other schedules: how many are looked at, as a multiple of those that it took before. */
const MORE_SCHEDULES = 4;
const SCHEDULES_MIN = 200;
const SCHEDULES_MAX = 5000;
/** So many other schedules that fail are looked at, for a shorter one. */
const OTHERS_MAX = 16;
const OTHERS_MS = 2000;

/** What comes back shows the same kind of finding. Where nothing smaller does, it is the failure itself. */
export async function shrinkFailure({ prepared, finding }: Failure, settings: ShrinkSettings): Promise<Failure> {
  const { binding, judge, fresh, options, kernels, milliseconds, now } = settings;
  const { seed, ...chosen } = options;
  const end = now() + milliseconds;
  const schedules = Math.min(Math.max(SCHEDULES_MIN, (finding.schedule + 1) * MORE_SCHEDULES), SCHEDULES_MAX);
  const twice = finding.kind === 'nondeterminism';
  const prepareIn = async (scenario: Scenario): Promise<Prepared> => prepare(binding, scenario, seed === undefined ? {} : { seed }, await fresh(), kernels);
  let last: { prepared: Prepared; schedule: number } | undefined;
  // What was chosen for the scenario becomes a part of it, so that it can get simpler as well.
  const { laneCount = 1, memory = 'sc' } = prepared.config.check ?? {};
  const whole: Scenario = { ...prepared.scenario, check: { ...prepared.scenario.check, ...chosen, laneCount, memory } };
  await shrinkScenario(whole, async (candidate) => {
    const left = end - now();
    if (left <= 0) return false;
    const smaller = await prepareIn(candidate);
    const { finding: found } = await explore(smaller, judge, { schedules, milliseconds: left, twice }, false);
    if (found?.kind !== finding.kind) return false;
    last = { prepared: smaller, schedule: found.schedule };
    return true;
  });
  if (last === undefined) return { prepared, finding };
  // Only now its schedule is made small: each candidate has schedules of its own.
  await fresh();
  const { finding: small } = await explore(last.prepared, judge, { first: last.schedule, schedules: 1, twice }, true);
  if (small?.kind !== finding.kind) return { prepared, finding };
  return { prepared: last.prepared, finding: await shortestSchedule(last.prepared, small, settings, schedules) };
}

/** A schedule of which nothing can be left out need not be a short one: others may need less. */
async function shortestSchedule(prepared: Prepared, found: NativeFinding, { judge, now }: ShrinkSettings, schedules: number): Promise<NativeFinding> {
  const end = now() + OTHERS_MS;
  let shortest = found;
  let first = found.schedule + 1;
  for (let others = 0; others < OTHERS_MAX && shortest.decisions.length > 0 && now() < end; others++) {
    const { finding } = await explore(prepared, judge, { first, schedules, milliseconds: end - now() }, true);
    if (finding === undefined) break;
    if (finding.kind === found.kind && finding.decisions.length < shortest.decisions.length) shortest = finding;
    first = finding.schedule + 1;
  }
  return shortest;
}
