// The net, shown to catch: each kind of finding is reported for a protocol in which just that is wrong, with what a person needs to see why.
import { beforeAll, describe, expect, test } from 'vitest';
import { nativePresence } from '../conformance/native_device.ts';
import { loadNativeBinding } from '../native_binding.ts';
import { DECISION_WORDS } from '../native_check.ts';
import { explore, prepare } from './exploration.ts';
import { judgeOutcome } from './judge_outcome.ts';
import { buildMutantModule } from './mutant_module.ts';
import { planted, plantedNumber, plantedSources } from './planted_for_tests.ts';
import { searchCounterexample } from './property_for_tests.ts';
import { makeReport } from './report.ts';
import { scenarioArbitrary } from './scenario_arbitrary.ts';
import { withScratchFolder } from './scratch_folder.ts';

const { missing } = nativePresence();
const SCHEDULES = 3000;

describe.skipIf(missing !== undefined)(missing === undefined ? 'a protocol that is wrong' : `SKIP ${missing}`, () => {
  let module: string;
  beforeAll(async () => {
    ({ module } = await buildMutantModule(plantedSources));
  }, 120_000);

  test.each(planted)('$mutant is found as $kind', async ({ mutant, scenario, kind, message, actors }) => {
    await withScratchFolder(async (fresh) => {
      const right = prepare(loadNativeBinding().binding, scenario, { seed: 1 }, await fresh(), { module, mutant: 0 });
      expect((await explore(right, judgeOutcome, { schedules: 100 })).finding?.message).toBeUndefined();
      const wrong = prepare(loadNativeBinding().binding, scenario, { seed: 1 }, await fresh(), { module, mutant: plantedNumber(mutant) });
      const { finding, exploration } = await explore(wrong, judgeOutcome, { schedules: SCHEDULES });
      if (finding === undefined) throw new Error(`nothing was found in ${exploration.schedules} schedules`);
      expect(finding.message).toMatch(message);
      expect(finding).toMatchObject({ kind, traceHash: expect.stringMatching(/^[0-9a-f]{16}$/) as string });
      const report = (await makeReport(finding, { seed: 1, again: 'so' })).split('\n');
      expect(report.slice(1, -2).map((line) => line.trim()), report.join('\n')).toEqual(actors.map((actor) => expect.stringMatching(actor) as string));
      expect(report.at(-2)).toMatch(/^ {2}seed 1, schedule \d+: \d+ switch(es)?, trace [0-9a-f]{16}$/);
      // The schedule is data: it shows the same without the seed.
      const again = await explore(prepare(loadNativeBinding().binding, scenario, { seed: 2 }, await fresh(), { module, mutant: plantedNumber(mutant) }), judgeOutcome, { decisions: finding.decisions });
      expect(again.finding).toMatchObject({ kind, message: finding.message, traceHash: finding.traceHash });
    });
  });

  test('shrinks to the smallest program and the shortest schedule', { timeout: 60_000 }, async () => {
    const scenarios = scenarioArbitrary().map((scenario) => ({ ...scenario, faults: {}, config: { ...scenario.config, wait: 'spin' as const } }));
    const found = await searchCounterexample({ scenarios, kernels: { module, mutant: plantedNumber('modified-not-set') }, runs: 200, seed: 5 });
    if (found === undefined) throw new Error('nothing was found');
    const { scenario } = found.case;
    const steps = scenario.programs.flat().filter(({ op }) => op !== 'open');
    expect(steps.length).toBeLessThanOrEqual(2);
    expect(scenario.config).toMatchObject({ cache: { lines: 1 }, ring: { count: 1, slots: 1 } });
    expect(scenario.check).toMatchObject({ memory: 'sc', laneCount: 1 });
    // This one needs no switch: the usual schedule shows it.
    expect(found.finding.decisions.length / DECISION_WORDS).toBe(0);
  });
});
