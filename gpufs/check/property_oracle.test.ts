// Where programs leave nothing to chance, every schedule gives the results and the files that the reference gives.
import { describe, expect, test } from 'vitest';
import { nativePresence } from '../conformance/native_device.ts';
import { failed } from '../conformance/operations.ts';
import type { DecodedOutcome } from './campaign_scenario.ts';
import { isDeterministic } from './determinism.ts';
import { checkProperty, PROPERTY_MS_MAX, type Ran } from './property_for_tests.ts';
import { scenarioArbitrary } from './scenario_arbitrary.ts';

const { missing } = nativePresence();

const deterministic = scenarioArbitrary().filter(isDeterministic);

/** Handles are the device's own, a prefetch may do less, a poll may come too early, and what an asynchronous read left may have been read again. */
function seen({ prepared: { scenario } }: Ran, { results, files }: DecodedOutcome): string {
  const shown = scenario.programs.map((program, warp) =>
    program.map(({ op }, step) => {
      const { result, sizeBytes, data, values } = results[warp]?.[step] ?? { result: 0 };
      const bytes = data === undefined ? '' : Buffer.from(data).toString('hex');
      return op === 'open' || op === 'prefetch' || op === 'poll' ? result >= 0 : [result, sizeBytes, bytes, ...(values ?? [])];
    }),
  );
  // What nobody has synced may be in a file, or not.
  return JSON.stringify([shown, scenario.finish === false ? [] : files?.map(({ path, bytes }) => [path, bytes === undefined ? 'gone' : Buffer.from(bytes).toString('hex')])]);
}

function allAlike(ran: Ran): string | undefined {
  const { outcomes, prepared } = ran;
  if (outcomes.length === 0) return 'no schedule has an outcome';
  const hasFaults = Object.values(prepared.scenario.faults).some((chance) => chance > 0);
  // A map that found no line: what comes after it is another story.
  const pinned = outcomes.some(({ results }) => prepared.scenario.programs.some((program, warp) => program.some(({ op }, step) => op === 'map' && results[warp]?.[step]?.result === failed('EAGAIN'))));
  return hasFaults || pinned || new Set(outcomes.map((outcome) => seen(ran, outcome))).size === 1 ? undefined : 'two schedules of a deterministic program end differently';
}

describe.skipIf(missing !== undefined)(missing === undefined ? 'deterministic programs' : `SKIP ${missing}`, () => {
  test('end as the reference says under every schedule, and so all alike', { timeout: PROPERTY_MS_MAX }, async () => {
    await checkProperty({ scenarios: deterministic, also: allAlike });
  });

  test('are among those that are drawn', () => {
    expect(isDeterministic({ programs: [[{ op: 'open', path: 'a', mode: 'r' }, { op: 'read', file: 0, offset: 0, length: 9 }]], files: [{ path: 'a', bytes: new Uint8Array(9) }] })).toBe(true);
  });
});
