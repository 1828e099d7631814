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
