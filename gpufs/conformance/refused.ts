// What must be refused: ways out of the root, what is no file, what is not permitted, and every change to a read-only mount.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { ErrnoName } from '../../native/abi/abi.ts';
import type { OpenModeName, Operation } from '../program.ts';
import { dataOf, firstDifference, type Fixture, pattern, resultOf, results, runWarp, times } from './fixture.ts';
import { add, close, failed, map, open, read, rename, scatter, stat, truncate, unlink, unmap, wait, write, writeAsync } from './operations.ts';

const content = pattern(9000);
const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
/** A refusal that waits for somebody at the other end of a pipe would take for ever. */
const REFUSED_MS_MAX = 5000;

function makeTree(fixture: Fixture): void {
  fixture.write('good', content);
  mkdirSync(fixture.path('folder'));
  mkdirSync(fixture.path('full'));
  fixture.write('full/inside', content);
  symlinkSync('../..', fixture.path('folder/out'));
  symlinkSync(tmpdir(), fixture.path('absolute'));
  symlinkSync('two', fixture.path('one'));
  symlinkSync('one', fixture.path('two'));
  execFileSync('mkfifo', [fixture.path('pipe')]);
}

const outside = 'warpfs-must-not-be-there';

const refusals: [string, Operation, ErrnoName][] = [
  ['unlink a file outside', unlink(`../${outside}`), 'EXDEV'],
  ['unlink by an absolute path', unlink(`/tmp/${outside}`), 'EXDEV'],
  ['unlink through a link that leads out', unlink(`folder/out/${outside}`), 'EXDEV'],
  ['unlink through an absolute link', unlink(`absolute/${outside}`), 'EXDEV'],
  ['unlink what is not there', unlink('none'), 'ENOENT'],
  ['unlink a folder', unlink('folder'), 'EISDIR'],
  ['unlink the root', unlink('.'), 'EISDIR'],
  ['unlink through a file', unlink('good/a'), 'ENOTDIR'],
  ['unlink through a circle of links', unlink('one/a'), 'ELOOP'],
  ['rename to outside', rename('good', `../${outside}`), 'EXDEV'],
  ['rename from outside', rename(`../${outside}`, 'here'), 'EXDEV'],
  ['rename to an absolute path', rename('good', `/tmp/${outside}`), 'EXDEV'],
  ['rename through a link that leads out', rename('good', `folder/out/${outside}`), 'EXDEV'],
  ['rename through an absolute link', rename('good', `absolute/${outside}`), 'EXDEV'],
  ['rename what is not there', rename('none', 'here'), 'ENOENT'],
  ['rename into a folder that is not there', rename('good', 'none/here'), 'ENOENT'],
  ['rename a file over a folder', rename('good', 'folder'), 'EISDIR'],
  ['rename a folder over a file', rename('folder', 'good'), 'ENOTDIR'],
  ['rename through a circle of links', rename('good', 'one/a'), 'ELOOP'],
];

const modes: readonly OpenModeName[] = ['r', 'r+', 'w+', 'c+'];

export function describeRefused(fixture: Fixture): void {
  describe('refused', () => {
    test.each(refusals)('%s', async (_name, operation, error) => {
      makeTree(fixture);
      const before = readdirSync(fixture.root).toSorted();
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, operation, open('good'), read(0, 9000), close());
      expect(resultOf(steps, 0).result).toBe(failed(error));
      expect(firstDifference(dataOf(steps, 2), content)).toBeUndefined();
      expect(readdirSync(fixture.root).toSorted()).toEqual(before);
      expect(existsSync(`/tmp/${outside}`)).toBe(false);
    });

    test('ways out and circles, in every mode', async () => {
      makeTree(fixture);
      const fs = await fixture.mounted();
      const ways: [string, ErrnoName][] = [
        ['../x', 'EXDEV'], ['folder/../../x', 'EXDEV'], ['/etc/hostname', 'EXDEV'], [`folder/out/${outside}`, 'EXDEV'], [`absolute/${outside}`, 'EXDEV'], ['one', 'ELOOP'], ['two/a', 'ELOOP'],
      ];
      const programs = ways.flatMap(([path, error]) => modes.map((mode) => [path, mode, error] as const));
      const steps = await runWarp(fs, ...programs.map(([path, mode]) => open(path, mode)));
      expect(programs.map(([path, mode], step) => [path, mode, resultOf(steps, step).result])).toEqual(programs.map(([path, mode, error]) => [path, mode, failed(error)]));
      expect(existsSync(`/tmp/${outside}`)).toBe(false);
    });

    test('a pipe, a socket, a device and a folder, in every mode, without waiting for anybody', async () => {
      makeTree(fixture);
      const server = await listening(fixture.path('socket'));
      const hasDevice = isRoot && makesDevice(fixture.path('device'));
      if (!hasDevice) console.warn('SKIP a device file: mknod needs root and a file system that has devices');
      try {
        const fs = await fixture.mounted();
        const started = performance.now();
        for (const [path, error] of [['pipe', 'EOPNOTSUPP'], ['socket', 'EOPNOTSUPP'], ...(hasDevice ? [['device', 'EOPNOTSUPP'] as const] : []), ['folder', 'EISDIR']] as const) {
          const steps = await runWarp(fs, ...modes.map((mode) => open(path, mode)));
          expect(results(steps), path).toEqual(modes.map(() => failed(error)));
        }
        expect(performance.now() - started).toBeLessThan(REFUSED_MS_MAX);
        expect(firstDifference(dataOf(await runWarp(fs, open('good'), read(0, 9000), close()), 1), content)).toBeUndefined();
      } finally {
        server.close();
      }
    });

    test('a read-only mount refuses every change with EROFS, and reads', async () => {
      makeTree(fixture);
      const before = readdirSync(fixture.root).toSorted();
      const fs = await fixture.mounted({ readOnly: true });
      const writing: OpenModeName[] = ['r+', 'w+', 'c+', 'wx+'];
      const steps = await runWarp(
        fs, ...writing.map((mode) => open('good', mode)), open('new', 'c+'), open('new', 'wx+'), unlink('good'), rename('good', 'better'), open('good'), read(0, 9000, 6), stat(6), close(6),
      );
      expect(results(steps).slice(0, 8)).toEqual(times(8, () => failed('EROFS')));
      expect(firstDifference(dataOf(steps, 9), content)).toBeUndefined();
      expect(readdirSync(fixture.root).toSorted()).toEqual(before);
      // A handle that was opened for reading says so first.
      const changes = await runWarp(fs, open('good'), write(0, pattern(1)), truncate(1), map(0, 1, 'r+'), scatter([0], [1]), add([0], [1]), writeAsync(0, pattern(1)), wait(6));
      for (const { result } of [...changes.slice(1, 6), resultOf(changes, 7)]) expect([failed('EROFS'), failed('EBADF')]).toContain(result);
      await fs.unmount();
      expect(firstDifference(fixture.bytes('good'), content)).toBeUndefined();
    });

    test('a handle for reading refuses every change with EBADF', async () => {
      fixture.write('good', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(
        fs, open('good'), write(0, pattern(1)), truncate(0), truncate(10 ** 6), map(0, 10, 'r+'), scatter([0], [1]), add([0], [1]), writeAsync(0, pattern(1)), wait(7), map(0, 10, 'r'), unmap(9, pattern(1)),
        stat(), read(0, 9000),
      );
      expect(results(steps).slice(1, 7)).toEqual(times(6, () => failed('EBADF')));
      expect([resultOf(steps, 8).result, resultOf(steps, 9).result, resultOf(steps, 10).result]).toEqual([failed('EBADF'), 10, failed('EBADF')]);
      expect(firstDifference(dataOf(steps, 12), content)).toBeUndefined();
    });

    const asNobody = isRoot ? '' : ', as the user of the tests';
    test(`what is not permitted is EACCES${asNobody}`, async () => {
      makeTree(fixture);
      chmodSync(fixture.root, 0o755);
      fixture.write('secret', content);
      fixture.write('shown', content);
      mkdirSync(fixture.path('locked'));
      fixture.write('locked/a', content);
      chmodSync(fixture.path('secret'), 0);
      chmodSync(fixture.path('shown'), 0o444);
      chmodSync(fixture.path('locked'), 0);
      if (!isRoot) chmodSync(fixture.root, 0o555);
      // Root may do everything: for this test the process is somebody else. All its threads are, also those that serve the files.
      if (isRoot) process.seteuid?.(NOBODY);
      try {
        const fs = await fixture.mounted();
        const steps = await runWarp(
          fs, open('secret'), open('secret', 'r+'), open('shown', 'r+'), open('shown', 'w+'), open('locked/a'), open('new', 'c+'), unlink('shown'), rename('shown', 'other'), open('shown'), read(0, 9000, 6), close(6),
        );
        expect(results(steps).slice(0, 8)).toEqual(times(8, () => failed('EACCES')));
        expect(firstDifference(dataOf(steps, 9), content)).toBeUndefined();
        await fs.unmount();
      } finally {
        if (isRoot) process.seteuid?.(0);
        chmodSync(fixture.root, 0o755);
        chmodSync(fixture.path('locked'), 0o755);
      }
      expect(firstDifference(fixture.bytes('shown'), content)).toBeUndefined();
    });
  });
}

function listening(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(path, () => resolve(server));
  });
}

/** A null device; false where the file system or the container has none. */
function makesDevice(path: string): boolean {
  try {
    execFileSync('mknod', [path, 'c', '1', '3'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
