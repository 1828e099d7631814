import { expect, test } from 'vitest';
import { ReferenceMount } from './reference_mount.ts';

test('bytes, sizes and errors of one warp', () => {
  const reference = new ReferenceMount({ a: Uint8Array.of(1, 2, 3, 4) });
  const [steps] = reference.run([
    [
      { op: 'open', path: 'a', mode: 'r+' },
      { op: 'read', file: 0, offset: 1, length: 10 },
      { op: 'write', file: 0, offset: 6, data: Uint8Array.of(9) },
      { op: 'stat', file: 0 },
      { op: 'read', file: 0, offset: 3, length: 10 },
      { op: 'close', file: 0 },
      { op: 'read', file: 0, offset: 0, length: 1 },
      { op: 'open', path: 'none', mode: 'r' },
      { op: 'fsync', file: 1 },
    ],
  ]);
  expect(steps?.map((step) => step.result)).toEqual([0, 3, 1, 0, 4, 0, -9, -2, -2]);
  expect(steps?.[1]?.data).toEqual(Uint8Array.of(2, 3, 4));
  expect(steps?.[3]?.sizeBytes).toBe(7);
  expect(steps?.[4]?.data).toEqual(Uint8Array.of(4, 0, 0, 9));
  expect(reference.bytes('a')).toEqual(Uint8Array.of(1, 2, 3, 4, 0, 0, 9));
});

test('asynchronous calls happen when they are waited for', () => {
  const reference = new ReferenceMount({ a: Uint8Array.of(1, 2) });
  const [steps] = reference.run([
    [
      { op: 'open', path: 'a', mode: 'r+' },
      { op: 'read_async', file: 0, offset: 0, length: 5 },
      { op: 'write_async', file: 0, offset: 2, data: Uint8Array.of(3) },
      { op: 'stat', file: 0 },
      { op: 'wait', ticket: 2 },
      { op: 'wait', ticket: 1 },
    ],
  ]);
  expect(steps?.map((step) => step.result)).toEqual([0, 0, 0, 0, 1, 3]);
  expect(steps?.[3]?.sizeBytes).toBe(2);
  expect(steps?.[1]?.data).toEqual(Uint8Array.of(1, 2, 3));
  expect(steps?.[5]?.data).toEqual(Uint8Array.of(1, 2, 3));
});

test('no warp passes a barrier before all are there', () => {
  const reference = new ReferenceMount({ a: Uint8Array.of(0, 0) });
  const warp = (own: number) =>
    [
      { op: 'open', path: 'a', mode: 'r+' },
      { op: 'write', file: 0, offset: own, data: Uint8Array.of(own + 1) },
      { op: 'barrier' },
      { op: 'read', file: 0, offset: 0, length: 2 },
    ] as const;
  for (const steps of reference.run([warp(0), warp(1)])) expect(steps[3]?.data).toEqual(Uint8Array.of(1, 2));
});

test('a read-only mount and the two ends of the number line', () => {
  const reference = new ReferenceMount({ a: Uint8Array.of(1) }, { readOnly: true });
  const [steps] = reference.run([
    [
      { op: 'open', path: 'a', mode: 'w+' },
      { op: 'open', path: 'a', mode: 'r' },
      { op: 'write', file: 1, offset: 0, data: Uint8Array.of(2) },
      { op: 'read', file: 1, offset: 2n ** 63n - 1n, length: 1 },
      { op: 'read', file: 1, offset: 2n ** 63n - 1n, length: 0 },
    ],
  ]);
  expect(steps?.map((step) => step.result)).toEqual([-30, 0, -9, -75, 0]);
  expect(reference.bytes('a')).toEqual(Uint8Array.of(1));
});

const u8 = (...values: number[]): Uint8Array => Uint8Array.from(values);

test('a file that was cut is cut for good; a longer one ends in zeros', () => {
  const reference = new ReferenceMount({ a: u8(1, 2, 3, 4) });
  const [steps] = reference.run([
    [
      { op: 'open', path: 'a', mode: 'r+' },
      { op: 'truncate', file: 0, length: 2 },
      { op: 'truncate', file: 0, length: 5 },
      { op: 'read', file: 0, offset: 0, length: 9 },
      { op: 'open', path: 'a', mode: 'r' },
      { op: 'truncate', file: 1, length: 0 },
      { op: 'open', path: 'a', mode: 'w+' },
      { op: 'stat', file: 0 },
    ],
  ]);
  expect(steps?.map((step) => step.result)).toEqual([0, 0, 0, 5, 0, -9, 0, 0]);
  expect(steps?.[3]?.data).toEqual(u8(1, 2, 0, 0, 0));
  expect(steps?.[7]?.sizeBytes).toBe(0);
});

test('names: what has lost its name lives on for those who have it open', () => {
  const reference = new ReferenceMount({ a: u8(1), b: u8(2) });
  const [steps] = reference.run([
    [
      { op: 'open', path: 'b', mode: 'r+' },
      { op: 'rename', path: 'a', to: 'b' },
      { op: 'read', file: 0, offset: 0, length: 1 },
      { op: 'open', path: 'b', mode: 'r' },
      { op: 'read', file: 1, offset: 0, length: 1 },
      { op: 'unlink', path: 'b' },
      { op: 'unlink', path: 'b' },
      { op: 'rename', path: 'b', to: 'a' },
      { op: 'open', path: 'b', mode: 'r+' },
      { op: 'open', path: 'b', mode: 'c+' },
      { op: 'open', path: 'b', mode: 'wx+' },
      { op: 'rename', path: 'b', to: 'b' },
      { op: 'stat', file: 3 },
    ],
  ]);
  expect(steps?.map((step) => step.result)).toEqual([0, 0, 1, 0, 1, 0, -2, -2, -2, 0, -17, 0, 0]);
  expect([steps?.[2]?.data, steps?.[4]?.data]).toEqual([u8(2), u8(1)]);
  expect([...reference.files.keys()]).toEqual(['b']);
});

test('a map is a look, and a write when it is given back or synced', () => {
  const reference = new ReferenceMount({ a: u8(1, 2, 3, 4) }, { lineBytes: 512 });
  const [steps] = reference.run([
    [
      { op: 'open', path: 'a', mode: 'r+' },
      { op: 'map', file: 0, offset: 2, length: 9, mode: 'r+' },
      { op: 'map_sync', map: 1, data: u8(8) },
      { op: 'unmap', map: 1, data: u8(9, 9, 9) }, // one byte too many: it stays mapped
      { op: 'unmap', map: 1 },
      { op: 'map', file: 0, offset: 0, length: 1, mode: 'r' },
      { op: 'unmap', map: 5, data: u8(9) },
      { op: 'map', file: 0, offset: 511, length: 2, mode: 'r' },
      { op: 'map', file: 0, offset: 4, length: 2, mode: 'r+' },
      { op: 'unmap', map: 8 },
      { op: 'map', file: 0, offset: 0, length: 1, mode: 'r+' },
      { op: 'truncate', file: 0, length: 3 },
      { op: 'map_sync', map: 10, data: u8(7) },
      { op: 'unmap', map: 10, data: u8(7) },
      { op: 'read', file: 0, offset: 0, length: 9 },
      { op: 'unmap', map: 7 },
    ],
  ]);
  expect(steps?.map((step) => step.result)).toEqual([0, 2, 0, -22, 0, 1, -9, -22, 0, 0, 1, 0, -116, -116, 3, -22]);
  expect(steps?.[1]?.data).toEqual(u8(3, 4));
  expect(steps?.[14]?.data).toEqual(u8(1, 2, 8));
});

test('elements of four bytes, all that lie in the file', () => {
  const reference = new ReferenceMount({ a: u8(1, 0, 0, 0, 255, 255, 255, 255, 9) });
  const [steps] = reference.run([
    [
      { op: 'open', path: 'a', mode: 'r+' },
      { op: 'add', file: 0, indices: [1, 0, 1], values: [2, 1, 3] },
      { op: 'gather', file: 0, indices: [1, 0] },
      { op: 'scatter', file: 0, indices: [2, 0], values: [7, 8] },
      { op: 'read', file: 0, offset: 0, length: 9 },
    ],
  ]);
  expect(steps?.map((step) => step.result)).toEqual([0, 3, 2, -34, 9]);
  expect(steps?.[1]?.values).toEqual(Uint32Array.of(0xffffffff, 1, 1));
  expect(steps?.[2]?.values).toEqual(Uint32Array.of(4, 2));
  expect(steps?.[4]?.data).toEqual(u8(8, 0, 0, 0, 4, 0, 0, 0, 9));
});

test('a poll of what was started is 1, of what was not its error', () => {
  const reference = new ReferenceMount({ a: u8(1) });
  const [steps] = reference.run([
    [
      { op: 'open', path: 'a', mode: 'r' },
      { op: 'read_async', file: 0, offset: 0, length: 1 },
      { op: 'poll', ticket: 1 },
      { op: 'close', file: 0 },
      { op: 'read_async', file: 0, offset: 0, length: 1 },
      { op: 'poll', ticket: 4 },
      { op: 'poll', ticket: 1 },
    ],
  ]);
  expect(steps?.map((step) => step.result)).toEqual([0, 0, 1, 0, -9, -9, -9]);
});
