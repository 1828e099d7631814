// Concurrent reads and writes of the same bytes: every byte and every size that anybody saw is explained by one order of the calls. The judge
// searches for that order; that it finds what has none is shown in linearizable.test.ts and judge.test.ts.
import { describe, test } from 'vitest';
import { nativePresence } from '../conformance/native_device.ts';
import type { Scenario } from './campaign_scenario.ts';
import { isDeterministic } from './determinism.ts';
import { checkProperty, PROPERTY_MS_MAX } from './property_for_tests.ts';
import { scenarioArbitrary } from './scenario_arbitrary.ts';

const { missing } = nativePresence();

const writing = new Set(['write', 'write_async']);

/** A warp writes, and another one is there to see it. */
function competes({ programs, faults }: Scenario): boolean {
  if (Object.keys(faults).length > 0) return false;
  const files = (program: Scenario['programs'][number]) => program.flatMap((step) => (step.op === 'open' ? [step.path] : []));
  return programs.some((program, warp) => program.some(({ op }) => writing.has(op)) && programs.some((other, at) => at !== warp && files(other).some((path) => files(program).includes(path))));
}

const competing = scenarioArbitrary().filter((scenario) => competes(scenario) && !isDeterministic(scenario));

describe.skipIf(missing !== undefined)(missing === undefined ? 'concurrent reads and writes' : `SKIP ${missing}`, () => {
  test.each(['sc', 'relaxed'] as const)('are linearizable under memory %s', { timeout: PROPERTY_MS_MAX }, async (memory) => {
    await checkProperty({ scenarios: competing.map((scenario) => ({ ...scenario, check: { ...scenario.check, memory } })) });
  });

  test.each(['pct', 'pos', 'random'] as const)('are linearizable under schedules of %s', { timeout: PROPERTY_MS_MAX }, async (scheduler) => {
    await checkProperty({ scenarios: competing.map((scenario) => ({ ...scenario, check: { ...scenario.check, scheduler } })) });
  });
});
