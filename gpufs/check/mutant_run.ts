// The net, tested: each mutant is one small wrong change to the protocol, and must be found.
import { WarpfsError } from '../errors.ts';
import type { NativeBinding } from '../native_binding.ts';
import { mixSeed } from './campaign.ts';
import type { Scenario } from './campaign_scenario.ts';
import { checkCounters } from './counter_check.ts';
import { explore, type Judge, prepare } from './exploration.ts';
import { withScratchFolder } from './scratch_folder.ts';

export interface Mutant {
  name: string;
  /** What is wrong, in one line. */
  summary: string;
  /** Switches it on in the module that holds all of them. */
  number: number;
  /** In which it may show; at least one. */
  scenarios: readonly Scenario[];
}

/** Compiles the kernels with all mutants. */
export type BuildMutants = () => Promise<{ module: string }>;

export interface MutantResult {
  name: string;
  summary: string;
  killed: boolean;
  /** The kind of the finding; '' where it survived. */
  killedBy: string;
  message: string;
  /** Until it was found, or until the budget was used up. */
  schedules: number;
  milliseconds: number;
}

/** What was found in the protocol as it is: a mutant that is killed in such a scenario may have been killed by that. */
export interface ScenarioFailure {
  scenario: string;
  kind: string;
  message: string;
  schedules: number;
}

export interface MutantRun {
  /** Empty where the net catches nothing but mutants. */
  control: ScenarioFailure[];
  mutants: MutantResult[];
}

export interface MutantSettings {
  seed: number;
  /** For one mutant. */
  schedules: number;
  judge: Judge;
  build: BuildMutants;
  progress: (done: number, total: number) => void;
}

export const MUTANT_SCHEDULES = 20_000;
/** Of one scenario before it is the turn of the next: the one that shows the mutant may be the last. */
const TURN_SCHEDULES = 250;

export async function runMutants(binding: NativeBinding, mutants: readonly Mutant[], settings: MutantSettings): Promise<MutantRun> {
  if (mutants.length === 0) return { control: [], mutants: [] };
  const { module } = await settings.build();
  return withScratchFolder(async (fresh) => {
    const hunt: Hunt = { binding, module, settings, fresh };
    const scenarios = [...new Map(mutants.flatMap((mutant) => mutant.scenarios).map((scenario) => [scenario.name, scenario])).values()];
    const total = scenarios.length + mutants.length;
    const control: ScenarioFailure[] = [];
    for (const [index, scenario] of scenarios.entries()) {
      settings.progress(index, total);
      const found = await huntIn(hunt, 0, [scenario], Math.min(TURN_SCHEDULES, settings.schedules));
      if (found.kind !== '') control.push({ scenario: scenario.name, ...found });
    }
    const results: MutantResult[] = [];
    for (const [index, mutant] of mutants.entries()) {
      settings.progress(scenarios.length + index, total);
      const start = performance.now();
      const { kind, message, schedules } = await huntIn(hunt, mutant.number, mutant.scenarios, settings.schedules);
      const { name, summary } = mutant;
      results.push({ name, summary, killed: kind !== '', killedBy: kind, message, schedules, milliseconds: performance.now() - start });
    }
    return { control, mutants: results };
  });
}

interface Hunt {
  binding: NativeBinding;
  module: string;
  settings: MutantSettings;
  fresh: () => Promise<string>;
}

interface Found {
  /** '' where nothing was found. */
  kind: string;
  message: string;
  /** Until then. */
  schedules: number;
}

async function huntIn({ binding, module, settings, fresh }: Hunt, mutant: number, scenarios: readonly Scenario[], schedules: number): Promise<Found> {
  let used = 0;
  for (let first = 0; used < schedules && scenarios.length > 0; first += TURN_SCHEDULES) {
    for (const [index, scenario] of scenarios.entries()) {
      if (used >= schedules) break;
      const options = { scheduler: scenario.check?.scheduler ?? 'portfolio', seed: mixSeed(settings.seed, index) };
      const prepared = prepare(binding, scenario, options, await fresh(), { module, mutant });
      const counted = first === 0 ? await checkCounters(binding, prepared) : undefined;
      if (counted !== undefined) return { kind: counted.kind, message: counted.message, schedules: used + 1 };
      const { exploration, finding } = await explore(prepared, settings.judge, { schedules: Math.min(TURN_SCHEDULES, schedules - used), first }, false);
      if (exploration.schedules === 0) throw new WarpfsError('EIO', `mutant ${mutant}: the addon ran no schedule of ${scenario.name}`);
      // Outcomes are judged when all schedules of the turn have run, so it is not the last that showed it.
      if (finding !== undefined) return { kind: finding.kind, message: finding.message, schedules: used + Math.max(1, finding.schedule - first + 1) };
      used += exploration.schedules;
    }
  }
  return { kind: '', message: '', schedules: used };
}
