// Truncations, maps, elements and names: what the judge takes, and for each rule a history that it refuses.
import { expect, test } from 'vitest';
import {
  add, barrier, close, failed, fsync, gather, map, mapSync, open, poll, read, readAsync, rename, scatter, stat, truncate, unlink, unmap, wait, write,
} from '../conformance/operations.ts';
import type { Operation } from '../program.ts';
import { interleavings, timesOf } from './interleavings_for_tests.ts';
import { judge, makeJudge } from './judge.ts';
import type { JudgedScenario, Observed, ObservedStep } from './observed.ts';

const rw = open('a', 'r+');
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const eight = bytes(1, 2, 3, 4, 5, 6, 7, 8);
const one = { path: 'a', bytes: eight };

function scenarioOf(programs: Operation[][], more: Partial<JudgedScenario> = {}): JudgedScenario {
  return { programs, files: [one], lineBytes: 512, memory: 'sc', faults: {}, ...more };
}

const orders: [string, Operation[][]][] = [
  ['a truncation beside reads and writes', [[rw, truncate(3), stat()], [rw, write(1, bytes(9, 9, 9, 9)), read(0, 9)]]],
  ['shorter and longer', [[rw, truncate(2), truncate(7)], [rw, read(0, 9), read(0, 9)]]],
  ['two who truncate', [[rw, truncate(2), read(0, 9)], [rw, truncate(6), write(3, bytes(9))]]],
  ['a file that is emptied', [[open('a', 'w+'), write(1, bytes(9)), stat()], [rw, read(0, 4), write(3, bytes(8))]]],
  ['a map beside a truncation', [[rw, map(2, 4), unmap(1, bytes(9, 9))], [rw, truncate(3), read(0, 9)]]],
  ['maps that are synced', [[rw, map(2, 4), mapSync(1, bytes(9)), unmap(1)], [rw, map(2, 9, 'r'), unmap(1), write(2, bytes(7))]]],
  ['maps beyond the end', [[rw, map(8, 4), unmap(1), unmap(1)], [rw, truncate(10), map(9, 4), unmap(2, bytes(1))]]],
  ['additions', [[rw, add([0, 1], [1, 2]), gather([0, 1])], [rw, add([1, 0], [10, 20]), add([0], [5])]]],
  ['additions beside writes of single bytes', [[rw, add([0], [0x0100ff]), read(0, 4)], [rw, write(1, bytes(255, 0)), gather([0])]]],
  ['elements side by side', [[rw, scatter([0], [0x11111111]), gather([0, 1])], [rw, scatter([1], [0x22222222]), gather([1, 0])]]],
  ['elements beside a truncation', [[rw, scatter([0, 1], [1, 2]), gather([0, 1])], [rw, truncate(6), add([0], [3])]]],
  ['names', [[unlink('a'), open('a', 'c+'), stat()], [open('a'), read(0, 9)]]],
  ['names that move', [[rw, rename('a', 'b'), write(0, bytes(9))], [open('b', 'c+'), read(0, 2), rw, read(0, 2, 1)]]],
  ['an exclusive open', [[open('b', 'wx+'), write(0, bytes(9))], [open('b', 'wx+'), open('b'), read(0, 1, 1)]]],
  ['a file that is removed while it is open', [[rw, unlink('a'), write(0, bytes(9)), read(0, 2)], [rw, read(0, 2), fsync(), close()]]],
  ['a look at a ticket', [[rw, readAsync(0, 4), poll(1), wait(1)], [rw, truncate(2)]]],
  ['barriers', [[rw, map(0, 4), barrier, unmap(1, bytes(9))], [rw, truncate(4), barrier, read(0, 9)]]],
];

test.each(orders)('every order of the oracle is right: %s', (_name, programs) => {
  for (const memory of ['sc', 'relaxed'] as const) {
    const subject = makeJudge(scenarioOf(programs, { memory }));
    for (const order of interleavings(programs, [one])) {
      for (const times of [{ times: timesOf(order) }, {}]) {
        expect(subject.judge({ results: order.results, files: order.files, finish: 0, ...times }), order.order.join()).toBeUndefined();
      }
    }
    expect(subject.undecided).toBe(0);
  }
});

const done = (result = 0): ObservedStep => ({ result });
const saw = (...values: number[]): ObservedStep => ({ result: values.length, data: bytes(...values) });
const had = (...values: number[]): ObservedStep => ({ result: values.length, values: Uint32Array.from(values) });
/** All steps of both warps overlap but for the order within each warp. */
const beside = { times: [[1, 91, 92, 93, 94], [1, 91, 92, 93, 94]] };
const behind = { times: [[1, 11, 12, 13, 14], [20, 21, 22, 23, 24]], preludes: [1, 0] };

function kindOf(programs: Operation[][], results: ObservedStep[][], observed: Partial<Observed> = beside, more: Partial<JudgedScenario> = {}): string | undefined {
  return judge(scenarioOf(programs, more), { results, ...observed })?.kind;
}

test('a read beside a truncation sees the file before it or behind it', () => {
  const programs = [[rw, truncate(2)], [rw, read(0, 8)]];
  expect(kindOf(programs, [[done(), done()], [done(), saw(...eight)]])).toBeUndefined();
  expect(kindOf(programs, [[done(), done()], [done(), saw(1, 2)]])).toBeUndefined();
  expect(kindOf(programs, [[done(), done()], [done(), saw(1, 2, 0, 0, 0, 0, 0, 0)]])).toBe('not_linearizable');
  expect(kindOf(programs, [[done(), done()], [done(), saw(1, 2, 3)]])).toBe('not_linearizable');
  expect(kindOf(programs, [[done(), done()], [done(), saw(...eight)]], behind)).toBe('not_linearizable');
});

test('a read beside a truncation that makes the file longer may see the older size and bytes of later', () => {
  const programs = (length: number) => [[rw, truncate(length), write(0, bytes(9))], [rw, read(0, 16)]];
  expect(kindOf(programs(16), [[done(), done(), done(1)], [done(), saw(9, 2, 3, 4, 5, 6, 7, 8)]])).toBeUndefined();
  expect(kindOf(programs(6), [[done(), done(), done(1)], [done(), saw(9, 2, 3, 4, 5, 6, 7, 8)]])).toBe('not_linearizable');
});

test('what was cut off does not come back', () => {
  const programs = [[rw, truncate(2), truncate(4)], [rw, read(0, 8)]];
  expect(kindOf(programs, [[done(), done(), done()], [done(), saw(1, 2, 0, 0)]])).toBeUndefined();
  expect(kindOf(programs, [[done(), done(), done()], [done(), saw(1, 2, 3, 4)]])).toBe('not_linearizable');
});

test('a write is before a truncation or behind it with all of its bytes', () => {
  const programs = [[rw, truncate(2)], [rw, write(0, bytes(9, 9, 9, 9))]];
  const outcome = (left: Uint8Array) => kindOf(programs, [[done(), done()], [done(), done(4)]], { ...beside, files: new Map([['a', left]]), finish: 0 });
  expect(outcome(bytes(9, 9))).toBeUndefined();
  expect(outcome(bytes(9, 9, 9, 9))).toBeUndefined();
  expect(outcome(bytes(9, 9, 0, 9))).toBe('wrong_file');
  expect(outcome(bytes(9, 9, 0, 0))).toBe('wrong_file');
  expect(outcome(bytes(1, 2, 9, 9))).toBe('wrong_file');
});

test('one truncation has one place for all that meet it', () => {
  // The reader has seen the file cut, and the writer behind the reader says that it was not.
  const programs = [[rw, truncate(0)], [rw, read(0, 8), read(0, 8), stat()]];
  const size = (sizeBytes: number): ObservedStep => ({ result: 0, sizeBytes });
  expect(kindOf(programs, [[done(), done()], [done(), saw(...eight), saw(), size(0)]])).toBeUndefined();
  expect(kindOf(programs, [[done(), done()], [done(), saw(), saw(...eight), size(0)]])).toBe('not_linearizable');
});

test('a map is stale where the file was made shorter since, and only there', () => {
  const stale = done(failed('ESTALE'));
  const programs = [[rw, map(0, 2), barrier, barrier, unmap(1, bytes(9))], [rw, barrier, truncate(4), barrier]];
  const outcome = (last: ObservedStep, left: Uint8Array, length = 4) =>
    kindOf([programs[0] as Operation[], [rw, barrier, truncate(length), barrier]], [[done(), saw(1, 2), done(), done(), last], [done(), done(), done(), done()]], { files: new Map([['a', left]]), finish: 0 });
  expect(outcome(stale, bytes(1, 2, 3, 4))).toBeUndefined();
  expect(outcome(stale, bytes(9, 2, 3, 4))).toBe('wrong_file');
  expect(outcome(done(), bytes(9, 2, 3, 4))).toBe('wrong_result');
  expect(outcome(done(), bytes(9, 2, 3, 4, 5, 6, 7, 8), 8)).toBeUndefined();
  expect(outcome(stale, eight, 8)).toBe('wrong_result');
  const racing = [[rw, map(0, 2), unmap(1, bytes(9))], [rw, truncate(4)]];
  const race = (last: ObservedStep, first: number, observed: Partial<Observed>) =>
    kindOf(racing, [[done(), saw(1, 2), last], [done(), done()]], { ...observed, files: new Map([['a', bytes(first, 2, 3, 4)]]), finish: 0 });
  expect(race(stale, 1, beside)).toBeUndefined();
  expect(race(done(), 9, beside)).toBeUndefined();
  // It was stored before the truncation, and went to the file with what others had written there.
  expect(race(stale, 9, beside)).toBeUndefined();
  expect(race(stale, 7, beside)).toBe('wrong_file');
  expect(race(done(), 1, beside)).toBe('wrong_file');
  expect(race(stale, 1, behind)).toBe('not_linearizable');
});

test('what was stored into a stale map may be seen until it is gone', () => {
  const programs = [[rw, map(0, 2), unmap(1, bytes(9, 9))], [rw, read(0, 2), truncate(4), read(0, 2)], [rw, barrier]].slice(0, 2) as Operation[][];
  const outcome = (first: ObservedStep, last: ObservedStep, times: number[][]) =>
    kindOf(programs, [[done(), saw(1, 2), done(failed('ESTALE'))], [done(), first, done(), last]], { times, preludes: [1, 1] });
  expect(outcome(saw(9, 2), saw(1, 2), [[1, 2, 30], [1, 5, 10, 20]])).toBeUndefined();
  expect(outcome(saw(9, 7), saw(1, 2), [[1, 2, 30], [1, 5, 10, 20]])).toBe('not_linearizable');
  expect(outcome(saw(9, 2), saw(1, 2), [[1, 6, 30], [1, 5, 10, 20]])).toBe('not_linearizable');
  expect(outcome(saw(1, 2), saw(9, 2), [[1, 12, 15], [1, 5, 10, 20]])).toBe('not_linearizable');
  // It was stored when the truncation was over, and seen by who had begun to read before: that read is of the file as it was.
  const three = [programs[0], [rw, truncate(0)], [rw, read(0, 2)]] as Operation[][];
  const late = (seen: ObservedStep, from: number) =>
    kindOf(three, [[done(), saw(1, 2), done(failed('ESTALE'))], [done(), done()], [done(), seen]], { times: [[1, 12, 15], [1, 10], [from, 20]], preludes: [1, 1, 0] });
  expect(late(saw(9, 2), 2)).toBeUndefined();
  expect(late(saw(9, 7), 2)).toBe('not_linearizable');
  expect(late(saw(9, 2), 11)).toBe('not_linearizable');
  expect(late(saw(9), 2)).toBe('not_linearizable');
});

test('a map that found every line pinned is one warp of several', () => {
  const pinned = { result: failed('EAGAIN'), data: bytes() };
  expect(kindOf([[rw, map(0, 2), unmap(1)], [rw]], [[done(), pinned, done(failed('EAGAIN'))], [done()]])).toBeUndefined();
  expect(kindOf([[rw, map(0, 2), unmap(1)], [rw]], [[done(), pinned, done()], [done()]])).toBe('wrong_result');
  expect(kindOf([[rw, map(0, 2)]], [[done(), pinned]])).toBe('wrong_result');
});

test('what map_sync has synced is in the file, and other bytes need not be', () => {
  const programs = [[rw, map(1, 2), mapSync(1, bytes(9)), unmap(1)], [rw, write(4, bytes(8))]];
  const outcome = (left: Uint8Array) => kindOf(programs, [[done(), saw(2, 3), done(), done()], [done(), done(1)]], { files: new Map([['a', left]]) });
  expect(outcome(bytes(1, 9, 3, 4, 5, 6, 7, 8))).toBeUndefined();
  expect(outcome(bytes(1, 9, 3, 4, 8, 6, 7, 8))).toBeUndefined();
  expect(outcome(bytes(1, 2, 3, 4, 8, 6, 7, 8))).toBe('wrong_file');
});

test('no addition is lost, and each says what it found', () => {
  const programs = [[rw, add([0], [1])], [rw, add([0], [1])]];
  const start = 0x04030201;
  const outcome = (first: number, second: number, sum: number) =>
    kindOf(programs, [[done(), had(first)], [done(), had(second)]], { ...beside, finish: 0, files: new Map([['a', bytes(sum, 2, 3, 4, 5, 6, 7, 8)]]) });
  expect(outcome(start, start + 1, 3)).toBeUndefined();
  expect(outcome(start + 1, start, 3)).toBeUndefined();
  expect(outcome(start, start, 2)).toBe('not_linearizable');
  expect(outcome(start, start + 2, 3)).toBe('not_linearizable');
  expect(outcome(start, start + 1, 2)).toBe('wrong_file');
});

test('what nobody synced need not be in the file, though a truncation behind it is, and both are about one element', () => {
  const programs = [[rw, write(4, bytes(9)), truncate(5)], [rw, add([1], [1])]];
  const files = [{ path: 'a', bytes: bytes(1, 2, 3, 4, 5) }];
  const outcome = (...left: number[]) => kindOf(programs, [[done(), done(1), done()], [done(), done(failed('ERANGE'))]], { files: new Map([['a', bytes(...left)]]) }, { files });
  expect(outcome(1, 2, 3, 4, 5)).toBeUndefined();
  expect(outcome(1, 2, 3, 4, 9)).toBeUndefined();
  expect(outcome(1, 2, 3, 4, 7)).toBe('wrong_file');
});

test('an element is stored and looked at as one, and byte by byte by others', () => {
  const programs = [[rw, scatter([0], [0x09090909]), add([1], [0])], [rw, add([0], [0]), read(0, 4)]];
  const start = 0x04030201;
  const outcome = (old: number, ...read4: number[]) => kindOf(programs, [[done(), done(1), had(0x08070605)], [done(), had(old), saw(...read4)]]);
  expect(outcome(start, 9, 9, 3, 4)).toBeUndefined();
  expect(outcome(0x04030909, 9, 9, 9, 9)).toBe('not_linearizable');
  expect(outcome(0x09090909, 9, 9, 3, 9)).toBe('not_linearizable');
});

test('an index is beyond the end where the file was too short', () => {
  const range = { result: failed('ERANGE'), values: new Uint32Array(0) };
  expect(kindOf([[rw, gather([1])], [rw, truncate(6)]], [[done(), range], [done(), done()]])).toBeUndefined();
  expect(kindOf([[rw, gather([1])], [rw, truncate(6)]], [[done(), had(0x08070605)], [done(), done()]])).toBeUndefined();
  expect(kindOf([[rw, gather([0])], [rw, truncate(6)]], [[done(), range], [done(), done()]])).toBe('not_linearizable');
  expect(kindOf([[rw, gather([1])], [rw, truncate(6)]], [[done(), had(0x605)], [done(), done()]])).toBe('not_linearizable');
});

test('of a call with elements beyond the end the others are done, and seen', () => {
  const range = (...values: number[]): ObservedStep => ({ result: failed('ERANGE'), values: Uint32Array.from(values) });
  const outcome = (first: ObservedStep, second: ObservedStep) => kindOf([[rw, add([0, 9], [1, 1])], [rw, gather([0, 9])]], [[done(), first], [done(), second]]);
  expect(outcome(range(0x04030201, 0), range(0x04030202, 0))).toBeUndefined();
  expect(outcome(range(0x04030201, 0), range(0x04030201, 0))).toBeUndefined();
  expect(outcome(range(0x04030201, 0), range(0x04030203, 0))).toBe('not_linearizable');
  expect(outcome(range(0x04030202, 0), range(0x04030201, 0))).toBe('not_linearizable');
  expect(outcome(range(0x04030201, 0), range(0x04030201, 7))).toBe('not_linearizable');
});

test('a name stands for one file at a time', () => {
  const missing = done(failed('ENOENT'));
  const unlinks = [[unlink('a')], [rw, rw]];
  expect(kindOf(unlinks, [[done()], [done(), missing]], {})).toBeUndefined();
  expect(kindOf(unlinks, [[done()], [missing, done()]], {})).toBe('not_linearizable');
  expect(kindOf([[unlink('a')], [unlink('a')]], [[done()], [done()]], {})).toBe('not_linearizable');
  expect(kindOf([[unlink('a')], [rw]], [[done()], [done()]], { files: new Map([['a', eight]]) })).toBe('wrong_file');
  expect(kindOf([[unlink('a')], [rw]], [[done()], [done()]], { files: new Map([['a', undefined]]) })).toBeUndefined();
  const exclusive = [[open('b', 'wx+')], [open('b', 'wx+')]];
  expect(kindOf(exclusive, [[done()], [done(failed('EEXIST'))]], {})).toBeUndefined();
  expect(kindOf(exclusive, [[done()], [done()]], {})).toBe('not_linearizable');
});

test('a file that has lost its name lives on, and is no other file', () => {
  const programs = [[rw, unlink('a'), open('a', 'c+'), read(0, 2, 0), read(0, 2, 1)], [rw, write(0, bytes(9))]];
  const outcome = (old: ObservedStep, other: ObservedStep) => kindOf(programs, [[done(), done(), done(), old, other], [done(), done(1)]], { times: [[1, 2, 3, 90, 91], [1.5, 2.5]] });
  expect(outcome(saw(9, 2), saw())).toBeUndefined();
  expect(outcome(saw(1, 2), saw())).toBe('not_linearizable');
  expect(outcome(saw(9, 2), saw(9, 2))).toBe('not_linearizable');
});

test('a renamed file keeps its bytes, and what it replaced keeps them for its handles', () => {
  const files = [one, { path: 'b', bytes: bytes(7) }];
  const programs = [[rename('a', 'b')], [open('b'), read(0, 9), open('b'), read(0, 9, 1)]];
  const outcome = (first: ObservedStep, second: ObservedStep) => kindOf(programs, [[done()], [done(), first, done(), second]], {}, { files });
  expect(outcome(saw(7), saw(...eight))).toBeUndefined();
  expect(outcome(saw(...eight), saw(7))).toBe('not_linearizable');
  expect(kindOf([[rename('a', 'b')], []], [[done()], []], { files: new Map([['a', undefined], ['b', bytes(7)]]), finish: 0 }, { files })).toBe('wrong_file');
});

test('a poll says yes or no', () => {
  const programs = [[rw, readAsync(0, 2), poll(1), wait(1)], [rw]];
  const outcome = (said: number) => kindOf(programs, [[done(), saw(1, 2), done(said), saw(1, 2)].map((step, at) => (at === 1 ? { ...step, result: 0 } : step)), [done()]]);
  expect([outcome(0), outcome(1), outcome(2), outcome(-5)]).toEqual([undefined, undefined, 'wrong_result', 'wrong_result']);
});
