// One scenario made ready for the addon, and the judgement of what comes back.
import type { CheckOptions } from '../check_options.ts';
import { fromNative } from '../errors.ts';
import type { NativeBinding, NativeMountConfig } from '../native_binding.ts';
import type { NativeExploration, NativeExploreLimits, NativeFinding, NativeOutcome } from '../native_check.ts';
import { nativeConfig } from '../native_config.ts';
import { resolveOptions } from '../options.ts';
import { decodeOutcome, type EncodedScenario, encodeScenario } from './encode_scenario.ts';
import type { Scenario, ScenarioSource, Verdict } from './campaign_scenario.ts';
import { shrinkDecisions } from './shrink_decisions.ts';
import { withoutFolders } from './symbolize.ts';

export type Judge = ScenarioSource['judge'];

/** Which built-in kernels are explored: those of the addon, or other ones. */
export interface KernelChoice {
  module: string;
  mutant: number;
}

export interface Prepared {
  scenario: Scenario;
  encoded: EncodedScenario;
  config: NativeMountConfig;
  run(limits: Partial<NativeExploreLimits>): Promise<NativeExploration>;
}

export const OUTCOMES_MAX = 1000;

/** What the addon takes; 24 days. */
const MILLISECONDS_MAX = 2 ** 31 - 1;

/** One schedule. */
export const usualLimits: NativeExploreLimits = {
  schedules: 1, milliseconds: MILLISECONDS_MAX, first: 0, twice: false, trace: false, shrink: false, outcomesMax: OUTCOMES_MAX,
};

/** `root`: an empty folder, which belongs to the scenario. `options` go before what the scenario says. */
export function prepare(binding: NativeBinding, scenario: Scenario, options: CheckOptions, root: string, kernels?: KernelChoice): Prepared {
  const check = { ...scenario.check, ...options, faults: scenario.faults };
  const config = nativeConfig(resolveOptions({ ...scenario.config, root, device: 'cpu', check }), 1);
  if (kernels !== undefined && config.check !== undefined) Object.assign(config.check, kernels);
  return prepareWith(binding, scenario, config);
}

export function prepareWith(binding: NativeBinding, scenario: Scenario, config: NativeMountConfig): Prepared {
  const encoded = encodeScenario(scenario);
  return {
    scenario,
    encoded,
    config,
    async run(limits) {
      try {
        const milliseconds = Math.min(Math.max(1, Math.ceil(limits.milliseconds ?? MILLISECONDS_MAX)), MILLISECONDS_MAX);
        return tidied(await binding.explore(config, encoded.native, { ...usualLimits, ...limits, milliseconds }));
      } catch (error) {
        throw fromNative(`check ${scenario.name}`, error);
      }
    },
  };
}

/** The addon names shaders by where they were compiled. */
export function tidied(exploration: NativeExploration): NativeExploration {
  const { finding, trace } = exploration;
  return {
    ...exploration,
    ...(finding === undefined ? {} : { finding: { ...finding, message: withoutFolders(finding.message) } }),
    ...(trace === undefined ? {} : { trace: trace.map((event) => ({ ...event, detail: withoutFolders(event.detail) })) }),
  };
}

export interface Explored {
  exploration: NativeExploration;
  /** Of the engine, or of the judge. */
  finding: NativeFinding | undefined;
}

/** Explores, then judges each way in which a schedule ended. A schedule that is replayed is not made smaller. */
export async function explore(prepared: Prepared, judge: Judge, limits: Partial<NativeExploreLimits>, shrinks = limits.decisions === undefined): Promise<Explored> {
  const exploration = await prepared.run({ ...limits, shrink: shrinks });
  if (exploration.finding !== undefined) return { exploration, finding: exploration.finding };
  for (const outcome of exploration.outcomes) {
    const verdict = judged(prepared, judge, outcome);
    if (verdict === undefined) continue;
    return { exploration, finding: shrinks ? await shrunkFinding(prepared, judge, outcome, verdict) : findingOf(outcome, verdict, exploration.traceHash) };
  }
  return { exploration, finding: undefined };
}

function judged({ scenario, encoded, config }: Prepared, judge: Judge, outcome: NativeOutcome): Verdict | undefined {
  const isFaulty = outcome.faults === undefined ? Object.values(scenario.faults).some((chance) => chance > 0) : outcome.faults > 0;
  // Where something was broken on purpose the sync at the end may have failed, and nobody says whether it did.
  const setting = { lineBytes: config.lineBytes, memory: config.check?.memory ?? 'sc', finished: encoded.native.finish && !isFaulty };
  return judge(scenario, decodeOutcome(encoded, outcome), setting);
}

/** The engine makes schedules of its own findings small; it does not know those of the judge. */
async function shrunkFinding(prepared: Prepared, judge: Judge, seen: NativeOutcome, verdict: Verdict): Promise<NativeFinding> {
  const outcome = await withDecisions(prepared, seen);
  let last = findingOf(outcome, { ...verdict, message: `${verdict.message} (its schedule, replayed, does not show it again)` }, '');
  const decisions = await shrinkDecisions(outcome.decisions, async (candidate) => {
    const replayed = await prepared.run({ decisions: candidate });
    const [only] = replayed.outcomes;
    const again = replayed.finding !== undefined || only === undefined ? undefined : judged(prepared, judge, only);
    if (again?.kind !== verdict.kind) return false;
    last = { ...findingOf(outcome, again, replayed.traceHash), decisions: candidate };
    return true;
  });
  return { ...last, decisions };
}

/** Where many schedules are run nobody writes down what was decided in each. */
async function withDecisions(prepared: Prepared, outcome: NativeOutcome): Promise<NativeOutcome> {
  if (outcome.decisions.length > 0) return outcome;
  const { outcomes } = await prepared.run({ first: outcome.schedule });
  return { ...outcome, decisions: outcomes[0]?.decisions ?? outcome.decisions };
}

function findingOf({ schedule, decisions }: NativeOutcome, { kind, message }: Verdict, traceHash: string): NativeFinding {
  return { kind, message, schedule, actors: [], decisions, traceHash };
}
