import { expect, test } from 'vitest';
import { add, barrier, close, fsync, gather, map, open, prefetch, read, rename, scatter, stat, truncate, unlink, unmap, wait, write, writeAsync } from '../conformance/operations.ts';
import type { Operation } from '../program.ts';
import { isDeterministic } from './determinism.ts';
import { interleavings } from './interleavings_for_tests.ts';
import { randomScenario } from './random_scenario.ts';

const files = [{ path: 'a', bytes: new Uint8Array(100) }];
const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);
const rw = open('a', 'r+');

test.each<[string, boolean, Operation[][]]>([
  ['reads of the same bytes', true, [[rw, read(0, 9)], [rw, read(0, 9)]]],
  ['writes side by side', true, [[rw, write(0, bytes(5))], [rw, write(5, bytes(5)), read(5, 5)]]],
  ['a read of what another one writes', false, [[rw, write(0, bytes(5))], [rw, read(4, 5)]]],
  ['the same, with a barrier between', true, [[rw, write(0, bytes(5)), barrier], [rw, barrier, read(4, 5)]]],
  ['writes that overlap', false, [[rw, write(0, bytes(5))], [rw, write(4, bytes(5))]]],
  ['a read up to the old end while the file grows', true, [[rw, write(100, bytes(5))], [rw, read(90, 10)]]],
  ['a read beyond the old end while the file grows', false, [[rw, write(100, bytes(5))], [rw, read(90, 11)]]],
  ['a look at the size while the file grows', false, [[rw, write(100, bytes(5))], [rw, stat()]]],
  ['a look at the size while bytes inside are written', true, [[rw, write(99, bytes(1))], [rw, stat()]]],
  ['a prefetch beyond the end, by which nobody learns more than the size', false, [[rw, write(100, bytes(5))], [rw, prefetch(90, 20)]]],
  ['two files', true, [[rw, write(0, bytes(5))], [open('b', 'r+'), read(0, 5)]]],
  ['a file that is emptied while another one only closes it', false, [[open('a', 'w+')], [rw, close()]]],
  ['a file that is created while another one looks for it', false, [[open('b', 'w+')], [open('b', 'r')]]],
  ['a file that was created before', true, [[open('b', 'w+'), barrier], [barrier, open('b', 'r')]]],
  ['writes that are refused', true, [[open('a', 'r'), write(0, bytes(5))], [rw, read(0, 5)]]],
  ['a write that is never waited for', true, [[rw, writeAsync(0, bytes(5))], [rw, read(0, 5)]]],
  ['a write that is waited for behind the barrier', true, [[rw, writeAsync(0, bytes(5)), barrier, wait(1)], [rw, read(0, 5), barrier, fsync()]]],
  ['a write through a handle that was closed', true, [[rw, writeAsync(0, bytes(5)), close(), wait(1)], [rw, read(0, 5)]]],
  ['a truncation while another one only closes the file', false, [[rw, truncate(5)], [rw, close()]]],
  ['a truncation before', true, [[rw, truncate(5), barrier], [barrier, rw, read(0, 9)]]],
  ['maps side by side', true, [[rw, map(0, 5), unmap(1, bytes(5))], [rw, map(5, 5), unmap(1, bytes(5))]]],
  ['a read of what a map stores', false, [[rw, map(0, 5), unmap(1, bytes(5))], [rw, read(0, 1)]]],
  ['maps to look at', true, [[rw, map(0, 5, 'r'), unmap(1)], [rw, map(0, 5, 'r'), unmap(1)]]],
  ['a map at the end of a file that grows', false, [[rw, map(98, 5), unmap(1)], [rw, write(100, bytes(1))]]],
  ['elements side by side', true, [[rw, scatter([0], [1]), gather([0])], [rw, add([1], [1])]]],
  ['additions to one element', false, [[rw, add([0], [1])], [rw, add([0], [1])]]],
  ['an element that is stored twice at once', false, [[rw, scatter([0, 0], [1, 2])]]],
  ['an element that is added to twice at once', false, [[rw, add([0, 0], [1, 2])]]],
  ['an element behind the end while the file grows', false, [[rw, gather([25])], [rw, write(100, bytes(9))]]],
  ['names beside others', false, [[unlink('a')], [open('b', 'r')]]],
  ['names of one warp alone', true, [[unlink('a'), open('a', 'c+'), rename('a', 'b'), open('a', 'wx+')]]],
])('%s: %s', (_name, wanted, programs) => {
  expect(isDeterministic({ programs, files })).toBe(wanted);
});

test('programs that are called deterministic give the same in every order', () => {
  let looked = 0;
  for (let index = 0; index < 2000 && looked < 60; index++) {
    const { programs, files: own } = randomScenario(1, index);
    const steps = programs.map(({ length }) => length);
    if (programs.length !== 2 || steps.some((count) => count > 5) || !isDeterministic({ programs, files: own })) continue;
    looked++;
    const seen = new Set<string>();
    for (const { results, files: left } of interleavings(programs, own)) seen.add(JSON.stringify([results, [...left]]));
    expect(seen.size).toBe(1);
  }
  expect(looked).toBe(60);
});
