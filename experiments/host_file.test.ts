import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { HostFile, type Pieces } from './host_file.ts';

const folder = mkdtempSync(join(tmpdir(), 'warpfs-host-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = Uint8Array.from({ length: 10_000 }, (_, index) => (index * 31) & 0xff);

function makeFile(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function pieces(list: readonly (readonly [offset: number, length: number, position: number])[]): Pieces {
  return {
    offsets: BigUint64Array.from(list.map(([offset]) => BigInt(offset))),
    lengths: Uint32Array.from(list.map(([, length]) => length)),
    positions: BigUint64Array.from(list.map(([, , position]) => BigInt(position))),
  };
}

test.each([1, 3])('pieces come to their places by %i threads, and nothing else is touched', async (threads) => {
  const file = await HostFile.open(makeFile('read'), false);
  const buffer = new Uint8Array(100).fill(7);
  await file.transfer('read', pieces([[9000, 10, 50], [0, 0, 0], [3, 5, 0], [9990, 10, 90]]), buffer, threads);
  const expected = new Uint8Array(100).fill(7);
  expected.set(bytes.subarray(9000, 9010), 50);
  expected.set(bytes.subarray(3, 8), 0);
  expected.set(bytes.subarray(9990), 90);
  expect(buffer).toEqual(expected);
  await file.close();
});

test('pieces are written where they belong', async () => {
  const path = makeFile('write');
  const file = await HostFile.open(path, true);
  await file.transfer('write', pieces([[100, 3, 1], [5000, 2, 4]]), Uint8Array.of(0, 1, 2, 3, 4, 5), 2);
  await file.sync();
  await file.close();
  const expected = bytes.slice();
  expected.set([1, 2, 3], 100);
  expected.set([4, 5], 5000);
  expect(new Uint8Array(readFileSync(path))).toEqual(expected);
});

test('what cannot be moved is an error: behind the end, outside of the buffer, in a file for reading', async () => {
  const file = await HostFile.open(makeFile('ends'), false);
  await expect(file.transfer('read', pieces([[9999, 2, 0]]), new Uint8Array(16), 1)).rejects.toThrow('read of pieces of a file');
  await expect(file.transfer('read', pieces([[0, 8, 9]]), new Uint8Array(16), 1)).rejects.toThrow('piece 0 lies outside of the buffer');
  await expect(file.transfer('write', pieces([[0, 8, 0]]), new Uint8Array(16), 1)).rejects.toThrow('EBADF');
  await file.close();
});

test('a mapping is the file itself, and has no bytes once it is let go', async () => {
  const path = makeFile('mapped');
  const file = await HostFile.open(path, true);
  for (const advice of ['normal', 'random', 'sequential', 'willneed', 'populate'] as const) {
    const mapping = file.map(bytes.length, true, advice);
    expect(mapping.subarray(0, 100)).toEqual(bytes.subarray(0, 100));
    mapping[9999] = 0xee;
    expect(readFileSync(path)[9999]).toBe(0xee);
    file.unmap(mapping);
    expect(mapping.length).toBe(0);
  }
  expect(file.forget()).toBeLessThanOrEqual(1);
  await file.close();
});
