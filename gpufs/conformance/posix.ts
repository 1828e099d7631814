// Corners that POSIX settles: lengths of nothing, both ends of the number line, holes, names, and files that lose their name while they are open.
import { linkSync, mkdirSync, readdirSync, renameSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dataOf, firstDifference, type Fixture, pattern, resultOf, results, runWarp, runWarps, times } from './fixture.ts';
import {
  add, barrier, close, failed, fsync, gather, map, open, poll, prefetch, read, readAsync, rename, scatter, stat, truncate, unlink, unmap, wait, write, writeAsync,
} from './operations.ts';

const content = pattern(9000);
const nothing = new Uint8Array(0);
const LAST_OFFSET = 2n ** 63n - 1n;
const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4095;

export function describePosix(fixture: Fixture): void {
  describe('lengths and offsets', () => {
    test('nothing is read, written, gathered or added at any offset: 0, and nothing changes', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const offsets = [0, 8999, 9000, 9001, 10 ** 9, LAST_OFFSET];
      const steps = await runWarp(
        fs, open('a.bin', 'r+'), ...offsets.flatMap((offset) => [read(offset, 0), write(offset, nothing), prefetch(offset, 0)]),
        gather([]), scatter([], []), add([], []), stat(), close(),
      );
      expect(results(steps).slice(1)).toEqual(times(offsets.length * 3 + 5, () => 0));
      expect(resultOf(steps, -2).sizeBytes).toBe(9000);
      expect(firstDifference(fixture.bytes('a.bin'), content)).toBeUndefined();
    });

    test('transfers of nothing are waited for like others', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin', 'r+'), readAsync(5, 0), writeAsync(10 ** 6, nothing), poll(1), wait(1), poll(2), wait(2), stat());
      expect(results(steps).slice(1)).toEqual([0, 0, 1, 0, 1, 0, 0]);
      expect(resultOf(steps, -1).sizeBytes).toBe(9000);
    });

    test('a map of nothing is EINVAL, one behind the end maps nothing', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin', 'r+'), map(0, 0), map(9000, 10), unmap(2), map(8990, 100), unmap(4), map(4090, 10), map(4090, 6, 'r'), unmap(7));
      expect(results(steps).slice(1)).toEqual([failed('EINVAL'), 0, 0, 10, 0, failed('EINVAL'), 6, 0]);
      expect([...dataOf(steps, 4)]).toEqual([...content.subarray(8990)]);
    });

    test('reads at, across and behind the end', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin'), read(8999, 1), read(8999, 2), read(9000, 1), read(9001, 1), read(2 ** 40, 4096), read(LAST_OFFSET - 4096n, 4096));
      expect(results(steps).slice(1)).toEqual([1, 1, 0, 0, 0, 0]);
    });

    test('what passes 2^63 - 1 overflows, whatever asks for it', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(
        fs, open('a.bin', 'r+'), read(LAST_OFFSET, 1), prefetch(LAST_OFFSET, 2), readAsync(LAST_OFFSET - 5n, 100), map(LAST_OFFSET, 1, 'r'), write(LAST_OFFSET, pattern(1)),
        gather([LAST_OFFSET]), scatter([2n ** 62n], [1]), stat(), read(0, 9000),
      );
      const big = [failed('EOVERFLOW'), failed('EFBIG')];
      expect(results(steps).slice(1, 3)).toEqual([failed('EOVERFLOW'), failed('EOVERFLOW')]);
      expect(resultOf(steps, 3).result).toBe(failed('EOVERFLOW'));
      expect([...big, failed('EINVAL')]).toContain(resultOf(steps, 4).result);
      expect(big).toContain(resultOf(steps, 5).result);
      for (const step of [6, 7]) expect([...big, failed('ERANGE')]).toContain(resultOf(steps, step).result);
      expect(resultOf(steps, 8).sizeBytes).toBe(9000);
      expect(firstDifference(dataOf(steps, 9), content)).toBeUndefined();
      await fs.unmount();
      expect(firstDifference(fixture.bytes('a.bin'), content)).toBeUndefined();
    });

    test('a length that no disk holds is EFBIG, at once or from the next sync, and can be taken back', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin', 'r+'), truncate(LAST_OFFSET), fsync(), truncate(9000), fsync(), fsync(), stat(), read(0, 10_000), close());
      expect(results(steps).slice(1, 3)).toContain(failed('EFBIG'));
      expect(resultOf(steps, 3).result).toBe(0);
      expect(results(steps).slice(5)).toEqual([0, 0, 9000, 0]);
      expect(resultOf(steps, 6).sizeBytes).toBe(9000);
      expect(firstDifference(dataOf(steps, 7), content)).toBeUndefined();
      expect(firstDifference(fixture.bytes('a.bin'), content)).toBeUndefined();
    });

    test('holes read as zeros, also where older bytes were', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(
        fs, open('a.bin', 'r+'), read(0, 9000), truncate(5000), truncate(20_000), read(0, 30_000), write(40_000, pattern(5, 3)), read(19_990, 30_000), close(),
      );
      expect(results(steps).slice(1)).toEqual([9000, 0, 0, 20_000, 5, 20_015, 0]);
      const wanted = new Uint8Array(40_005);
      wanted.set(content.subarray(0, 5000));
      wanted.set(pattern(5, 3), 40_000);
      expect(firstDifference(dataOf(steps, 4), wanted.subarray(0, 20_000))).toBeUndefined();
      expect(firstDifference(fixture.bytes('a.bin'), wanted)).toBeUndefined();
    });
  });

  describe('modes', () => {
    test('c+ keeps the bytes, and makes a file that is not there', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin', 'c+'), read(0, 9000), write(3, pattern(4, 5)), close(), open('new', 'c+'), stat(1), write(0, pattern(6), 1), close(1));
      expect(results(steps).slice(1, 4)).toEqual([9000, 4, 0]);
      expect(firstDifference(dataOf(steps, 1), content)).toBeUndefined();
      expect(resultOf(steps, 5).sizeBytes).toBe(0);
      expect([...fixture.bytes('new')]).toEqual([...pattern(6)]);
      expect(fixture.bytes('a.bin').length).toBe(9000);
    });

    test('wx+ makes a file once, and not where a link of that name is', async () => {
      fixture.write('a.bin', content);
      symlinkSync('nowhere', fixture.path('dangling'));
      symlinkSync('a.bin', fixture.path('link'));
      const fs = await fixture.mounted();
      const steps = await runWarp(
        fs, open('new', 'wx+'), open('new', 'wx+'), open('a.bin', 'wx+'), open('dangling', 'wx+'), open('link', 'wx+'), write(0, pattern(3)), close(), write(0, pattern(3), 1),
      );
      expect(resultOf(steps, 0).result).toBeGreaterThanOrEqual(0);
      expect(results(steps).slice(1)).toEqual([...times(4, () => failed('EEXIST')), 3, 0, failed('EEXIST')]);
      expect(readdirSync(fixture.root).toSorted()).toEqual(['a.bin', 'dangling', 'link', 'new']);
      expect(firstDifference(fixture.bytes('a.bin'), content)).toBeUndefined();
    });

    test('of many warps that open with wx+ at once, one makes the file', async () => {
      const fs = await fixture.mounted();
      const warps = await runWarps(fs, times(16, (warp) => [open('new', 'wx+'), barrier, write(warp, pattern(1, warp))]));
      expect(warps.filter((steps) => resultOf(steps, 0).result >= 0)).toHaveLength(1);
      for (const steps of warps) if (resultOf(steps, 0).result < 0) expect(results(steps)).toEqual([failed('EEXIST'), 0, failed('EEXIST')]);
    });

    test('append is refused before anything runs, with the mode and the reason', async () => {
      const fs = await fixture.mounted();
      for (const mode of ['a', 'a+']) {
        const run = fs.run([[{ op: 'open', path: 'log', mode: mode as 'r' }]]);
        await expect(run, mode).rejects.toMatchObject({ code: 'ERR_WARPFS_OPTION' });
        await expect(run, mode).rejects.toThrow(new RegExp(`program\\[0\\]\\[0\\]\\.mode.*"${mode.replace('+', '\\+')}".*append`, 's'));
      }
      expect(readdirSync(fixture.root)).toEqual([]);
    });
  });

  describe('names', () => {
    test('of 255 bytes they are made, renamed and removed; of 256 they are ENAMETOOLONG everywhere', async () => {
      const longest = 'n'.repeat(NAME_BYTES_MAX);
      const wide = `${'ü'.repeat(127)}x`; // 255 bytes in 128 letters
      const tooLong = 'n'.repeat(NAME_BYTES_MAX + 1);
      const fs = await fixture.mounted();
      const steps = await runWarp(
        fs, open(longest, 'c+'), write(0, content), close(), rename(longest, wide), open(wide), read(0, 9000, 1), close(1), open(tooLong), open(tooLong, 'c+'), unlink(tooLong),
        rename(wide, tooLong), rename(tooLong, wide), unlink(wide),
      );
      expect(results(steps).slice(1, 4)).toEqual([9000, 0, 0]);
      expect(firstDifference(dataOf(steps, 5), content)).toBeUndefined();
      expect(results(steps).slice(7)).toEqual([...times(5, () => failed('ENAMETOOLONG')), 0]);
      expect(readdirSync(fixture.root)).toEqual([]);
    });

    test('paths as deep and as long as the system allows, and one byte more', async () => {
      const folder = times(18, (level) => `${level}`.padEnd(200, 'd')).join('/');
      mkdirSync(join(fixture.root, folder), { recursive: true });
      const path = (bytes: number, name: string) => `${'./'.repeat(Math.floor((bytes - folder.length - 1 - name.length) / 2))}${folder}/${name}`;
      const longest = path(PATH_BYTES_MAX, 'a');
      const exact = longest.length === PATH_BYTES_MAX ? longest : path(PATH_BYTES_MAX, 'aa');
      expect(exact).toHaveLength(PATH_BYTES_MAX);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open(exact, 'c+'), write(0, content), close(), open(`${folder}/${exact.slice(exact.lastIndexOf('/') + 1)}`), read(0, 9000, 1), close(1), open(`.${exact}`), unlink(exact));
      expect(resultOf(steps, 0).result).toBeGreaterThanOrEqual(0);
      expect(firstDifference(dataOf(steps, 4), content)).toBeUndefined();
      expect(results(steps).slice(6)).toEqual([failed('ENAMETOOLONG'), 0]);
    });
  });

  describe('files that lose their name', () => {
    test('an unlinked file lives on for its handle, and a new one of the name is another', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(
        fs, open('a.bin', 'r+'), unlink('a.bin'), write(9000, pattern(1000, 0, 9000)), fsync(), read(0, 20_000), open('a.bin'), open('a.bin', 'c+'), write(0, pattern(50, 3), 2), stat(0),
        stat(2), read(0, 100, 2), truncate(100), read(0, 200), close(), close(2),
      );
      expect(results(steps).slice(1)).toEqual([0, 1000, 0, 10_000, failed('ENOENT'), resultOf(steps, 6).result, 50, 0, 0, 50, 0, 100, 0, 0]);
      expect(firstDifference(dataOf(steps, 4), pattern(10_000))).toBeUndefined();
      expect([resultOf(steps, 8).sizeBytes, resultOf(steps, 9).sizeBytes]).toEqual([10_000, 50]);
      expect([...fixture.bytes('a.bin')]).toEqual([...pattern(50, 3)]);
    });

    test('a rename over an open file leaves it to its handle', async () => {
      fixture.write('old', content);
      fixture.write('new', pattern(5000, 4));
      const fs = await fixture.mounted();
      const steps = await runWarp(
        fs, open('old', 'r+'), read(0, 100), rename('new', 'old'), write(10, pattern(10, 8)), read(0, 9000), open('old', 'r+'), read(0, 9000, 1), open('new'), close(0), write(0, pattern(3, 9), 1), close(1),
      );
      expect(results(steps).slice(1)).toEqual([100, 0, 10, 9000, resultOf(steps, 5).result, 5000, failed('ENOENT'), 0, 3, 0]);
      const kept = Uint8Array.from(content);
      kept.set(pattern(10, 8), 10);
      expect(firstDifference(dataOf(steps, 4), kept)).toBeUndefined();
      const after = pattern(5000, 4);
      after.set(pattern(3, 9));
      expect(firstDifference(fixture.bytes('old'), after)).toBeUndefined();
      expect(readdirSync(fixture.root)).toEqual(['old']);
    });

    test('an open file that is renamed keeps its handle, and its new name opens the same bytes', async () => {
      fixture.write('old', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(
        fs, open('old', 'r+'), rename('old', 'new'), write(0, pattern(100, 2)), open('new', 'r+'), read(0, 100, 1), write(200, pattern(7, 5), 1), read(200, 7), open('old'), close(), close(1),
      );
      expect(firstDifference(dataOf(steps, 4), pattern(100, 2))).toBeUndefined();
      expect([...dataOf(steps, 6)]).toEqual([...pattern(7, 5)]);
      expect(results(steps).slice(7)).toEqual([failed('ENOENT'), 0, 0]);
      expect([...fixture.bytes('new').subarray(200, 207)]).toEqual([...pattern(7, 5)]);
    });

    test('what the host unlinks or renames while it is open lives on as well', async () => {
      fixture.write('gone', content);
      fixture.write('moved', content);
      const fs = await fixture.mounted();
      const done = runWarp(fs, open('gone', 'r+'), open('moved', 'r+'), write(0, pattern(10, 3)), write(0, pattern(10, 4), 1));
      await done;
      unlinkSync(fixture.path('gone'));
      renameSync(fixture.path('moved'), fixture.path('there'));
      await fs.sync();
      expect([...fixture.bytes('there').subarray(0, 10)]).toEqual([...pattern(10, 4)]);
      expect(readdirSync(fixture.root)).toEqual(['there']);
    });

    test('unlink removes a link, not what it leads to; of two names one remains', async () => {
      fixture.write('a.bin', content);
      symlinkSync('a.bin', fixture.path('link'));
      linkSync(fixture.path('a.bin'), fixture.path('second'));
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, unlink('link'), unlink('a.bin'), unlink('a.bin'), open('second', 'r+'), write(0, pattern(5, 2)), close());
      expect(results(steps).slice(0, 3)).toEqual([0, 0, failed('ENOENT')]);
      expect(statSync(fixture.path('second')).nlink).toBe(1);
      expect([...fixture.bytes('second').subarray(0, 5)]).toEqual([...pattern(5, 2)]);
    });

    test('two names of one file share its bytes', async () => {
      fixture.write('a.bin', content);
      linkSync(fixture.path('a.bin'), fixture.path('b.bin'));
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin', 'r+'), open('b.bin', 'r+'), write(4000, pattern(200, 6)), read(4000, 200, 1), truncate(10, 1), stat(), close(), close(1));
      expect(firstDifference(dataOf(steps, 3), pattern(200, 6))).toBeUndefined();
      expect(resultOf(steps, 5).sizeBytes).toBe(10);
    });
  });
}
