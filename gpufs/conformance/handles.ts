import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { ErrnoName } from '../../native/abi/abi.ts';
import type { Mount } from '../mount.ts';
import { dataOf, firstDifference, type Fixture, pattern, resultOf, results, runWarp, runWarps, times } from './fixture.ts';
import { barrier, close, failed, fsync, open, prefetch, read, readAsync, stat, write } from './operations.ts';

const content = pattern(9000);
const isRoot = process.getuid?.() === 0;

async function expectUsable(fs: Mount): Promise<void> {
  const steps = await runWarp(fs, open('good'), read(0, 9000), close());
  expect(firstDifference(dataOf(steps, 1), content)).toBeUndefined();
}

export function describeHandles(fixture: Fixture): void {
  describe('handles', () => {
    test('two opens of one path share their bytes and their size', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin', 'r+'), open('./a.bin'), write(8990, pattern(20, 2)), stat(1), read(8990, 100, 1));
      expect(resultOf(steps, 3).sizeBytes).toBe(9010);
      expect([...dataOf(steps, 4)]).toEqual([...pattern(20, 2)]);
    });

    test('a handle after its close is EBADF in every operation', async () => {
      fixture.write('good', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(
        fs, open('good', 'r+'), close(), read(0, 1), write(0, pattern(1)), fsync(), stat(), prefetch(0, 1), readAsync(0, 1), close(), read(0, 0),
      );
      expect(results(steps).slice(2)).toEqual(times(8, () => failed('EBADF')));
      await expectUsable(fs);
      expect(firstDifference(fixture.bytes('good'), content)).toBeUndefined();
    });

    test('closing one of two opens leaves the other', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin'), open('a.bin', 'r+'), close(0), write(0, pattern(3, 5), 1), read(0, 3, 1), close(1));
      expect(results(steps).slice(2)).toEqual([0, 3, 3, 0]);
      expect([...fixture.bytes('a.bin').subarray(0, 3)]).toEqual([...pattern(3, 5)]);
    });

    test('a warp that closes twice does not close the file of another warp', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const [twice, other] = await runWarps(fs, [
        [open('a.bin'), barrier, close(), close(), barrier],
        [open('a.bin'), barrier, barrier, read(0, 100), close()],
      ]);
      expect(results(other ?? []).slice(1)).toEqual([0, 0, 100, 0]);
      expect(resultOf(twice, 3).result).toBe(failed('EBADF'));
    });

    test('a handle for reading does not write', async () => {
      fixture.write('good', content);
      const fs = await fixture.mounted();
      expect(results(await runWarp(fs, open('good'), write(0, pattern(5)), write(9000, pattern(5)), close())).slice(1)).toEqual([
        failed('EBADF'), failed('EBADF'), 0,
      ]);
      await fs.unmount();
      expect(firstDifference(fixture.bytes('good'), content)).toBeUndefined();
    });

    test('a read-only mount refuses to open for writing', async () => {
      fixture.write('good', content);
      const fs = await fixture.mounted({ readOnly: true });
      const steps = await runWarp(fs, open('good', 'r+'), open('new', 'w+'), open('good', 'w+'), write(0, pattern(1), 2), open('good'), fsync(3), close(3));
      expect(results(steps).slice(0, 4)).toEqual(times(4, () => failed('EROFS')));
      expect(results(steps).slice(5)).toEqual([0, 0]);
      await expectUsable(fs);
      expect(() => fixture.bytes('new')).toThrow('ENOENT');
    });

    test('many warps create one file at the same time, and all their bytes are kept', async () => {
      const fs = await fixture.mounted();
      const warps = await runWarps(fs, times(32, (warp) => [open('new', 'w+'), barrier, write(warp * 100, pattern(100, 0, warp * 100)), close()]));
      for (const steps of warps) expect(results(steps).slice(1)).toEqual([0, 100, 0]);
      expect(firstDifference(fixture.bytes('new'), pattern(3200))).toBeUndefined();
    });

    test('three hundred files, a few at a time, through a table of eight', async () => {
      for (const index of times(300, (file) => file)) fixture.write(`f${index}`, pattern(600, index));
      const fs = await fixture.mounted({ maxOpenFiles: 8, cache: { lines: 16, lineBytes: 512 } });
      const turnOf = (index: number, turn: number) => [
        open(`f${index}`, 'r+'), read(0, 1000, turn), write(600, pattern(50, index), turn), close(turn),
      ];
      const programs = times(4, (warp) => times(75, (turn) => turnOf(turn * 4 + warp, turn)).flat());
      for (const [warp, steps] of (await runWarps(fs, programs)).entries()) {
        for (const turn of times(75, (index) => index)) {
          expect(firstDifference(dataOf(steps, turn * 4 + 1), pattern(600, turn * 4 + warp)), `file ${turn * 4 + warp}`).toBeUndefined();
        }
      }
      await fs.unmount();
      for (const index of times(300, (file) => file)) {
        expect(firstDifference(fixture.bytes(`f${index}`).subarray(600), pattern(50, index)), `file ${index}`).toBeUndefined();
      }
    });

    test('a file that the host put in the place of another is another file', async () => {
      fixture.write('a.bin', content);
      fixture.write('next', pattern(9000, 77));
      const fs = await fixture.mounted();
      const before = await runWarp(fs, open('a.bin'), read(0, 9000), close());
      renameSync(fixture.path('next'), fixture.path('a.bin'));
      const after = await runWarp(fs, open('a.bin'), read(0, 9000), close());
      expect(firstDifference(dataOf(before, 1), content)).toBeUndefined();
      expect(firstDifference(dataOf(after, 1), pattern(9000, 77))).toBeUndefined();
    });

    test('more files than the table holds: ENFILE, and room again after a close', async () => {
      for (const name of ['good', 'b', 'c']) fixture.write(name, content);
      const fs = await fixture.mounted({ maxOpenFiles: 2 });
      const steps = await runWarp(fs, open('good'), open('b'), open('c'), close(1), open('c'), read(0, 100, 3));
      expect(resultOf(steps, 2).result).toBe(failed('ENFILE'));
      expect(resultOf(steps, 5).result).toBe(100);
    });
  });

  describe('paths', () => {
    const refused: [name: string, path: string, mode: 'r' | 'r+' | 'w+', error: ErrnoName][] = [
      ['a file that is not there', 'none', 'r', 'ENOENT'],
      ['a folder that is not there', 'none/a', 'w+', 'ENOENT'],
      ['a way out', '../good', 'r', 'EXDEV'],
      ['a way out that would come back', 'folder/../../good', 'r', 'EXDEV'],
      ['an absolute path', '/etc/hostname', 'r', 'EXDEV'],
      ['a new file outside', '../warpfs-must-not-be-there', 'w+', 'EXDEV'],
      ['a link that leads out', 'outward', 'r', 'EXDEV'],
      ['a new file through a link that leads out', 'outward_folder/warpfs-must-not-be-there', 'w+', 'EXDEV'],
      ['an absolute link', 'absolute', 'r', 'EXDEV'],
      ['a folder', 'folder', 'r', 'EISDIR'],
      ['a folder, for writing', 'folder', 'w+', 'EISDIR'],
      ['the root itself', '.', 'r', 'EISDIR'],
      ['a file as a folder', 'good/a', 'r', 'ENOTDIR'],
      ['a circle of links', 'circle', 'r', 'ELOOP'],
      ['a pipe without a writer', 'pipe', 'r', 'EOPNOTSUPP'],
      ['a pipe without a reader, for writing', 'pipe', 'r+', 'EOPNOTSUPP'],
      ['a name that is too long', 'n'.repeat(300), 'r', 'ENAMETOOLONG'],
      ['a path that is too long', 'p/'.repeat(2048), 'r', 'ENAMETOOLONG'],
      ['a path that is far too long', 'p/'.repeat(10_000), 'w+', 'ENAMETOOLONG'],
    ];

    function makeTree(): void {
      fixture.write('good', content);
      mkdirSync(fixture.path('folder'));
      symlinkSync('../../etc/hostname', fixture.path('outward'));
      symlinkSync('..', fixture.path('outward_folder'));
      symlinkSync(tmpdir(), fixture.path('absolute'));
      symlinkSync('circle', fixture.path('circle'));
      symlinkSync('../good', fixture.path('folder/inward'));
      execFileSync('mkfifo', [fixture.path('pipe')]);
    }

    test.each(refused)('%s is refused, and the mount is usable after it', async (_name, path, mode, error) => {
      makeTree();
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open(path, mode), read(0, 1), open('good'), read(0, 9000, 1), close(1));
      expect(results(steps).slice(0, 2)).toEqual([failed(error), failed(error)]);
      expect(firstDifference(dataOf(steps, 3), content)).toBeUndefined();
      await expectUsable(fs);
    });

    test('links and dots that stay inside work', async () => {
      makeTree();
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('folder/inward'), open('folder/../good'), open('./folder/.././good'), ...times(3, (file) => read(0, 9000, file)));
      for (const step of [3, 4, 5]) expect(firstDifference(dataOf(steps, step), content)).toBeUndefined();
    });

    test.skipIf(isRoot)(isRoot ? 'SKIP: root may read every file; run as a user to check EACCES' : 'a file without permission is EACCES', async () => {
      makeTree();
      fixture.write('secret', content);
      chmodSync(fixture.path('secret'), 0);
      const fs = await fixture.mounted();
      expect(resultOf(await runWarp(fs, open('secret')), 0).result).toBe(failed('EACCES'));
      await expectUsable(fs);
    });

    test('names with spaces and letters beyond ASCII', async () => {
      fixture.write('ein schöner Tag 🙂', content);
      const fs = await fixture.mounted();
      expect(firstDifference(dataOf(await runWarp(fs, open('ein schöner Tag 🙂'), read(0, 9000)), 1), content)).toBeUndefined();
    });
  });
}
