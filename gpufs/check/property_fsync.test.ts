// After gfsync returned 0 the file on disk is what the reference has, though nothing else was ever written back or synced; and bytes that the
// gpu did not write are what they were.
import { describe, test } from 'vitest';
import { ReferenceMount } from '../../model/reference/reference_mount.ts';
import { nativePresence } from '../conformance/native_device.ts';
import { firstDifference } from '../conformance/fixture.ts';
import type { Operation, Program } from '../program.ts';
import type { Scenario } from './campaign_scenario.ts';
import { isDeterministic } from './determinism.ts';
import { findsAllPinned } from './judge.ts';
import { checkProperty, PROPERTY_MS_MAX, type Ran } from './property_for_tests.ts';
import { scenarioArbitrary } from './scenario_arbitrary.ts';
import { stepsOf } from './steps.ts';

const { missing } = nativePresence();

/** Every file that the program could have written, once more: what happened before it is then on disk. */
function synced(program: Program): Operation[] {
  const opens = program.filter(({ op }) => op === 'open').length;
  return [...program, ...Array.from({ length: opens }, (_, file): Operation => ({ op: 'fsync', file }))];
}

const unfinished = scenarioArbitrary().map((scenario): Scenario => ({ ...scenario, finish: false }));
const faultless = unfinished.map((scenario): Scenario => ({ ...scenario, faults: {} }));
const syncing = faultless.map((scenario): Scenario => {
  const programs = scenario.programs.map(synced);
  return { ...scenario, programs, orderMatters: !isDeterministic({ ...scenario, programs }) };
});

/** Each fsync of each warp comes last, so it covers what the warp wrote: all files end as the reference says. */
function asTheReference({ prepared: { scenario }, outcomes }: Ran): string | undefined {
  const reference = new ReferenceMount(Object.fromEntries(scenario.files.map(({ path, bytes }) => [path, bytes])));
  const wanted = reference.run(scenario.programs);
  // A file that is closed, or open for reading alone, is not synced by this.
  const all = wanted.every((steps, warp) => scenario.programs[warp]?.every(({ op }, step) => op !== 'fsync' || steps[step]?.result === 0) === true);
  if (!all) return undefined;
  const warps = stepsOf(scenario.programs);
  // Where a map found no line the program went on without it: that the judge looks at.
  for (const { files } of outcomes.filter((outcome) => !findsAllPinned(warps, outcome))) {
    for (const { path, bytes } of files ?? []) {
      if (bytes === undefined || !reference.files.has(path)) return bytes === undefined && !reference.files.has(path) ? undefined : `${path} is ${bytes === undefined ? 'gone' : 'there'}`;
      const difference = firstDifference(bytes, reference.bytes(path));
      if (difference !== undefined) return `${path} after all had synced: ${difference}`;
    }
  }
  return undefined;
}

describe.skipIf(missing !== undefined)(missing === undefined ? 'after gfsync' : `SKIP ${missing}`, () => {
  test('the file has what the reference has where the programs are deterministic', { timeout: PROPERTY_MS_MAX }, async () => {
    await checkProperty({ scenarios: syncing.filter(isDeterministic), also: asTheReference });
  });

  test('the file has what was written before, whoever wrote it', { timeout: PROPERTY_MS_MAX }, async () => {
    await checkProperty({ scenarios: syncing });
  });

  test('nothing that the gpu did not write has changed, synced or not, with faults or without', { timeout: PROPERTY_MS_MAX }, async () => {
    await checkProperty({ scenarios: unfinished });
  });
});
