// Faults, each kind alone and several together: an error ends the steps that it hit and no other, and poisons nothing.
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { firstDifference } from '../conformance/fixture.ts';
import { nativePresence } from '../conformance/native_device.ts';
import { open, read } from '../conformance/operations.ts';
import { faultNames } from '../check_options.ts';
import { describeErrno } from '../errors.ts';
import type { NativeOutcome } from '../native_check.ts';
import type { Scenario } from './campaign_scenario.ts';
import { checkProperty, PROPERTY_MS_MAX, type Ran } from './property_for_tests.ts';
import { scenarioArbitrary } from './scenario_arbitrary.ts';
import { LINE_BYTES } from './scenario_plan.ts';
import { addEpilogue, type EpilogueLook, epilogueOf } from './epilogue_for_tests.ts';
import { writtenBytes } from './written_bytes.ts';

const { missing } = nativePresence();

const chances = fc.constantFrom(50, 200, 500);

function withFaults(names: fc.Arbitrary<readonly (typeof faultNames)[number][]>): fc.Arbitrary<Scenario> {
  return fc.tuple(scenarioArbitrary(), names, chances).map(([scenario, drawn, chance]): Scenario => ({ ...scenario, faults: Object.fromEntries(drawn.map((name) => [name, chance])) }));
}

/** What the host itself deals with, or tells the warp that asked. */
const transient = ['eio', 'enospc', 'eintr', 'shortIo', 'delay'] as const;
const silent = ['eintr', 'shortIo', 'delay'] as const;

/** Every warp reads lines of a file of its own, each once, one line at a time: each error is the error of one read. */
const apart = fc.record({ warps: fc.integer({ min: 1, max: 3 }), reads: fc.integer({ min: 1, max: 4 }), chance: chances, more: fc.subarray([...silent]) }).map(({ warps, reads, chance, more }): Scenario => {
  const files = Array.from({ length: warps }, (_, warp) => ({ path: `own${warp}`, bytes: writtenBytes({ warp: -1, step: warp }, 0, reads * LINE_BYTES) }));
  return {
    name: 'apart', files,
    programs: files.map(({ path }) => [open(path), ...Array.from({ length: reads }, (_, line) => read(line * LINE_BYTES, LINE_BYTES))]),
    config: { cache: { lines: 32, lineBytes: LINE_BYTES }, residentWarps: warps, ring: { count: 1, slots: 4 }, maxOpenFiles: 4 },
    faults: Object.fromEntries([['eio', chance], ...more.map((name) => [name, chance])]),
    check: { laneCount: 2 },
  };
});

function eachErrorOnce({ outcomes }: Ran): string | undefined {
  for (const { results, faults } of outcomes) {
    const failed = results.flat().filter(({ result }) => result < 0).length;
    if (failed !== faults) return `${failed} reads failed, but ${faults} errors were injected`;
  }
  return undefined;
}

function noneFails({ outcomes }: Ran): string | undefined {
  return outcomes.some(({ faults }) => faults !== 0) ? 'a fault that nobody is to notice counts as one' : undefined;
}

/** After the last fault every byte that is read is the byte that is in the file once all is synced. */
function readsTheFile({ prepared, exploration, outcomes }: Ran): string | undefined {
  for (const [at, { files }] of outcomes.entries()) {
    const seen = epilogueOf(prepared, exploration.outcomes[at] as NativeOutcome);
    for (const [file, { path, bytes }] of (files ?? []).entries()) {
      if (bytes === undefined) continue; // it has lost its name
      const { opened, synced, size, read: result, data } = seen[file] as EpilogueLook;
      if (opened < 0) return `a clean open of ${path}: ${describeErrno(opened)}`;
      if (synced < 0) return `a clean sync of ${path}: ${describeErrno(synced)}`;
      if (result < 0) return `a clean read of ${path}: ${describeErrno(result)}`;
      if (size !== bytes.length) return `a clean stat of ${path}: size ${size}, but it has ${bytes.length} bytes`;
      const difference = firstDifference(data, bytes);
      if (difference !== undefined) return `a clean read of ${path}: ${difference}`;
    }
  }
  return undefined;
}

describe.skipIf(missing !== undefined)(missing === undefined ? 'faults' : `SKIP ${missing}`, () => {
  test.each(faultNames)('of kind %s alone hit those that they hit, and are explained', { timeout: PROPERTY_MS_MAX }, async (name) => {
    await checkProperty({ scenarios: withFaults(fc.constant(name === 'revive' ? ['die', 'revive'] : [name])) });
  });

  test('of several kinds hit those that they hit, and are explained', { timeout: PROPERTY_MS_MAX }, async () => {
    await checkProperty({ scenarios: withFaults(fc.subarray([...faultNames], { minLength: 2 })) });
  });

  test('that the host deals with are noticed by nobody', { timeout: PROPERTY_MS_MAX }, async () => {
    await checkProperty({ scenarios: withFaults(fc.subarray([...silent], { minLength: 1 })), also: noneFails });
  });

  test('end as many reads as there were errors', { timeout: PROPERTY_MS_MAX }, async () => {
    await checkProperty({ scenarios: apart, also: eachErrorOnce });
  });

  test('poison nothing: a clean read of everything gives what is in the files', { timeout: PROPERTY_MS_MAX }, async () => {
    await checkProperty({ scenarios: withFaults(fc.subarray([...transient], { minLength: 1 })), extend: addEpilogue, also: readsTheFile });
  });
});
