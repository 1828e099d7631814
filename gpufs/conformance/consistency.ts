// The promises of consistency, one test for each; CALLS.md lists them.
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { countersBetween } from '../../cache/counters.ts';
import type { Mount } from '../mount.ts';
import type { Operation } from '../program.ts';
import { dataOf, firstDifference, type Fixture, pattern, resultOf, results, runWarp, runWarps, times } from './fixture.ts';
import { add, barrier, close, compute, fsync, gather, map, mapSync, open, read, scatter, stat, truncate, unmap, wait, write, writeAsync } from './operations.ts';

const PAGE = 4096;
const FILE_BYTES = 3 * PAGE + 100;
const before = pattern(FILE_BYTES);
/** More than the steps in which a file system counts time. */
const TICK_MS = 30;

function withBytes(bytes: Uint8Array, offset: number, data: Uint8Array): Uint8Array {
  const after = new Uint8Array(Math.max(bytes.length, offset + data.length));
  after.set(bytes);
  after.set(data, offset);
  return after;
}

function hostWrites(path: string, ...writes: readonly (readonly [offset: number, data: Uint8Array])[]): void {
  const fd = openSync(path, 'r+');
  for (const [offset, data] of writes) writeSync(fd, data, 0, data.length, offset);
  closeSync(fd);
}

/** Times down to the nanosecond, which node cannot set. */
function copyTimes(from: string, to: string): void {
  execFileSync('touch', ['-r', from, to]);
}

function aTick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, TICK_MS));
}

async function readWhole(fs: Mount, name: string): Promise<Uint8Array> {
  return dataOf(await runWarp(fs, open(name), read(0, 10 * PAGE), close()), 1);
}

export function describeConsistency(fixture: Fixture): void {
  describe('within one mount', () => {
    const data = pattern(300, 9);
    const changes: [string, Operation[], Uint8Array][] = [
      ['a write', [write(4000, data)], withBytes(before, 4000, data)],
      ['a write that makes the file longer', [write(FILE_BYTES + 5000, data)], withBytes(before, FILE_BYTES + 5000, data)],
      ['an asynchronous write that was waited for', [writeAsync(4000, data), wait(1)], withBytes(before, 4000, data)],
      ['a truncation to less', [truncate(5000)], before.subarray(0, 5000)],
      ['a truncation to more', [truncate(FILE_BYTES + 5000)], withBytes(before, FILE_BYTES + 4999, new Uint8Array(1))],
      ['what was stored in a map', [map(4096, 300), unmap(1, data)], withBytes(before, 4096, data)],
      ['scattered elements', [scatter([1000, 1030], [7, 0x01020304])], withBytes(withBytes(before, 4000, Uint8Array.of(7, 0, 0, 0)), 4120, Uint8Array.of(4, 3, 2, 1))],
    ];
    test.each(changes)('%s of one warp is seen by all others after a barrier', async (_name, steps, after) => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      // All have the pages in their cache before.
      const programs = times(8, (warp) => [open('a.bin', 'r+'), ...(warp === 3 ? steps : [read(0, FILE_BYTES)]), barrier, read(0, FILE_BYTES * 2), stat()]);
      // The steps of warp 3 name each other by their place: the read of the others stands in front of the barrier.
      for (const [warp, results_] of (await runWarps(fs, programs)).entries()) {
        expect(firstDifference(dataOf(results_, -2), after), `warp ${warp}`).toBeUndefined();
        expect(resultOf(results_, -1).sizeBytes).toBe(after.length);
      }
    });

    test('additions of many warps to the same elements all count, and each old value is told once', async () => {
      fixture.write('a.bin', new Uint8Array(PAGE));
      const fs = await fixture.mounted();
      const indices = [0, 1, 511, 1023];
      const warps = await runWarps(fs, times(32, () => [open('a.bin', 'r+'), add(indices, [1, 2, 3, 4]), barrier, gather(indices)]));
      for (const steps of warps) expect([...(resultOf(steps, 3).values ?? [])]).toEqual([32, 64, 96, 128]);
      const olds = warps.map((steps) => resultOf(steps, 1).values?.[1] ?? -1).toSorted((a, b) => a - b);
      expect(olds).toEqual(times(32, (index) => index * 2));
    });
  });

  describe('from close to open', () => {
    const data = pattern(5000, 4);
    const after = withBytes(before, 3000, data);
    const endings: [string, Operation[], (fs: Mount) => Promise<void>][] = [
      ['synced', [write(3000, data), fsync()], async () => undefined],
      ['closed', [write(3000, data), close()], async () => undefined],
      ['written, before fs.sync()', [write(3000, data)], (fs) => fs.sync()],
      ['written, before unmount()', [write(3000, data)], (fs) => fs.unmount()],
      ['stored in maps that were synced', [map(3000, 1096), mapSync(1, data.subarray(0, 1096)), write(4096, data.subarray(1096)), fsync(), unmap(1)], async () => undefined],
    ];
    test.each(endings)('what was %s is seen by the host and by another mount that opens then', async (_name, steps, end) => {
      fixture.write('a.bin', before);
      const [one, other] = [await fixture.mounted(), await fixture.mounted()];
      expect(firstDifference(await readWhole(other, 'a.bin'), before)).toBeUndefined();
      for (const { result } of await runWarp(one, open('a.bin', 'r+'), ...steps)) expect(result).toBeGreaterThanOrEqual(0);
      await end(one);
      expect(firstDifference(fixture.bytes('a.bin'), after)).toBeUndefined();
      expect(firstDifference(await readWhole(other, 'a.bin'), after)).toBeUndefined();
    });

    test('a size that another mount made is seen as well: shorter, longer, made anew', async () => {
      fixture.write('a.bin', before);
      const [one, other] = [await fixture.mounted(), await fixture.mounted()];
      await readWhole(other, 'a.bin');
      for (const [steps, size] of [[[truncate(100)], 100], [[truncate(9000)], 9000], [[write(20_000, data)], 25_000]] as const) {
        await runWarp(one, open('a.bin', 'r+'), ...steps, close());
        expect(firstDifference(await readWhole(other, 'a.bin'), fixture.bytes('a.bin'))).toBeUndefined();
        expect(fixture.bytes('a.bin')).toHaveLength(size);
      }
      await runWarp(one, open('a.bin', 'w+'), write(0, data), close());
      expect(firstDifference(await readWhole(other, 'a.bin'), data)).toBeUndefined();
    });
  });

  describe('what was cached before', () => {
    test('is used again where the file is unchanged', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      // What was changed a moment ago may be changed again in the same tick: such a file is read anew.
      await aTick();
      await readWhole(fs, 'a.bin');
      const start = fs.stats();
      expect(firstDifference(await readWhole(fs, 'a.bin'), before)).toBeUndefined();
      const between = countersBetween(start, fs.stats());
      expect(between.misses).toBe(0);
      expect(between.hits).toBeGreaterThanOrEqual(4);
    });

    test('opens of one path by many warps are one open on the host', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      await runWarps(fs, times(64, (warp) => [open('a.bin', warp % 2 === 0 ? 'r' : 'r+'), barrier, read(0, 10), close()]));
      // One for reading; one more where the first that came could not write.
      expect(fs.describe().hostOpens).toBeLessThanOrEqual(2);
      await runWarps(fs, times(64, () => [open('a.bin'), barrier, read(0, 10), close()]));
      expect(fs.describe().hostOpens).toBeLessThanOrEqual(3);
    });

    test('what the host made longer beside a writer is as long at the next open', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted();
      const running = runWarp(fs, open('a.bin', 'r+'), write(0, pattern(10, 2)), fsync(), compute(3_000_000), write(5, pattern(10, 3)), close());
      await aTick();
      hostWrites(fixture.path('a.bin'), [FILE_BYTES, pattern(5000, 9)]);
      await running;
      const steps = await runWarp(fs, open('a.bin'), stat(), close());
      expect(resultOf(steps, 1).sizeBytes).toBe(FILE_BYTES + 5000);
      expect(firstDifference(await readWhole(fs, 'a.bin'), fixture.bytes('a.bin'))).toBeUndefined();
    });

    test('is not used where somebody changed it beside a writer of this mount, once that has closed', async () => {
      fixture.write('a.bin', before);
      await aTick();
      const fs = await fixture.mounted();
      // The host writes between the read of the warp and its write; wherever it comes, the next open must see it.
      const running = runWarp(fs, open('a.bin', 'r+'), read(0, 2 * PAGE), compute(1_000_000), write(2 * PAGE, pattern(10, 2)), close());
      await aTick();
      hostWrites(fixture.path('a.bin'), [100, pattern(50, 8)]);
      await running;
      expect(firstDifference(await readWhole(fs, 'a.bin'), fixture.bytes('a.bin'))).toBeUndefined();
    });

    const changes: [string, (path: (name: string) => string) => void, Uint8Array][] = [
      ['its size', (path) => hostWrites(path('a.bin'), [FILE_BYTES, pattern(10, 3)]), withBytes(before, FILE_BYTES, pattern(10, 3))],
      ['its bytes, and with them the time', (path) => hostWrites(path('a.bin'), [5000, pattern(10, 3)]), withBytes(before, 5000, pattern(10, 3))],
      [
        'its bytes, with the time set back',
        (path) => {
          copyTimes(path('a.bin'), path('times'));
          hostWrites(path('a.bin'), [5000, pattern(10, 3)]);
          copyTimes(path('times'), path('a.bin'));
        },
        withBytes(before, 5000, pattern(10, 3)),
      ],
      [
        'its bytes by a truncation and the same size again',
        (path) => {
          const fd = openSync(path('a.bin'), 'r+');
          ftruncateSync(fd, 5000);
          ftruncateSync(fd, FILE_BYTES);
          closeSync(fd);
        },
        withBytes(before.subarray(0, 5000), FILE_BYTES - 1, new Uint8Array(1)),
      ],
      [
        'the file itself, by a rename, with size and time of the old one',
        (path) => {
          copyTimes(path('a.bin'), path('next'));
          renameSync(path('next'), path('a.bin'));
        },
        pattern(FILE_BYTES, 77),
      ],
      [
        'the file itself, deleted and made again, with size and time of the old one',
        (path) => {
          copyTimes(path('a.bin'), path('times'));
          unlinkSync(path('a.bin'));
          execFileSync('cp', [path('next'), path('a.bin')]); // mostly with the inode of the old one
          copyTimes(path('times'), path('a.bin'));
        },
        pattern(FILE_BYTES, 77),
      ],
    ];
    test.each(changes)('is not used where somebody changed %s, also at once', async (_name, change, after) => {
      fixture.write('a.bin', before);
      fixture.write('next', pattern(FILE_BYTES, 77));
      fixture.write('times', new Uint8Array(0));
      const fs = await fixture.mounted();
      expect(firstDifference(await readWhole(fs, 'a.bin'), before)).toBeUndefined();
      change((name) => fixture.path(name));
      expect(firstDifference(await readWhole(fs, 'a.bin'), after)).toBeUndefined();
    });
  });

  describe('writers of one page', () => {
    test('two mounts and the host write every third byte each, one byte at a time: all are kept', async () => {
      fixture.write('a.bin', before);
      const mounts = [await fixture.mounted(), await fixture.mounted()];
      const bytes = (turn: number) => times(Math.floor(PAGE / 3), (index) => [index * 3 + turn, pattern(1, turn + 1, index)] as const);
      const share = (turn: number) => [open('a.bin', 'r+'), read(0, PAGE), ...bytes(turn).map(([offset, data]) => write(offset, data))];
      // Nobody has let go of the page when the others write theirs.
      await Promise.all(mounts.map((fs, turn) => runWarp(fs, ...share(turn))));
      hostWrites(fixture.path('a.bin'), ...bytes(2));
      for (const fs of mounts) await fs.sync();
      let after = before;
      for (const turn of [0, 1, 2]) for (const [offset, data] of bytes(turn)) after = withBytes(after, offset, data);
      expect(firstDifference(fixture.bytes('a.bin'), after)).toBeUndefined();
    });

    test('two mounts scatter and add to their elements of one page, the host writes its own: all are kept', async () => {
      fixture.write('a.bin', new Uint8Array(PAGE));
      const mounts = [await fixture.mounted(), await fixture.mounted()];
      const elements = (turn: number) => times(100, (index) => index * 10 + turn);
      const touch = (turn: number) => (turn === 0 ? scatter(elements(0), elements(0).map((index) => index + 1)) : add(elements(1), elements(1).map((index) => index + 1)));
      await Promise.all(mounts.map((fs, turn) => runWarp(fs, open('a.bin', 'r+'), gather([0]), touch(turn))));
      const own = (index: number) => new Uint8Array(Uint32Array.of(index + 1).buffer);
      hostWrites(fixture.path('a.bin'), ...elements(2).map((index) => [index * 4, own(index)] as const));
      for (const fs of mounts) await fs.sync();
      const words = new Uint32Array(PAGE / 4);
      for (const turn of [0, 1, 2]) for (const index of elements(turn)) words[index] = index + 1;
      expect(firstDifference(fixture.bytes('a.bin'), new Uint8Array(words.buffer))).toBeUndefined();
    });

    test('an eviction between two writes to one page forgets neither, and no byte of the host', async () => {
      fixture.write('a.bin', before);
      const fs = await fixture.mounted({ cache: { lines: 1 } });
      const steps = await runWarp(fs, open('a.bin', 'r+'), write(10, pattern(1, 2)), write(30, pattern(1, 3)), read(5000, 100), write(9000, pattern(1, 4)));
      expect(results(steps).slice(1)).toEqual([1, 1, 100, 1]);
      hostWrites(fixture.path('a.bin'), [20, pattern(1, 8)], [9001, pattern(1, 9)]);
      await runWarp(fs, open('a.bin', 'r+'), write(40, pattern(1, 5)), close());
      await fs.unmount();
      let after = before;
      for (const [offset, seed] of [[10, 2], [30, 3], [9000, 4], [20, 8], [9001, 9], [40, 5]] as const) after = withBytes(after, offset, pattern(1, seed));
      expect(firstDifference(fixture.bytes('a.bin'), after)).toBeUndefined();
    });
  });
}
