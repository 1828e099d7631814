// What `warpfs check` works with: the addon, the random scenarios with their judge, and the mutants.
import type { ScenarioSource } from '../check/campaign_scenario.ts';
import { mutantScenarios } from '../../native/check/mutant_scenarios.ts';
import { mutantNumber, mutants } from '../../native/check/mutants.ts';
import { writeMutatedShaders } from '../../native/check/mutate.ts';
import { judgeOutcome } from '../check/judge_outcome.ts';
import { buildMutantModule } from '../check/mutant_module.ts';
import type { Mutant } from '../check/mutant_run.ts';
import { randomScenario } from '../check/random_scenario.ts';
import { loadNativeBinding } from '../native_binding.ts';
import type { CheckTools } from './check.ts';

export const scenarioSource: ScenarioSource = { scenarioAt: randomScenario, judge: judgeOutcome };

export const checkTools: CheckTools = {
  binding: () => loadNativeBinding().binding,
  source: scenarioSource,
  mutants: () =>
    mutants.map(({ name, note, scenario }): Mutant => ({ name, summary: note, number: mutantNumber(name), scenarios: [mutantScenarios[scenario]] })),
  buildMutants: () => buildMutantModule({ write: writeMutatedShaders }),
};
