// What property tests share: a scenario and a schedule are one generated value, which is run on the addon, judged, and made small where
// something is wrong. WARPFS_CHECK_RUNS=2000 npx vitest run gpufs/check/property_ is a longer campaign.
import fc from 'fast-check';
import { loadNativeBinding } from '../native_binding.ts';
import { DECISION_WORDS, type NativeExploration, type NativeExploreLimits, type NativeFinding } from '../native_check.ts';
import type { DecodedOutcome, Scenario } from './campaign_scenario.ts';
import { decodeOutcome } from './encode_scenario.ts';
import { explore, type KernelChoice, prepare, type Prepared } from './exploration.ts';
import { judgeOutcome } from './judge_outcome.ts';
import { scenarioText } from './program_text.ts';
import { makeReport } from './report.ts';
import { attach, type Schedule } from './schedule.ts';
import { scheduleArbitrary } from './schedule_arbitrary.ts';
import { withScratchFolder } from './scratch_folder.ts';

const RUNS = Number(process.env['WARPFS_CHECK_RUNS'] ?? 25);
const SCHEDULES = 40;
const MS_PER_RUN_MAX = 4000;
export const PROPERTY_MS_MAX = 60_000 + RUNS * MS_PER_RUN_MAX;

/** In this order: a smaller program goes before a shorter schedule. */
export interface Case {
  scenario: Scenario;
  schedule: Schedule;
}

export interface Ran {
  prepared: Prepared;
  exploration: NativeExploration;
  /** Those of the exploration, decoded. */
  outcomes: DecodedOutcome[];
}

export interface PropertyOptions {
  scenarios: fc.Arbitrary<Scenario>;
  /** What else is right: says what is wrong, or nothing. */
  also?: (ran: Ran) => string | undefined;
  /** Changes what the addon is told. */
  extend?: (prepared: Prepared) => void;
  limits?: Partial<NativeExploreLimits>;
  kernels?: KernelChoice;
  runs?: number;
  /** Of what is drawn; absent: another one each time, which a failure names. */
  seed?: number;
}

/** What a case showed that nothing makes simpler. */
export interface Counterexample {
  case: Case;
  finding: NativeFinding;
}

/** Throws the report of the smallest program with the shortest schedule. */
export async function checkProperty(options: PropertyOptions): Promise<void> {
  const found = await searchCounterexample(options);
  if (found === undefined) return;
  const { finding, case: { scenario, schedule } } = found;
  const decisions = Array.from({ length: finding.decisions.length / DECISION_WORDS }, (_, at) => finding.decisions.subarray(at * DECISION_WORDS, (at + 1) * DECISION_WORDS).join(' '));
  const report = await makeReport(finding, { seed: schedule.seed, again: `these decisions: ${decisions.join(', ') || 'none'}` });
  throw new Error(`${report}\n${scenarioText(scenario)}`);
}

export async function searchCounterexample(options: PropertyOptions): Promise<Counterexample | undefined> {
  return withScratchFolder(async (fresh) => {
    const findings = new WeakMap<Case, NativeFinding>();
    const holds = async (drawn: Case): Promise<boolean> => {
      const finding = await runCase(drawn, await fresh(), options);
      if (finding !== undefined) findings.set(drawn, finding);
      return finding === undefined;
    };
    const { counterexample } = await fc.check(fc.asyncProperty(fc.record({ scenario: options.scenarios, schedule: scheduleArbitrary() }), holds), { numRuns: options.runs ?? RUNS, ...(options.seed === undefined ? {} : { seed: options.seed }) });
    const smallest = counterexample?.[0];
    const finding = smallest === undefined ? undefined : findings.get(smallest);
    return smallest === undefined || finding === undefined ? undefined : { case: smallest, finding };
  });
}

/**
 * Schedules that were drawn: a smaller program has others, so it is explored again from the seed. A schedule that was made shorter is itself and
 * no other.
 */
const seeded = new WeakSet<Schedule>();

async function runCase({ scenario, schedule }: Case, root: string, { also, extend, limits = {}, kernels }: PropertyOptions): Promise<NativeFinding | undefined> {
  if (schedule.decisions === undefined) seeded.add(schedule);
  const { decisions } = schedule;
  const prepared = prepare(loadNativeBinding().binding, scenario, { seed: schedule.seed }, root, kernels);
  extend?.(prepared);
  const schedules = seeded.has(schedule) || decisions === undefined ? { schedules: SCHEDULES } : { decisions };
  const { exploration, finding } = await explore(prepared, judgeOutcome, { ...limits, ...schedules });
  if (exploration.schedules === 0) throw new Error('the addon ran no schedule');
  const found = finding ?? alsoFinding({ prepared, exploration, outcomes: exploration.outcomes.map((outcome) => decodeOutcome(prepared.encoded, outcome)) }, also);
  if (found !== undefined && seeded.has(schedule)) attach(schedule, found.decisions);
  return found;
}

function alsoFinding(ran: Ran, also: PropertyOptions['also']): NativeFinding | undefined {
  const message = also?.(ran);
  if (message === undefined) return undefined;
  return { kind: 'wrong_result', message, schedule: 0, actors: [], decisions: new Uint32Array(0), traceHash: '' };
}
