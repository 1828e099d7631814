// The check of a third party: fio writes a file with checksums in it, the gpu copies it, fio verifies the copy.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Mount } from '../mount.ts';
import type { WaitName } from '../options.ts';
import { dataOf, type Fixture, results, runWarps, times, useFixture } from './fixture.ts';
import { nativePresence } from './native_device.ts';
import { close, fsync, open, read, write } from './operations.ts';
import { kernelsMissing, mountOnTestDevice } from './test_device.ts';

const FILE_BYTES = 8 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const CHUNKS = FILE_BYTES / CHUNK_BYTES;

const missing = nativePresence().missing ?? (hasFio() ? undefined : 'there is no fio on this machine (apt-get install fio)');
const noCompiler = kernelsMissing();

function hasFio(): boolean {
  return spawnSync('fio', ['--version']).status === 0;
}

/** Every block of 4 KB holds its own checksum and offset. */
function fio(root: string, file: string, ...how: string[]) {
  const job = ['--name=v', `--filename=${file}`, '--rw=write', '--bs=4k', `--size=${FILE_BYTES}`, '--verify=crc32c', '--verify_state_save=0', '--thread'];
  return spawnSync('fio', [...job, ...how], { cwd: root, encoding: 'utf8' });
}

function flipByte(path: string, offset: number): void {
  const fd = openSync(path, 'r+');
  const byte = new Uint8Array(1);
  readSync(fd, byte, 0, 1, offset);
  writeSync(fd, byte.map((value) => value ^ 1), 0, 1, offset);
  closeSync(fd);
}

/** One item for each chunk; all of them fsync what they wrote. */
const copyChunks = {
  name: 'copy_chunks',
  inputs: { from: 'string', to: 'string' },
  outputs: { room: 'u8[]' },
  source: `
    uchar* mine = room + item * ${CHUNK_BYTES};
    WARPFS_TRY(int source, gopen(fs, from, WARPFS_RDONLY));
    if (source < 0) return source;
    WARPFS_TRY(int target, gopen(fs, to, WARPFS_RDWR));
    if (target < 0) return target;
    WARPFS_TRY(int got, gread(fs, source, (ulong)item * ${CHUNK_BYTES}, ${CHUNK_BYTES}, mine));
    if (got != ${CHUNK_BYTES}) return got < 0 ? got : -Errno::eio;
    WARPFS_TRY(int put, gwrite(fs, target, (ulong)item * ${CHUNK_BYTES}, ${CHUNK_BYTES}, mine));
    if (put != ${CHUNK_BYTES}) return put < 0 ? put : -Errno::eio;
    WARPFS_TRY(int synced, gfsync(fs, target));
    if (synced != 0) return synced;
    WARPFS_TRY(int closed, gclose(fs, source));
    if (closed != 0) return closed;
    WARPFS_TRY(int ended, gclose(fs, target));
    if (ended != 0) return ended;`,
} as const;

async function copyByKernel(fs: Mount): Promise<void> {
  const kernel = await fs.kernel(copyChunks);
  await kernel.dispatch({ items: CHUNKS, inputs: { from: 'A', to: 'B' }, outputs: { room: FILE_BYTES } });
}

async function copyByPrograms(fs: Mount): Promise<void> {
  const chunks = await runWarps(fs, times(CHUNKS, (chunk) => [open('A'), read(chunk * CHUNK_BYTES, CHUNK_BYTES), close()]));
  const written = await runWarps(fs, chunks.map((steps, chunk) => [open('B', 'r+'), write(chunk * CHUNK_BYTES, dataOf(steps, 1)), fsync(), close()]));
  for (const steps of written) expect(results(steps).slice(1)).toEqual([CHUNK_BYTES, 0, 0]);
}

async function expectTrueCopy(fixture: Fixture, copy: (fs: Mount) => Promise<void>): Promise<void> {
  expect(fio(fixture.root, 'A', '--do_verify=0').status).toBe(0);
  fixture.write('B', new Uint8Array(0));
  const fs = await fixture.mounted();
  await copy(fs);
  const accepted = fio(fixture.root, 'B', '--verify_only');
  expect(accepted.status, accepted.stderr).toBe(0);
  flipByte(fixture.path('B'), 4_997_121);
  const rejected = fio(fixture.root, 'B', '--verify_only');
  expect(rejected.status).not.toBe(0);
  expect(rejected.stdout + rejected.stderr).toMatch(/verify/);
}

for (const wait of ['spin', 'replay'] as const satisfies readonly WaitName[]) {
  describe.skipIf(missing !== undefined)(missing === undefined ? `fio, wait ${wait}` : `SKIP fio: ${missing}`, () => {
    const fixture = useFixture((options) => mountOnTestDevice({ ...options, wait }));

    test.skipIf(noCompiler !== undefined)(`accepts what a kernel copied, and rejects one flipped byte${noCompiler === undefined ? '' : `: SKIP ${noCompiler}`}`, () =>
      expectTrueCopy(fixture, copyByKernel));

    test('accepts what programs copied, and rejects one flipped byte', () => expectTrueCopy(fixture, copyByPrograms));
  });
}
