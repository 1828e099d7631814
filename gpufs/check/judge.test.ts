// The judge against a toy machine (judge_machine.test.ts does that), against every order of the oracle, and against outcomes with one mistake.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { barrier, close, fsync, open, prefetch, read, readAsync, scatter, stat, truncate, wait, write, writeAsync } from '../conformance/operations.ts';
import type { Operation } from '../program.ts';
import { interleavings, timesOf } from './interleavings_for_tests.ts';
import { judge, makeJudge } from './judge.ts';
import type { JudgedScenario, Judgement, Observed, ObservedStep } from './observed.ts';

const rw = open('a', 'r+');
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function scenarioOf(programs: Operation[][], initial: Uint8Array = bytes(1, 2, 3, 4), more: Partial<JudgedScenario> = {}): JudgedScenario {
  return { programs, files: [{ path: 'a', bytes: initial }], lineBytes: 512, memory: 'sc', faults: {}, ...more };
}

/** What the judge says if the first order in which the steps come has led to this, but for what is changed. */
function judged(scenario: JudgedScenario, change: Change, more: Partial<Observed> = { finish: 0 }): Judgement | undefined {
  const [first] = interleavings(scenario.programs, scenario.files);
  if (first === undefined) throw new Error('no order');
  const results: ObservedStep[][] = structuredClone(first.results);
  const observed: Observed = { results, times: timesOf(first), files: first.files, ...more };
  change(results, observed);
  return judge(scenario, observed);
}

type Change = (results: ObservedStep[][], observed: Observed) => unknown;

const set = (warp: number, step: number, change: Partial<ObservedStep>): Change => (results) => Object.assign(results[warp]?.[step] as ObservedStep, change);
const setByte = (at: number, value: number): Change => (_, { files }) => files?.get('a')?.set([value], at);
const setFile = (content: Uint8Array | undefined): Change => (_, observed) => Object.assign(observed, { files: new Map([['a', content]]) });

const orders: [string, Operation[][]][] = [
  ['reads and writes of the same bytes', [[rw, write(0, bytes(9, 9)), read(0, 4)], [rw, write(1, bytes(8, 8)), read(0, 4)]]],
  ['a file that grows', [[rw, write(4, bytes(9, 9)), read(2, 6)], [rw, stat(), read(2, 6), stat()]]],
  ['a file that is emptied', [[open('a', 'w+'), write(1, bytes(9)), stat()], [rw, read(0, 4), write(3, bytes(8))]]],
  ['a file that is created', [[open('b', 'w+'), write(0, bytes(9))], [open('b', 'r'), read(0, 1), open('b', 'r')]]],
  ['asynchronous calls', [[rw, writeAsync(2, bytes(9, 9, 9)), readAsync(0, 9), wait(1), wait(2)], [rw, read(0, 9), stat()]]],
  ['barriers', [[rw, write(0, bytes(9)), barrier, read(0, 4)], [rw, write(0, bytes(8)), barrier, write(1, bytes(7))]]],
  ['three warps', [[rw, write(0, bytes(9))], [rw, write(0, bytes(8))], [rw, read(0, 1), read(0, 1)]]],
  ['handles that are closed', [[rw, close(), read(0, 1), prefetch(0, 9)], [rw, write(3, bytes(9, 9)), fsync(), close(), write(0, bytes(7))]]],
  ['equal values', [[rw, write(0, bytes(1)), write(0, bytes(2))], [rw, read(0, 1), read(0, 1), read(0, 1)]]],
];

test.each(orders)('every order of the oracle is right: %s', (_name, programs) => {
  for (const memory of ['sc', 'relaxed'] as const) {
    const subject = makeJudge(scenarioOf(programs, undefined, { memory }));
    for (const order of interleavings(programs, [{ path: 'a', bytes: bytes(1, 2, 3, 4) }])) {
      for (const times of [{ times: timesOf(order) }, {}]) {
        expect(subject.judge({ results: order.results, files: order.files, finish: 0, ...times }), order.order.join()).toBeUndefined();
      }
    }
    expect(subject.undecided).toBe(0);
  }
});

test('of one byte it takes what some order of the oracle gives at these times, and nothing else', () => {
  const call = fc.record({ write: fc.boolean(), value: fc.constantFrom(1, 7, 8), pause: fc.nat(3) });
  const warp = fc.array(call, { minLength: 1, maxLength: 3 });
  const seen = { right: 0, wrong: 0 };
  fc.assert(
    fc.property(warp, warp, (...warps) => {
      const programs = warps.map((calls) => [rw, ...calls.map(({ write: writes, value }) => (writes ? write(0, bytes(value)) : read(0, 1)))]);
      const times = warps.map((calls) => calls.reduce((ends, { pause }) => [...ends, (ends.at(-1) ?? 0) + 1 + 2 * pause], [0]));
      times[1] = times[1]?.map((time) => time + 0.5) ?? [];
      const results = warps.map((calls): ObservedStep[] => [{ result: 0 }, ...calls.map(({ write: writes, value }) => (writes ? { result: 1 } : { result: 1, data: bytes(value) }))]);
      const explained = [...interleavings(programs, [{ path: 'a', bytes: bytes(1) }])].some(
        (order) => keepsTime(order.order, times) && JSON.stringify(order.results) === JSON.stringify(results),
      );
      seen[explained ? 'right' : 'wrong']++;
      expect(judge(scenarioOf(programs, bytes(1)), { results, times }) === undefined).toBe(explained);
    }),
    { numRuns: 1500 },
  );
  expect(seen.right).toBeGreaterThan(100);
  expect(seen.wrong).toBeGreaterThan(100);
});

/** No step comes behind one that began when it had ended. */
function keepsTime(order: readonly number[], times: readonly (readonly number[])[]): boolean {
  const done = times.map(() => 0);
  const steps = order.map((warp) => {
    const step = done[warp] ?? 0;
    done[warp] = step + 1;
    return { warp, step };
  });
  const endOf = ({ warp, step }: { warp: number; step: number }): number => times[warp]?.[step] ?? -Infinity;
  return steps.every((a, at) => steps.slice(at + 1).every((b) => endOf(b) >= endOf({ warp: a.warp, step: a.step - 1 })));
}

const alone = scenarioOf([[rw, write(1, bytes(9, 9)), read(0, 9), stat()]]);
const racing = scenarioOf([[rw, write(1, bytes(9, 9)), read(0, 4)], [rw, read(0, 4), write(2, bytes(8)), stat()]]);
const growing = scenarioOf([[rw, write(4, bytes(9, 9, 9))], [rw, read(0, 9), stat()]]);

test.each<[string, JudgedScenario, Change, Judgement['kind'], string]>([
  ['a lost write', alone, set(0, 2, { data: bytes(1, 2, 3, 4) }), 'wrong_result', 'warp 0 step 2 read(a, 0, 9): byte 1 is 2, wanted 9'],
  ['an errno that nothing explains', alone, set(0, 2, { result: -5, data: bytes() }), 'wrong_result', '-5 (EIO input/output error), which nothing explains'],
  ['a short write', alone, set(0, 1, { result: 1 }), 'wrong_result', '1 bytes, wanted 2'],
  ['too many bytes', racing, set(0, 2, { result: 5, data: bytes(1, 9, 9, 4, 0) }), 'wrong_result', '5 bytes, but only 4 were asked for'],
  ['a stale read', racing, set(1, 1, { data: bytes(1, 2, 3, 4) }), 'not_linearizable', 'no order explains byte 1 of a: it was 2; warp 0 step 1 write(a, 1, 2) in (1, 2) left 9;'],
  ['a value from nowhere', racing, set(1, 1, { data: bytes(1, 9, 77, 4) }), 'not_linearizable', 'saw 77'],
  ['a neighbour that was changed', racing, set(1, 1, { data: bytes(0, 9, 9, 4) }), 'not_linearizable', 'no order explains byte 0 of a: it was 1; warp 1 step 1 read(a, 0, 4) in (4, 5) saw 0'],
  ['a size that was never there', growing, set(1, 2, { sizeBytes: 6 }), 'not_linearizable', 'no order explains the size of a: it was 4; warp 0 step 1 write(a, 4, 3) in (1, 2) made it at least 7'],
  ['a size that is seen too late', growing, set(1, 1, { result: 4, data: bytes(1, 2, 3, 4) }), 'not_linearizable', 'saw 4'],
  ['the size before the bytes', growing, set(1, 1, { data: bytes(1, 2, 3, 4, 9, 0, 9) }), 'not_linearizable', 'and so many bytes that warp 0 step 1 had written'],
  ['a write that is not in the file', racing, setByte(1, 2), 'wrong_file', 'at the end the file has 2'],
  ['a byte beside it in the file', racing, setByte(3, 0), 'wrong_file', 'no order explains byte 3 of a: it was 4; at the end the file has 0'],
  ['a file that is too long', growing, setFile(bytes(1, 2, 3, 4, 9, 9, 9, 0)), 'wrong_file', 'at the end it is 8'],
  ['a file that is gone', growing, setFile(undefined), 'wrong_file', 'a is gone at the end'],
  ['a step that did not end', growing, (_, observed) => Object.assign(observed, { ended: [[true, true], [true, false, false]] }), 'wrong_result', 'warp 1 step 1 read(a, 0, 9): it did not end'],
  ['a sync that fails for no reason', growing, (_, observed) => Object.assign(observed, { finish: -5 }), 'wrong_file', 'the sync at the end: EIO'],
])('wrong: %s', (_name, scenario, change, kind, message) => {
  expect(judged(scenario, () => undefined)).toBeUndefined();
  const finding = judged(scenario, change);
  expect(finding?.kind).toBe(kind);
  expect(finding?.message).toContain(message);
});

test('the one that is to blame is the reader without which the rest is right', () => {
  const scenario = scenarioOf([[rw, write(1, bytes(9)), read(1, 1)], [rw, read(1, 1), read(1, 1)]]);
  expect(judged(scenario, set(1, 1, { data: bytes(2) }))).toMatchObject({ kind: 'not_linearizable', warp: 1, step: 1 });
  expect(judged(scenario, set(1, 2, { data: bytes(2) }))).toMatchObject({ kind: 'not_linearizable', warp: 1, step: 2 });
});

test('under relaxed memory a warp that is not ordered may see what was; its own bytes and those before a barrier it sees', () => {
  const relaxed = (...programs: Operation[][]) => scenarioOf(programs, undefined, { memory: 'relaxed' });
  const old = { data: bytes(1) };
  expect(judged(relaxed([rw, write(0, bytes(9))], [rw, read(0, 1)]), set(1, 1, old))).toBeUndefined();
  expect(judged(relaxed([rw, write(0, bytes(9)), read(0, 1)], [rw, write(0, bytes(8))]), set(0, 2, old))?.kind).toBe('not_linearizable');
  const beforeBarrier = relaxed([rw, write(0, bytes(9)), barrier], [rw, write(0, bytes(8)), barrier, read(0, 1)]);
  expect(judged(beforeBarrier, set(1, 3, old))?.kind).toBe('not_linearizable');
  expect(judged(relaxed([rw, write(4, bytes(9))], [rw, stat(), stat()]), set(1, 1, { sizeBytes: 4 }))).toBeUndefined();
});

test('after an fsync the file has what was written before it, and without one it need not', () => {
  const untouched = setFile(bytes(1, 2, 3, 4));
  const unsynced = scenarioOf([[rw, write(1, bytes(9, 9))], [rw, read(0, 1)]]);
  expect(judged(unsynced, untouched, {})).toBeUndefined();
  expect(judged(unsynced, setFile(bytes(1, 9)), {})?.message).toBe('a has 2 bytes at the end; it can have 4, 3');
  for (const last of [fsync(), close()]) {
    const synced = scenarioOf([[rw, write(1, bytes(9, 9)), last], [rw, read(0, 1)]]);
    expect(judged(synced, untouched, {})?.kind).toBe('wrong_file');
    expect(judged(synced, set(0, 2, { result: -28 }), {})?.kind).toBe('wrong_result');
    expect(judge({ ...synced, faults: { enospc: 1 } }, { results: [[{ result: 0 }, { result: 2 }, { result: -28 }], [{ result: 0 }, { result: 1, data: bytes(1) }]], files: new Map([['a', bytes(1, 2, 3, 4)]]) })).toBeUndefined();
  }
  const other = scenarioOf([[rw, write(2, bytes(9, 9)), barrier], [rw, barrier, fsync()]]);
  expect(judged(other, untouched, {})?.message).toContain('no order explains byte');
});

test('a transfer that failed may have moved a part of what was stored behind the old end', () => {
  const program: Operation[] = [rw, truncate(8), scatter([1], [9])];
  const sixBytes = setFile(bytes(1, 2, 3, 4, 9, 0));
  expect(judged(scenarioOf([program], undefined, { faults: { enospc: 1, shortIo: 1 } }), sixBytes, {})).toBeUndefined();
  expect(judged(scenarioOf([program]), sixBytes, {})?.message).toContain('a has 6 bytes at the end; it can have');
});

test('faults explain errors of the calls that they can hit, and of no others', () => {
  const programs = [[rw, read(0, 4), write(0, bytes(9)), stat(), fsync()]];
  const right: ObservedStep[] = [{ result: 0 }, { result: 4, data: bytes(1, 2, 3, 4) }, { result: 1 }, { result: 0, sizeBytes: 4 }, { result: 0 }];
  const ends = (step: number, result: number, faults: JudgedScenario['faults'], injected?: Observed['injected']) =>
    judge(scenarioOf(programs, undefined, { faults }), { results: [right.with(step, { result, data: bytes() })], ...(injected === undefined ? {} : { injected }) })?.message;
  const eio = { eio: 100 };
  expect(ends(1, -5, eio)).toBeUndefined();
  expect(ends(2, -5, eio)).toBeUndefined();
  expect(ends(4, -5, eio)).toBeUndefined();
  expect(ends(3, -5, eio)).toContain('which nothing explains');
  expect(ends(0, -5, eio)).toContain('which nothing explains');
  expect(ends(1, -28, eio)).toContain('which nothing explains');
  expect(ends(1, -28, { enospc: 100 })).toContain('which nothing explains'); // a read needs no space
  expect(ends(2, -4, { eintr: 500, shortIo: 500, delay: 500 })).toContain('EINTR');
  expect(ends(1, -110, { die: 1 })).toBeUndefined();
  expect(ends(4, -5, { truncate: 100 })).toBeUndefined(); // what a gpu has stored into a part that was cut off is in no file
  expect(ends(2, -5, { truncate: 100 })).toContain('which nothing explains');
  expect(ends(4, -5, { replace: 100 })).toContain('which nothing explains');
  expect(ends(1, -5, eio, { eintr: 3 })).toContain('which nothing explains'); // there was a chance, but it did not happen
});

test('a read that failed says nothing; a write that failed may have left bytes; others are right', () => {
  const programs = [[rw, write(0, bytes(9, 9)), read(0, 2)], [rw, read(0, 4)]];
  const scenario = scenarioOf(programs, undefined, { faults: { eio: 100 } });
  const outcome = (own: Uint8Array, other: Uint8Array) =>
    judge(scenario, { results: [[{ result: 0 }, { result: -5 }, { result: 2, data: own }], [{ result: 0 }, { result: 4, data: other }]], times: [[1, 2, 3], [1.5, 4]] })?.kind;
  expect(outcome(bytes(9, 9), bytes(9, 9, 3, 4))).toBeUndefined();
  expect(outcome(bytes(1, 9), bytes(1, 9, 3, 4))).toBeUndefined();
  expect(outcome(bytes(1, 2), bytes(1, 2, 3, 4))).toBeUndefined();
  expect(outcome(bytes(1, 2), bytes(1, 2, 3, 5))).toBe('not_linearizable');
});

test('the first steps of all warps come before the rest, whatever their clock said', () => {
  const scenario = scenarioOf([[open('a', 'w+'), stat()], [rw, write(0, bytes(9)), read(0, 4)]], bytes(1));
  const results = [[{ result: 0 }, { result: 0, sizeBytes: 0 }], [{ result: 0 }, { result: 1 }, { result: 0, data: bytes() }]];
  const times = [[900, 901], [1, 3, 4]];
  expect(judge(scenario, { results, times, preludes: [1, 1] })?.message).toContain('no order explains the size');
  expect(judge(scenario, { results, times })).toBeUndefined();
});

test('where bytes may have got lost, each byte that is seen was there once, and what was synced in one life of the host is kept', () => {
  const programs = [[rw, write(0, bytes(9, 9)), fsync(), read(0, 4)]];
  const outcome = (faults: JudgedScenario['faults'], seen: Uint8Array, left: Uint8Array) =>
    judge(scenarioOf(programs, undefined, { faults }), {
      results: [[{ result: 0 }, { result: 2 }, { result: 0 }, { result: 4, data: seen }]], files: new Map([['a', left]]), finish: 0,
    })?.kind;
  const kept = bytes(9, 9, 3, 4);
  expect(outcome({ die: 9, revive: 9 }, bytes(1, 9, 3, 4), kept)).toBeUndefined();
  expect(outcome({ die: 9, revive: 9 }, bytes(5, 9, 3, 4), kept)).toBe('not_linearizable');
  expect(outcome({ die: 9, revive: 9 }, kept, bytes(1, 9, 3, 4))).toBe('wrong_file');
  expect(outcome({ truncate: 9 }, bytes(9, 9, 0, 0), bytes(9, 9))).toBeUndefined();
  expect(outcome({ truncate: 9 }, bytes(9, 9, 5, 0), kept)).toBe('not_linearizable');
  expect(outcome({ replace: 9 }, bytes(5, 6, 7, 8), bytes(5))).toBeUndefined();
});

test('a host that died in the middle of a transfer has moved a part of it', () => {
  const scenario = scenarioOf([[rw, write(2, bytes(9, 9, 9, 9, 9))]], undefined, { faults: { die: 9 } });
  const left = (content: Uint8Array) => judge(scenario, { results: [[{ result: 0 }, { result: 5 }]], files: new Map([['a', content]]) })?.kind;
  expect(left(bytes(1, 2, 9, 9, 9))).toBeUndefined();
  expect(left(bytes(1, 2, 9, 9, 9, 9, 9, 9))).toBe('wrong_file');
});
