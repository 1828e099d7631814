import { expect, test } from 'vitest';
import { add, barrier, close, gather, map, mapSync, open, poll, read, readAsync, stat, truncate, unmap, wait, write, writeAsync } from '../conformance/operations.ts';
import { checkPrograms } from '../program_check.ts';
import type { Operation } from '../program.ts';
import type { Scenario } from './campaign_scenario.ts';
import { judge } from './judge.ts';
import { Machine } from './machine_for_tests.ts';
import { holdsMaps, shorterOperations, withoutBarrier, withoutStep } from './program_edits.ts';
import { randomScenario } from './random_scenario.ts';
import { LINE_BYTES } from './scenario_plan.ts';
import { shrinkScenario } from './shrink_program.ts';
import { Random } from '../random.ts';

const nine = new Uint8Array(9).fill(9);

test('what used the step that is gone goes with it, and the rest is counted anew', () => {
  const program: Operation[] = [open('a'), open('b', 'r+'), readAsync(0, 9, 0), writeAsync(0, nine, 1), wait(2), wait(3), stat(1), close(0)];
  expect(withoutStep(program, 0)).toEqual([open('b', 'r+'), writeAsync(0, nine, 0), wait(1), stat(0)]);
  expect(withoutStep(program, 1)).toEqual([open('a'), readAsync(0, 9, 0), wait(1), close(0)]);
  expect(withoutStep(program, 3)).toEqual([open('a'), open('b', 'r+'), readAsync(0, 9, 0), wait(2), stat(1), close(0)]);
  expect(withoutStep(program, 4)).toEqual(program.toSpliced(4, 1));
  expect(withoutStep(program, -1)).toEqual(program);
});

test('what is done to a map or asked of a ticket goes with it', () => {
  const program: Operation[] = [open('a', 'r+'), stat(), map(0, 9), readAsync(0, 9), mapSync(2, nine), poll(3), unmap(2), wait(3)];
  expect(withoutStep(program, 2)).toEqual([open('a', 'r+'), stat(), readAsync(0, 9), poll(2), wait(2)]);
  expect(withoutStep(program, 3)).toEqual([open('a', 'r+'), stat(), map(0, 9), mapSync(2, nine), unmap(2)]);
  expect(withoutStep(program, 1)).toEqual([open('a', 'r+'), map(0, 9), readAsync(0, 9), mapSync(1, nine), poll(2), unmap(1), wait(2)]);
});

test('a map that is given back at once holds no line', () => {
  expect([[map(0, 1), unmap(0), stat()], [map(0, 1), mapSync(0), unmap(0)], [stat(), map(0, 1)], [stat()]].map(holdsMaps)).toEqual([false, false, false, false]);
  expect([[map(0, 1), stat(), unmap(0)], [map(0, 1), barrier], [map(0, 1), map(0, 1), unmap(1)]].map(holdsMaps)).toEqual([true, true, true]);
});

test('all warps lose the same barrier', () => {
  const programs = [[barrier, open('a'), readAsync(0, 1), barrier, wait(2)], [barrier, barrier]];
  expect(withoutBarrier(programs, 0)).toEqual([[open('a'), readAsync(0, 1), barrier, wait(1)], [barrier]]);
});

test('calls get shorter, and nearer to the beginning', () => {
  expect(shorterOperations(read(700, 9), 512)).toEqual([read(700, 1), read(700, 4), read(700, 8), read(0, 9), read(512, 9)]);
  expect(shorterOperations(write(0, nine), 512)).toEqual([write(0, nine.slice(0, 1)), write(0, nine.slice(0, 4)), write(0, nine.slice(0, 8))]);
  expect(shorterOperations(stat(), 512)).toEqual([]);
  expect(shorterOperations(truncate(9), 512)).toEqual([truncate(0), truncate(4), truncate(8)]);
  expect(shorterOperations(unmap(1), 512)).toEqual([]);
  expect(shorterOperations(unmap(1, nine), 512)).toEqual([1, 4, 8].map((length) => unmap(1, nine.slice(0, length))));
  expect(shorterOperations(gather([7, 8]), 512)).toEqual([gather([8]), gather([7])]);
  expect(shorterOperations(add([7, 8], [1, 2]), 512)).toEqual([add([8], [2]), add([7], [1])]);
});

test('what is left is what the failure needs', async () => {
  const needs = (scenario: Scenario): boolean => {
    checkPrograms(scenario.programs);
    const writes = scenario.programs.filter((program) => program.some((step) => step.op === 'write' && step.data.length > 2));
    return writes.length > 1 && (scenario.check?.laneCount ?? 1) > 1 && (scenario.faults.eio ?? 0) > 0;
  };
  let index = 0;
  while (!needs(randomScenario(1, index))) index++;
  let runs = 0;
  const small = await shrinkScenario(randomScenario(1, index), async (candidate) => {
    runs++;
    return needs(candidate);
  });
  const program = (data: Uint8Array) => [open('file0', 'r+'), write(0, data)];
  expect(small.programs.map(([, step]) => (step?.op === 'write' ? step.data.length : -1))).toEqual([3, 3]);
  expect(small.programs).toEqual(small.programs.map(([, step]) => program((step as { data: Uint8Array }).data)));
  expect(small).toMatchObject({ config: { wait: 'spin', cache: { lines: 1, policy: 'clock' }, ring: { count: 1, slots: 1 } }, check: { memory: 'sc', laneCount: 2 } });
  expect(Object.keys(small.faults)).toEqual(['eio']);
  expect(small.files.map(({ bytes }) => bytes.length)).toEqual([0]);
  expect(small.orderMatters).toBe(true);
  expect(runs).toBeLessThan(500);
});

test('a scenario in which the judge found something stays one, and gets small', async () => {
  const finds = (scenario: Scenario): boolean => {
    const judged = { programs: scenario.programs, files: scenario.files, lineBytes: LINE_BYTES, memory: 'sc' as const, faults: {} };
    return Array.from({ length: 20 }, (_, run) => judge(judged, new Machine(judged, new Random(run), 'size_first').run(true))).some((finding) => finding !== undefined);
  };
  let index = 0;
  while (!finds(randomScenario(2, index))) index++;
  const small = await shrinkScenario(randomScenario(2, index), async (candidate) => finds(candidate));
  expect(finds(small)).toBe(true);
  expect(small.programs).toHaveLength(2);
  expect(small.programs.flat().length).toBeLessThanOrEqual(6);
});

test('it stops after so many attempts', async () => {
  let runs = 0;
  const scenario = randomScenario(1, 1);
  const same = await shrinkScenario(scenario, async () => ++runs > 1000, 10);
  expect([same, runs <= 10]).toEqual([scenario, true]);
});
