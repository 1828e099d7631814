// Whatever the programs, the geometry and the schedule: lines take legal edges only, each request completes exactly once, pins come back, and no
// dirty byte is lost. The engine watches all of that (native/check/protocol_watch.cpp); planted.test.ts shows that it would have told.
// That a hostile ring does no harm is shown on the host alone: native/host/daemon_test_hostile.cpp, native/check/host_side_test.cpp.
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { nativePresence } from '../conformance/native_device.ts';
import type { Scenario } from './campaign_scenario.ts';
import { checkProperty, PROPERTY_MS_MAX } from './property_for_tests.ts';
import { scenarioArbitrary } from './scenario_arbitrary.ts';

const { missing } = nativePresence();

const withoutFaults = (scenario: Scenario): Scenario => ({ ...scenario, faults: {} });
const faultless = scenarioArbitrary().map(withoutFaults);
/** One line, one ring of one slot: everybody waits for everybody. */
const crowded = scenarioArbitrary((plan) => ({ ...plan, lines: 0, ringCount: 0, ringSlots: 0 })).map(withoutFaults);

/** Fewer places than warps: an item takes the place of one that has ended. */
function queued(scenario: Scenario): Scenario {
  const meets = scenario.programs.some((program) => program.some(({ op }) => op === 'barrier'));
  return meets ? scenario : { ...scenario, config: { ...scenario.config, residentWarps: 1 } };
}

describe.skipIf(missing !== undefined)(missing === undefined ? 'the protocol' : `SKIP ${missing}`, () => {
  test.each([
    ['as programs come', faultless],
    ['where there is one line and one slot', crowded],
    ['where items take turns', faultless.map(queued)],
    ['with three priority changes and many lanes', fc.tuple(faultless, fc.constantFrom(8, 32)).map(([scenario, laneCount]): Scenario => ({ ...scenario, check: { ...scenario.check, scheduler: 'pct', laneCount } }))],
  ])('takes legal edges, completes each request once, and loses nothing: %s', { timeout: PROPERTY_MS_MAX }, async (_, scenarios) => {
    await checkProperty({ scenarios });
  });
});
