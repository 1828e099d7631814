import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resolveOptions } from '../options.ts';
import { checkPrograms } from '../program_check.ts';
import { isDeterministic } from './determinism.ts';
import { randomScenario } from './random_scenario.ts';
import { planArbitrary, scenarioArbitrary } from './scenario_arbitrary.ts';
import { LIMITS, scenarioOf } from './scenario_plan.ts';
import { writtenBytes } from './written_bytes.ts';

const SCENARIOS = 2000;
const scenarios = Array.from({ length: SCENARIOS }, (_, index) => randomScenario(11, index));

test('every scenario is one that a mount would run', () => {
  for (const { programs, files, config, faults, check } of scenarios) {
    checkPrograms(programs);
    const resolved = resolveOptions({ ...config, root: '/', check: { ...check, faults } });
    expect(resolved.residentWarps).toBe(programs.length);
    expect(programs.length).toBeGreaterThanOrEqual(LIMITS.warps.min);
    expect(files.length).toBeLessThanOrEqual(LIMITS.files.max);
  }
});

test('a scenario is a function of its seed and index', () => {
  expect(randomScenario(3, 7)).toEqual(randomScenario(3, 7));
  const texts = scenarios.map(({ programs, config, files }) => JSON.stringify([programs, config, files]));
  expect(new Set(texts).size).toBeGreaterThan(SCENARIOS * 0.99);
});

test('they are of many kinds, and most leave something to chance', () => {
  const operations = scenarios.flatMap(({ programs }) => programs.flat());
  const counts = new Map<string, number>();
  const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const operation of operations) count(operation.op === 'open' ? `open ${operation.mode} ${operation.path === 'missing'}` : operation.op);
  for (const { config, check, faults } of scenarios) {
    for (const name of Object.keys(faults)) count(`fault ${name}`);
    for (const value of [config.wait, config.cache?.policy, check?.memory, `lines ${config.cache?.lines}`, `slots ${config.ring?.slots}`, `lanes ${check?.laneCount}`]) count(`${value}`);
  }
  const wanted = [
    'read', 'write', 'fsync', 'close', 'stat', 'prefetch', 'read_async', 'write_async', 'wait', 'barrier',
    'truncate', 'map', 'unmap', 'map_sync', 'gather', 'scatter', 'add', 'poll', 'unlink', 'rename', 'open c+ false', 'open wx+ false', 'open r+ false', 'open r false', 'open w+ false', 'open r true',
    'spin', 'replay', 'clock', 'fifo', 'sc', 'relaxed', 'lines 1', 'lines 4', 'slots 1', 'slots 8', 'lanes 1', 'lanes 4', 'lanes 8', 'lanes 32',
    'fault eio', 'fault enospc', 'fault eintr', 'fault shortIo', 'fault delay', 'fault die', 'fault revive', 'fault truncate', 'fault replace',
  ];
  for (const name of wanted) expect(counts.get(name), name).toBeGreaterThan(10);
  expect(scenarios.filter((scenario) => !isDeterministic(scenario)).length).toBeGreaterThan(SCENARIOS / 2);
  expect(scenarios.filter(({ faults }) => Object.keys(faults).length === 0).length).toBeGreaterThan(SCENARIOS / 2);
});

test('at one place no two writers have the same byte, and none has a zero', () => {
  const writers = [{ warp: -1, step: 0 }, ...[0, 1, 2].flatMap((warp) => Array.from({ length: 16 }, (_, step) => ({ warp, step })))];
  for (const offset of [0, 255, 511, 1024]) {
    const values = writers.map((writer) => writtenBytes(writer, offset, 1)[0]);
    expect(new Set(values).size).toBe(writers.length);
    expect(values).not.toContain(0);
  }
  expect(writtenBytes({ warp: 0, step: 1 }, 100, 9).slice(4)).toEqual(writtenBytes({ warp: 0, step: 1 }, 104, 5));
});

test('zeros are the simplest scenario', () => {
  const choice = { kind: 0, file: 0, line: 0, edge: 0, length: 0, extra: 0 };
  const plan = {
    wait: 0, policy: 0, lines: 0, ringCount: 0, ringSlots: 0, lanes: 0, memory: 0, faulty: 0, faults: 0, worse: 0, chance: 0, without: 0, barrier: 0, ending: 0,
    sizes: [0], warps: [[choice], [choice]],
  };
  const { programs, files, config, faults, check } = scenarioOf(plan, 'zeros');
  const program = [{ op: 'open', path: 'file0', mode: 'r+' }, { op: 'read', file: 0, offset: 0, length: 1 }];
  expect(programs).toEqual([program, program]);
  expect(files).toEqual([{ path: 'file0', bytes: new Uint8Array(0) }]);
  expect(config).toMatchObject({ wait: 'spin', cache: { lines: 1 }, ring: { count: 1, slots: 1 } });
  expect([faults, check?.memory, check?.laneCount]).toEqual([{}, 'sc', 1]);
});

test('the arbitraries draw the same kind of scenarios, and shrink to small ones', () => {
  fc.assert(fc.property(scenarioArbitrary(), ({ programs }) => checkPrograms(programs)), { numRuns: 300 });
  const report = fc.check(
    fc.property(planArbitrary(), (plan) => {
      const { programs } = scenarioOf(plan, 'shrunk');
      return programs.filter((program) => program.some(({ op }) => op === 'write')).length < 2;
    }),
    { seed: 2 },
  );
  const [plan] = report.counterexample ?? [];
  if (plan === undefined) throw new Error('nothing failed');
  expect(plan.warps.map((choices) => choices.length)).toEqual([1, 1]);
  expect([plan.sizes, plan.lines, plan.lanes, plan.barrier, plan.faulty]).toEqual([[0], 0, 0, 0, 0]);
});
