// Random scenarios under many schedules each, until the budget is used up or something was wrong.
import type { CheckOptions } from '../check_options.ts';
import { WarpfsError } from '../errors.ts';
import type { NativeBinding } from '../native_binding.ts';
import { explore, type Judge, prepare, type Prepared } from './exploration.ts';
import type { Scenario, ScenarioSource } from './campaign_scenario.ts';
import { withScratchFolder } from './scratch_folder.ts';
import { type Failure, shrinkFailure } from './shrink_failure.ts';

export interface CampaignBudget {
  /** Infinity: only time counts. */
  schedules: number;
  milliseconds: number;
  /** Of one scenario. */
  schedulesEach: number;
}

export interface CampaignSettings extends CampaignBudget {
  seed: number;
  /** What the user asked for; what is absent the scenario says, or the default. */
  options: Omit<CheckOptions, 'seed' | 'faults'>;
  progress: (done: number, total: number) => void;
  /** Milliseconds of a clock that only goes on. */
  now?: () => number;
}

export interface CampaignCounts {
  scenarios: number;
  schedules: number;
  /** Schedules that ended as a program should; the others were given up because an equal one was seen. */
  complete: number;
  /** Distinct ways in which scenarios ended, summed up over them. */
  outcomes: number;
  /** Scenarios of which every schedule was seen (exhaustive). */
  finished: number;
  /** Scenarios with faults. */
  faulty: number;
  steps: number;
  /** Spent on schedules. */
  nanoseconds: number;
}

export interface CampaignResult {
  counts: CampaignCounts;
  found: CampaignFinding | undefined;
  /** The first scenario of the campaign, for those who want to look at one. */
  first: Prepared | undefined;
}

export interface CampaignFinding extends Failure {
  /** Which scenario of the seed it was, and under which of its schedules. What is reported is smaller. */
  index: number;
  schedule: number;
}

/** Every so many scenarios each schedule runs twice, to see that nothing but the seed decides. */
const TWICE_EVERY = 16;
/** And every so many run with what the cuda device has beside the others. */
const CUDA_EVERY = 3;
const EXHAUSTIVE_LANES = 2;
const SHRINK_MS = 20_000;

/** `use` is called while there is a folder, empty, for who wants to run a scenario once more. */
export async function runCampaign<Result>(
  binding: NativeBinding,
  source: ScenarioSource,
  settings: CampaignSettings,
  use: (result: CampaignResult) => Promise<Result>,
): Promise<Result> {
  return withScratchFolder(async (fresh) => {
    const result = await runIn(fresh, binding, source, settings);
    await fresh(); // it has one path for all scenarios, and still holds the files of the last
    return use(result);
  });
}

async function runIn(fresh: () => Promise<string>, binding: NativeBinding, source: ScenarioSource, settings: CampaignSettings): Promise<CampaignResult> {
  const { seed, options, progress, now = () => performance.now() } = settings;
  const counts: CampaignCounts = { scenarios: 0, schedules: 0, complete: 0, outcomes: 0, finished: 0, faulty: 0, steps: 0, nanoseconds: 0 };
  const start = now();
  let first: Prepared | undefined;
  for (let index = 0; ; index++) {
    const milliseconds = settings.milliseconds - (now() - start);
    const schedules = Math.min(settings.schedulesEach, settings.schedules - counts.schedules);
    if (schedules <= 0 || milliseconds <= 0) return { counts, found: undefined, first };
    const scenario = source.scenarioAt(seed, index);
    const chosen = { ...optionsFor(scenario, options, index), seed: mixSeed(seed, index) };
    const prepared = prepare(binding, scenario, chosen, await fresh());
    first ??= prepared;
    const limits = { schedules, milliseconds, twice: index % TWICE_EVERY === 0 };
    const judge: Judge = (...judged) => source.judge(...judged);
    const { exploration, finding } = await explore(prepared, judge, limits);
    // It had no time for one. Without a bound on time that is no reason, and a campaign that runs nothing would find nothing.
    if (exploration.schedules === 0 && Number.isFinite(milliseconds)) continue;
    if (exploration.schedules === 0) throw new WarpfsError('EIO', `check ${scenario.name}: the addon ran no schedule`);
    counts.scenarios++;
    counts.schedules += exploration.schedules;
    counts.complete += exploration.complete;
    counts.outcomes += exploration.outcomes.length;
    counts.finished += exploration.finished ? 1 : 0;
    counts.faulty += Object.values(scenario.faults).some((chance) => chance > 0) ? 1 : 0;
    counts.steps += exploration.steps;
    counts.nanoseconds += exploration.nanoseconds;
    if (finding !== undefined) {
      const small = await shrinkFailure({ prepared, finding }, { binding, judge, fresh, options: chosen, milliseconds: SHRINK_MS, now });
      return { counts, found: { ...small, index, schedule: finding.schedule }, first };
    }
    const byTime = (now() - start) / settings.milliseconds;
    if (Number.isFinite(settings.schedules)) progress(counts.schedules, settings.schedules);
    else progress(Math.min(1000, Math.round(byTime * 1000)), 1000);
  }
}

/** The exhaustive search knows one memory model, and gets to the end of small spaces alone. */
function optionsFor({ check }: Scenario, options: CampaignSettings['options'], index: number): CampaignSettings['options'] {
  const isExhaustive = (options.scheduler ?? check?.scheduler) === 'exhaustive';
  const memory = options.memory ?? (isExhaustive ? 'sc' : (check?.memory ?? (index % 2 === 0 ? 'sc' : 'relaxed')));
  const cuda = options.cuda ?? check?.cuda ?? (!isExhaustive && index % CUDA_EVERY === CUDA_EVERY - 1);
  if (!isExhaustive) return { ...options, memory, cuda };
  return { ...options, memory, cuda, laneCount: options.laneCount ?? Math.min(check?.laneCount ?? EXHAUSTIVE_LANES, EXHAUSTIVE_LANES) };
}

/** Another seed for each scenario, so that equal ones see different schedules (the finalizer of murmur3). */
export function mixSeed(seed: number, index: number): number {
  let mixed = (seed ^ Math.imul(index + 1, 0x9e3779b9)) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
