// What the protocol needs of its scheduler: spin that a warp which has begun goes on (obe), replay nothing at all. With less spin is found to hang.
import { describe, expect, test } from 'vitest';
import { mutantScenarios } from '../../native/check/mutant_scenarios.ts';
import { nativePresence } from '../conformance/native_device.ts';
import { loadNativeBinding } from '../native_binding.ts';
import { progressModels } from '../native_check.ts';
import type { Scenario } from './campaign_scenario.ts';
import { explore, prepare } from './exploration.ts';
import { judgeOutcome } from './judge_outcome.ts';
import { checkProperty, PROPERTY_MS_MAX } from './property_for_tests.ts';
import { scenarioArbitrary } from './scenario_arbitrary.ts';
import { withScratchFolder } from './scratch_folder.ts';

const { missing } = nativePresence();
const RUNS_EACH = 6;

/** A barrier is a wait of the program, and asks for more than the protocol does. */
const withoutBarriers = scenarioArbitrary().filter(({ programs }) => !programs.some((program) => program.some(({ op }) => op === 'barrier')));
const faultless = withoutBarriers.map((scenario): Scenario => ({ ...scenario, faults: {} }));

function under(progress: (typeof progressModels)[number], wait: 'spin' | 'replay') {
  return faultless.map((scenario): Scenario => ({ ...scenario, config: { ...scenario.config, wait }, check: { ...scenario.check, progress } }));
}

async function findingsUnder(progress: (typeof progressModels)[number]): Promise<string> {
  return withScratchFolder(async (fresh) => {
    const prepared = prepare(loadNativeBinding().binding, mutantScenarios.rivals, { seed: 1, progress }, await fresh());
    const { finding } = await explore(prepared, judgeOutcome, { schedules: 2000 });
    return finding === undefined ? '' : `${finding.kind}: ${finding.message}`;
  });
}

describe.skipIf(missing !== undefined)(missing === undefined ? 'forward progress' : `SKIP ${missing}`, () => {
  test('of warps that have begun is enough for spin', { timeout: PROPERTY_MS_MAX }, async () => {
    await checkProperty({ scenarios: under('obe', 'spin') });
  });

  test('of warps is enough for spin where their lanes share a program counter, as those of Apple do', { timeout: PROPERTY_MS_MAX }, async () => {
    await checkProperty({ scenarios: under('lockstep', 'spin'), runs: RUNS_EACH });
  });

  // Which is why the metal device replays unless it is asked to spin, and why its waits are bounded then.
  test('between warps is what spin needs and an Apple GPU does not promise', async () => {
    expect(await findingsUnder('apple')).toMatch(/^livelock: /);
  });

  test('of the first warp alone is not: rivals for a page wait for each other', async () => {
    expect(await findingsUnder('hsa')).toMatch(/^livelock: .*the progress model lets the warps starve that could end this/);
    expect(await findingsUnder('obe')).toBe('');
  });

  test.each(progressModels)('of model %s is enough for replay', { timeout: PROPERTY_MS_MAX }, async (progress) => {
    await checkProperty({ scenarios: under(progress, 'replay'), runs: RUNS_EACH });
  });
});
