import { openSync, closeSync, writeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dataOf, firstDifference, type Fixture, pattern, resultOf, results, runWarp, runWarps, times } from './fixture.ts';
import { barrier, close, failed, fsync, open, read, stat, wait, write, writeAsync } from './operations.ts';

const FILE_BYTES = 3 * 4096 + 100;
const before = pattern(FILE_BYTES);

/** What a file is after these bytes were written at that place. */
function withBytes(bytes: Uint8Array, offset: number, data: Uint8Array): Uint8Array {
  const after = new Uint8Array(Math.max(bytes.length, offset + data.length));
  after.set(bytes);
  after.set(data, offset);
  return after;
}

/** Another process changes bytes that the mount may have cached. */
function hostWrites(path: string, offset: number, data: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, data, 0, data.length, offset);
  closeSync(fd);
}

export function describeWrites(fixture: Fixture): void {
  describe('writes', () => {
    test.each([
      ['a whole line', 4096, 4096],
      ['an aligned part of a line', 4096, 512],
      ['unaligned within a line', 5001, 33],
      ['unaligned across lines', 4000, 5000],
      ['the last byte', FILE_BYTES - 1, 1],
      ['across the end', FILE_BYTES - 50, 4096],
      ['exactly behind the end', FILE_BYTES, 10],
      ['far beyond the end', FILE_BYTES + 100_000, 3],
      ['everything and more', 0, 6 * 4096],
    ])('%s: read back at once, and in the file after unmount', async (_name, offset, length) => {
      fixture.write('a.bin', before);
      const data = pattern(length, 9);
      const after = withBytes(before, offset, data);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin', 'r+'), write(offset, data), read(0, after.length + 10), stat());
      expect(results(steps).slice(1)).toEqual([length, after.length, 0]);
      expect(resultOf(steps, 3).sizeBytes).toBe(after.length);
      expect(firstDifference(dataOf(steps, 2), after)).toBeUndefined();
      await fs.unmount();
      expect(firstDifference(fixture.bytes('a.bin'), after)).toBeUndefined();
    });

    test('w+ creates a file, and r+ does not', async () => {
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('new', 'r+'), open('new', 'w+'), write(2, pattern(3), 1), read(0, 10, 1), close(1));
      expect(resultOf(steps, 0).result).toBe(failed('ENOENT'));
      expect(results(steps).slice(2)).toEqual([3, 5, 0]);
      expect([...fixture.bytes('new')]).toEqual([0, 0, ...pattern(3)]);
    });

    test('w+ empties a file that exists', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin', 'w+'), stat(), read(0, 10), write(0, pattern(4)), close());
      expect(resultOf(steps, 1).sizeBytes).toBe(0);
      expect(results(steps).slice(2)).toEqual([0, 4, 0]);
      expect([...fixture.bytes('a.bin')]).toEqual([...pattern(4)]);
    });

    test('bytes that were written before the file was emptied do not come back', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin', 'r+'), write(0, pattern(8192, 7)), open('a.bin', 'w+'), stat(1), write(100, pattern(5, 3), 1));
      expect(resultOf(steps, 3).sizeBytes).toBe(0);
      await fs.unmount();
      expect(firstDifference(fixture.bytes('a.bin'), withBytes(new Uint8Array(0), 100, pattern(5, 3)))).toBeUndefined();
    });

    test('a write of no bytes is 0 and changes nothing', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin', 'r+'), write(10, new Uint8Array(0)), write(10 ** 6, new Uint8Array(0)), stat());
      expect(results(steps).slice(1)).toEqual([0, 0, 0]);
      expect(resultOf(steps, 3).sizeBytes).toBe(FILE_BYTES);
      await fs.unmount();
      expect(firstDifference(fixture.bytes('a.bin'), before)).toBeUndefined();
    });

    test('64 warps write disjoint bytes of two pages: all are kept, and no other byte changes', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      const place = (warp: number, round: number) => (warp * 3 + round) * 41;
      const programs = times(64, (warp) => [open('a.bin', 'r+'), ...times(3, (round) => write(place(warp, round), pattern(7, warp + 1)))]);
      for (const steps of await runWarps(fs, programs)) expect(results(steps).slice(1)).toEqual([7, 7, 7]);
      await fs.unmount();
      let after = before;
      for (const warp of times(64, (index) => index)) {
        for (const round of times(3, (index) => index)) after = withBytes(after, place(warp, round), pattern(7, warp + 1));
      }
      expect(firstDifference(fixture.bytes('a.bin'), after)).toBeUndefined();
    });

    test('a byte that the host changed in a cached page survives writes beside it', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      await runWarp(fs, open('a.bin', 'r+'), read(0, 8192), write(100, pattern(10, 5)), write(300, pattern(10, 6)));
      hostWrites(fixture.path('a.bin'), 200, pattern(20, 8));
      hostWrites(fixture.path('a.bin'), 5000, pattern(20, 8));
      await runWarp(fs, open('a.bin', 'r+'), write(4096, pattern(10, 5)), write(8000, pattern(10, 5)));
      await fs.unmount();
      let after = before;
      for (const [offset, length, seed] of [[100, 10, 5], [300, 10, 6], [200, 20, 8], [5000, 20, 8], [4096, 10, 5], [8000, 10, 5]] as const) {
        after = withBytes(after, offset, pattern(length, seed));
      }
      expect(firstDifference(fixture.bytes('a.bin'), after)).toBeUndefined();
    });

    test('overlapping writes of one warp leave the last', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted({ cache: { lines: 1 } });
      const steps = await runWarp(fs, open('a.bin', 'r+'), write(0, pattern(6000, 1)), write(3000, pattern(2000, 2)), write(4090, pattern(12, 3)), close());
      expect(results(steps).slice(1)).toEqual([6000, 2000, 12, 0]);
      const after = withBytes(withBytes(withBytes(before, 0, pattern(6000, 1)), 3000, pattern(2000, 2)), 4090, pattern(12, 3));
      expect(firstDifference(fixture.bytes('a.bin'), after)).toBeUndefined();
    });

    test('what some warps wrote others read after a barrier, and see the new size', async () => {
      const fs = await fixture.mounted();
      fixture.write('a.bin', new Uint8Array(0));
      const warps = await runWarps(
        fs,
        times(16, (warp) => [open('a.bin', 'r+'), write(warp * 1000, pattern(1000, warp)), barrier, stat(), read(((warp + 5) % 16) * 1000, 1000)]),
      );
      warps.forEach((steps, warp) => {
        expect(resultOf(steps, 3).sizeBytes).toBe(16_000);
        expect(firstDifference(dataOf(steps, 4), pattern(1000, (warp + 5) % 16))).toBeUndefined();
      });
    });

    test.each([
      ['fsync', [fsync()], async () => undefined],
      ['close', [close()], async () => undefined],
      ['sync', [], async (fs: { sync(): Promise<void> }) => fs.sync()],
    ] as const)('%s makes bytes visible to the host', async (_name, last, afterwards) => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin', 'r+'), write(4000, pattern(9000, 4)), ...last);
      expect(results(steps).slice(1)).toEqual([9000, ...last.map(() => 0)]);
      await afterwards(fs);
      expect(firstDifference(fixture.bytes('a.bin'), withBytes(before, 4000, pattern(9000, 4)))).toBeUndefined();
    });

    test('a fsync covers what other warps wrote before', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      await runWarps(
        fs,
        times(32, (warp) => [open('a.bin', 'r+'), write(warp * 300, pattern(300, warp)), barrier, ...(warp === 7 ? [fsync()] : [])]),
      );
      const after = times(32, (warp) => warp).reduce((bytes, warp) => withBytes(bytes, warp * 300, pattern(300, warp)), before);
      expect(firstDifference(fixture.bytes('a.bin'), after)).toBeUndefined();
    });

    test('a file that ends in a hole has its size on the host', async () => {
      const fs = await fixture.mounted();
      await runWarp(fs, open('a.bin', 'w+'), write(0, pattern(1)), write(200_000, pattern(1)), close());
      expect(fixture.bytes('a.bin').length).toBe(200_001);
    });

    test('asynchronous writes are done by whoever waits for them', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin', 'r+'), writeAsync(50, pattern(5000, 2)), wait(1), read(0, FILE_BYTES), close());
      const after = withBytes(before, 50, pattern(5000, 2));
      expect(results(steps).slice(1)).toEqual([0, 5000, FILE_BYTES, 0]);
      expect(firstDifference(dataOf(steps, 3), after)).toBeUndefined();
      expect(firstDifference(fixture.bytes('a.bin'), after)).toBeUndefined();
    });

    test('a wait for a write that cannot be done gives its error', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin'), writeAsync(0, pattern(10)), wait(1), open('none', 'r+'), writeAsync(0, pattern(10), 1), wait(4));
      expect(resultOf(steps, 2).result).toBe(failed('EBADF'));
      expect(resultOf(steps, 5).result).toBe(failed('ENOENT'));
    });

    test('what an earlier run wrote a later one reads, and sees what the host changed in between', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      await runWarp(fs, open('a.bin', 'r+'), write(0, pattern(4096, 3)), close());
      const mine = await runWarp(fs, open('a.bin'), read(0, 4096), close());
      expect(firstDifference(dataOf(mine, 1), pattern(4096, 3))).toBeUndefined();
      fixture.write('a.bin', pattern(5000, 6));
      const theirs = await runWarp(fs, open('a.bin'), read(0, 9000), close());
      expect(firstDifference(dataOf(theirs, 1), pattern(5000, 6))).toBeUndefined();
    });

    test('two mounts of one folder see what the other closed', async () => {
      fixture.write('a.bin', before);
      const [one, other] = [await fixture.mounted(), await fixture.mounted()];
      await runWarp(other, open('a.bin'), read(0, 4096), close());
      await runWarp(one, open('a.bin', 'r+'), write(10, pattern(100, 2)), close());
      const steps = await runWarp(other, open('a.bin'), read(0, 4096), close());
      expect(firstDifference(dataOf(steps, 1), withBytes(before, 10, pattern(100, 2)).subarray(0, 4096))).toBeUndefined();
    });
  });
}
